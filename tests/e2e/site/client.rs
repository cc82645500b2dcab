//! An HTTP/1.1 client that sends what it is told and sees how an answer ends.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer's status and fields.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    fields: Vec<(String, String)>,
}

/// A whole answer, or as much as came of it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to the end that the head announced.
    pub(crate) whole: bool,
}

/// A connection, plain or TLS.
pub(crate) struct Connection<S>(BufReader<S>);

impl Head {
    /// A field's value.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| &**v)
    }

    /// Every field but those that differ between two equal answers.
    pub(crate) fn lasting_fields(&self) -> Vec<&(String, String)> {
        let own = ["date", "x-request-id"];
        self.fields.iter().filter(|(name, _)| !own.contains(&&**name)).collect()
    }
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.status
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.field(name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The stable code of a refusal.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn request_id(&self) -> String {
        self.field("x-request-id").unwrap_or_default().to_owned()
    }
}

impl Connection<TcpStream> {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }
}

impl<S: Read + Write> Connection<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self(BufReader::with_capacity(64 * 1024, stream))
    }

    /// Sends a GET for `path` with these header fields besides Host.
    pub(crate) fn send_get(&mut self, path: &str, fields: &[&str]) -> io::Result<()> {
        self.send("GET", path, fields)
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, fields: &[&str]) -> io::Result<()> {
        self.send_with(method, path, fields, "")
    }

    /// The same with a body, whose length and form are among the fields.
    pub(crate) fn send_with(
        &mut self,
        method: &str,
        path: &str,
        fields: &[&str],
        body: &str,
    ) -> io::Result<()> {
        let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: gateway.example\r\n{fields}\r\n");
        self.0.get_mut().write_all((head + body).as_bytes())?;
        self.0.get_mut().flush()
    }

    /// Reads an answer's head.
    pub(crate) fn head(&mut self) -> io::Result<Head> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(ErrorKind::InvalidData)?;
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(Head { status, fields });
            }
            let (name, value) = line.split_once(':').ok_or(ErrorKind::InvalidData)?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// Reads the rest of an answer to a GET.
    pub(crate) fn rest(&mut self, head: Head) -> Answer {
        let mut body = Vec::new();
        let read = match head.field("content-length") {
            _ if matches!(head.status, 204 | 304) => Ok(()),
            Some(length) => self.read_exactly(length.parse().unwrap(), &mut body),
            None if head.field("transfer-encoding") == Some("chunked") => {
                self.read_chunks(&mut body)
            }
            None => self.0.read_to_end(&mut body).map(drop),
        };
        Answer { head, body, whole: read.is_ok() }
    }

    /// Asks and reads the whole answer. An error when not even a head comes.
    pub(crate) fn get(&mut self, path: &str, fields: &[&str]) -> io::Result<Answer> {
        self.send_get(path, fields)?;
        let head = self.head()?;
        Ok(self.rest(head))
    }

    /// Reads what is there of a body; nothing at its end when the connection ends with it.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }

    /// Whether the other side has closed the connection and nothing is left to read.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.0.fill_buf() {
            Ok(bytes) => bytes.is_empty(),
            Err(why) => !matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        if !line.ends_with('\n') {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }

    fn read_exactly(&mut self, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
        (&mut self.0).take(length).read_to_end(body)?;
        if body.len() as u64 == length { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn read_chunks(&mut self, body: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let size = self.line()?;
            let size = u64::from_str_radix(&size, 16).map_err(|_not| ErrorKind::InvalidData)?;
            let mut chunk = Vec::new();
            let read = self.read_exactly(size, &mut chunk);
            body.append(&mut chunk);
            read?;
            self.line()?;
            if size == 0 {
                return Ok(());
            }
        }
    }
}

/// Asks once, on a connection of its own.
pub(crate) fn get(address: SocketAddr, path: &str, fields: &[&str]) -> Answer {
    let fields: Vec<&str> = fields.iter().copied().chain(["Connection: close"]).collect();
    let answer = Connection::open(address).and_then(|mut c| c.get(path, &fields));
    answer.unwrap_or_else(|why| panic!("GET {path}: {why}"))
}
