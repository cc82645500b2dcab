//! Whether the file of a SQLite database is still the one that was opened. SQLite itself goes on
//! with a file that was renamed or removed, and whoever opens the path next has another one: two
//! processes would then follow two databases, and a change in one is confirmed for both.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, Mode, OFlags};

use super::StoreError;

/// The file at the path of a database when that was opened.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    /// The path without symbolic links: its write-ahead log lies beside that.
    real: PathBuf,
    held: Held,
    /// The write-ahead log that was last seen beside it.
    log: Mutex<Option<Held>>,
}

/// A file that is known again: while it is held its number is given to no other one, also once it
/// is removed.
#[derive(Debug)]
struct Held {
    id: FileId,
    /// By its path alone: closing a descriptor that can read would take SQLite's locks from it.
    _file: File,
}

impl Held {
    fn at(path: &Path) -> io::Result<Self> {
        let file = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let file = File::from(file);
        Ok(Self { id: FileId::of(&file.metadata()?), _file: file })
    }
}

/// By what the file system knows a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|found| Self::of(&found))
    }

    fn of(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

impl DatabaseFile {
    /// The file that is at this path now.
    ///
    /// # Errors
    /// [`StoreError::Gone`] when there is none.
    pub(super) fn hold(path: &Path) -> Result<Self, StoreError> {
        let held = Held::at(path).and_then(|held| Ok((held, fs::canonicalize(path)?)));
        let (held, real) = held.map_err(|cause| gone(path, cause))?;
        Ok(Self { path: path.to_owned(), real, held, log: Mutex::default() })
    }

    /// Whether it is still the one at its path.
    ///
    /// # Errors
    /// [`StoreError::Replaced`], [`StoreError::Gone`].
    pub(super) fn verify(&self) -> Result<(), StoreError> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let (path, known) = (self.beside("-wal"), log.as_ref().map(|log| log.id));
        // In this order: what lay beside it while it was there is its own.
        let another = match FileId::at(&path) {
            Ok(id) if Some(id) != known => Held::at(&path).ok(),
            Ok(_) | Err(_) => None,
        };
        match FileId::at(&self.path) {
            Ok(id) if id == self.held.id => {
                *log = another.or_else(|| log.take());
                Ok(())
            }
            Ok(_another) => Err(StoreError::Replaced { path: self.path.display().to_string() }),
            Err(cause) => Err(gone(&self.path, cause)),
        }
    }

    /// Removes its write-ahead log from beside the file that took its place: SQLite would take it
    /// for that one's, and write pages of this one into it. What was only in the log is lost with
    /// the file that it belonged to.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub(super) fn remove_log(&self) -> Result<(), StoreError> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let log = log.as_ref().map(|log| log.id);
        let (path, index) = (self.beside("-wal"), self.beside("-shm"));
        let removed = || {
            let folder = File::open(self.real.parent().unwrap_or(Path::new("/")))?;
            // Other processes do the same: none may remove the log that another one made since.
            rustix::fs::flock(&folder, FlockOperation::LockExclusive)?;
            if log.is_none() || FileId::at(&path).ok() != log {
                return Ok(());
            }
            // In this order: an index without a log is an error, a log without an index is read.
            fs::remove_file(&path)?;
            fs::remove_file(&index)
        };
        match removed() {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::File { path: path.display().to_string(), cause })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// What tells it from another file of the same content.
    pub(super) fn identity(&self) -> String {
        format!("{:x}.{:x}", self.held.id.device, self.held.id.inode)
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut path = self.real.clone().into_os_string();
        path.push(suffix);
        path.into()
    }
}

fn gone(path: &Path, cause: io::Error) -> StoreError {
    StoreError::Gone { path: path.display().to_string(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(folder: &Path) -> DatabaseFile {
        fs::write(folder.join("a.db"), "old").unwrap();
        DatabaseFile::hold(&folder.join("a.db")).unwrap()
    }

    #[test]
    fn a_file_that_is_renamed_over_or_removed_is_noticed_also_under_its_old_number() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a.db"), folder.path().join("b.db"));
        let file = held(folder.path());
        file.verify().unwrap();
        fs::remove_file(&path).unwrap();
        assert!(matches!(file.verify(), Err(StoreError::Gone { .. })));
        for _ in 0..100 {
            fs::write(&path, "new").unwrap();
            assert!(matches!(file.verify(), Err(StoreError::Replaced { .. })));
            fs::remove_file(&path).unwrap();
        }
        let file = held(folder.path());
        fs::write(&other, "new").unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(matches!(file.verify(), Err(StoreError::Replaced { .. })));
        assert_ne!(DatabaseFile::hold(&path).unwrap().identity(), file.identity());
    }

    #[test]
    fn only_its_own_log_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other, log, index] =
            ["a.db", "b.db", "a.db-wal", "a.db-shm"].map(|name| folder.path().join(name));
        let replace = || {
            fs::write(&other, "new").unwrap();
            fs::rename(&other, &path).unwrap();
        };
        let file = held(folder.path());
        fs::write(&log, "old").unwrap();
        fs::write(&index, "old").unwrap();
        file.verify().unwrap();
        replace();
        file.verify().unwrap_err();
        file.remove_log().unwrap();
        assert!(!log.exists() && !index.exists());
        fs::write(&log, "new").unwrap();
        fs::write(&index, "new").unwrap();
        file.verify().unwrap_err();
        file.remove_log().unwrap();
        assert!(log.exists() && index.exists(), "the log of the new file");
    }
}
