//! The database's time between two reads of it.

use std::sync::atomic::{AtomicI64, Ordering};

use access::{Moment, Timestamp};

/// The control database's time, carried forward on the gateway's own steady clock and never going
/// back, so that a wrong wall clock here can't lengthen a token's life (sync.md T5).
pub(super) struct DatabaseTime {
    /// Database time minus steady clock, in milliseconds.
    offset: AtomicI64,
    /// The latest time that was told when the offset last changed.
    floor: AtomicI64,
}

impl DatabaseTime {
    pub(super) fn new(now: Timestamp, at: Moment) -> Self {
        let offset = now.as_millis().saturating_sub(millis(at));
        Self { offset: AtomicI64::new(offset), floor: AtomicI64::new(now.as_millis()) }
    }

    /// Takes in the time that the database told at the moment `at`.
    pub(super) fn carry_on(&self, now: Timestamp, at: Moment) {
        self.floor.fetch_max(self.at(at).as_millis(), Ordering::SeqCst);
        self.offset.store(now.as_millis().saturating_sub(millis(at)), Ordering::SeqCst);
    }

    pub(super) fn at(&self, moment: Moment) -> Timestamp {
        let carried = self.offset.load(Ordering::SeqCst).saturating_add(millis(moment));
        Timestamp::from_millis(carried.max(self.floor.load(Ordering::SeqCst)))
    }
}

fn millis(moment: Moment) -> i64 {
    let elapsed = moment.since(Moment::from_start(std::time::Duration::ZERO));
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn t5_time_is_carried_forward_and_never_goes_back() {
        let at = |secs| Moment::from_start(Duration::from_secs(secs));
        let millis = |n| Timestamp::from_millis(n);
        let time = DatabaseTime::new(millis(100_000), at(5));
        assert_eq!(time.at(at(7)), millis(102_000));
        time.carry_on(millis(50_000), at(10));
        assert_eq!(time.at(at(11)), millis(105_000), "the database's clock was set back");
        time.carry_on(millis(200_000), at(12));
        assert_eq!(time.at(at(13)), millis(201_000));
    }
}
