//! A key pair that follows its files.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use access::Timestamp;
use arc_swap::ArcSwap;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::error::CertError;
use crate::pair::{KeyPair, PairFiles};

/// The last good pair of two files. Handshakes take it without a lock.
#[derive(Debug)]
pub(crate) struct Reloading {
    files: PairFiles,
    current: ArcSwap<KeyPair>,
    /// How the files looked when they were last read, good or not.
    seen: Mutex<[Option<Look>; 2]>,
}

/// How a file looks from outside. A symbolic link looks like what it points to, so that an
/// exchanged link is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// Changes also where a copy keeps the time of modification.
    changed: (i64, i64),
}

fn look(path: &Path) -> Option<Look> {
    let metadata = fs::metadata(path).ok()?;
    Some(Look {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    })
}

impl Reloading {
    pub(crate) fn load(certificate: &Path, key: &Path, now: Timestamp) -> Result<Self, CertError> {
        let files = PairFiles { certificate: certificate.to_owned(), key: key.to_owned() };
        let seen = files.look();
        let current = ArcSwap::from_pointee(files.load(now)?);
        Ok(Self { files, current, seen: Mutex::new(seen) })
    }

    pub(crate) fn current(&self) -> Arc<KeyPair> {
        self.current.load_full()
    }

    pub(crate) fn changed(&self) -> bool {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) != self.files.look()
    }

    pub(crate) fn reload(&self, now: Timestamp) -> Result<Arc<KeyPair>, CertError> {
        // Looked at before it is read: what changes meanwhile is a change again. The lock makes
        // of two reloads one after the other.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = self.files.look();
        let pair = Arc::new(self.files.load(now)?);
        self.current.store(Arc::clone(&pair));
        Ok(pair)
    }
}

impl PairFiles {
    fn look(&self) -> [Option<Look>; 2] {
        [look(&self.certificate), look(&self.key)]
    }
}

impl ResolvesServerCert for Reloading {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.load().certified))
    }
}

impl ResolvesClientCert for Reloading {
    fn resolve(
        &self,
        _issuers: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.load().certified))
    }

    fn has_certs(&self) -> bool {
        true
    }
}
