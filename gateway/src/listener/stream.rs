//! A client's bytes, plain or decrypted; plain ones the kernel can take itself from a file or a pipe.

use std::io;
use std::task::{Context, Poll, ready};

use rustix::fs::sendfile;
use rustix::net::{SendFlags, send};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::storage::{FilePart, PipedPart};

/// A client's connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + 'static {
    /// Whether the kernel can send on it from files and pipes. What is encrypted has to be read.
    const BY_KERNEL: bool = false;

    /// Has the connection reset when it is closed, so that nothing that waits in the system's
    /// buffer is sent any more, and no client takes what it has for the whole (sync.md T3).
    fn reset_when_closed(&self);

    /// Has the kernel hold back what doesn't fill a packet (`TCP_CORK`, tcp(7)), or send it.
    fn cork(&self, _is_corked: bool) {}

    /// Sends `before` and then, of the file, what the socket takes: how many bytes of both. Only
    /// where the kernel [can](Self::BY_KERNEL).
    fn poll_send_file(
        &mut self,
        _cx: &mut Context<'_>,
        _before: &[u8],
        _part: &FilePart,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// The same for a part that is in a pipe, which is told of it.
    fn poll_send_piped(
        &mut self,
        _cx: &mut Context<'_>,
        _before: &[u8],
        _part: &mut PipedPart,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

impl Stream for TcpStream {
    const BY_KERNEL: bool = true;

    fn reset_when_closed(&self) {
        if let Err(why) = self.set_zero_linger() {
            tracing::debug!(%why, "a connection could not be set to be reset");
        }
    }

    fn cork(&self, is_corked: bool) {
        if let Err(why) = SockRef::from(self).set_tcp_cork(is_corked) {
            tracing::debug!(%why, "a connection's packets could not be held back");
        }
    }

    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        before: &[u8],
        part: &FilePart,
    ) -> Poll<io::Result<usize>> {
        poll_send(self, cx, before, |socket| {
            let mut at = part.at;
            Ok(sendfile(socket, &*part.file, Some(&mut at), part.length)?)
        })
    }

    fn poll_send_piped(
        &mut self,
        cx: &mut Context<'_>,
        before: &[u8],
        part: &mut PipedPart,
    ) -> Poll<io::Result<usize>> {
        poll_send(self, cx, before, |socket| part.send_to(socket))
    }
}

/// Sends `before`, and then has `send_rest` send what follows it.
fn poll_send(
    socket: &TcpStream,
    cx: &mut Context<'_>,
    before: &[u8],
    mut send_rest: impl FnMut(&TcpStream) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(socket.poll_write_ready(cx))?;
        match socket.try_io(Interest::WRITABLE, || send_both(socket, before, &mut send_rest)) {
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => {}
            sent => return Poll::Ready(sent),
        }
    }
}

/// What went out is told also when the rest failed: it fails again when it is asked for again.
fn send_both(
    socket: &TcpStream,
    before: &[u8],
    send_rest: &mut impl FnMut(&TcpStream) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut sent = 0;
    if !before.is_empty() {
        // There is more: the part's bytes are in memory, and so follow at once. Without saying so,
        // the head would go out in a packet of its own.
        sent = send(socket, before, SendFlags::MORE | SendFlags::NOSIGNAL)?;
        if sent < before.len() {
            return Ok(sent);
        }
    }
    match send_rest(socket) {
        Ok(more) if more > 0 => Ok(sent + more),
        _ if sent > 0 => Ok(sent),
        Ok(_ended) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(why) => Err(why),
    }
}

impl Stream for TlsStream<TcpStream> {
    fn reset_when_closed(&self) {
        self.get_ref().0.reset_when_closed();
    }
}

#[cfg(test)]
mod tests;
