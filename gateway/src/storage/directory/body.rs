//! The bytes of a local file: from the page cache on the thread itself, from the disk on another.

use std::io::{self, IoSliceMut};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::fs::Stat;
use rustix::io::{Errno, ReadWriteFlags};
use tokio::task::JoinHandle;

use super::length;
use crate::storage::representation::Sliceable;
use crate::storage::{Fault, FaultKind, StoredBody};

/// How many bytes are read at a time.
const CHUNK_BYTES: u64 = 128 * 1024;

/// A part of an open file, read as it is sent.
pub(crate) struct FileBody {
    file: Arc<OwnedFd>,
    /// The file when it was opened: its length and validators are already told.
    opened: Stat,
    rest: Range<u64>,
    reading: Option<JoinHandle<io::Result<Vec<u8>>>>,
}

impl FileBody {
    pub(super) fn new(file: OwnedFd, opened: Stat) -> Self {
        Self { file: Arc::new(file), rest: 0..length(&opened), opened, reading: None }
    }

    /// How many bytes are still to come.
    pub(crate) fn remaining(&self) -> u64 {
        self.rest.end - self.rest.start
    }

    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Fault>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let read = ready!(self.poll_read(cx));
        Poll::Ready(Some(self.check(read)))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        let reading = match &mut self.reading {
            Some(reading) => reading,
            none => {
                let (at, bytes) = (self.rest.start, chunk_size(&self.rest));
                match read_at(&self.file, at, bytes, ReadWriteFlags::NOWAIT) {
                    // Not in the page cache, or a file system that can't tell.
                    Err(Errno::AGAIN | Errno::OPNOTSUPP) => {
                        let file = Arc::clone(&self.file);
                        none.insert(tokio::task::spawn_blocking(move || {
                            read_at(&file, at, bytes, ReadWriteFlags::empty()).map_err(Into::into)
                        }))
                    }
                    read => return Poll::Ready(read.map_err(Into::into)),
                }
            }
        };
        let read = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        Poll::Ready(read.unwrap_or_else(|cancelled| Err(cancelled.into())))
    }

    /// Bytes are sent only if the file is still the one that was opened: an answer is cut rather
    /// than mixed from two versions.
    fn check(&mut self, read: io::Result<Vec<u8>>) -> Result<Bytes, Fault> {
        let bytes = read.map_err(|why| Fault::new(FaultKind::Unusable, why.to_string()))?;
        let now = rustix::fs::fstat(&*self.file)
            .map_err(|why| Fault::new(FaultKind::Unusable, why.to_string()))?;
        // Not the time of its inode: replacing a file by rename changes that of the old one, whose
        // bytes stay whole.
        let version = |s: &Stat| (s.st_size, s.st_mtime, s.st_mtime_nsec);
        if bytes.is_empty() || version(&now) != version(&self.opened) {
            let changed = "the file was changed while it was sent; the answer is cut";
            return Err(Fault::new(FaultKind::Unusable, changed));
        }
        self.rest.start += bytes.len() as u64;
        Ok(bytes.into())
    }
}

fn chunk_size(rest: &Range<u64>) -> usize {
    usize::try_from((rest.end - rest.start).min(CHUNK_BYTES)).unwrap_or(usize::MAX)
}

fn read_at(file: &OwnedFd, at: u64, bytes: usize, flags: ReadWriteFlags) -> Result<Vec<u8>, Errno> {
    let mut buffer = vec![0; bytes];
    let read = rustix::io::retry_on_intr(|| {
        rustix::io::preadv2(file, &mut [IoSliceMut::new(&mut buffer)], at, flags)
    })?;
    buffer.truncate(read);
    Ok(buffer)
}

impl Sliceable for FileBody {
    fn slice(mut self, part: Range<u64>) -> StoredBody {
        self.rest = part;
        StoredBody::File(self)
    }
}
