//! TLS, the same for every server: version 1.3 with AES-128-GCM.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::Error;

/// The certificates that a server's is checked against.
#[derive(Clone, Debug)]
pub(crate) struct Trust(Arc<RootCertStore>);

impl Trust {
    /// Trusts the certificates of a PEM file.
    ///
    /// # Errors
    /// The file can't be read, or there is no usable certificate in it.
    pub(crate) fn in_file(path: &Path) -> Result<Self, Error> {
        let refused = |cause: &dyn std::fmt::Display| Error::Certificate {
            path: path.to_owned(),
            cause: cause.to_string(),
        };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path).map_err(|e| refused(&e))? {
            roots.add(certificate.map_err(|e| refused(&e))?).map_err(|e| refused(&e))?;
        }
        if roots.is_empty() {
            return Err(refused(&"no certificate in it"));
        }
        Ok(Self(Arc::new(roots)))
    }

    /// Greets the server at `authority`, offering `protocols` (ALPN).
    ///
    /// One cipher for all, the cheapest that each must have (RFC 8446 section 9.1): who chooses
    /// another one would be compared by its cipher.
    pub(super) async fn handshake(
        &self,
        stream: TcpStream,
        authority: &str,
        protocols: &[&[u8]],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let provider = CryptoProvider {
            cipher_suites: vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256],
            ..ring::default_provider()
        };
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(std::io::Error::other)?
            .with_root_certificates(Arc::clone(&self.0))
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(std::io::Error::other)?;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}
