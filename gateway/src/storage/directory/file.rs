//! A local file, open.

use std::io::IoSliceMut;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, SystemTime};

use access::Timestamp;
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat, fstat};
use rustix::io::{Errno, ReadWriteFlags};

use crate::storage::conditions::Validators;
use crate::storage::{Fault, FaultKind};

/// See [`OpenFile::has_settled`].
const SETTLED_AFTER_SECONDS: i64 = 2;

/// Why a file isn't open.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unopened {
    /// Its storage's folder couldn't be opened.
    Root(Errno),
    /// The folder could, the file could not.
    File(Errno),
}

/// Opens a path below a folder; none when it leads to no regular file. Neither a symbolic link nor
/// anything else leads out of the folder: the kernel resolves the path beneath it or not at all.
///
/// # Errors
/// The system's. With [`ResolveFlags::CACHED`] [`Errno::AGAIN`] instead of a wait for the disk.
pub(super) fn open_beneath(
    root: &Path,
    path: &str,
    how: ResolveFlags,
) -> Result<Option<OpenFile>, Unopened> {
    let open = |folder: BorrowedFd<'_>, path: &Path, flags, resolve| {
        rustix::fs::openat2(folder, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve | how)
    };
    let root = open(rustix::fs::CWD, root, OFlags::PATH | OFlags::DIRECTORY, ResolveFlags::empty());
    let root = root.map_err(Unopened::Root)?;
    // O_NONBLOCK, so that a pipe put among the files can't hold up the thread.
    let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let file = open(root.as_fd(), Path::new(path), flags, resolve);
    file.and_then(OpenFile::new).map_err(Unopened::File)
}

/// A regular file, with what was known of it when it was opened: its length and its validators are
/// told to clients.
pub(crate) struct OpenFile {
    file: OwnedFd,
    opened: Stat,
}

impl OpenFile {
    /// None when it is no regular file.
    pub(crate) fn new(file: OwnedFd) -> Result<Option<Self>, Errno> {
        let opened = fstat(&file)?;
        let regular = FileType::from_raw_mode(opened.st_mode) == FileType::RegularFile;
        Ok(regular.then_some(Self { file, opened }))
    }

    /// The entity tag changes with inode, time of change (to the nanosecond) and size; so two files,
    /// and two versions of one, never share it.
    pub(super) fn validators(&self) -> Validators {
        let Stat { st_ino, st_size, st_mtime_nsec, .. } = self.opened;
        let seconds = u64::try_from(self.opened.st_mtime).unwrap_or(0);
        Validators {
            etag: Some(format!("\"{st_ino:x}-{seconds:x}.{st_mtime_nsec:x}-{st_size:x}\"")),
            last_modified: SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)),
        }
    }

    /// Whether it is as it was opened, and in its place: not removed, replaced or forbidden since.
    /// Each of these changes the time of its inode.
    pub(super) fn is_current(&self) -> bool {
        let state = |s: &Stat| (s.st_ctime, s.st_ctime_nsec, s.st_nlink, version(s));
        fstat(&self.file).is_ok_and(|now| state(&now) == state(&self.opened))
    }

    /// Whether both are the same version of the same file.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let identity = |s: &Stat| (s.st_dev, s.st_ino, s.st_ctime, s.st_ctime_nsec, version(s));
        identity(&self.opened) == identity(&other.opened)
    }

    /// Whether it was written long enough ago that another change would show: times of files go
    /// by ticks of a few milliseconds, on some file systems of a second or two.
    pub(super) fn has_settled(&self, now: Timestamp) -> bool {
        now.as_millis() / 1000 > self.opened.st_ctime + SETTLED_AFTER_SECONDS
    }

    /// Its length when it was opened, in bytes.
    pub(super) fn length(&self) -> u64 {
        u64::try_from(self.opened.st_size).unwrap_or(0)
    }

    /// Whether it still is as it was opened: an answer is cut rather than mixed from two versions.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let now =
            fstat(&self.file).map_err(|why| Fault::new(FaultKind::Unusable, why.to_string()))?;
        if version(&now) == version(&self.opened) {
            return Ok(());
        }
        let changed = "the file was changed while it was sent; the answer is cut";
        Err(Fault::new(FaultKind::Unusable, changed))
    }

    /// Reads at most `bytes` from `at` on: from the page cache, or [`Errno::AGAIN`].
    pub(super) fn read_cached(&self, at: u64, bytes: usize) -> Result<Vec<u8>, Errno> {
        match self.read(at, bytes, ReadWriteFlags::NOWAIT) {
            // A file system that can't tell.
            Err(Errno::OPNOTSUPP) => Err(Errno::AGAIN),
            read => read,
        }
    }

    /// Reads at most `bytes` from `at` on, from the disk if need be.
    pub(super) fn read_waiting(&self, at: u64, bytes: usize) -> Result<Vec<u8>, Errno> {
        self.read(at, bytes, ReadWriteFlags::empty())
    }

    fn read(&self, at: u64, bytes: usize, flags: ReadWriteFlags) -> Result<Vec<u8>, Errno> {
        let mut buffer = vec![0; bytes];
        let read = rustix::io::retry_on_intr(|| {
            rustix::io::preadv2(&self.file, &mut [IoSliceMut::new(&mut buffer)], at, flags)
        })?;
        buffer.truncate(read);
        Ok(buffer)
    }

    /// Whether the byte at `at` is in the page cache.
    pub(super) fn is_cached(&self, at: u64) -> bool {
        let mut byte = [0];
        let read = rustix::io::preadv2(
            &self.file,
            &mut [IoSliceMut::new(&mut byte)],
            at,
            ReadWriteFlags::NOWAIT,
        );
        // An end that comes early is found by whoever sends.
        read.is_ok()
    }
}

/// What changes with a file's bytes. Not the time of its inode: replacing a file by rename changes
/// that of the old one, whose bytes stay whole.
fn version(stat: &Stat) -> impl PartialEq + use<> {
    (stat.st_size, stat.st_mtime, stat.st_mtime_nsec)
}

impl AsFd for OpenFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
