//! Where grants come from: the two questions that a gateway asks the control plane.
//!
//! The gateway never sees SQL, and the control plane never sees the gateway's table; what they
//! agree on is here, with the numbers of sync.md's rules.

use std::pin::Pin;

use crate::{Channel, ChannelId, Grant, PrincipalId, Timestamp, TokenDigest, TokenId};

/// An answer that is waited for.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, SourceError>> + Send + 'a>>;

/// Why the control plane didn't answer: its database is out of reach or refuses. The text names
/// the cause for the operator and never holds a secret.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the control database did not answer: {0}")]
pub struct SourceError(pub String);

/// The number of the last change to anything that a gateway decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub i64);

/// The random mark of one revision, by which two histories with the same numbers are told apart
/// (sync.md F4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp(pub i64);

/// Which database, and which life of it: another value after a restore or a failover to a copy
/// (sync.md F4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DatabaseIdentity(pub String);

/// How far a gateway has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The last revision that it has applied.
    pub revision: Revision,
    /// That revision's stamp.
    pub stamp: Stamp,
    /// The database that it was read from.
    pub database: DatabaseIdentity,
}

/// What a change touched, by identities that are never reused (sync.md F2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Touched {
    /// One value of a token: made, edited, expired early or revoked.
    Token {
        /// The token.
        id: TokenId,
        /// The value's digest.
        digest: TokenDigest,
    },
    /// A user or service account, and with it every token that acts for it.
    Principal(PrincipalId),
    /// A channel: made, edited or deleted.
    Channel(ChannelId),
    /// More than a transaction may name.
    Everything,
}

/// One revision of the feed, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number.
    pub revision: Revision,
    /// Its stamp.
    pub stamp: Stamp,
    /// All that it touched.
    pub touched: Vec<Touched>,
}

/// One read of the change feed: counter and entries of one snapshot (sync.md F3).
#[derive(Clone, Debug)]
pub struct FeedRead {
    /// The database that answered.
    pub database: DatabaseIdentity,
    /// The database's last revision in this snapshot.
    pub counter: Revision,
    /// The stamp that the database has for the revision asked about; none when it has no such
    /// revision (pruned, or of another history).
    pub stamp_of_asked: Option<Stamp>,
    /// Every revision it has above the one asked about, lowest first.
    pub changes: Vec<Change>,
    /// What is registered now for each channel that `changes` touches; none when deleted.
    pub channels: Vec<(ChannelId, Option<Channel>)>,
    /// The database's time in this snapshot.
    pub now: Timestamp,
}

impl FeedRead {
    /// The changes to apply on top of `applied`, or nothing when this read doesn't continue it:
    /// then the table is dropped and begun anew (sync.md F3, F4).
    pub fn continuing(&self, applied: &Applied) -> Option<&[Change]> {
        let same_history = self.database == applied.database
            && self.stamp_of_asked == Some(applied.stamp)
            && self.counter >= applied.revision;
        let mut next = applied.revision.0;
        let contiguous = self.changes.iter().all(|change| {
            next += 1;
            change.revision.0 == next
        });
        (same_history && contiguous && next == self.counter.0).then_some(&self.changes)
    }
}

/// One token as it stands, read in one statement with the revision it stands at (sync.md T2).
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The revision at which the grant was read.
    pub revision: Revision,
    /// That revision's stamp (sync.md F4).
    pub stamp: Stamp,
    /// What the value may do; none when no token has this digest.
    pub grant: Option<Grant>,
}

/// All that a gateway begins with, read in one snapshot.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// The revision of the snapshot.
    pub applied: Applied,
    /// Every channel.
    pub channels: Vec<Channel>,
    /// The tokens used most recently, so that a restart doesn't ask for each again (sync.md T6).
    pub recently_used: Vec<(TokenDigest, Grant)>,
    /// The database's time in this snapshot.
    pub now: Timestamp,
}

/// The control plane, as a gateway asks it.
pub trait GrantSource: Send + Sync + 'static {
    /// Reads a snapshot to begin with, and in it at most `recently_used` tokens.
    fn begin(&self, recently_used: usize) -> Answer<'_, Beginning>;

    /// Reads one token, for a value that isn't in the table.
    fn load(&self, digest: TokenDigest) -> Answer<'_, Loaded>;

    /// Reads what has changed since `applied`.
    fn feed(&self, applied: Applied) -> Answer<'_, FeedRead>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(revision: i64) -> Applied {
        Applied {
            revision: Revision(revision),
            stamp: Stamp(revision * 10),
            database: DatabaseIdentity("one".into()),
        }
    }

    fn read(counter: i64, revisions: &[i64]) -> FeedRead {
        let change = |&n| Change { revision: Revision(n), stamp: Stamp(n * 10), touched: vec![] };
        FeedRead {
            database: DatabaseIdentity("one".into()),
            counter: Revision(counter),
            stamp_of_asked: Some(Stamp(50)),
            changes: revisions.iter().map(change).collect(),
            channels: vec![],
            now: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn f3_only_a_contiguous_read_continues() {
        assert_eq!(read(5, &[]).continuing(&applied(5)).map(<[Change]>::len), Some(0));
        assert_eq!(read(7, &[6, 7]).continuing(&applied(5)).map(<[Change]>::len), Some(2));
        for (counter, revisions) in [(7, &[7][..]), (7, &[6]), (8, &[6, 8]), (6, &[6, 7]), (6, &[])]
        {
            assert!(read(counter, revisions).continuing(&applied(5)).is_none(), "{revisions:?}");
        }
    }

    #[test]
    fn f4_another_history_does_not_continue() {
        assert!(read(4, &[]).continuing(&applied(5)).is_none(), "the counter went back");
        let mut other_stamp = read(5, &[]);
        other_stamp.stamp_of_asked = Some(Stamp(51));
        assert!(other_stamp.continuing(&applied(5)).is_none());
        let mut pruned = read(5, &[]);
        pruned.stamp_of_asked = None;
        assert!(pruned.continuing(&applied(5)).is_none());
        let mut restored = read(5, &[]);
        restored.database = DatabaseIdentity("two".into());
        assert!(restored.continuing(&applied(5)).is_none());
    }
}
