//! An answer on its way to a client: its head, and its content piece by piece as the socket takes
//! it. What may be small goes out in one call of the system.

use std::io;
use std::io::Write as _;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};

use super::super::Stream;
use super::super::time_limit::TimeLimit;
use super::encode::Coding;
use super::wire::Wire;
use crate::body::AnswerBody;
use crate::storage::{Content, FilePart, PipedPart};

/// How long a part may be in a pipe, of which there are few. What a slow client hasn't taken by then
/// waits for it in memory.
const IN_PIPE: Duration = Duration::from_secs(1);

/// What is to be sent of an answer.
pub(super) struct Sending {
    /// What goes out before the next piece: the head, a chunk's length.
    before: Vec<u8>,
    piece: Piece,
    coding: Coding,
    /// How many bytes are still to come, where the head has told it.
    left: Option<u64>,
    body: AnswerBody,
    /// Of the part that is in a pipe.
    in_pipe: Option<TimeLimit>,
}

enum Piece {
    /// To be taken from the body.
    None,
    Bytes(Bytes),
    File(FilePart),
    Piped(PipedPart),
    /// What was in a pipe for too long.
    TakenOut(Bytes),
    /// There is no further one.
    Ended,
}

/// The answer can't be sent to its end: the client has left, or must not take it for whole.
#[derive(Debug)]
pub(super) struct Cut;

impl From<io::Error> for Cut {
    fn from(_why: io::Error) -> Self {
        Self
    }
}

impl Sending {
    /// `length` is what the head tells of the content, in bytes.
    pub(super) fn new(
        head: Vec<u8>,
        coding: Coding,
        length: Option<u64>,
        body: AnswerBody,
    ) -> Self {
        let piece = Piece::None;
        Self { before: head, piece, coding, left: length, body, in_pipe: None }
    }

    /// Sends until all is sent.
    pub(super) fn poll<S: Stream>(
        &mut self,
        cx: &mut Context<'_>,
        wire: &mut Wire<S>,
    ) -> Poll<Result<(), Cut>> {
        loop {
            let is_waiting = match self.piece {
                Piece::None => self.poll_piece(cx, S::BY_KERNEL)?.is_pending(),
                _ => false,
            };
            if let Piece::Ended = self.piece
                && self.before.is_empty()
            {
                wire.cork(false);
                ready!(wire.poll_flush(cx))?;
                self.body.complete();
                return Poll::Ready(Ok(()));
            }
            if is_waiting && self.before.is_empty() {
                ready!(wire.poll_flush(cx))?;
                return Poll::Pending;
            }
            // Else each part of a file would end in a small packet of its own.
            if matches!(self.piece, Piece::File(_)) && self.left.is_some_and(|left| left > 0) {
                wire.cork(true);
            }
            ready!(self.poll_write(cx, wire))?;
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>, by_kernel: bool) -> Poll<Result<(), Cut>> {
        let content = ready!(self.body.poll_content(cx, by_kernel)).transpose();
        self.piece = match content.map_err(|_cut| Cut)? {
            Some(Content::Bytes(bytes)) => Piece::Bytes(bytes),
            Some(Content::File(part)) => Piece::File(part),
            Some(Content::Piped(part)) => {
                self.in_pipe.get_or_insert_with(|| TimeLimit::new(IN_PIPE)).begin(IN_PIPE);
                Piece::Piped(part)
            }
            None => Piece::Ended,
        };
        if let Some(left) = self.left {
            let left = left.checked_sub(self.piece.remaining() as u64);
            let is_ended = matches!(self.piece, Piece::Ended);
            // Else what comes next on the connection would be taken for a part of this, or what is
            // this for a part of the next.
            if left.is_none_or(|left| is_ended && left > 0) {
                self.body.differs();
                return Poll::Ready(Err(Cut));
            }
            self.left = left;
        }
        if self.coding == Coding::Chunks {
            // The one of no length is the last (RFC 9112, section 7.1), and no piece is empty.
            let length = self.piece.remaining();
            let _ = write!(self.before, "{length:x}\r\n");
            if let Piece::Ended = self.piece {
                self.before.extend_from_slice(b"\r\n");
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write<S: Stream>(
        &mut self,
        cx: &mut Context<'_>,
        wire: &mut Wire<S>,
    ) -> Poll<Result<(), Cut>> {
        let sent = match &mut self.piece {
            Piece::File(part) => match ready!(wire.poll_send_file(cx, &self.before, part)) {
                Ok(sent) => sent,
                Err(_why) => {
                    // A file that was shortened ends early; else it is the client who has left.
                    if let Err(fault) = part.file.check() {
                        self.body.fail(fault);
                        wire.reset();
                    }
                    return Poll::Ready(Err(Cut));
                }
            },
            Piece::Piped(part) => match wire.poll_send_piped(cx, &self.before, part) {
                Poll::Ready(sent) => sent?,
                Poll::Pending => {
                    ready!(self.in_pipe.as_mut().map_or(Poll::Pending, |limit| limit.poll(cx)));
                    return Poll::Ready(self.take_out());
                }
            },
            Piece::Bytes(bytes) | Piece::TakenOut(bytes) => {
                ready!(wire.poll_send(cx, &self.before, bytes))?
            }
            Piece::None | Piece::Ended => ready!(wire.poll_send(cx, &self.before, &[]))?,
        };
        if sent == 0 {
            return Poll::Ready(Err(Cut));
        }
        let of_before = sent.min(self.before.len());
        self.before.drain(..of_before);
        let of_piece = sent - of_before;
        match &mut self.piece {
            Piece::Bytes(bytes) => bytes.advance(of_piece),
            // It knows already.
            Piece::Piped(_) => self.body.sent(of_piece),
            Piece::TakenOut(bytes) => {
                bytes.advance(of_piece);
                self.body.sent(of_piece);
            }
            Piece::File(part) => {
                part.at += of_piece as u64;
                part.length -= of_piece;
                self.body.sent(of_piece);
                // The kernel has sent what the file held meanwhile. If that was another version,
                // the client must not take it for whole.
                if part.length == 0
                    && let Err(fault) = part.file.check()
                {
                    self.body.fail(fault);
                    wire.reset();
                    return Poll::Ready(Err(Cut));
                }
            }
            Piece::None | Piece::Ended => {}
        }
        let is_content = !matches!(self.piece, Piece::None | Piece::Ended);
        if is_content && self.piece.remaining() == 0 {
            self.piece = Piece::None;
            if self.coding == Coding::Chunks {
                self.before.extend_from_slice(b"\r\n");
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Has what is in a pipe wait in memory.
    fn take_out(&mut self) -> Result<(), Cut> {
        if let Piece::Piped(part) = std::mem::replace(&mut self.piece, Piece::None) {
            self.piece = Piece::TakenOut(part.take_out()?);
        }
        Ok(())
    }
}

impl Piece {
    /// How many bytes of it are still to be sent.
    fn remaining(&self) -> usize {
        match self {
            Self::Bytes(bytes) | Self::TakenOut(bytes) => bytes.len(),
            Self::File(part) => part.length,
            Self::Piped(part) => part.length(),
            Self::None | Self::Ended => 0,
        }
    }
}
