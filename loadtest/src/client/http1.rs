//! HTTP/1.1, one exchange at a time.

use std::io::{self, Write as _};

use rustix::net::{RecvFlags, recv};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{Answer, Ask, Missing, USER_AGENT, Validators};

/// What is read at a time. Of memory it costs what a head takes, for most of it is never touched.
const BUFFER_BYTES: usize = 256 * 1024;
const HEADERS_MAX: usize = 64;

/// A connection.
pub(crate) struct Http1<S> {
    stream: S,
    authority: String,
    /// The request that is written.
    request: Vec<u8>,
    buffer: Box<[u8]>,
    /// What of the buffer has been read from the stream and not been used: `start..end`.
    start: usize,
    end: usize,
}

/// A stream whose bytes can be left unread.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin {
    /// Takes up to `scratch.len()` bytes and says how many; what is in `scratch` then, is open.
    async fn discard(&mut self, scratch: &mut [u8]) -> io::Result<usize>;
}

impl Stream for TcpStream {
    /// In the kernel, without copying: `MSG_TRUNC` of tcp(7).
    async fn discard(&mut self, scratch: &mut [u8]) -> io::Result<usize> {
        self.async_io(Interest::READABLE, || {
            let (_, taken) = recv(&*self, &mut *scratch, RecvFlags::TRUNC)?;
            Ok(taken)
        })
        .await
    }
}

impl Stream for TlsStream<TcpStream> {
    async fn discard(&mut self, scratch: &mut [u8]) -> io::Result<usize> {
        self.read(scratch).await
    }
}

/// What stands in an answer's head.
struct Head {
    status: u16,
    framing: Framing,
    keep_alive: bool,
    validators: Option<Validators>,
}

/// How a body ends (RFC 9112 section 6.3).
enum Framing {
    Length(u64),
    Chunked,
    Close,
}

/// Counts a body, and digests it if that is wanted.
struct Body {
    length: u64,
    hasher: Option<Sha256>,
}

impl Body {
    fn take(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
    }
}

impl<S: Stream> Http1<S> {
    pub(super) fn new(stream: S, authority: String) -> Self {
        let buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
        Self { stream, authority, request: Vec::new(), buffer, start: 0, end: 0 }
    }

    pub(super) async fn exchange(&mut self, ask: &Ask<'_>) -> Result<Answer, Missing> {
        self.write_request(ask)?;
        self.stream.write_all(&self.request).await?;
        // Over TLS what is written may still wait for the socket.
        self.stream.flush().await?;
        let head = self.head(ask.hash).await?;
        let mut body = Body { length: 0, hasher: ask.hash.then(Sha256::new) };
        let framed = match head.framing {
            Framing::Length(length) => self.counted(&mut body, length).await.map(|()| true),
            Framing::Chunked => self.chunks(&mut body).await.map(|()| true),
            Framing::Close => self.rest(&mut body).await.map(|()| false),
        }?;
        Ok(Answer {
            status: head.status,
            length: body.length,
            sha256: body.hasher.map(|hasher| hasher.finalize().into()),
            validators: head.validators,
            // Bytes behind an answer that nobody asked for make the next one doubtful.
            keep_alive: head.keep_alive && framed && self.start == self.end,
        })
    }

    fn write_request(&mut self, ask: &Ask<'_>) -> io::Result<()> {
        self.request.clear();
        let authority = &self.authority;
        write!(
            self.request,
            "GET {} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: {USER_AGENT}\r\n\
             Accept-Encoding: identity\r\nAccept: */*\r\n",
            ask.path
        )?;
        if let Some(etag) = ask.held.and_then(|held| held.etag.as_deref()) {
            write!(self.request, "If-None-Match: {etag}\r\n")?;
        }
        if let Some(date) = ask.held.and_then(|held| held.last_modified.as_deref()) {
            write!(self.request, "If-Modified-Since: {date}\r\n")?;
        }
        self.request.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Reads more behind what is there.
    async fn more(&mut self) -> Result<(), Missing> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start.., 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        match self.stream.read(&mut self.buffer[self.end..]).await? {
            0 => Err(Missing::Cut),
            read => {
                self.end += read;
                Ok(())
            }
        }
    }

