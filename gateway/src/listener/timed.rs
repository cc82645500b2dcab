//! One HTTP/2 connection's bytes: a client that stalls is let go. HTTP/2 has framing of its own.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::exchanges::Exchanges;
use super::time_limit::TimeLimit;
use super::{Stream, WireLimits};

pub(super) struct Timed<S: Stream> {
    stream: S,
    limits: WireLimits,
    exchanges: Exchanges,
    is_idle: bool,
    is_blocked: bool,
    /// Of what is waited for: a request, or that the client takes something.
    limit: TimeLimit,
}

impl<S: Stream> Timed<S> {
    pub(super) fn new(stream: S, limits: WireLimits, exchanges: Exchanges) -> Self {
        let limit = TimeLimit::new(limits.idle_timeout);
        Self { stream, limits, exchanges, is_idle: false, is_blocked: false, limit }
    }

    /// Whether a request was waited for too long. None is while an answer is on its way: then the
    /// client's reading is what counts.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.exchanges.is_any() || self.is_blocked {
            self.is_idle = false;
            return Poll::Pending;
        }
        if !self.is_idle {
            self.is_idle = true;
            self.limit.begin(self.limits.idle_timeout);
        }
        self.limit.poll(cx)
    }

    /// Lets a client go that has taken nothing for `send_timeout`.
    fn poll_sent<T>(
        &mut self,
        cx: &mut Context<'_>,
        sent: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            self.is_blocked = false;
            return sent;
        }
        if !self.is_blocked {
            self.is_blocked = true;
            self.limit.begin(self.limits.send_timeout);
        }
        ready!(self.limit.poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: Stream> AsyncRead for Timed<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_read(cx, out) {
            Poll::Ready(read) => {
                this.is_idle = false;
                Poll::Ready(read)
            }
            // To the HTTP library that is the stream's end.
            Poll::Pending => this.poll_idle(cx).map(Ok),
        }
    }
}

impl<S: Stream> AsyncWrite for Timed<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let sent = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.poll_sent(cx, sent)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let sent = Pin::new(&mut this.stream).poll_write_vectored(cx, bytes);
        this.poll_sent(cx, sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let sent = Pin::new(&mut this.stream).poll_flush(cx);
        this.poll_sent(cx, sent)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
