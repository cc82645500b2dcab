//! Package files in a folder of this machine.

mod body;
mod file;
mod known;

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use access::{Channel, Clock};
use bytes::Bytes;
use rustix::fs::ResolveFlags;
use rustix::io::Errno;

pub(crate) use self::body::{FileBody, FilePart};
pub(crate) use self::file::OpenFile;
use self::file::Unopened;
use self::known::{Known, KnownFiles, Lookup};
use super::conditions::{Conditions, Verdict};
use super::representation::Representation;
use super::{Ask, Failure, Fault, FaultKind, Storage, Stored};
use crate::target::FilePath;

/// Files up to this length are held in memory once they were asked for, in bytes: above, the kernel
/// sends them for less.
const SMALL_BYTES: u64 = 32 * 1024;

/// One worker thread's way to a folder.
pub(super) struct Directory {
    root: Arc<Path>,
    clock: Arc<dyn Clock>,
    known: KnownFiles,
}

impl Directory {
    pub(super) fn new(root: &Path, clock: Arc<dyn Clock>) -> Self {
        Self { root: root.into(), known: KnownFiles::new(clock.moment()), clock }
    }

    /// Lets files go that nobody has asked for of late.
    pub(super) fn let_go(&self) {
        self.known.let_go(self.clock.moment());
    }

    /// The file at a path below the root, opened anew only when it has to be.
    async fn find(&self, path: &str) -> Result<Rc<Known>, Failure> {
        let now = self.clock.moment();
        let known = match self.known.find(path, now) {
            Lookup::Fresh(known) => return Ok(known),
            Lookup::Resolve(known) => Some(known),
            Lookup::Unknown => None,
        };
        let opened = self.open_beneath(path).await.inspect_err(|_| self.known.forget(path))?;
        let known = match known {
            Some(known) if known.file.is_same(&opened) => known,
            _ => Rc::new(Known::new(opened, path)),
        };
        self.known.keep(path, Rc::clone(&known), now);
        Ok(known)
    }

    /// All of a small file's bytes.
    async fn content(&self, known: &Known) -> Result<Bytes, Failure> {
        if let Some(content) = &*known.content.borrow() {
            return Ok(content.clone());
        }
        let length = usize::try_from(known.file.length()).unwrap_or(usize::MAX);
        let read = match known.file.read_cached(0, length) {
            Ok(read) if read.len() == length => Ok(read),
            // Of what isn't all in the page cache comes what does, or nothing.
            Ok(_) | Err(Errno::AGAIN) => {
                let file = Arc::clone(&known.file);
                let reading = tokio::task::spawn_blocking(move || file.read_waiting(0, length));
                reading.await.unwrap_or(Err(Errno::INTR))
            }
            failed => failed,
        };
        let unusable = |why: String| Fault::new(FaultKind::Unusable, why);
        let content = Bytes::from(read.map_err(|why| unusable(why.to_string()))?);
        known.file.check()?;
        if content.len() != length {
            return Err(unusable("the file ended early".to_owned()).into());
        }
        if known.file.has_settled(self.clock.now()) {
            known.content.replace(Some(content.clone()));
        }
        Ok(content)
    }

    /// Opens a path below the root; on another thread where a folder on its way has to be read from
    /// the disk.
    async fn open_beneath(&self, path: &str) -> Result<OpenFile, Failure> {
        let opened = match file::open_beneath(&self.root, path, ResolveFlags::CACHED) {
            // Linux before 5.12 can't tell, and says that it doesn't know the flag.
            Err(Unopened::Root(Errno::AGAIN | Errno::INVAL) | Unopened::File(Errno::AGAIN)) => {
                let (root, path) = (Arc::clone(&self.root), path.to_owned());
                let open = move || file::open_beneath(&root, &path, ResolveFlags::empty());
                let opening = tokio::task::spawn_blocking(open);
                opening.await.unwrap_or(Err(Unopened::File(Errno::INTR)))
            }
            opened => opened,
        };
        opened.map_err(|why| self.failure(path, why))?.ok_or(Failure::NotFound)
    }

    fn failure(&self, path: &str, why: Unopened) -> Failure {
        let why = match why {
            // Not a missing file: a folder that isn't mounted must not look like an empty channel.
            Unopened::Root(why) => {
                let detail = format!("{}: {why}", self.root.display());
                return Fault::new(FaultKind::Unreachable, detail).into();
            }
            Unopened::File(why) => why,
        };
        match why {
            Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::NXIO => Failure::NotFound,
            Errno::XDEV | Errno::LOOP => {
                let root = self.root.display();
                tracing::warn!(%root, path, "a link leads out of the storage or in a circle; it is not followed");
                Failure::NotFound
            }
            why => {
                let detail = format!("{}/{path}: {why}", self.root.display());
                Fault::new(FaultKind::Unusable, detail).into()
            }
        }
    }
}

impl Storage for Directory {
    async fn open(
        &self,
        channel: &Channel,
        file: &FilePath<'_>,
        ask: &Ask<'_>,
    ) -> Result<Stored, Failure> {
        let path = file.decoded_below(&channel.prefix);
        let known = self.find(&path).await?;
        let (length, headers) = (known.file.length(), known.headers.clone());
        let verdict = Conditions::new(ask.fields, ask.head).judge(&known.validators, length);
        if length <= SMALL_BYTES && !ask.head && verdict != Verdict::NotModified {
            let body = self.content(&known).await?;
            return Ok(Representation { length, headers, body }.answer(verdict));
        }
        let body = FileBody::new(Arc::clone(&known.file));
        Ok(Representation { length, headers, body }.answer(verdict))
    }
}

#[cfg(test)]
mod tests;
