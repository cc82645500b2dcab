//! A connection's bytes, plain or decrypted.

use std::future::Future as _;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::BytesMut;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWrite as _, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::pipe::PipedPart;

/// A stream to an upstream server.
pub(in super::super) enum UpstreamWire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What a server has done on a connection that was idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SinceIdle {
    /// Nothing, as it should.
    Silent,
    /// Ended it.
    Closed,
    /// Sent what nobody had asked for.
    Spoke,
}

impl UpstreamWire {
    /// What the server of an idle connection has done meanwhile. The socket itself is asked, not only
    /// what is known of it: what nobody has asked for must not be taken for the next answer.
    pub(super) fn since_idle(&mut self) -> SinceIdle {
        let mut unasked = [0];
        match self {
            Self::Plain(stream) => {
                match recv(&*stream, &mut unasked, RecvFlags::PEEK | RecvFlags::DONTWAIT) {
                    Err(Errno::AGAIN) => SinceIdle::Silent,
                    Ok((_, 1..)) => SinceIdle::Spoke,
                    _ => SinceIdle::Closed,
                }
            }
            // A message of TLS's own may have come.
            Self::Tls(stream) => {
                let mut cx = Context::from_waker(Waker::noop());
                let mut unasked = ReadBuf::new(&mut unasked);
                match Pin::new(stream).poll_read(&mut cx, &mut unasked) {
                    Poll::Pending => SinceIdle::Silent,
                    Poll::Ready(Ok(())) if !unasked.filled().is_empty() => SinceIdle::Spoke,
                    Poll::Ready(_) => SinceIdle::Closed,
                }
            }
        }
    }

    /// Reads into the buffer's free room: how many bytes, none at the stream's end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        // Nothing is lost with a future that is made anew for each poll.
        match self {
            Self::Plain(stream) => pin!(stream.read_buf(buffer)).poll(cx),
            Self::Tls(stream) => pin!(stream.read_buf(buffer)).poll(cx),
        }
    }

    /// Whether its bytes can go into a pipe. What is encrypted has to be read.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Fills an empty pipe with at most `length` bytes: how many, none at the stream's end.
    pub(super) fn poll_fill_pipe(
        &mut self,
        cx: &mut Context<'_>,
        part: &mut PipedPart,
        length: u64,
    ) -> Poll<io::Result<usize>> {
        let Self::Plain(stream) = self else {
            return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
        };
        loop {
            ready!(stream.poll_read_ready(cx))?;
            match stream.try_io(Interest::READABLE, || part.fill_from(&*stream, length)) {
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => {}
                filled => return Poll::Ready(filled),
            }
        }
    }

    /// Sends of these bytes what the socket takes.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    /// Sends what encryption still holds.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }
}
