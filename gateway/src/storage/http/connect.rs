//! An upstream server's settings, and a new connection to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderValue;
use access::Timestamp;
use base64::Engine as _;
use config::Credentials;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::super::{Fault, FaultKind};
use super::client::UpstreamWire;
use super::origin::{Origin, Target};

/// What of a channel's prefix is percent-encoded in an upstream path.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The settings of an `http` storage with its certificates and credentials made ready. Shared by
/// all threads.
pub(crate) struct Upstream {
    settings: config::HttpStorage,
    origin: Arc<Origin>,
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
        let origin = Arc::new(Origin::of(&settings.url));
        Ok(Self { origin, authorization, tls, settings: settings.clone() })
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

    /// A file below a channel's prefix.
    pub(super) fn target(&self, prefix: &str, file: &str) -> Result<Target, Fault> {
        let mut path = String::with_capacity(128);
        path.push_str(self.base().path());
        path.push('/');
        if !prefix.is_empty() {
            path.extend(utf8_percent_encode(prefix, ENCODED));
            path.push('/');
        }
        path.push_str(file);
        Target::new(Arc::clone(&self.origin), path)
    }

    /// Whether a redirect to this server is followed.
    pub(super) fn may_ask(&self, origin: &Origin) -> bool {
        let listed = |host: &::http::uri::Authority| {
            let default_port = if origin.is_https { 443 } else { 80 };
            origin.is_host(host.host()) && host.port_u16().unwrap_or(default_port) == origin.port
        };
        self.is_own(origin) || self.settings.redirect_hosts.iter().any(listed)
    }

    /// The storage's own credentials, for its own server.
    pub(super) fn credentials_for(&self, origin: &Origin) -> Option<&HeaderValue> {
        self.authorization.as_ref().filter(|_| self.is_own(origin))
    }

    fn is_own(&self, origin: &Origin) -> bool {
        self.origin.is_same(origin)
    }

    pub(super) fn unusable(&self, why: &dyn std::error::Error) -> Fault {
        let text = format!("{}: the answer can't be used: {}", self.base(), chain(why));
        Fault::new(FaultKind::Unusable, text)
    }

    /// Connects, TLS included, within `connect_timeout`.
    pub(super) async fn connect(&self, origin: &Origin) -> Result<UpstreamWire, Fault> {
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

    async fn try_connect(&self, origin: &Origin) -> Result<UpstreamWire, BoxError> {
        let tcp = connect_tcp(origin).await?;
        tcp.set_nodelay(true)?;
        if !origin.is_https {
            return Ok(UpstreamWire::Plain(tcp));
        }
        let name = ServerName::try_from(origin.host.clone())?;
        let tls = self.tls.as_ref().ok_or("there is no certificate to trust on this machine")?;
        Ok(UpstreamWire::Tls(Box::new(tls.connect(name, tcp).await?)))
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Tries each address of the host in turn.
async fn connect_tcp(origin: &Origin) -> std::io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> =
        tokio::net::lookup_host((origin.host.as_str(), origin.port)).await?.collect();
    TcpStream::connect(&*addresses).await
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
