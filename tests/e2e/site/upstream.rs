//! A web server that does, byte for byte, what a test tells it to.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it arrived.
#[derive(Clone)]
pub(crate) struct Arrived {
    /// Every byte of its head.
    pub(crate) head: String,
    /// How many came over the same connection before it.
    pub(crate) nth: usize,
}

impl Arrived {
    /// Its target: `/demo/noarch/repodata.json`.
    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Keep,
    Close,
    Reset,
}

/// The server; it ends with the test process.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Upstream {
    /// Answers every request by `script`, which writes to the connection what it likes.
    pub(crate) fn start(
        script: impl Fn(&Arrived, &mut TcpStream) -> io::Result<Then> + Send + Sync + 'static,
    ) -> Self {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), script)
    }

    /// The same on an address that was chosen before.
    pub(crate) fn start_at(
        address: SocketAddr,
        script: impl Fn(&Arrived, &mut TcpStream) -> io::Result<Then> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let arrived = Arc::<Mutex<Vec<Arrived>>>::default();
        let (script, all) = (Arc::new(script), Arc::clone(&arrived));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, all) = (Arc::clone(&script), Arc::clone(&all));
                let Ok(stream) = stream else { continue };
                std::thread::spawn(move || {
                    // A client that went away ends the connection, and nothing else.
                    let _ = converse(stream, &*script, &all);
                });
            }
        });
        Self { address, arrived }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }
}

fn converse(
    mut stream: TcpStream,
    script: &(dyn Fn(&Arrived, &mut TcpStream) -> io::Result<Then> + Send + Sync),
    all: &Mutex<Vec<Arrived>>,
) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    for nth in 0.. {
        let Some(head) = read_head(&mut stream)? else { break };
        let arrived = Arrived { head, nth };
        all.lock().unwrap().push(arrived.clone());
        match script(&arrived, &mut stream)? {
            Then::Keep => {}
            Then::Close => break,
            Then::Reset => return reset(&stream),
        }
    }
    stream.shutdown(Shutdown::Both)
}

/// The bytes up to the empty line; none when the client has closed.
fn read_head(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}

/// Closes the connection by a reset, which takes back what the other side has not read.
pub(crate) fn reset(stream: &TcpStream) -> io::Result<()> {
    rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?;
    Ok(())
}

/// Writes an answer of this status with `fields`, one per line, and the content as it is.
pub(crate) fn answer(
    stream: &mut TcpStream,
    status: &str,
    fields: &[&str],
    content: &[u8],
) -> io::Result<()> {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    stream.write_all(format!("HTTP/1.1 {status}\r\n{fields}\r\n").as_bytes())?;
    stream.write_all(content)
}

/// Answers 200 with the content.
pub(crate) fn ok(stream: &mut TcpStream, content: &[u8]) -> io::Result<Then> {
    let length = format!("Content-Length: {}", content.len());
    answer(stream, "200 OK", &[&length, "ETag: \"v1\""], content)?;
    Ok(Then::Keep)
}
