//! One exchange on one connection.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;

/// How long an exchange may take; past it the answer counts as missing.
const EXCHANGE_MAX: Duration = Duration::from_secs(60);

/// A kept-alive HTTP/1.1 connection.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    authority: String,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Bytes of the body that arrived.
    pub(crate) length: u64,
    pub(crate) sha256: Option<[u8; 32]>,
    /// Whether the connection can be used again.
    pub(crate) keep_alive: bool,
}

/// Why nothing whole came back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Missing {
    #[error("the connection failed: {0}")]
    Connection(#[from] hyper::Error),
    #[error("no whole answer within {} s", EXCHANGE_MAX.as_secs())]
    Timeout,
    #[error("the request can't be written: {0}")]
    Request(#[from] http::Error),
}

impl Connection {
    /// Connects to `authority` (`HOST[:PORT]`).
    pub(crate) async fn open(authority: &str) -> io::Result<Self> {
        let has_port = authority.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
        let stream = match has_port {
            true => TcpStream::connect(authority).await?,
            false => TcpStream::connect(format!("{authority}:80")).await?,
        };
        stream.set_nodelay(true)?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // What goes wrong on the connection is told to whoever waits for an answer on it.
        tokio::task::spawn_local(async { drop(connection.await) });
        Ok(Self { sender, authority: authority.to_owned() })
    }

    /// Asks for `path` and takes the whole answer.
    pub(crate) async fn get(&mut self, path: &str, hash: bool) -> Result<Answer, Missing> {
        let exchange = self.exchange(path, hash);
        tokio::time::timeout(EXCHANGE_MAX, exchange).await.unwrap_or(Err(Missing::Timeout))
    }

    async fn exchange(&mut self, path: &str, hash: bool) -> Result<Answer, Missing> {
        self.sender.ready().await?;
        let request = Request::get(path)
            .header(header::HOST, &self.authority)
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::USER_AGENT, concat!("condagate-loadtest/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new())?;
        let mut response = self.sender.send_request(request).await?;
        let status = response.status().as_u16();
        let closes = response
            .headers()
            .get(header::CONNECTION)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
        let mut length = 0;
        let mut hasher = hash.then(Sha256::new);
        while let Some(frame) = response.frame().await {
            if let Ok(data) = frame?.into_data() {
                length += data.len() as u64;
                if let Some(hasher) = &mut hasher {
                    hasher.update(&data);
                }
            }
        }
        let sha256 = hasher.map(|hasher| hasher.finalize().into());
        Ok(Answer { status, length, sha256, keep_alive: !closes })
    }
}