    async fn head(&mut self, with_validators: bool) -> Result<Head, Missing> {
        loop {
            self.more().await?;
            let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
            let mut response = httparse::Response::new(&mut headers);
            if let httparse::Status::Complete(length) =
                response.parse(&self.buffer[self.start..self.end])?
            {
                let head = Head::read(&response, with_validators)?;
                self.start += length;
                return Ok(head);
            }
        }
    }

    /// Takes `length` bytes.
    async fn counted(&mut self, body: &mut Body, length: u64) -> Result<(), Missing> {
        let there = within(length, self.end - self.start);
        body.take(&self.buffer[self.start..self.start + there]);
        self.start += there;
        let mut left = length - there as u64;
        while left > 0 {
            // All that was read is used, so the whole buffer is free.
            (self.start, self.end) = (0, 0);
            let most = within(left, self.buffer.len());
            let scratch = &mut self.buffer[..most];
            let taken = if body.hasher.is_some() {
                let read = self.stream.read(scratch).await?;
                body.take(&scratch[..read]);
                read
            } else {
                let discarded = self.stream.discard(scratch).await?;
                body.length += discarded as u64;
                discarded
            };
            if taken == 0 {
                return Err(Missing::Cut);
            }
            left -= taken as u64;
        }
        Ok(())
    }

    /// Takes a chunked body to its end (RFC 9112 section 7.1).
    async fn chunks(&mut self, body: &mut Body) -> Result<(), Missing> {
        loop {
            let line = self.line().await?;
            let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
            let size = std::str::from_utf8(size).ok().map(str::trim);
            let size = size.and_then(|text| u64::from_str_radix(text, 16).ok());
            match size.ok_or(Missing::Length)? {
                0 => break,
                size => self.counted(body, size).await?,
            }
            self.line().await?;
        }
        // Trailers, up to the empty line.
        while !self.line().await?.is_empty() {}
        Ok(())
    }

    /// Takes a line, without its end.
    async fn line(&mut self) -> Result<Vec<u8>, Missing> {
        loop {
            let there = &self.buffer[self.start..self.end];
            if let Some(length) = there.windows(2).position(|pair| pair == b"\r\n") {
                let line = there[..length].to_vec();
                self.start += length + 2;
                return Ok(line);
            }
            if there.len() == self.buffer.len() {
                return Err(Missing::Length);
            }
            self.more().await?;
        }
    }

    /// Takes all up to the end of the connection.
    async fn rest(&mut self, body: &mut Body) -> Result<(), Missing> {
        loop {
            body.take(&self.buffer[self.start..self.end]);
            (self.start, self.end) = (0, 0);
            match self.more().await {
                Ok(()) => {}
                Err(Missing::Cut) => return Ok(()),
                Err(missing) => return Err(missing),
            }
        }
    }
}

fn within(left: u64, most: usize) -> usize {
    usize::try_from(left).map_or(most, |left| left.min(most))
}

impl Head {
    fn read(response: &httparse::Response<'_, '_>, with_validators: bool) -> Result<Self, Missing> {
        let status = response.code.unwrap_or_default();
        let field = |name: &str| {
            let mut headers = response.headers.iter();
            headers.find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
        };
        let has =
            |name: &str, word: &[u8]| field(name).is_some_and(|v| v.eq_ignore_ascii_case(word));
        let framing = if status == 304 || status == 204 {
            Framing::Length(0)
        } else if has("transfer-encoding", b"chunked") {
            Framing::Chunked
        } else if let Some(length) = field("content-length") {
            let length = std::str::from_utf8(length).ok().and_then(|text| text.parse().ok());
            Framing::Length(length.ok_or(Missing::Length)?)
        } else {
            Framing::Close
        };
        let text = |name| Some(String::from_utf8_lossy(field(name)?).into_owned());
        Ok(Self {
            status,
            framing,
            keep_alive: response.version == Some(1) && !has("connection", b"close"),
            validators: with_validators
                .then(|| Validators { etag: text("etag"), last_modified: text("last-modified") }),
        })
    }
}

#[cfg(test)]
mod tests;
