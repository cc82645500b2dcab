//! What an era knows of the database's history, by the stamps of its revisions: a token that was
//! read of another one is not taken in (sync.md F4).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use access::source::{Change, Revision, Stamp};

/// How many revisions are known at most: more than are made while one token is read.
const KNOWN_MAX: usize = 1024;

/// The stamps of the last revisions applied, and of those at which a token was read before the
/// feed had come to them.
pub(super) struct History(Mutex<BTreeMap<Revision, Stamp>>);

impl History {
    /// The history that begins with a snapshot.
    pub(super) fn new(revision: Revision, stamp: Stamp) -> Self {
        Self(Mutex::new([(revision, stamp)].into()))
    }

    /// Whether what was read at a revision is of this history. Where the feed has not come to it,
    /// it has to from now on.
    pub(super) fn admits(&self, revision: Revision, stamp: Stamp) -> bool {
        let mut known = self.lock();
        let is_new = known.first_key_value().is_none_or(|(first, _)| revision > *first);
        match known.get(&revision) {
            Some(before) => *before == stamp,
            None if is_new => {
                known.insert(revision, stamp);
                true
            }
            None => false,
        }
    }

    /// The last revision known of: no less has to be in the next read of the feed.
    pub(super) fn newest(&self) -> Revision {
        self.lock().last_key_value().map_or(Revision(0), |(revision, _)| *revision)
    }

    /// Takes in what the feed has, if that is of this history.
    pub(super) fn continues_with(&self, changes: &[Change]) -> bool {
        let mut known = self.lock();
        let differs = |change: &Change| {
            known.get(&change.revision).is_some_and(|stamp| *stamp != change.stamp)
        };
        if changes.iter().any(differs) {
            return false;
        }
        known.extend(changes.iter().map(|change| (change.revision, change.stamp)));
        while known.len() > KNOWN_MAX {
            known.pop_first();
        }
        true
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
    fn f4_what_was_read_ahead_of_the_feed_has_to_come() {
        let history = History::new(Revision(5), Stamp(50));
        assert!(history.admits(Revision(7), Stamp(70)));
        assert_eq!(history.newest(), Revision(7));
        assert!(history.continues_with(&[change(6, 60)]));
        assert!(!history.continues_with(&[change(7, 71)]), "restored meanwhile");
        assert!(history.continues_with(&[change(7, 70)]));
    }

    #[test]
    fn f4_a_late_answer_of_another_history_is_not_taken_in() {
        let history = History::new(Revision(5), Stamp(50));
        assert!(history.continues_with(&[change(6, 60), change(7, 70)]));
        assert!(history.admits(Revision(6), Stamp(60)));
        assert!(!history.admits(Revision(6), Stamp(61)));
        assert!(!history.admits(Revision(4), Stamp(40)), "from before it began");
    }
}
