//! A certificate and its private key.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use access::Timestamp;
use rustls::client::verify_server_name;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::error::{CertError, Fault};
use crate::pem;

/// A certificate with its chain and its private key, as they were when they were loaded: well
/// formed, one for the other, and valid.
#[derive(Clone, Debug)]
pub struct KeyPair {
    pub(crate) certified: Arc<CertifiedKey>,
    leaf: Leaf,
}

/// What is read out of the first certificate.
#[derive(Clone, Debug)]
struct Leaf {
    not_before: Timestamp,
    not_after: Timestamp,
    names: Vec<String>,
}

impl KeyPair {
    /// Loads the PEM files `certificate` (the own one first, then its issuers) and `key`.
    ///
    /// # Errors
    /// What is wrong with which file; also a certificate that is not valid at `now`.
    pub fn load(certificate: &Path, key: &Path, now: Timestamp) -> Result<Self, CertError> {
        let chain = pem::certificates(certificate)?;
        let leaf = read_chain(&chain).map_err(|fault| CertError::file(certificate, fault))?;
        let private = pem::private_key(key)?;
        let private = ring::sign::any_supported_type(&private)
            .map_err(|_tells_no_more| CertError::file(key, Fault::UnusableKey))?;
        let certified = CertifiedKey::new(chain, private);
        if certified.keys_match().is_err() {
            let (certificate, key) = (certificate.to_owned(), key.to_owned());
            return Err(CertError::Mismatch { certificate, key });
        }
        if now > leaf.not_after {
            return Err(CertError::file(certificate, Fault::Expired(leaf.not_after)));
        }
        if now < leaf.not_before {
            return Err(CertError::file(certificate, Fault::NotYetValid(leaf.not_before)));
        }
        Ok(Self { certified: Arc::new(certified), leaf })
    }

    /// When the certificate expires.
    pub fn not_after(&self) -> Timestamp {
        self.leaf.not_after
    }

    /// The DNS names and IP addresses the certificate is for.
    pub fn names(&self) -> &[String] {
        &self.leaf.names
    }

    /// Whether a client that connects to `host` (a name or an IP address, without a port) accepts
    /// the certificate's names.
    pub fn covers(&self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let Ok(name) = ServerName::try_from(bare) else { return false };
        let Ok(der) = self.certified.end_entity_cert() else { return false };
        let Ok(certificate) = ParsedCertificate::try_from(der) else { return false };
        verify_server_name(&certificate, &name).is_ok()
    }

    /// The certificates, the own one first.
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }
}

/// Whether everyone on the machine may read the private key in the file `key`. `false` where that
/// can't be told.
pub fn key_is_exposed(key: &Path) -> bool {
    fs::metadata(key).is_ok_and(|metadata| metadata.mode() & 0o004 != 0)
}

/// Reads the first certificate and checks that the others can be read.
fn read_chain(chain: &[CertificateDer<'_>]) -> Result<Leaf, Fault> {
    let broken =
        |index: usize, reason: String| Fault::BrokenCertificate { position: index + 1, reason };
    let mut leaf = None;
    for (index, der) in chain.iter().enumerate() {
        let parsed = X509Certificate::from_der(der);
        let (_, parsed) = parsed.map_err(|error| broken(index, error.to_string()))?;
        if leaf.is_none() {
            leaf = Some(read_leaf(&parsed));
            // What clients and the handshake read it with is stricter.
            ParsedCertificate::try_from(der).map_err(|error| broken(index, error.to_string()))?;
        }
    }
    leaf.ok_or(Fault::NoCertificate)
}

fn read_leaf(certificate: &X509Certificate<'_>) -> Leaf {
    let validity = certificate.validity();
    let time = |time: x509_parser::time::ASN1Time| {
        Timestamp::from_millis(time.timestamp().saturating_mul(1000))
    };
    let names = match certificate.subject_alternative_name() {
        Ok(Some(names)) => names.value.general_names.iter().filter_map(name).collect(),
        _ => Vec::new(),
    };
    Leaf { not_before: time(validity.not_before), not_after: time(validity.not_after), names }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match *bytes {
            [a, b, c, d] => Some(IpAddr::from([*a, *b, *c, *d]).to_string()),
            bytes => <[u8; 16]>::try_from(bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
        },
        _ => None,
    }
}

/// The files of a [`KeyPair`].
#[derive(Clone, Debug)]
pub(crate) struct PairFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl PairFiles {
    pub(crate) fn load(&self, now: Timestamp) -> Result<KeyPair, CertError> {
        KeyPair::load(&self.certificate, &self.key, now)
    }
}
