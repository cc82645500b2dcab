//! The content of an upstream's answer, taken from the connection by whoever sends it on.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;

use super::chunks::Read;
use super::head::{Framing, Malformed};
use super::pipe::{PipedPart, Pipes};
use super::pool::Pooled;
use crate::storage::representation::MAX_PIECE_BYTES;

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 128 * 1024;
/// With more than so much still to come, a pipe is worth its calls of the system. In bytes.
const PIPE_ABOVE_BYTES: u64 = 64 * 1024;

/// A piece of an answer's content.
pub(in super::super) enum Piece {
    Bytes(Bytes),
    /// Only where pipes were offered.
    Piped(PipedPart),
}

/// Why the content isn't whole.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum BodyError {
    #[error("{0} bytes are missing")]
    Missing(u64),
    #[error("the last chunk is missing")]
    NoLastChunk,
    #[error("it paused for {0:?}")]
    Stalled(Duration),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// An answer's content that is still to come. When all of it has been taken, the connection is given
/// back; dropped earlier, it is closed.
pub(in super::super) struct Incoming {
    /// None once it was given back.
    pooled: Option<Pooled>,
    framing: Framing,
    is_kept_alive: bool,
    is_waiting: bool,
}

impl Incoming {
    pub(super) fn new(pooled: Pooled, framing: Framing, is_kept_alive: bool) -> Self {
        let mut this = Self { pooled: Some(pooled), framing, is_kept_alive, is_waiting: false };
        this.release_at_end();
        this
    }

    /// How many bytes are still to come, where the head told it.
    pub(in super::super) fn remaining(&self) -> Option<u64> {
        match self.framing {
            Framing::Length(left) => Some(left),
            Framing::Chunks(_) | Framing::Close => None,
        }
    }

    /// The next piece, never an empty one; an error if the server pauses for longer than
    /// `idle_timeout`. With `pipes` it may be one that the kernel sends on.
    pub(in super::super) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        idle_timeout: Duration,
        pipes: Option<&Rc<Pipes>>,
    ) -> Poll<Option<Result<Piece, BodyError>>> {
        let pipe = pipes.filter(|_| self.is_for_a_pipe()).and_then(Pipes::take);
        let polled = match pipe {
            Some(pipe) => self.poll_fill_pipe(cx, pipe),
            None => self.poll_read(cx).map_ok(|read| read.map(Piece::Bytes)),
        };
        let Some(pooled) = self.pooled.as_mut().filter(|_| polled.is_pending()) else {
            self.is_waiting = false;
            self.release_at_end();
            return polled.map(Result::transpose);
        };
        let connection = pooled.connection();
        if !self.is_waiting {
            self.is_waiting = true;
            connection.begin_to_wait(idle_timeout);
        }
        ready!(connection.poll_overdue(cx));
        Poll::Ready(Some(Err(BodyError::Stalled(idle_timeout))))
    }

    /// Whether there is much to come, of known length, and none of it in memory already.
    fn is_for_a_pipe(&mut self) -> bool {
        let is_long = self.remaining().is_some_and(|left| left > PIPE_ABOVE_BYTES);
        let connection = self.pooled.as_mut().filter(|_| is_long).map(Pooled::connection);
        connection.is_some_and(|c| c.buffer.is_empty() && c.wire.is_plain())
    }

    fn poll_fill_pipe(
        &mut self,
        cx: &mut Context<'_>,
        mut part: PipedPart,
    ) -> Poll<Result<Option<Piece>, BodyError>> {
        let (Some(pooled), Framing::Length(left)) = (&mut self.pooled, &mut self.framing) else {
            return Poll::Ready(Ok(None));
        };
        match ready!(pooled.connection().wire.poll_fill_pipe(cx, &mut part, *left))? {
            0 => Poll::Ready(Err(BodyError::Missing(*left))),
            length => {
                *left -= length as u64;
                Poll::Ready(Ok(Some(Piece::Piped(part))))
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>> {
        let Some(pooled) = &mut self.pooled else { return Poll::Ready(Ok(None)) };
        let connection = pooled.connection();
        loop {
            let buffered = connection.buffer.len() as u64;
            let length = match &mut self.framing {
                Framing::Length(0) => return Poll::Ready(Ok(None)),
                Framing::Length(left) => {
                    let length = buffered.min(*left).min(MAX_PIECE_BYTES);
                    *left -= length;
                    length
                }
                Framing::Close => buffered.min(MAX_PIECE_BYTES),
                Framing::Chunks(chunks) => match chunks.read(&mut connection.buffer)? {
                    Read::Data(piece) => return Poll::Ready(Ok(Some(piece))),
                    Read::Nothing => 0,
                    Read::End => {
                        self.framing = Framing::Length(0);
                        return Poll::Ready(Ok(None));
                    }
                },
            };
            if length > 0 {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                return Poll::Ready(Ok(Some(connection.buffer.split_to(length).freeze())));
            }
            let room = match self.framing {
                Framing::Length(left) => usize::try_from(left).unwrap_or(usize::MAX),
                Framing::Chunks(_) | Framing::Close => READ_BYTES,
            };
            if ready!(connection.poll_fill(cx, room.min(READ_BYTES)))? > 0 {
                continue;
            }
            return Poll::Ready(match self.framing {
                Framing::Length(left) => Err(BodyError::Missing(left)),
                Framing::Chunks(_) => Err(BodyError::NoLastChunk),
                Framing::Close => {
                    self.framing = Framing::Length(0);
                    Ok(None)
                }
            });
        }
    }

    /// Gives the connection back as soon as it isn't needed, however slow the client is.
    fn release_at_end(&mut self) {
        if self.remaining() == Some(0)
            && let Some(pooled) = self.pooled.take()
            && self.is_kept_alive
        {
            pooled.give_back();
        }
    }
}
