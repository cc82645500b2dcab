//! What an era knows of the database's history, by the stamps of its revisions: a token that was
//! read of another one is not taken in (sync.md F4).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use access::source::{Change, Revision, Stamp};

/// How many revisions are known at most: more than are made while one token is read.
const KNOWN_MAX: usize = 1024;

/// The stamps of the last revisions applied.
pub(super) struct History(Mutex<BTreeMap<Revision, Stamp>>);

impl History {
    /// The history that begins with a snapshot.
    pub(super) fn new(revision: Revision, stamp: Stamp) -> Self {
        Self(Mutex::new([(revision, stamp)].into()))
    }

    /// Whether what was read at a revision is of this history.
    pub(super) fn admits(&self, revision: Revision, stamp: Stamp) -> bool {
        self.lock().get(&revision) == Some(&stamp)
    }

    /// Takes in the changes that are applied.
    pub(super) fn go_on(&self, changes: &[Change]) {
        let mut known = self.lock();
        known.extend(changes.iter().map(|change| (change.revision, change.stamp)));
        while known.len() > KNOWN_MAX {
            known.pop_first();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Revision, Stamp>> {
        // Between any two statements the map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(revision: i64, stamp: i64) -> Change {
        Change { revision: Revision(revision), stamp: Stamp(stamp), touched: vec![] }
    }

    #[test]
    fn f4_a_late_answer_of_another_history_is_not_taken_in() {
        let history = History::new(Revision(5), Stamp(50));
        history.go_on(&[change(6, 60), change(7, 70)]);
        assert!(history.admits(Revision(6), Stamp(60)));
        assert!(!history.admits(Revision(6), Stamp(61)));
        assert!(!history.admits(Revision(4), Stamp(40)), "from before it began");
        assert!(!history.admits(Revision(8), Stamp(80)), "the feed has not come to it");
    }

    #[test]
    fn only_the_last_revisions_are_known() {
        let history = History::new(Revision(0), Stamp(0));
        let changes: Vec<_> = (1..=2_000).map(|n| change(n, n)).collect();
        history.go_on(&changes);
        assert!(history.admits(Revision(1_000), Stamp(1_000)));
        assert!(!history.admits(Revision(900), Stamp(900)));
    }
}
