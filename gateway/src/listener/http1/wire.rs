//! One HTTP/1 connection's bytes: whole heads are taken from it, answers are put on it, and a client
//! that stalls is let go. While it waits for a request it holds no buffer.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::ReadBuf;

use super::super::framing::{self, Fault};
use super::super::time_limit::TimeLimit;
use super::super::{CutSwitch, Stream, WireLimits};
use crate::storage::{FilePart, PipedPart};

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 8 * 1024;
/// How much is read of what a client still sends after its last answer, and how long.
const LINGER_BYTES: usize = 256 * 1024;
const LINGER: Duration = Duration::from_secs(2);

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Nothing,
    Request,
    RestOfHead,
    Send,
}

pub(super) struct Wire<S: Stream> {
    stream: S,
    limits: WireLimits,
    switch: Rc<CutSwitch>,
    /// Read and not yet taken.
    buffer: Vec<u8>,
    wait: Wait,
    /// Of what is waited for.
    limit: TimeLimit,
    /// Whether an answer is under way that the connection's end would make look whole.
    pub(super) ends_content: bool,
    is_corked: bool,
}

/// Cut, it is reset rather than ended.
impl<S: Stream> Drop for Wire<S> {
    fn drop(&mut self) {
        if self.switch.is_thrown() || self.ends_content {
            self.reset();
        }
    }
}

impl<S: Stream> Wire<S> {
    pub(super) fn new(stream: S, limits: WireLimits, switch: Rc<CutSwitch>) -> Self {
        let limit = TimeLimit::new(limits.idle_timeout);
        let (buffer, wait) = (Vec::new(), Wait::Nothing);
        let (ends_content, is_corked) = (false, false);
        Self { stream, limits, switch, buffer, wait, limit, ends_content, is_corked }
    }

    /// The next whole head, or why it is refused; none when there is no further one.
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Vec<u8>, Fault>>> {
        loop {
            // RFC 9112, section 2.2: an empty line before a request line is ignored.
            while self.buffer.starts_with(b"\r\n") {
                self.take(2);
                self.wait = Wait::RestOfHead;
            }
            match self.whole_head() {
                Ok(0) => {}
                Ok(end) => {
                    self.wait = Wait::Nothing;
                    return Poll::Ready(Some(Ok(self.take(end))));
                }
                Err(fault) => return Poll::Ready(Some(Err(fault))),
            }
            match self.poll_fill(cx) {
                Poll::Ready(Ok(read)) if read > 0 => {}
                Poll::Ready(_end_or_error) => return Poll::Ready(None),
                Poll::Pending => {
                    // Once something has come there is a head's time for the whole of it, however
                    // little comes at a time.
                    let is_begun = self.wait == Wait::RestOfHead || !self.buffer.is_empty();
                    let (wait, limit) = match is_begun {
                        false => (Wait::Request, self.limits.idle_timeout),
                        true => (Wait::RestOfHead, self.limits.head_timeout),
                    };
                    ready!(self.poll_overdue(cx, wait, limit));
                    let is_head = !matches!(&*self.buffer, b"" | b"\r");
                    return Poll::Ready(is_head.then_some(Err(Fault::Slow)));
                }
            }
        }
    }

    /// Where the head ends that the buffer begins with; zero while it isn't whole.
    fn whole_head(&self) -> Result<usize, Fault> {
        match framing::head_end(&self.buffer)? {
            Some(end) if end <= self.limits.head_bytes => Ok(end),
            None if self.buffer.len() <= self.limits.head_bytes => Ok(0),
            _ => Err(Fault::TooLarge),
        }
    }

    fn take(&mut self, end: usize) -> Vec<u8> {
        let rest = if end == self.buffer.len() { Vec::new() } else { self.buffer.split_off(end) };
        std::mem::replace(&mut self.buffer, rest)
    }

    /// Zero at the stream's end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [MaybeUninit::uninit(); READ_BYTES];
        let mut read = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
        self.buffer.extend_from_slice(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    }

    /// While an answer is made or sent: whether the client has left. Of what it asks next no more
    /// is read than a head may have.
    pub(super) fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.buffer.len() <= self.limits.head_bytes {
            match ready!(self.poll_fill(cx)) {
                Ok(read) if read > 0 => {}
                _end_or_error => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    /// Sends what the socket takes of two buffers.
    pub(super) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        first: &[u8],
        second: &[u8],
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.stream);
        // A plain send costs the kernel less.
        let sent = match (first, second) {
            ([], only) | (only, []) => stream.poll_write(cx, only),
            _ => stream.poll_write_vectored(cx, &[IoSlice::new(first), IoSlice::new(second)]),
        };
        self.poll_sent(cx, sent)
    }

    /// Sends what the socket takes of a buffer and a part of a file.
    pub(super) fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        before: &[u8],
        part: &FilePart,
    ) -> Poll<io::Result<usize>> {
        let sent = self.stream.poll_send_file(cx, before, part);
        self.poll_sent(cx, sent)
    }

    /// The same with a part that is in a pipe.
    pub(super) fn poll_send_piped(
        &mut self,
        cx: &mut Context<'_>,
        before: &[u8],
        part: &mut PipedPart,
    ) -> Poll<io::Result<usize>> {
        let sent = self.stream.poll_send_piped(cx, before, part);
        self.poll_sent(cx, sent)
    }

    /// Sends what encryption still holds.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.stream).poll_flush(cx);
        self.poll_sent(cx, sent)
    }

    /// Lets a client go that has taken nothing for `send_timeout`.
    fn poll_sent<T>(
        &mut self,
        cx: &mut Context<'_>,
        sent: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if sent.is_pending() {
            ready!(self.poll_overdue(cx, Wait::Send, self.limits.send_timeout));
            // What the system holds for it would stay there, out of reach of a revoke.
            self.reset();
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.wait = Wait::Nothing;
        sent
    }

    /// Ready when this was waited for too long.
    fn poll_overdue(&mut self, cx: &mut Context<'_>, wait: Wait, limit: Duration) -> Poll<()> {
        if self.wait != wait {
            self.wait = wait;
            self.limit.begin(limit);
        }
        self.limit.poll(cx)
    }

    /// Holds back, or no longer, what doesn't fill a packet.
    pub(super) fn cork(&mut self, is_corked: bool) {
        if self.is_corked != is_corked {
            self.is_corked = is_corked;
            self.stream.cork(is_corked);
        }
    }

    /// Has the connection reset when it is closed.
    pub(super) fn reset(&self) {
        self.stream.reset_when_closed();
    }

    /// Ends the connection.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let closed = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.poll_sent(cx, closed).map(|_closed| ())
    }

    /// Reads away what a client still sends after the last answer: closed with something unread, the
    /// system would drop what of the answer hasn't arrived (RFC 9112, section 9.6).
    pub(super) async fn linger(&mut self) {
        let reading = async {
            let mut lingered = 0;
            while lingered < LINGER_BYTES {
                self.buffer.clear();
                match std::future::poll_fn(|cx| self.poll_fill(cx)).await {
                    Ok(read) if read > 0 => lingered += read,
                    _end_or_error => break,
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, reading).await;
    }
}

#[cfg(test)]
mod tests;
