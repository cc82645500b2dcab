//! The content of an upstream's answer, taken from the connection by whoever sends it on.

use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;

use super::chunks::Read;
use super::head::{Framing, Malformed};
use super::pool::Pooled;

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 128 * 1024;
/// The most that is given at a time, in bytes (sync.md T3).
const MAX_PIECE_BYTES: u64 = 256 * 1024;

/// Why the content isn't whole.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum BodyError {
    #[error("{0} bytes are missing")]
    Missing(u64),
    #[error("the last chunk is missing")]
    NoLastChunk,
    #[error("it paused for {0:?}")]
    Stalled(Duration),
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("{0}")]
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
    /// `idle_timeout`.
    pub(in super::super) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        idle_timeout: Duration,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        let polled = self.poll_read(cx);
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
