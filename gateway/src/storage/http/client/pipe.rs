//! Pipes of the kernel's, through which an answer's bytes go from the storage's socket to the
//! client's without being copied (`splice(2)`).
//!
//! There are few: a user without privileges may have 64 MiB of them in all. So a pipe is held only
//! while there is something in it, there is a bound for all threads together, and where none is to
//! be had the bytes are copied.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use tokio::time::Instant;

use crate::storage::representation::MAX_PIECE_BYTES;

/// How many pipes of which size there may be, in bytes. A pipe takes a number of *pieces*, a page at
/// most each, and what comes over a network comes in pieces of 1.4 KB.
const SIZES: [(usize, usize); 2] = [(1024 * 1024, 32), (256 * 1024, 64)];
/// How many empty ones a thread keeps.
const KEPT: usize = 8;
/// How long no further one is asked for once the system has refused.
const REST: Duration = Duration::from_secs(1);

/// What all threads may have of pipes.
#[derive(Debug)]
pub(crate) struct PipeBudget {
    /// How many more of each of [`SIZES`].
    left: [AtomicUsize; SIZES.len()],
    /// Whether the system splices at all, which it may be forbidden to (seccomp), or not be able to.
    splices: bool,
}

impl Default for PipeBudget {
    fn default() -> Self {
        let tried = try_to_splice();
        if let Err(why) = &tried {
            tracing::warn!(%why, "splice(2) can't be used: long answers of HTTP storages are copied");
        }
        let left = SIZES.map(|(_, count)| AtomicUsize::new(count));
        Self { left, splices: tried.is_ok() }
    }
}

/// The pipes of one thread.
pub(crate) struct Pipes {
    budget: Arc<PipeBudget>,
    /// Empty ones.
    idle: RefCell<Vec<Pipe>>,
    rests_until: Cell<Option<Instant>>,
}

/// A pipe: what goes into one end comes out of the other.
struct Pipe {
    out: OwnedFd,
    into: OwnedFd,
    /// Which of [`SIZES`] it has, for the budget.
    size: usize,
    budget: Arc<PipeBudget>,
}

/// A part of an answer that waits in a pipe.
pub(crate) struct PipedPart {
    /// There until it is dropped.
    pipe: Option<Pipe>,
    pipes: Rc<Pipes>,
    /// How many bytes are in it.
    length: usize,
    /// Whether the next part follows at once.
    has_next: bool,
}

impl Pipes {
    /// None yet.
    pub(crate) fn new(budget: Arc<PipeBudget>) -> Self {
        Self { budget, idle: RefCell::default(), rests_until: Cell::default() }
    }

    /// An empty pipe, if there is one to be had.
    pub(super) fn take(self: &Rc<Self>) -> Option<PipedPart> {
        let idle = self.idle.borrow_mut().pop();
        let pipe = idle.or_else(|| self.open())?;
        Some(PipedPart { pipe: Some(pipe), pipes: Rc::clone(self), length: 0, has_next: false })
    }

    fn open(&self) -> Option<Pipe> {
        let rests = self.rests_until.get().is_some_and(|until| Instant::now() < until);
        if rests || !self.budget.splices {
            return None;
        }
        let mut is_refused = false;
        for size in (0..SIZES.len()).filter(|&size| self.budget.take(size)) {
            let budget = Arc::clone(&self.budget);
            match open(SIZES[size].0) {
                Ok((out, into)) => return Some(Pipe { out, into, size, budget }),
                Err(_too_many) => budget.give_back(size),
            }
            is_refused = true;
        }
        self.rests_until.set(is_refused.then(|| Instant::now() + REST));
        None
    }
}

impl PipeBudget {
    fn take(&self, size: usize) -> bool {
        let less = |left: usize| left.checked_sub(1);
        self.left[size].fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    fn give_back(&self, size: usize) {
        self.left[size].fetch_add(1, Ordering::Relaxed);
    }
}

/// From a socket that has nothing.
fn try_to_splice() -> io::Result<()> {
    let (socket, _other) = UnixStream::pair()?;
    socket.set_nonblocking(true)?;
    let (_out, into) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    match splice(&socket, None, &into, None, 1, SpliceFlags::NONBLOCK) {
        Err(Errno::AGAIN) | Ok(_) => Ok(()),
        Err(why) => Err(why.into()),
    }
}

#[cfg(test)]
impl Pipes {
    /// How many empty ones are kept.
    pub(super) fn held(&self) -> usize {
        self.idle.borrow().len()
    }
}

/// The end that things come out of, and the one that they go into.
fn open(bytes: usize) -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    let (out, into) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    fcntl_setpipe_size(&into, bytes)?;
    Ok((out, into))
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.budget.give_back(self.size);
    }
}

impl PipedPart {
    /// How many bytes are in it.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Fills the empty pipe with what a socket has of the `left` bytes that are still to come: how
    /// many, none at the socket's end.
    pub(super) fn fill_from(&mut self, socket: impl AsFd, left: u64) -> io::Result<usize> {
        let length = usize::try_from(left.min(MAX_PIECE_BYTES)).unwrap_or(usize::MAX);
        let into = &self.pipe()?.into;
        self.length = splice(socket, None, into, None, length, SpliceFlags::NONBLOCK)?;
        // The socket had all that was asked for, and so probably has more.
        self.has_next = self.length == length && left > MAX_PIECE_BYTES;
        Ok(self.length)
    }

    /// Sends to a socket what it takes: how many bytes.
    pub(crate) fn send_to(&mut self, socket: impl AsFd) -> io::Result<usize> {
        let mut flags = SpliceFlags::NONBLOCK;
        // Or each part would end in a small packet of its own. What is held back is less than a packet,
        // and goes with the next part, or when the client has acknowledged the packets before it.
        flags.set(SpliceFlags::MORE, self.has_next);
        let out = &self.pipe()?.out;
        let sent = splice(out, None, socket, None, self.length, flags)?;
        self.length -= sent;
        Ok(sent)
    }

    /// Takes the bytes out, into memory.
    pub(crate) fn take_out(mut self) -> io::Result<Bytes> {
        let mut bytes = BytesMut::zeroed(self.length);
        let mut taken = 0;
        while taken < bytes.len() {
            match rustix::io::read(&self.pipe()?.out, &mut bytes[taken..])? {
                0 => return Err(Errno::PIPE.into()),
                count => taken += count,
            }
        }
        self.length = 0;
        Ok(bytes.freeze())
    }

    fn pipe(&self) -> io::Result<&Pipe> {
        self.pipe.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

/// A pipe is used again only when it is empty.
impl Drop for PipedPart {
    fn drop(&mut self) {
        let mut idle = self.pipes.idle.borrow_mut();
        if self.length == 0 && idle.len() < KEPT {
            idle.extend(self.pipe.take());
        }
    }
}

#[cfg(test)]
mod tests;
