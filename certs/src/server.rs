//! TLS for a listener.

use std::path::Path;
use std::sync::Arc;

use access::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::ring;

use crate::error::CertError;
use crate::pair::KeyPair;
use crate::reload::Reloading;

/// ALPN for HTTP/2, else HTTP/1.1 (RFC 9113 section 3.2, RFC 7301).
pub const HTTP_1_AND_2: &[&[u8]] = &[b"h2", b"http/1.1"];
/// ALPN for HTTP/1.1 alone.
pub const HTTP_1: &[&[u8]] = &[b"http/1.1"];

/// TLS 1.2 and 1.3 for a listener, with session resumption by tickets.
#[derive(Debug)]
pub struct ServerTls {
    pair: Arc<Reloading>,
    config: Arc<ServerConfig>,
}

impl ServerTls {
    /// Loads the PEM files `certificate` and `key`, for connections that speak one of `protocols`.
    ///
    /// # Errors
    /// As [`KeyPair::load`].
    pub fn load(
        certificate: &Path,
        key: &Path,
        protocols: &[&[u8]],
        now: Timestamp,
    ) -> Result<Self, CertError> {
        let pair = Arc::new(Reloading::load(certificate, key, now)?);
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&pair) as _);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        config.ticketer = ring::Ticketer::new()?;
        Ok(Self { pair, config: Arc::new(config) })
    }

    /// What the listener takes for each connection; a reload changes what it hands out.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// The pair that new connections get.
    pub fn pair(&self) -> Arc<KeyPair> {
        self.pair.current()
    }

    /// Whether the files look different from when they were last read. Cheap enough to be asked
    /// every few seconds.
    pub fn changed(&self) -> bool {
        self.pair.changed()
    }

    /// Reads the files again. New connections get the new pair, old ones keep theirs.
    ///
    /// # Errors
    /// As [`KeyPair::load`]; then the last good pair stays.
    pub fn reload(&self, now: Timestamp) -> Result<Arc<KeyPair>, CertError> {
        self.pair.reload(now)
    }
}
