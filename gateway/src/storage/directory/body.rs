//! The bytes of a local file: sent by the kernel where the connection can have it so, else read
//! from the page cache; what has to come from the disk is waited for on another thread.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::io::Errno;
use tokio::task::JoinHandle;

use super::OpenFile;
use crate::storage::representation::{MAX_PIECE_BYTES, Sliceable};
use crate::storage::{Content, Fault, FaultKind, StoredBody};

/// How many bytes are read at a time.
const READ_BYTES: u64 = 128 * 1024;
/// How many bytes are looked for in the page cache at a time, and read from the disk, before the
/// kernel sends them.
const WINDOW_BYTES: u64 = 1024 * 1024;

/// A part of an open file, on its way.
pub(crate) struct FileBody {
    file: Arc<OpenFile>,
    rest: Range<u64>,
    /// Up to where it is known to be in the page cache.
    cached: u64,
    waiting: Option<Waiting>,
}

/// A part of a file that the kernel is to send: it is in the page cache.
pub(crate) struct FilePart {
    pub(crate) file: Arc<OpenFile>,
    /// Where it begins, in bytes from the file's beginning.
    pub(crate) at: u64,
    /// In bytes.
    pub(crate) length: usize,
}

/// A read that waits for the disk.
struct Waiting {
    up_to: u64,
    reading: JoinHandle<Result<Vec<u8>, Errno>>,
}

impl FileBody {
    pub(super) fn new(file: Arc<OpenFile>) -> Self {
        Self { rest: 0..file.length(), file, cached: 0, waiting: None }
    }

    /// How many bytes are still to come.
    pub(crate) fn remaining(&self) -> u64 {
        self.rest.end - self.rest.start
    }

    /// The next piece: a part for the kernel to send where it can, else its bytes.
    pub(crate) fn poll_content(
        &mut self,
        cx: &mut Context<'_>,
        by_kernel: bool,
    ) -> Poll<Option<Result<Content, Fault>>> {
        if !by_kernel {
            return self.poll_chunk(cx).map_ok(Content::Bytes);
        }
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(match ready!(self.poll_cached(cx)) {
            Ok(()) => Ok(Content::File(self.part())),
            Err(why) => Err(unusable(&why)),
        }))
    }

    /// The next bytes.
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

    /// Sees to it that the next bytes are in the page cache: the kernel sends on this thread, which
    /// others' answers wait for.
    ///
    /// Of a window the first and the last byte are looked for. The system reads files ahead and
    /// forgets them from the front, so that what lies between is seldom another matter.
    fn poll_cached(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.rest.start < self.cached {
            return Poll::Ready(Ok(()));
        }
        let up_to = self.rest.end.min(self.rest.start + WINDOW_BYTES);
        let is_cached = |at| self.file.is_cached(at);
        if self.waiting.is_none() && is_cached(self.rest.start) && is_cached(up_to - 1) {
            self.cached = up_to;
            return Poll::Ready(Ok(()));
        }
        self.poll_disk(cx, up_to).map_ok(|_read| ())
    }

    fn part(&mut self) -> FilePart {
        let end = self.cached.min(self.rest.start + MAX_PIECE_BYTES);
        let part = self.rest.start..end;
        self.rest.start = end;
        FilePart { file: Arc::clone(&self.file), at: part.start, length: length(part) }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        let up_to = self.rest.end.min(self.rest.start + READ_BYTES);
        if self.waiting.is_none() {
            match self.file.read_cached(self.rest.start, length(self.rest.start..up_to)) {
                Err(Errno::AGAIN) => {}
                read => return Poll::Ready(read.map_err(Into::into)),
            }
        }
        self.poll_disk(cx, up_to)
    }

    /// Reads up to there on another thread.
    fn poll_disk(&mut self, cx: &mut Context<'_>, up_to: u64) -> Poll<io::Result<Vec<u8>>> {
        let (file, rest) = (&self.file, self.rest.start..up_to);
        let waiting = self.waiting.get_or_insert_with(|| {
            let file = Arc::clone(file);
            let read = move || file.read_waiting(rest.start, length(rest));
            Waiting { up_to, reading: tokio::task::spawn_blocking(read) }
        });
        let read = ready!(Pin::new(&mut waiting.reading).poll(cx));
        self.cached = waiting.up_to;
        self.waiting = None;
        Poll::Ready(match read {
            Ok(read) => read.map_err(Into::into),
            Err(cancelled) => Err(cancelled.into()),
        })
    }

    /// Bytes are sent only if the file is still the one that was opened.
    fn check(&mut self, read: io::Result<Vec<u8>>) -> Result<Bytes, Fault> {
        let bytes = read.map_err(|why| unusable(&why))?;
        self.file.check()?;
        if bytes.is_empty() {
            return Err(Fault::new(FaultKind::Unusable, "the file ended early"));
        }
        self.rest.start += bytes.len() as u64;
        Ok(bytes.into())
    }
}

fn length(part: Range<u64>) -> usize {
    usize::try_from(part.end - part.start).unwrap_or(usize::MAX)
}

fn unusable(why: &io::Error) -> Fault {
    Fault::new(FaultKind::Unusable, why.to_string())
}

impl Sliceable for FileBody {
    fn slice(mut self, part: Range<u64>) -> StoredBody {
        self.rest = part;
        StoredBody::File(self)
    }
}
