//! One client connection's bytes: only whole, strictly read heads go up to the HTTP library, and
//! a client that stalls is let go.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::framing::{self, Fault};
use super::time_limit::TimeLimit;
use super::{Exchange, Stream};

/// What is handed up in place of a head that is refused, so that the refusal takes the same way
/// through answer and record as every other.
const REFUSED_HEAD: &[u8] = b"! /refused HTTP/1.1\r\n\r\n";
/// How much is read at a time while heads are awaited, in bytes.
const READ_BYTES: usize = 8 * 1024;
/// How long a connection waits for its next request before it rests: is waited for without the HTTP
/// library and its buffers.
const RESTS_AFTER: Duration = Duration::from_secs(1);
/// How much is read of what a refused client still sends, and how long, so that it gets to read
/// its answer before the connection is reset.
const LINGER_BYTES: usize = 256 * 1024;
const LINGER: Duration = Duration::from_secs(2);

/// The bounds of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WireLimits {
    pub(crate) head_bytes: usize,
    pub(crate) head_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) send_timeout: Duration,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Request,
    /// As before, for longer than a moment.
    Rest,
    RestOfHead,
}

pub(super) struct Wire<S: Stream> {
    stream: S,
    limits: WireLimits,
    exchange: Rc<Exchange>,
    /// HTTP/1: heads are checked. HTTP/2 has framing of its own.
    heads: bool,
    /// Read but not yet handed up; the first `ready` bytes are checked.
    pending: Vec<u8>,
    ready: usize,
    refused: bool,
    wait: Option<Wait>,
    send_blocked: bool,
    /// Of what is waited for: a request, or that the client takes something.
    limit: TimeLimit,
    lingered: Option<usize>,
}

/// Cut, it is reset rather than ended.
impl<S: Stream> Drop for Wire<S> {
    fn drop(&mut self) {
        if self.exchange.switch.is_thrown() {
            self.stream.reset_when_closed();
        }
    }
}

impl<S: Stream> Wire<S> {
    pub(super) fn new(stream: S, limits: WireLimits, exchange: Rc<Exchange>, heads: bool) -> Self {
        Self {
            stream,
            limits,
            exchange,
            heads,
            pending: Vec::new(),
            ready: 0,
            refused: false,
            wait: None,
            send_blocked: false,
            limit: TimeLimit::new(limits.idle_timeout),
            lingered: None,
        }
    }

    /// Looks for a whole head in what is pending.
    fn judge(&mut self) {
        // RFC 9112, section 2.2: an empty line before a request line is ignored.
        if self.pending.starts_with(b"\r\n") {
            self.pending.drain(..2);
        }
        match self.head_in(&self.pending) {
            Ok(end) => self.ready = end,
            Err(fault) => self.refuse(fault),
        }
    }

    /// Where the head ends that `bytes` begin with; zero while it isn't whole.
    fn head_in(&self, bytes: &[u8]) -> Result<usize, Fault> {
        match framing::head_end(bytes)? {
            Some(end) if end > self.limits.head_bytes => Err(Fault::TooLarge),
            Some(end) => framing::check(&bytes[..end]).map(|()| end),
            None if bytes.len() > self.limits.head_bytes => Err(Fault::TooLarge),
            None => Ok(0),
        }
    }

    fn refuse(&mut self, fault: Fault) {
        self.exchange.fault.set(Some(fault));
        self.refused = true;
        self.pending = REFUSED_HEAD.to_vec();
        self.ready = REFUSED_HEAD.len();
    }

    fn hand_up(&mut self, out: &mut ReadBuf<'_>) {
        let count = self.ready.min(out.remaining());
        out.put_slice(&self.pending[..count]);
        self.pending.drain(..count);
        self.ready -= count;
        self.goes_on();
        if self.pending.is_empty() {
            // An idle connection holds no buffer.
            self.pending = Vec::new();
        }
    }

