//! Step 5: the storages that hold the packages. A storage sees the channel, the file and the
//! client's conditions, and nothing else of the request: no credential has a way to it.

mod conditions;
mod directory;
mod http;
mod noarch;
mod probe;
mod representation;

use std::rc::Rc;
use std::sync::Arc;

use access::{Allowed, Channel, Clock, Timestamp};
use foldhash::HashMap;

use self::directory::Directory;
#[cfg(test)]
pub(crate) use self::directory::OpenFile;
pub(crate) use self::directory::{FileBody, FilePart};
pub(crate) use self::http::UpstreamBody;
use self::http::{HttpStorage, PipeBudget, Pipes};
pub(crate) use self::http::{ObjectCounts, Objects, PipedPart};
pub use self::probe::{ProbeError, StorageProbe};
pub(crate) use self::representation::{Content, Stored, StoredBody};
use crate::listener::Fields;
use crate::target::FilePath;

/// What is asked of a storage, beside which file.
pub(crate) struct Ask<'r> {
    /// Only the head of the answer is wanted.
    pub(crate) head: bool,
    /// The client's header fields. A storage takes from them what it may pass on (wire.md W19).
    pub(crate) fields: &'r Fields<'r>,
    /// The request's id, for the upstream's own log.
    pub(crate) request_id: &'r str,
}

/// Why a storage has no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It definitely has no such file.
    NotFound,
    /// It can't say.
    Fault(Fault),
}

/// What is wrong with a storage, for the client's status and the operator's log.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// What happened, for the log alone. Names hosts and system errors, never a secret.
    pub(crate) detail: String,
}

/// What a client is told of a [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// No connection, or it says itself that it is overloaded: a retry may help.
    Unreachable,
    /// No answer in time.
    TooSlow,
    /// An answer that can't be used; a refusal of *our* credentials is one too.
    Unusable,
    /// The channel is bound to a storage that this gateway isn't configured for.
    NotConfigured,
}

impl Fault {
    fn new(kind: FaultKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// A place with package files.
pub(crate) trait Storage {
    /// Opens a channel's file.
    async fn open(
        &self,
        channel: &Channel,
        file: &FilePath<'_>,
        ask: &Ask<'_>,
    ) -> Result<Stored, Failure>;
}

/// The storages of one worker thread, by name.
pub(crate) struct Storages(HashMap<String, Kind>);

enum Kind {
    Directory(Directory),
    Http(Rc<HttpStorage>),
}

/// The settings of every storage, with what is shared between threads made once.
#[derive(Clone)]
pub struct StorageSettings {
    storages: Vec<(String, Prepared)>,
    pipes: Arc<PipeBudget>,
}

#[derive(Clone)]
enum Prepared {
    Directory(config::DirectoryStorage),
    Http(Arc<http::Upstream>),
}

impl StorageSettings {
    /// Reads the storages' own certificates and credentials.
    ///
    /// # Errors
    /// A sentence that names the storage and the file at fault.
    pub fn new<'c>(
        storages: impl IntoIterator<Item = (&'c String, &'c config::Storage)>,
        now: Timestamp,
    ) -> Result<Self, StorageSettingsError> {
        let prepare = |(name, settings): (&String, &config::Storage)| {
            let prepared = match settings {
                config::Storage::Directory(directory) => Prepared::Directory(directory.clone()),
                config::Storage::Http(http) => Prepared::Http(Arc::new(
                    http::Upstream::new(http, now)
                        .map_err(|why| StorageSettingsError { storage: name.clone(), why })?,
                )),
            };
            Ok((name.clone(), prepared))
        };
        let storages = storages.into_iter().map(prepare).collect::<Result<_, _>>()?;
        Ok(Self { storages, pipes: Arc::default() })
    }

    /// The storages for one worker thread, each with connections and open files of its own. What the
    /// HTTP storages may keep in memory is kept in `objects`.
    pub(crate) fn for_thread(
        &self,
        clock: &Arc<dyn Clock>,
        objects: Option<&Arc<Objects>>,
    ) -> Storages {
        let pipes = Rc::new(Pipes::new(Arc::clone(&self.pipes)));
        let kind = |name: &String, prepared: &Prepared| match prepared {
            Prepared::Directory(directory) => {
                Kind::Directory(Directory::new(&directory.path, Arc::clone(clock)))
            }
            Prepared::Http(upstream) => {
                let (upstream, pipes) = (Arc::clone(upstream), Rc::clone(&pipes));
                Kind::Http(HttpStorage::new(name, upstream, pipes, objects.cloned()))
            }
        };
        let storages = self.storages.iter();
        Storages(storages.map(|(name, prepared)| (name.clone(), kind(name, prepared))).collect())
    }
}

/// A storage's settings name a file that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("storage `{storage}`: {why}")]
pub struct StorageSettingsError {
    /// The storage.
    pub storage: String,
    /// What is wrong.
    pub why: certs::CertError,
}

impl Storages {
    /// Opens a file of the channel that `allowed` opens. An allowed channel always has an index
    /// of `noarch` (wire.md W13).
    pub(crate) async fn open(
        &self,
        allowed: &Allowed,
        file: &FilePath<'_>,
        ask: &Ask<'_>,
    ) -> Result<Stored, Failure> {
        let channel = allowed.channel();
        match self.0.get(&*channel.storage) {
            Some(Kind::Directory(directory)) => noarch::open(directory, channel, file, ask).await,
            Some(Kind::Http(http)) => noarch::open(http, channel, file, ask).await,
            None => Err(Fault::new(
                FaultKind::NotConfigured,
                format!("channel {} is bound to storage {}", channel.name, channel.storage),
            )
            .into()),
        }
    }

    /// Lets go what is held open and nobody has asked for of late. To be called now and then.
    pub(crate) fn let_go(&self) {
        for kind in self.0.values() {
            match kind {
                Kind::Directory(directory) => directory.let_go(),
                Kind::Http(http) => http.let_go(),
            }
        }
    }
}
