//! Reading PEM files.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use rustls::pki_types::pem::{Error, PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::{CertError, Fault};

/// The most bytes of a file.
const FILE_MAX: u64 = 1024 * 1024;

/// The beginnings of the lines that say that a key is encrypted: PKCS #8, and the older form
/// (RFC 1421 section 4.6.1.1).
const ENCRYPTED: [&[u8]; 2] = [b"-----BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];

/// The certificates in the file `path`; at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertError> {
    let parse = |content: &[u8]| {
        let sections = sections(content)?;
        if has_line(content, &ENCRYPTED[..1]) || sections.iter().any(|(kind, _)| is_key(*kind)) {
            return Err(Fault::KeyAmongCertificates);
        }
        let certificates: Vec<_> = sections
            .into_iter()
            .filter_map(|(kind, der)| CertificateDer::from_pem(kind, der))
            .collect();
        if certificates.is_empty() { Err(Fault::NoCertificate) } else { Ok(certificates) }
    };
    parse(&read(path)?).map_err(|fault| CertError::file(path, fault))
}

/// The one private key in the file `path`.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertError> {
    let parse = |content: &[u8]| {
        // First, since an encrypted key's lines are no base64.
        if has_line(content, &ENCRYPTED) {
            return Err(Fault::EncryptedKey);
        }
        let mut keys = sections(content)?
            .into_iter()
            .filter_map(|(kind, der)| PrivateKeyDer::from_pem(kind, der));
        match (keys.next(), keys.next()) {
            (None, _) => Err(Fault::NoKey),
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(Fault::SeveralKeys),
        }
    };
    parse(&read(path)?).map_err(|fault| CertError::file(path, fault))
}

fn is_key(kind: SectionKind) -> bool {
    matches!(kind, SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey)
}

fn has_line(content: &[u8], beginnings: &[&[u8]]) -> bool {
    let begins = |line: &[u8]| beginnings.iter().any(|beginning| line.starts_with(beginning));
    content.split(|byte| *byte == b'\n').any(begins)
}

fn sections(content: &[u8]) -> Result<Vec<(SectionKind, Vec<u8>)>, Fault> {
    let sections: Result<Vec<_>, Error> =
        <(SectionKind, Vec<u8>)>::pem_slice_iter(content).collect();
    // The library's texts repeat the lines, which may be a key's.
    sections.map_err(|error| {
        Fault::NotPem(match error {
            Error::MissingSectionEnd { .. } => "a BEGIN line has no END line",
            Error::IllegalSectionStart { .. } => "a BEGIN line is malformed",
            Error::Base64Decode(_) => "the lines between BEGIN and END are not base64",
            _ => "it is malformed",
        })
    })
}

fn read(path: &Path) -> Result<Vec<u8>, CertError> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut content));
    let fault = match read {
        Ok(length) if length as u64 > FILE_MAX => Fault::TooLarge,
        Ok(_) => return Ok(content),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Fault::NotFound,
        Err(cause) => Fault::Unreadable(cause),
    };
    Err(CertError::file(path, fault))
}