    /// Reads a head right to where it goes, for most come alone and whole; then, and at the stream's
    /// end, true. What is anything else is kept, to be looked at again.
    fn poll_whole_head(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<bool>> {
        let before = out.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, out))?;
        let read = &out.filled()[before..];
        let is_whole = self.head_in(read) == Ok(read.len());
        if is_whole {
            self.goes_on();
        } else {
            self.pending.extend_from_slice(read);
            out.set_filled(before);
        }
        Poll::Ready(Ok(is_whole))
    }

    /// Reads more of a head. Zero at the stream's end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [MaybeUninit::uninit(); READ_BYTES];
        let mut read = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
        self.pending.extend_from_slice(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    }

    /// Whether what is waited for took too long. Nothing is waited for while an answer is on its
    /// way: then the client's reading is what counts.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<Wait> {
        if self.exchange.is_busy() || self.send_blocked || self.refused {
            self.wait = None;
            return Poll::Pending;
        }
        match (self.wait, self.pending.is_empty()) {
            (Some(Wait::Request | Wait::Rest), true) | (Some(Wait::RestOfHead), false) => {}
            (_, true) => self.wait_for(Wait::Request, self.limits.idle_timeout.min(RESTS_AFTER)),
            (_, false) => self.wait_for(Wait::RestOfHead, self.limits.head_timeout),
        }
        ready!(self.limit.poll(cx));
        if self.wait == Some(Wait::Request) {
            self.wait_for(Wait::Rest, self.limits.idle_timeout.saturating_sub(RESTS_AFTER));
            self.exchange.rests.set(self.heads);
            ready!(self.limit.poll(cx));
        }
        Poll::Ready(self.wait.unwrap_or(Wait::Rest))
    }

    /// What was waited for is there.
    fn goes_on(&mut self) {
        self.wait = None;
        self.exchange.rests.set(false);
    }

    fn wait_for(&mut self, wait: Wait, limit: Duration) {
        self.wait = Some(wait);
        self.limit.begin(limit);
    }

    /// While the connection rests: whether a request begins, or it has ended.
    pub(super) fn poll_begins(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.pending.is_empty() {
            return match self.poll_fill(cx) {
                Poll::Ready(read) => Poll::Ready(read.is_ok_and(|read| read > 0)),
                Poll::Pending => self.limit.poll(cx).map(|()| false),
            };
        }
        Poll::Ready(true)
    }

    fn poll_heads(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            if !self.pending.is_empty() && self.ready == 0 && !self.refused {
                self.judge();
            }
            if self.ready > 0 {
                self.hand_up(out);
                return Poll::Ready(Ok(()));
            }
            if self.refused {
                return Poll::Pending;
            }
            let is_done = match self.pending.is_empty() {
                true => self.poll_whole_head(cx, out)?,
                false => self.poll_fill(cx)?.map(|read| read == 0),
            };
            match is_done {
                Poll::Ready(true) => return Poll::Ready(Ok(())),
                Poll::Ready(false) => {}
                Poll::Pending => match ready!(self.poll_overdue(cx)) {
                    Wait::Request | Wait::Rest => return Poll::Ready(Ok(())),
                    Wait::RestOfHead => self.refuse(Fault::Slow),
                },
            }
        }
    }

    /// Lets a client go that has taken nothing for `send_timeout`.
    fn poll_sent<T>(
        &mut self,
        cx: &mut Context<'_>,
        sent: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match sent {
            Poll::Ready(sent) => {
                self.send_blocked = false;
                Poll::Ready(sent)
            }
            Poll::Pending => {
                if !self.send_blocked {
                    self.send_blocked = true;
                    self.limit.begin(self.limits.send_timeout);
                }
                ready!(self.limit.poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    /// Reads away what a refused client still sends.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.lingered.is_none() {
            self.limit.begin(LINGER);
        }
        let mut lingered = self.lingered.unwrap_or(0);
        while lingered < LINGER_BYTES {
            self.lingered = Some(lingered);
            match self.poll_fill(cx) {
                Poll::Ready(Ok(read)) if read > 0 => lingered += read,
                Poll::Ready(_end_or_error) => break,
                Poll::Pending => {
                    ready!(self.limit.poll(cx));
                    break;
                }
            }
            self.pending.clear();
        }
        Poll::Ready(())
    }
}

impl<S: Stream> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.heads {
            return this.poll_heads(cx, out);
        }
        match Pin::new(&mut this.stream).poll_read(cx, out) {
            Poll::Ready(read) => {
                this.wait = None;
                Poll::Ready(read)
            }
            Poll::Pending => this.poll_overdue(cx).map(|_overdue| Ok(())),
        }
    }
}

impl<S: Stream> AsyncWrite for Wire<S> {
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
        let sent = match &this.exchange.stand_ins {
            Some(stand_ins) => this.stream.poll_send(cx, bytes, stand_ins),
            None => Pin::new(&mut this.stream).poll_write_vectored(cx, bytes),
        };
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
        let this = self.get_mut();
        if this.lingered.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        if this.refused {
            ready!(this.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
