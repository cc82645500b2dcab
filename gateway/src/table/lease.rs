//! How long the table may be decided by without news (sync.md L2, L6).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use access::lease::LeaseTerms;
use access::{Allowed, Caller, Denied, Moment, Privacy};

use super::Undecided;

/// The part of a lease that is served, in tenths: the rest is for clocks that run apart.
const SERVED_TENTHS: u32 = 9;

/// The lease of one era. A new one gives nothing.
pub(super) struct Lease {
    terms: LeaseTerms,
    /// Its end in nanoseconds on the lease clock; 0 while there is none.
    until: AtomicU64,
}

/// What may be served at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LeaseState {
    /// Everything that is granted.
    pub(super) valid: bool,
    /// Tokens that are in memory.
    pub(super) known: bool,
    /// Public channels.
    pub(super) public: bool,
}

impl Lease {
    pub(super) fn new(terms: LeaseTerms) -> Self {
        Self { terms, until: AtomicU64::new(0) }
    }

    /// Extends it by a renewal that was asked for at `asked`, is committed, and after which the
    /// feed was read and applied (L2).
    pub(super) fn extend(&self, asked: Moment) {
        let until = asked.plus(self.terms.lease * SERVED_TENTHS / 10);
        self.until.fetch_max(nanos(until), Ordering::SeqCst);
    }

    /// Ends it, whatever is left: the database's history is another one.
    pub(super) fn withdraw(&self) {
        self.until.store(0, Ordering::SeqCst);
    }

    pub(super) fn state(&self, now: Moment) -> LeaseState {
        let until = self.until.load(Ordering::SeqCst);
        let within = |grace: Duration| {
            let grace = u64::try_from(grace.as_nanos()).unwrap_or(u64::MAX);
            until > 0 && nanos(now) < until.saturating_add(grace)
        };
        LeaseState {
            valid: within(Duration::ZERO),
            known: within(self.terms.serve_known),
            public: within(self.terms.public_grace),
        }
    }

    /// How much of it is left.
    pub(super) fn remaining(&self, now: Moment) -> Duration {
        Duration::from_nanos(self.until.load(Ordering::SeqCst).saturating_sub(nanos(now)))
    }
}

impl LeaseState {
    /// Lets a decision stand as far as the lease goes. Past it a refusal doesn't stand either:
    /// what was revoked may be granted again by now, and nothing is told of private channels.
    pub(super) fn uphold(
        self,
        caller: Caller<'_>,
        decided: Result<Allowed, Denied>,
    ) -> Result<Allowed, Undecided> {
        let is_public =
            decided.as_ref().is_ok_and(|allowed| allowed.channel().privacy == Privacy::Public);
        let is_known = matches!(caller, Caller::Known(_));
        if self.valid || (self.public && is_public) || (self.known && is_known) {
            Ok(decided?)
        } else {
            Err(Undecided::LeaseEnded)
        }
    }
}

/// A moment in nanoseconds since the clock began.
pub(super) fn nanos(moment: Moment) -> u64 {
    let since_start = moment.since(Moment::from_start(Duration::ZERO));
    u64::try_from(since_start.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: u64) -> Moment {
        Moment::from_start(Duration::from_secs(secs))
    }

    const TERMS: LeaseTerms = LeaseTerms {
        lease: Duration::from_secs(100),
        serve_known: Duration::from_secs(50),
        public_grace: Duration::from_secs(10),
    };

    #[test]
    fn l2_it_lasts_nine_tenths_from_the_moment_before_it_was_asked_for() {
        let lease = Lease::new(TERMS);
        assert!(!lease.state(at(1)).public, "served before the first lease");
        lease.extend(at(1000));
        assert!(lease.state(at(1089)).valid);
        assert!(!lease.state(at(1090)).valid);
        lease.extend(at(990));
        assert_eq!(lease.remaining(at(1080)), Duration::from_secs(10), "it went back");
    }

    #[test]
    fn l6_past_it_known_tokens_and_public_channels_go_on_for_a_while() {
        let lease = Lease::new(TERMS);
        lease.extend(at(1000));
        let state = |valid, known, public| LeaseState { valid, known, public };
        assert_eq!(lease.state(at(1095)), state(false, true, true));
        assert_eq!(lease.state(at(1100)), state(false, true, false));
        assert_eq!(lease.state(at(1140)), state(false, false, false));
        lease.extend(at(1200));
        lease.withdraw();
        assert_eq!(lease.state(at(1200)), state(false, false, false));
    }
}
