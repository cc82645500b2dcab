//! TLS for connections to an upstream.

use std::path::Path;
use std::sync::Arc;

use access::Timestamp;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use crate::error::{CertError, Fault};
use crate::pair::KeyPair;
use crate::pem;
use crate::reload::Reloading;
use crate::server::HTTP_1;

/// TLS 1.2 and 1.3 to an upstream that speaks HTTP/1.1.
#[derive(Debug)]
pub struct ClientTls {
    identity: Option<Arc<Reloading>>,
    config: Arc<ClientConfig>,
}

impl ClientTls {
    /// Trusts the certificates in the PEM file `ca`, or without one those of the system (what
    /// OpenSSL would take, `SSL_CERT_FILE` included). Shows the upstream the PEM files
    /// `identity`, certificate and key, if it asks.
    ///
    /// # Errors
    /// What is wrong with which file, or that there is nothing to trust.
    pub fn load(
        ca: Option<&Path>,
        identity: Option<(&Path, &Path)>,
        now: Timestamp,
    ) -> Result<Self, CertError> {
        let roots = match ca {
            Some(path) => roots_in(path)?,
            None => system_roots()?,
        };
        let identity = identity
            .map(|(certificate, key)| Reloading::load(certificate, key, now).map(Arc::new))
            .transpose()?;
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let mut config = match &identity {
            Some(pair) => builder.with_client_cert_resolver(Arc::clone(pair) as _),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = HTTP_1.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Self { identity, config: Arc::new(config) })
    }

    /// What the pool takes for each connection; a reload changes what it hands out.
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// The pair that the upstream is shown, if there is one.
    pub fn identity(&self) -> Option<Arc<KeyPair>> {
        self.identity.as_ref().map(|pair| pair.current())
    }

    /// Whether the identity's files look different from when they were last read.
    pub fn changed(&self) -> bool {
        self.identity.as_ref().is_some_and(|pair| pair.changed())
    }

    /// Reads the identity's files again; the trusted certificates stay as they were at start.
    ///
    /// # Errors
    /// As [`KeyPair::load`]; then the last good pair stays.
    pub fn reload(&self, now: Timestamp) -> Result<(), CertError> {
        self.identity.as_ref().map_or(Ok(()), |pair| pair.reload(now).map(drop))
    }
}

pub(crate) fn roots_in(path: &Path) -> Result<RootCertStore, CertError> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in pem::certificates(path)?.into_iter().enumerate() {
        roots.add(certificate).map_err(|error| {
            let fault = Fault::BrokenCertificate { position: index + 1, reason: error.to_string() };
            CertError::file(path, fault)
        })?;
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, CertError> {
    let mut roots = RootCertStore::empty();
    // A system's store may hold certificates that no one can read any more; the others count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(CertError::NoSystemRoots) } else { Ok(roots) }
}
