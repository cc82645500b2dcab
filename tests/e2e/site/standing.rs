//! Where a token's revocation stands, as a test knows that asks meanwhile.

use std::sync::atomic::{AtomicU8, Ordering};

/// A request may begin in one and end in a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// The token was made.
    Valid = 0,
    /// Its revocation was sent: gateways may have applied it or not.
    Going = 1,
    /// It is said to be in force, or the time is over by which that was promised.
    Gone = 2,
}

/// A token's, told by one thread and read by others. It begins valid.
#[derive(Debug, Default)]
pub(crate) struct Revocation(AtomicU8);

impl Revocation {
    pub(crate) fn standing(&self) -> Standing {
        match self.0.load(Ordering::SeqCst) {
            0 => Standing::Valid,
            1 => Standing::Going,
            _ => Standing::Gone,
        }
    }

    pub(crate) fn set(&self, standing: Standing) {
        self.0.store(standing as u8, Ordering::SeqCst);
    }
}
