//! Rules of sync.md that stand in a few words of this crate, so that the simulation can take each
//! out and show what it is for. Outside of the simulation they are constants.

/// A rule that can be taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "simulation"),
    expect(unreachable_pub, reason = "it can be reached where it can be taken out")
)]
pub enum Rule {
    /// L2: the lease counts from before its renewal was asked for, not from the answer.
    LeaseFromBeforeAsking,
    /// T2: a read that was outrun by a change is neither kept nor answered.
    NoStaleInsert,
    /// T3: what the cache has evicted is still flipped while somebody holds it.
    FlipsReachEvicted,
    /// T4: the lease is looked at after the last wait.
    LeaseLast,
}

/// Whether a rule is kept.
#[cfg(not(feature = "simulation"))]
pub(crate) const fn keeps(_: Rule) -> bool {
    true
}

#[cfg(feature = "simulation")]
pub(crate) use switched::keeps;
#[cfg(feature = "simulation")]
pub use switched::take_out;

#[cfg(feature = "simulation")]
mod switched {
    use std::cell::Cell;

    use super::Rule;

    thread_local! {
        static TAKEN_OUT: Cell<Option<Rule>> = const { Cell::new(None) };
    }

    /// Takes one rule out on this thread, or none.
    pub fn take_out(rule: Option<Rule>) {
        TAKEN_OUT.set(rule);
    }

    pub(crate) fn keeps(rule: Rule) -> bool {
        TAKEN_OUT.get() != Some(rule)
    }
}
