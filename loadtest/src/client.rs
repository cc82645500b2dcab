//! One exchange on one connection.
//!
//! The load generator shares the machine with the server, so it must cost little: HTTP/1.1 is
//! written by hand (`http1`), and a body that needs no digest is thrown away in the kernel.

mod http1;
mod http2;
mod tls;

use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use http1::Http1;
use http2::Http2;
pub(crate) use tls::Trust;

/// How long an exchange may take; past it the answer counts as missing.
const EXCHANGE_MAX: Duration = Duration::from_secs(60);

const USER_AGENT: &str = concat!("condagate-loadtest/", env!("CARGO_PKG_VERSION"));

/// Where connections lead, and what they speak.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// `HOST[:PORT]`.
    pub(crate) authority: String,
    pub(crate) protocol: Protocol,
}

/// What is spoken on a connection.
#[derive(Clone, Debug)]
pub(crate) enum Protocol {
    Http1,
    Http1Tls(Trust),
    /// Over TLS, as all of conda's clients speak it.
    Http2(Trust),
}

/// A connection that is kept alive.
pub(crate) enum Connection {
    Http1(Box<Http1<TcpStream>>),
    Http1Tls(Box<Http1<TlsStream<TcpStream>>>),
    /// One of the streams of a connection.
    Http2(Http2),
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    /// With the token in it.
    pub(crate) path: &'a str,
    /// The answer that is there already.
    pub(crate) held: Option<&'a Validators>,
    /// Whether the answer's SHA-256 is wanted.
    pub(crate) hash: bool,
}

/// What an answer says by which it can be asked for again.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Validators {
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Bytes of the body that arrived.
    pub(crate) length: u64,
    pub(crate) sha256: Option<[u8; 32]>,
    /// Only of an answer whose SHA-256 was wanted.
    pub(crate) validators: Option<Validators>,
    /// Whether the connection can be used again.
    pub(crate) keep_alive: bool,
}

/// Why nothing whole came back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Missing {
    #[error("the connection failed: {0}")]
    Connection(#[from] std::io::Error),
    #[error("the connection failed: {0}")]
    Http2(#[from] hyper::Error),
    #[error("the answer was cut")]
    Cut,
    #[error("the answer can't be read: {0}")]
    Malformed(#[from] httparse::Error),
    #[error("the answer's length can't be read")]
    Length,
    #[error("no whole answer within {} s", EXCHANGE_MAX.as_secs())]
    Timeout,
    #[error("the request can't be written: {0}")]
    Request(#[from] http::Error),
}

impl Server {
    fn default_port(&self) -> u16 {
        if matches!(self.protocol, Protocol::Http1) { 80 } else { 443 }
    }

    /// Connects.
    ///
    /// # Errors
    /// As the socket or the handshake says.
    pub(crate) async fn connect(&self) -> std::io::Result<Connection> {
        let authority = &self.authority;
        let has_port = authority.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
        let stream = match has_port {
            true => TcpStream::connect(authority).await?,
            false => TcpStream::connect(format!("{authority}:{}", self.default_port())).await?,
        };
        stream.set_nodelay(true)?;
        let host = authority.clone();
        Ok(match &self.protocol {
            Protocol::Http1 => Connection::Http1(Box::new(Http1::new(stream, host))),
            Protocol::Http1Tls(trust) => {
                let stream = trust.handshake(stream, authority, &[b"http/1.1"]).await?;
                Connection::Http1Tls(Box::new(Http1::new(stream, host)))
            }
            Protocol::Http2(trust) => {
                let stream = trust.handshake(stream, authority, &[b"h2"]).await?;
                Connection::Http2(Http2::open(stream, host).await?)
            }
        })
    }
}

impl Connection {
    /// Asks, and takes the whole answer.
    pub(crate) async fn get(&mut self, ask: &Ask<'_>) -> Result<Answer, Missing> {
        let exchange = async {
            match self {
                Self::Http1(http1) => http1.exchange(ask).await,
                Self::Http1Tls(http1) => http1.exchange(ask).await,
                Self::Http2(http2) => http2.exchange(ask).await,
            }
        };
        tokio::time::timeout(EXCHANGE_MAX, exchange).await.unwrap_or(Err(Missing::Timeout))
    }

    /// Another stream of the same connection, where the protocol has streams.
    pub(crate) fn another(&self) -> Option<Self> {
        match self {
            Self::Http2(http2) => Some(Self::Http2(http2.clone())),
            Self::Http1(_) | Self::Http1Tls(_) => None,
        }
    }
}
