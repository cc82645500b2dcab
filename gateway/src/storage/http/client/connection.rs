//! One connection to an upstream server: a request goes out on it, and its answer comes.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::http::StatusCode;
use bytes::{Buf as _, Bytes, BytesMut};

use super::head::{self, Head, MAX_HEAD_BYTES, Malformed};
use super::wire::{SinceIdle, UpstreamWire};
use crate::listener::TimeLimit;

/// How much is read at first: most heads with all that follows them. In bytes.
const FIRST_READ_BYTES: usize = 32 * 1024;
/// Less room than this isn't read into: a call of the system should be worth it.
const LEAST_READ_BYTES: usize = 4 * 1024;
/// How many interim answers (RFC 9110, section 15.2) are read over.
const MAX_INTERIM: usize = 8;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum AskError {
    /// The connection had been closed: nothing of an answer came.
    #[error("it closed the connection before it answered")]
    Dead,
    /// It was closed or reset within the answer's head.
    #[error("it closed the connection within the answer's header")]
    Lost,
    #[error("no answer in time")]
    TooSlow,
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Io(io::Error),
}

/// A connection. It carries one request at a time.
pub(in super::super) struct Connection {
    pub(super) wire: UpstreamWire,
    /// Read and not yet taken.
    pub(super) buffer: BytesMut,
    /// Of what is waited for.
    limit: TimeLimit,
}

impl Connection {
    /// A new one.
    pub(super) fn new(wire: UpstreamWire) -> Self {
        let limit = TimeLimit::new(Duration::ZERO);
        Self { wire, buffer: BytesMut::new(), limit }
    }

    /// What the server has done since its last answer.
    pub(super) fn since_idle(&mut self) -> SinceIdle {
        if self.buffer.is_empty() { self.wire.since_idle() } else { SinceIdle::Spoke }
    }

    /// Lets the buffer go, if nothing is left in it; else the connection is of no use any more.
    pub(super) fn has_nothing_left(&mut self) -> bool {
        let is_empty = self.buffer.is_empty();
        self.buffer = BytesMut::new();
        is_empty
    }

    /// Sends a request, and waits for the answer's head for at most `limit`. `to_head` says whether
    /// it is a HEAD.
    pub(super) async fn ask(
        &mut self,
        request: &[u8],
        to_head: bool,
        limit: Duration,
    ) -> Result<Head, AskError> {
        let (mut unsent, mut interim) = (request, 0);
        self.begin_to_wait(limit);
        poll_fn(|cx| {
            let polled = self.poll_ask(cx, &mut unsent, &mut interim, to_head);
            if polled.is_pending() {
                ready!(self.limit.poll(cx));
                return Poll::Ready(Err(AskError::TooSlow));
            }
            polled
        })
        .await
    }

    fn poll_ask(
        &mut self,
        cx: &mut Context<'_>,
        unsent: &mut &[u8],
        interim: &mut usize,
        to_head: bool,
    ) -> Poll<Result<Head, AskError>> {
        while !unsent.is_empty() {
            match ready!(self.wire.poll_write(cx, unsent)).map_err(|why| self.lost(why))? {
                0 => return Poll::Ready(Err(AskError::Dead)),
                sent => *unsent = &unsent[sent..],
            }
        }
        ready!(self.wire.poll_flush(cx)).map_err(|why| self.lost(why))?;
        loop {
            if let Some(end) = head::end(&self.buffer)? {
                // Apart from what follows it, which must not be kept for as long as a field is.
                let bytes = Bytes::copy_from_slice(&self.buffer[..end]);
                self.buffer.advance(end);
                let head = Head::read(bytes, to_head)?;
                if !head.status.is_informational() {
                    return Poll::Ready(Ok(head));
                }
                *interim += 1;
                if head.status == StatusCode::SWITCHING_PROTOCOLS || *interim > MAX_INTERIM {
                    return Poll::Ready(Err(Malformed::Interim.into()));
                }
                continue;
            }
            let room = if self.buffer.is_empty() { FIRST_READ_BYTES } else { MAX_HEAD_BYTES };
            match ready!(self.poll_fill(cx, room)).map_err(|why| self.lost(why))? {
                0 => return Poll::Ready(Err(self.lost(ErrorKind::UnexpectedEof.into()))),
                _more => {}
            }
        }
    }

    /// What it means that the connection failed before the head was whole. A server that closes an
    /// idle connection just as a request goes out on it shows as an end, or as a reset when it never
    /// read the request.
    fn lost(&self, why: io::Error) -> AskError {
        use ErrorKind as Kind;
        match why.kind() {
            Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::BrokenPipe
            | Kind::NotConnected
            | Kind::UnexpectedEof => {
                if self.buffer.is_empty() {
                    AskError::Dead
                } else {
                    AskError::Lost
                }
            }
            _ => AskError::Io(why),
        }
    }

    /// Reads more, with room for so many bytes where there is less: how many came, none at the end.
    pub(super) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        room: usize,
    ) -> Poll<io::Result<usize>> {
        let free = self.buffer.capacity() - self.buffer.len();
        if free < room.min(LEAST_READ_BYTES) {
            self.buffer.reserve(room);
        }
        self.wire.poll_read(cx, &mut self.buffer)
    }

    pub(super) fn begin_to_wait(&mut self, limit: Duration) {
        self.limit.begin(limit);
    }

    /// Ready when what is waited for has taken too long.
    pub(super) fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.limit.poll(cx)
    }
}
