//! A certificate for trying out, with a certificate authority of its own.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use access::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyUsagePurpose, NameConstraints, SerialNumber,
};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::ring;
use rustls::pki_types::UnixTime;
use rustls::server::ParsedCertificate;
use time::OffsetDateTime;

use crate::client::roots_in;
use crate::error::{CertError, Fault};
use crate::pair::KeyPair;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest validity that all clients accept (CA/Browser Forum ballot SC-31).
const VALIDITY: Duration = DAY.saturating_mul(397);
/// Made anew when less is left.
const RENEW_BEFORE: Duration = DAY.saturating_mul(30);
/// Valid from a little earlier, for machines whose clocks are behind.
const CLOCK_SKEW: Duration = Duration::from_secs(60 * 60);

/// The files of a certificate for trying out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevelopmentCertificate {
    /// The certificate authority that clients are told to trust, `ca.pem`.
    pub ca: PathBuf,
    /// The server's certificate, `server.pem`.
    pub certificate: PathBuf,
    /// The server's private key, `server-key.pem`, mode 0600.
    pub key: PathBuf,
}

/// The certificate for `names` (DNS names and IP addresses) in `folder`: the one that is there, or
/// a new one if there is none, it is for other names, or it expires within 30 days.
///
/// The private key of its certificate authority is thrown away as soon as it has signed: who trusts
/// `ca.pem` trusts this one certificate and nothing that someone else could sign later.
///
/// # Errors
/// A file can't be written, or a name is neither a DNS name nor an IP address.
pub fn development_certificate(
    folder: &Path,
    names: &[&str],
    now: Timestamp,
) -> Result<DevelopmentCertificate, CertError> {
    let files = DevelopmentCertificate {
        ca: folder.join("ca.pem"),
        certificate: folder.join("server.pem"),
        key: folder.join("server-key.pem"),
    };
    if !files.are_good(names, now.plus(RENEW_BEFORE)) {
        files.make(folder, names, now)?;
    }
    Ok(files)
}

impl DevelopmentCertificate {
    /// Whether a client that trusts the authority accepts the certificate for just `names` at
    /// `when`.
    fn are_good(&self, names: &[&str], when: Timestamp) -> bool {
        let Ok(pair) = KeyPair::load(&self.certificate, &self.key, when) else { return false };
        let Ok(roots) = roots_in(&self.ca) else { return false };
        let Some(Ok(leaf)) = pair.chain().first().map(ParsedCertificate::try_from) else {
            return false;
        };
        let seconds = u64::try_from(when.as_millis() / 1000).unwrap_or(0);
        let trusted = verify_server_cert_signed_by_trust_anchor(
            &leaf,
            &roots,
            &[],
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            ring::default_provider().signature_verification_algorithms.all,
        );
        trusted.is_ok()
            && pair.names().len() == names.len()
            && names.iter().all(|name| pair.covers(name))
    }

    fn make(&self, folder: &Path, names: &[&str], now: Timestamp) -> Result<(), CertError> {
        // First, for it checks the names, on which the authority's constraints would panic.
        let server = server(names, now)?;
        let ca_key = rcgen::KeyPair::generate()?;
        let ca = authority(names, &ca_key, now)?;
        let ca_pem = ca.self_signed(&ca_key)?.pem();
        let key = rcgen::KeyPair::generate()?;
        let server = server.signed_by(&key, &Issuer::new(ca, ca_key))?;

        fs::create_dir_all(folder)
            .map_err(|cause| CertError::file(folder, Fault::Unwritable(cause)))?;
        write(&self.key, 0o600, &key.serialize_pem())?;
        write(&self.certificate, 0o644, &server.pem())?;
        write(&self.ca, 0o644, &ca_pem)
    }
}

/// A certificate authority that can vouch for `names` only.
fn authority(
    names: &[&str],
    key: &rcgen::KeyPair,
    now: Timestamp,
) -> Result<CertificateParams, CertError> {
    let mut ca = validity(CertificateParams::default(), now);
    // Each has a name and number of its own: two that look the same confuse a client that knows
    // both.
    let id: String =
        ca.key_identifier(key).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    ca.serial_number = Some(SerialNumber::from(ca.key_identifier(key)));
    ca.distinguished_name = rcgen::DistinguishedName::new();
    ca.distinguished_name.push(DnType::CommonName, format!("condagate development {id}"));
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let subtree = |name: &&str| match name.parse::<IpAddr>() {
        Ok(address) => {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, bits))
        }
        Err(_no_address) => GeneralSubtree::DnsName((*name).to_owned()),
    };
    ca.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.iter().map(subtree).collect(),
        excluded_subtrees: Vec::new(),
    });
    Ok(ca)
}

fn server(names: &[&str], now: Timestamp) -> Result<CertificateParams, CertError> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut server = validity(CertificateParams::new(names)?, now);
    server.distinguished_name = rcgen::DistinguishedName::new();
    server.distinguished_name.push(DnType::CommonName, "condagate development");
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(server)
}

fn validity(mut params: CertificateParams, now: Timestamp) -> CertificateParams {
    let time = |at: Timestamp| {
        OffsetDateTime::from_unix_timestamp(at.as_millis() / 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    };
    let from = Timestamp::from_millis(
        now.as_millis().saturating_sub(i64::try_from(CLOCK_SKEW.as_millis()).unwrap_or(0)),
    );
    params.not_before = time(from);
    params.not_after = time(from.plus(VALIDITY));
    params
}

/// Writes a file whole, or leaves the old one.
fn write(path: &Path, mode: u32, content: &str) -> Result<(), CertError> {
    let new = path.with_extension("pem.new");
    let write = || {
        match fs::remove_file(&new) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
        file.write_all(content.as_bytes())?;
        fs::rename(&new, path)
    };
    write().map_err(|cause| CertError::file(path, Fault::Unwritable(cause)))
}
