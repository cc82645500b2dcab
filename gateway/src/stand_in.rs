//! Addresses that stand for parts of files, so that the kernel can send a file underneath an HTTP
//! library that knows only memory.
//!
//! A [`StandIn`] is a buffer like others to the library: it has an address and a length, is queued,
//! counted off as it is sent, and dropped. But nothing lies at its address. When the library hands
//! the address to the connection to be written, the connection asks [`StandIns::find`] which part
//! of which file it stands for, and has the kernel send that.
//!
//! The addresses are a range that the system reserves for the thread and gives no memory and no
//! rights: whoever reads one, because a buffer was copied after all, ends the process on the spot
//! rather than send what is no file's content; the kernel itself refuses to write one to a socket.
//! Which part an address stands for is in the address: each has a slot of the range for as long as
//! its `StandIn` lives. So it doesn't matter in which order buffers are sent, or whether at all.
#![allow(unsafe_code, reason = "the one module that has it; each use says why it is sound")]

use std::cell::RefCell;
use std::io;
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::sync::Arc;

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use slab::Slab;

use crate::storage::OpenFile;

/// The longest part that one address stands for, in bytes. What may no longer be sent is cut within
/// one (sync.md T3).
pub(crate) const SLOT_BYTES: usize = 256 * 1024;
/// How many parts one thread may have under way. A range of 16 GiB of addresses costs nothing.
const SLOTS: usize = 64 * 1024;

/// The addresses of one thread.
pub(crate) struct StandIns {
    range: NonNull<u8>,
    slots: RefCell<Slab<FilePart>>,
}

/// A place in a file.
pub(crate) struct FilePart {
    pub(crate) file: Arc<OpenFile>,
    /// Where it begins, in bytes from the file's beginning.
    pub(crate) at: u64,
}

/// Stands for a part of a file until it is dropped.
pub(crate) struct StandIn {
    all: Rc<StandIns>,
    slot: usize,
    file: Arc<OpenFile>,
    /// How many of its bytes are sent.
    sent: usize,
    length: usize,
}

impl StandIns {
    /// Reserves a range of addresses.
    ///
    /// # Errors
    /// When the system gives none; files can be read instead.
    pub(crate) fn reserve() -> io::Result<Rc<Self>> {
        let rights = ProtFlags::empty();
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: without MAP_FIXED the kernel chooses where nothing else lies, so no memory that
        // anybody uses is touched.
        let range = unsafe { mmap_anonymous(ptr::null_mut(), SLOTS * SLOT_BYTES, rights, flags) }?;
        let range = NonNull::new(range.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Rc::new(Self { range, slots: RefCell::default() }))
    }

    /// An address for `length` bytes of a file, at most [`SLOT_BYTES`]; none when every slot is
    /// taken.
    pub(crate) fn stand_for(self: &Rc<Self>, part: FilePart, length: usize) -> Option<StandIn> {
        let mut slots = self.slots.borrow_mut();
        if slots.len() == SLOTS || length > SLOT_BYTES {
            return None;
        }
        let file = Arc::clone(&part.file);
        let slot = slots.insert(part);
        Some(StandIn { all: Rc::clone(self), slot, file, sent: 0, length })
    }

    /// What a slice stands for; none when it is ordinary memory.
    pub(crate) fn find(&self, slice: &[u8]) -> Option<FilePart> {
        let (slot, sent) = self.place(slice)?;
        let slots = self.slots.borrow();
        let part = slots.get(slot)?;
        Some(FilePart { file: Arc::clone(&part.file), at: part.at + sent as u64 })
    }

    /// Slot, and how far into it.
    fn place(&self, slice: &[u8]) -> Option<(usize, usize)> {
        let offset = slice.as_ptr().addr().checked_sub(self.range.addr().get())?;
        (offset < SLOTS * SLOT_BYTES).then_some((offset / SLOT_BYTES, offset % SLOT_BYTES))
    }
}

impl Drop for StandIns {
    fn drop(&mut self) {
        // SAFETY: the range is this value's own, and every `StandIn`, which alone makes slices of
        // it, holds the value alive.
        let unmapped = unsafe { munmap(self.range.as_ptr().cast(), SLOTS * SLOT_BYTES) };
        debug_assert!(unmapped.is_ok(), "the range was mapped");
    }
}

impl StandIn {
    /// The address of what is still to be sent.
    pub(crate) fn address(&self) -> &[u8] {
        let offset = self.slot * SLOT_BYTES + self.sent;
        // SAFETY: the slice lies within this slot of the range: `slot < SLOTS`, for a slab gives
        // keys below the most it ever held, and `sent <= length <= SLOT_BYTES`. The range is mapped
        // for as long as `self.all` lives, which the slice can't outlive. Nobody writes to it. It
        // may not be read either, which is the point: the slice is an address and a length, and
        // whoever reads through it traps. The compiler reads through a slice only where the code
        // does: it takes no slice's length for memory that may be read ahead.
        unsafe { std::slice::from_raw_parts(self.all.range.add(offset).as_ptr(), self.remaining()) }
    }

    /// How many bytes are still to be sent.
    pub(crate) fn remaining(&self) -> usize {
        self.length - self.sent
    }

    /// Counts bytes as sent.
    pub(crate) fn advance(&mut self, count: usize) {
        self.sent = self.length.min(self.sent + count);
    }

    /// The file that it stands for a part of.
    pub(crate) fn file(&self) -> &OpenFile {
        &self.file
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.all.slots.borrow_mut().try_remove(self.slot);
    }
}

#[cfg(test)]
mod tests;
