//! The rule that keeps a slow read from outliving a change (sync.md T2).

use std::sync::{Mutex, MutexGuard, PoisonError};

use access::TokenDigest;
use access::source::Revision;

/// How many stripes the digests fall into.
const STRIPES: usize = 1024;

/// For each stripe of digests, the last revision applied that touched it. Whoever holds a
/// stripe's lock knows that no change is applied to its digests meanwhile.
pub(super) struct Stripes(Box<[Mutex<Revision>]>);

/// One stripe, locked.
pub(super) struct Stripe<'s>(MutexGuard<'s, Revision>);

impl Stripes {
    pub(super) fn new(revision: Revision) -> Self {
        Self((0..STRIPES).map(|_| Mutex::new(revision)).collect())
    }

    /// Locks the stripe of a digest.
    pub(super) fn lock(&self, digest: &TokenDigest) -> Stripe<'_> {
        let [a, b, ..] = *digest.as_bytes();
        let at = usize::from(u16::from_be_bytes([a, b])) % STRIPES;
        Stripe(locked(&self.0[at]))
    }

    /// Raises every stripe: for a change that may touch digests that nobody can name.
    pub(super) fn raise_all(&self, revision: Revision) {
        for stripe in &self.0 {
            Stripe(locked(stripe)).raise(revision);
        }
    }
}

/// A revision is written in one step, so a panic elsewhere can't leave half of one behind.
fn locked(stripe: &Mutex<Revision>) -> MutexGuard<'_, Revision> {
    stripe.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stripe<'_> {
    /// Says that a change up to `revision` is applied.
    pub(super) fn raise(&mut self, revision: Revision) {
        *self.0 = revision.max(*self.0);
    }

    /// Whether what was read at `revision` is still to be believed.
    pub(super) fn admits(&self, revision: Revision) -> bool {
        revision >= *self.0
    }
}
