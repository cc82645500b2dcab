//! The database's time between two reads of it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use access::{Moment, Timestamp};

/// How old a reading may be. The process may have been stopped between asking and hearing.
const OLDEST: Duration = Duration::from_secs(10);

/// The control database's time, carried forward on the gateway's own steady clock and never going
/// back, so that a wrong wall clock here can't lengthen a token's life (sync.md T5).
pub(super) struct DatabaseTime {
    /// Database time minus steady clock, in milliseconds.
    offset: AtomicI64,
    /// The latest time that was told when the offset last changed.
    floor: AtomicI64,
}

impl DatabaseTime {
    /// Begins with the time that the database told when it was asked at `asked`.
    pub(super) fn new(now: Timestamp, asked: Moment) -> Self {
        let offset = now.as_millis().saturating_sub(millis(asked));
        Self { offset: AtomicI64::new(offset), floor: AtomicI64::new(now.as_millis()) }
    }

    /// Takes in the time that the database told when it was asked at `asked`. It is now at least
    /// that much later, so that no token outlives its time by the way of an answer.
    pub(super) fn carry_on(&self, now: Timestamp, asked: Moment, heard: Moment) {
        if heard.since(asked) > OLDEST {
            return;
        }
        self.floor.fetch_max(self.at(heard).as_millis(), Ordering::SeqCst);
        self.offset.store(now.as_millis().saturating_sub(millis(asked)), Ordering::SeqCst);
    }

    pub(super) fn at(&self, moment: Moment) -> Timestamp {
        let carried = self.offset.load(Ordering::SeqCst).saturating_add(millis(moment));
        Timestamp::from_millis(carried.max(self.floor.load(Ordering::SeqCst)))
    }
}

fn millis(moment: Moment) -> i64 {
    let elapsed = moment.since(Moment::from_start(Duration::ZERO));
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Moment {
        Moment::from_start(Duration::from_secs(secs))
    }

    fn secs(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1000)
    }

    #[test]
    fn t5_time_is_carried_forward_and_never_goes_back() {
        let time = DatabaseTime::new(secs(100), at(5));
        assert_eq!(time.at(at(7)), secs(102));
        time.carry_on(secs(50), at(10), at(10));
        assert_eq!(time.at(at(11)), secs(105), "the database's clock was set back");
        time.carry_on(secs(200), at(12), at(12));
        assert_eq!(time.at(at(13)), secs(201));
    }

    #[test]
    fn t5_the_way_of_an_answer_makes_no_token_live_longer() {
        let time = DatabaseTime::new(secs(100), at(0));
        // Read right away, heard of three seconds later.
        time.carry_on(secs(110), at(10), at(13));
        assert_eq!(time.at(at(13)), secs(113));
        // Stopped for an hour before it was even asked: that says nothing.
        time.carry_on(secs(3_700), at(20), at(3_620));
        assert_eq!(time.at(at(3_620)), secs(3_720));
    }
}
