//! The rules that can be taken out, one at a time. Where a rule can be broken from outside, by a
//! database, a network or a clock that don't keep it, the project's code stays as it is; the rest
//! is in `gateway::simulation::Rule`.

use gateway::simulation::Rule as Inside;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The counter is taken last.
    F1CounterFirst,
    /// A channel that is made again under its name gets the old one's id.
    F2IdsNeverReused,
    /// A hole in the feed is taken for nothing.
    F3Contiguous,
    /// The entries are read, then the counter.
    F3OneSnapshot,
    /// The gateway doesn't look at stamps, counter and identity.
    F4Stamps,
    /// An acknowledgement is a revision without its stamp.
    F4StampedAcknowledgement,
    /// A failover loses what was committed.
    F5Durable,
    /// What was read before a change is taken in after it.
    T2NoStaleInsert,
    /// The grant is read, then the revision.
    T2OneStatement,
    /// Only what the cache still has is flipped.
    T3FlipsReachEvicted,
    /// Bodies don't look before each chunk.
    T3EachChunk,
    /// The lease is looked at before the wait.
    T4Last,
    /// Tokens expire by the gateway's own wall clock.
    T5DatabaseTime,
    /// The lease counts from the renewal's answer.
    L2FromBeforeAsking,
    /// A renewal is answered before it is committed.
    L2Committed,
    /// A registration is answered before it is committed.
    L2RegisteredFirst,
    /// The lease's clock stands still while the machine is suspended.
    L3CountsSuspend,
    /// The feed's read is acknowledged before it is applied.
    L4InForceFirst,
    /// A gateway that stops says so before it has drained.
    L5EndIsLast,
    /// The observer ends a row whatever has become of its renewal number.
    L5Conditional,
    /// The observer compares the times in the rows.
    L5OwnClock,
    /// A row that was ended is renewed all the same.
    L5EndedStaysEnded,
}

impl Rule {
    /// Those that random histories find; the others are in `schedules.rs`.
    pub(crate) const FOUND_BY_CHANCE: [Self; 20] = [
        Self::F1CounterFirst,
        Self::F2IdsNeverReused,
        Self::F3Contiguous,
        Self::F3OneSnapshot,
        Self::F4Stamps,
        Self::F5Durable,
        Self::T2NoStaleInsert,
        Self::T2OneStatement,
        Self::T3FlipsReachEvicted,
        Self::T3EachChunk,
        Self::T4Last,
        Self::T5DatabaseTime,
        Self::L2FromBeforeAsking,
        Self::L2Committed,
        Self::L2RegisteredFirst,
        Self::L3CountsSuspend,
        Self::L4InForceFirst,
        Self::L5EndIsLast,
        Self::L5OwnClock,
        Self::L5EndedStaysEnded,
    ];

    /// The switch in the gateway, for rules that stand in its code.
    pub(crate) fn inside(self) -> Option<Inside> {
        match self {
            Self::T2NoStaleInsert => Some(Inside::NoStaleInsert),
            Self::T3FlipsReachEvicted => Some(Inside::FlipsReachEvicted),
            Self::T4Last => Some(Inside::LeaseLast),
            Self::L2FromBeforeAsking => Some(Inside::LeaseFromBeforeAsking),
            _ => None,
        }
    }
}
