//! An upstream server's settings, and a new connection to it.

use std::net::SocketAddr;
use std::time::Duration;

use ::http::{HeaderValue, Uri};
use access::Timestamp;
use base64::Engine as _;
use bytes::Bytes;
use config::Credentials;
use http_body_util::Empty;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::super::{Fault, FaultKind};
use super::request::Origin;

/// What of a channel's prefix is percent-encoded in an upstream path.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The settings of an `http` storage with its certificates and credentials made ready. Shared by
/// all threads.
pub(crate) struct Upstream {
    settings: config::HttpStorage,
    authorization: Option<HeaderValue>,
    /// None where nothing is asked over TLS and the machine has no certificates to trust.
    tls: Option<TlsConnector>,
}

impl Upstream {
    pub(crate) fn new(
        settings: &config::HttpStorage,
        now: Timestamp,
    ) -> Result<Self, certs::CertError> {
        let (ca, identity) = (settings.ca_file.as_deref(), settings.client_identity());
        let needed = settings.url.is_https() || ca.is_some() || identity.is_some();
        let tls = match certs::ClientTls::load(ca, identity, now) {
            Err(why) if needed => return Err(why),
            loaded => loaded.ok().map(|tls| TlsConnector::from(tls.config())),
        };
        let authorization = settings.credentials().and_then(authorization);
        Ok(Self { authorization, tls, settings: settings.clone() })
    }

    /// The URL above the channels' trees, for texts.
    pub(super) fn base(&self) -> &config::BaseUrl {
        &self.settings.url
    }

    pub(super) fn first_byte_timeout(&self) -> Duration {
        self.settings.first_byte_timeout
    }

    pub(super) fn idle_timeout(&self) -> Duration {
        self.settings.idle_timeout
    }

    pub(super) fn pool_idle_per_thread(&self) -> usize {
        self.settings.pool_idle_per_thread as usize
    }

    /// The URL of a file below a channel's prefix.
    pub(super) fn uri(&self, prefix: &str, file: &str) -> Result<Uri, Fault> {
        let base = self.base();
        let slash = if prefix.is_empty() { "" } else { "/" };
        let prefix = utf8_percent_encode(prefix, ENCODED);
        format!("{base}{slash}{prefix}/{file}")
            .parse()
            .map_err(|why| Fault::new(FaultKind::Unusable, format!("{base}: {why}")))
    }

    /// Whether a redirect to this URL is followed.
    pub(super) fn may_ask(&self, uri: &Uri, origin: &Origin) -> bool {
        let listed = |host: &::http::uri::Authority| {
            let default_port = if origin.https { 443 } else { 80 };
            host.host().eq_ignore_ascii_case(uri.host().unwrap_or_default())
                && host.port_u16().unwrap_or(default_port) == origin.port
        };
        self.is_own(uri) || self.settings.redirect_hosts.iter().any(listed)
    }

    /// The storage's own credentials, for its own origin.
    pub(super) fn credentials_for(&self, uri: &Uri) -> Option<&HeaderValue> {
        self.authorization.as_ref().filter(|_| self.is_own(uri))
    }

    fn is_own(&self, uri: &Uri) -> bool {
        let https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let base = self.base();
        base.is_https() == https
            && base.port() == port
            && uri.host().is_some_and(|host| host.eq_ignore_ascii_case(base.host()))
    }

    pub(super) fn unusable(&self, why: &hyper::Error) -> Fault {
        Fault::new(FaultKind::Unusable, format!("{}: {}", self.base(), chain(why)))
    }

    /// Connects, TLS included, within `connect_timeout`.
    pub(super) async fn connect(
        &self,
        origin: &Origin,
    ) -> Result<SendRequest<Empty<Bytes>>, Fault> {
        let limit = self.settings.connect_timeout;
        let unreachable = |why: String| {
            let at = format!("{}:{}", origin.host, origin.port);
            Fault::new(FaultKind::Unreachable, format!("{at}: {why}"))
        };
        match tokio::time::timeout(limit, self.try_connect(origin)).await {
            Ok(connected) => connected.map_err(|why| unreachable(chain(&*why))),
            Err(_elapsed) => Err(unreachable(format!("no connection within {limit:?}"))),
        }
    }

    async fn try_connect(&self, origin: &Origin) -> Result<SendRequest<Empty<Bytes>>, BoxError> {
        let tcp = connect_tcp(origin).await?;
        tcp.set_nodelay(true)?;
        if !origin.https {
            return handshake(tcp).await;
        }
        let name = ServerName::try_from(origin.host.clone())?;
        let tls = self.tls.as_ref().ok_or("there is no certificate to trust on this machine")?;
        handshake(tls.connect(name, tcp).await?).await
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Tries each address of the host in turn.
async fn connect_tcp(origin: &Origin) -> std::io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> =
        tokio::net::lookup_host((origin.host.as_str(), origin.port)).await?.collect();
    TcpStream::connect(&*addresses).await
}

/// Begins HTTP/1.1 and leaves the connection to this thread.
async fn handshake<S>(stream: S) -> Result<SendRequest<Empty<Bytes>>, BoxError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::task::spawn_local(async move {
        // Whoever waits for an answer gets the error; an idle connection's end is no news.
        let _ = connection.await;
    });
    Ok(sender)
}

fn authorization(credentials: Credentials<'_>) -> Option<HeaderValue> {
    let text = match credentials {
        Credentials::Bearer(token) => format!("Bearer {}", token.reveal()),
        Credentials::Basic { username, password } => {
            let pair = format!("{username}:{}", password.reveal());
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
        }
    };
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// An error with its causes: the outermost alone often says only "connection error".
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
