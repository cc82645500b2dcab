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

    /// Lets a client go that has taken nothing for `send_timeout`: reset, so that nothing waits in
    /// the system's buffer for it.
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
        self.stream.reset_when_closed();
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;
    use tokio::time::Instant;

    use super::*;

    /// Takes nothing, and tells whether it was set to be reset.
    struct Stalled(Rc<Cell<bool>>);

    impl AsyncRead for Stalled {
        fn poll_read(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            _out: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Stalled {
        fn poll_write(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            _bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Pending
        }

        fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl Stream for Stalled {
        fn reset_when_closed(&self) {
            self.0.set(true);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_reset() {
        let second = Duration::from_secs(1);
        let limits = WireLimits {
            head_bytes: 1024,
            head_timeout: second,
            idle_timeout: second,
            send_timeout: 60 * second,
        };
        let is_reset = Rc::new(Cell::new(false));
        let stalled = Stalled(Rc::clone(&is_reset));
        let mut timed = Timed::new(stalled, limits, Exchanges::default());
        let begun = Instant::now();
        let why = timed.write_all(b"some").await.unwrap_err();
        assert_eq!((why.kind(), begun.elapsed().as_secs()), (io::ErrorKind::TimedOut, 60));
        assert!(is_reset.get());
    }
}
