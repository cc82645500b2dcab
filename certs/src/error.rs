//! What can be wrong with keys and certificates.

use std::io;
use std::path::{Path, PathBuf};

use access::Timestamp;

/// Why TLS can't be set up: which file, and what is wrong with it. Never a file's content.
#[derive(Debug, thiserror::Error)]
pub enum CertError {
    /// A file is not what it should be.
    #[error("{}: {fault}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: Fault,
    },
    /// Certificate and key are good, but not one for the other.
    #[error(
        "{}: the private key does not belong to the first certificate in {}; name the two files \
         of one pair, the server's own certificate before its issuers'",
        key.display(), certificate.display()
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The system has no trusted certificates, and no others are named.
    #[error(
        "the system has no trusted certificates; install them (the package ca-certificates) or \
         name a file of them (ca_file)"
    )]
    NoSystemRoots,
    /// The TLS library refused for a reason of its own.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// A certificate could not be made.
    #[error("the development certificate can't be made: {0}")]
    Generate(#[from] rcgen::Error),
}

impl CertError {
    pub(crate) fn file(path: &Path, fault: Fault) -> Self {
        Self::File { path: path.to_owned(), fault }
    }
}

/// What is wrong with one file.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It isn't there.
    #[error("there is no such file")]
    NotFound,
    /// It can't be read.
    #[error("it can't be read: {0}")]
    Unreadable(io::Error),
    /// It can't be written.
    #[error("it can't be written: {0}")]
    Unwritable(io::Error),
    /// It is no file of certificates or keys.
    #[error("it is larger than 1 MiB, which no certificate is")]
    TooLarge,
    /// It isn't PEM.
    #[error("it is not PEM: {0}")]
    NotPem(&'static str),
    /// There is no certificate in it.
    #[error("there is no certificate in it, no line `-----BEGIN CERTIFICATE-----`")]
    NoCertificate,
    /// There is a private key in it, where only certificates belong.
    #[error(
        "there is a private key in it, where only certificates belong; keep the key in a file of \
         its own (are the two files exchanged?)"
    )]
    KeyAmongCertificates,
    /// A certificate in it is broken. Counted from 1.
    #[error("certificate {position} in it is broken: {reason}")]
    BrokenCertificate {
        /// Which of the file's certificates, counted from 1.
        position: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no private key in it.
    #[error("there is no private key in it, no line `-----BEGIN PRIVATE KEY-----`")]
    NoKey,
    /// There is more than one private key in it.
    #[error("there is more than one private key in it")]
    SeveralKeys,
    /// The private key needs a passphrase.
    #[error(
        "the private key in it is encrypted; decrypt it with `openssl pkey -in FILE -out NEW-FILE`"
    )]
    EncryptedKey,
    /// The private key is broken or of a kind that is not supported.
    #[error(
        "the private key in it can't be used; RSA from 2048 bits, ECDSA on P-256 or P-384 and \
         Ed25519 can"
    )]
    UnusableKey,
    /// The certificate's time is over.
    #[error("the certificate in it expired on {}; renew it", .0.date())]
    Expired(Timestamp),
    /// The certificate's time has not come.
    #[error("the certificate in it is not valid before {0}; is the machine's clock right?")]
    NotYetValid(Timestamp),
}
