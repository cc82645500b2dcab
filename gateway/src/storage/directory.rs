//! Package files in a folder of this machine.

mod body;

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ::http::HeaderMap;
use ::http::header::CONTENT_TYPE;
use access::Channel;
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

pub(crate) use self::body::FileBody;
use super::conditions::{Conditions, Validators};
use super::representation::{Representation, content_type};
use super::{Ask, Failure, Fault, FaultKind, Storage, Stored};
use crate::target::FilePath;

pub(super) struct Directory {
    root: PathBuf,
}

impl Directory {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Opens a path below the root. Neither a symbolic link nor anything else leads out of it:
    /// the kernel resolves the path beneath the root or not at all.
    fn open_beneath(&self, path: &str) -> Result<(OwnedFd, Stat), Failure> {
        let opened = rustix::fs::open(
            &self.root,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        );
        // Not a missing file: a folder that isn't mounted must not look like an empty channel.
        let root = opened.map_err(|why| {
            Fault::new(FaultKind::Unreachable, format!("{}: {why}", self.root.display()))
        })?;
        // O_NONBLOCK, so that a pipe put among the files can't hold up the thread.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let file = rustix::fs::openat2(&root, path, flags, Mode::empty(), resolve);
        let file = file.map_err(|why| self.failure(path, why))?;
        let stat = rustix::fs::fstat(&file).map_err(|why| self.failure(path, why))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Failure::NotFound);
        }
        Ok((file, stat))
    }

    fn failure(&self, path: &str, why: Errno) -> Failure {
        match why {
            Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::NXIO => Failure::NotFound,
            Errno::XDEV | Errno::LOOP => {
                let root = self.root.display();
                tracing::warn!(%root, path, "a link leads out of the storage; it is not followed");
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
        let file_path = file.decoded();
        let path = match &*channel.prefix {
            "" => file_path,
            prefix => format!("{prefix}/{file_path}"),
        };
        let (opened, stat) = self.open_beneath(&path)?;
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type(file.name()))]);
        let whole = Representation {
            length: length(&stat),
            validators: validators(&stat),
            headers,
            body: FileBody::new(opened, stat),
        };
        Ok(whole.answer(&Conditions::new(ask.headers, ask.head)))
    }
}

fn length(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

/// The entity tag changes with inode, time of change (to the nanosecond) and size; so two files,
/// and two versions of one, never share it.
fn validators(stat: &Stat) -> Validators {
    let seconds = u64::try_from(stat.st_mtime).unwrap_or(0);
    Validators {
        etag: Some(format!(
            "\"{:x}-{seconds:x}.{:x}-{:x}\"",
            stat.st_ino, stat.st_mtime_nsec, stat.st_size
        )),
        last_modified: SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)),
    }
}

#[cfg(test)]
mod tests;
