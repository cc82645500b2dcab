//! A client's bytes, plain or decrypted; plain ones the kernel can take from a file itself.

use std::io;
use std::task::{Context, Poll, ready};

use rustix::fs::sendfile;
use rustix::net::{SendFlags, send};
use tokio::io::{AsyncRead, AsyncWrite, Interest};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::storage::FilePart;

/// A client's connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + 'static {
    /// Whether the kernel can send files on it. What is encrypted has to be read.
    const SENDS_FILES: bool = false;

    /// Has the connection reset when it is closed, so that nothing that waits in the system's
    /// buffer is sent any more, and no client takes what it has for the whole (sync.md T3).
    fn reset_when_closed(&self);

    /// Sends `before` and then, of the file, what the socket takes: how many bytes of both. Only
    /// where it [sends files](Self::SENDS_FILES).
    fn poll_send_file(
        &mut self,
        _cx: &mut Context<'_>,
        _before: &[u8],
        _part: &FilePart,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

impl Stream for TcpStream {
    const SENDS_FILES: bool = true;

    fn reset_when_closed(&self) {
        if let Err(why) = self.set_zero_linger() {
            tracing::debug!(%why, "a connection could not be set to be reset");
        }
    }

    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        before: &[u8],
        part: &FilePart,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_write_ready(cx))?;
            match self.try_io(Interest::WRITABLE, || send_file(self, before, part)) {
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
        }
    }
}

/// What went out is told also when the rest failed: it fails again when it is asked for again.
fn send_file(socket: &TcpStream, before: &[u8], part: &FilePart) -> io::Result<usize> {
    let mut sent = 0;
    if !before.is_empty() {
        // There is more: the part's bytes are in memory, and so follow at once. Without saying so,
        // the head would go out in a packet of its own.
        sent = send(socket, before, SendFlags::MORE | SendFlags::NOSIGNAL)?;
        if sent < before.len() {
            return Ok(sent);
        }
    }
    let mut at = part.at;
    match sendfile(socket, &*part.file, Some(&mut at), part.length) {
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
