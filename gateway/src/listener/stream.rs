//! A client's bytes, plain or decrypted; plain ones the kernel can take from a file itself.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::fs::sendfile;
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use tokio::io::{AsyncRead, AsyncWrite, Interest};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::stand_in::{FilePart, StandIns};

/// A client's connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + 'static {
    /// Has the connection reset when it is closed, so that nothing that waits in the system's
    /// buffer is sent any more, and no client takes what it has for the whole (sync.md T3).
    fn reset_when_closed(&self);

    /// Sends as much of `slices` as the socket takes, like
    /// [`poll_write_vectored`](AsyncWrite::poll_write_vectored), where some may stand for parts of
    /// files.
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        _stand_ins: &StandIns,
    ) -> Poll<io::Result<usize>> {
        Pin::new(self).poll_write_vectored(cx, slices)
    }
}

impl Stream for TcpStream {
    fn reset_when_closed(&self) {
        if let Err(why) = self.set_zero_linger() {
            tracing::debug!(%why, "a connection could not be set to be reset");
        }
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        stand_ins: &StandIns,
    ) -> Poll<io::Result<usize>> {
        let part = |(at, slice): (usize, &IoSlice<'_>)| Some((at, stand_ins.find(slice)?));
        let Some((at, part)) = slices.iter().enumerate().find_map(part) else {
            return match slices {
                // A plain send costs the kernel less.
                [slice] => Pin::new(self).poll_write(cx, slice),
                slices => Pin::new(self).poll_write_vectored(cx, slices),
            };
        };
        let length = slices[at].len();
        loop {
            ready!(self.poll_write_ready(cx))?;
            let send = || send(self, &slices[..at], &part, length);
            match self.try_io(Interest::WRITABLE, send) {
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
        }
    }
}

/// Sends what comes before a part of a file, and then of the part what the socket takes. What went
/// out is told also when the rest failed: it fails again when it is asked for again.
fn send(
    socket: &TcpStream,
    before: &[IoSlice<'_>],
    part: &FilePart,
    length: usize,
) -> io::Result<usize> {
    let mut sent = 0;
    let before_bytes = before.iter().map(|slice| slice.len()).sum();
    if before_bytes > 0 {
        // There is more: the part's bytes are in memory, and so follow at once. Without saying so,
        // the head would go out in a packet of its own.
        let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
        sent = sendmsg(socket, before, &mut SendAncillaryBuffer::default(), flags)?;
        if sent < before_bytes {
            return Ok(sent);
        }
    }
    let mut at = part.at;
    match sendfile(socket, &*part.file, Some(&mut at), length) {
        Ok(more) if more > 0 => Ok(sent + more),
        _ if sent > 0 => Ok(sent),
        Ok(_ended) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(why) => Err(why.into()),
    }
}

impl Stream for TlsStream<TcpStream> {
    fn reset_when_closed(&self) {
        self.get_ref().0.reset_when_closed();
    }
}

#[cfg(test)]
mod tests;
