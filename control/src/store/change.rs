//! The unit of work: everything that a gateway decides by changes through [`Change`], and so
//! through one place that keeps the rules of the feed (sync.md F1, F2, F4).

use access::Timestamp;
use access::source::{Revision, Stamp, Touched};
use sqlx::AssertSqlSafe;

use super::audit::{Event, insert_event};
use super::dialect::Dialect;
use super::signals::{self, News};
use super::write::Write;
use super::{Connection, Store, StoreError};
use crate::Actor;
#[cfg(feature = "testing")]
use crate::testing::{Hooks, Step};

/// How many entries one revision names (sync.md F1).
const MAX_ENTRIES: usize = 1_000;
/// How many entries one change names, over several revisions if need be; past that it touches
/// everything, and every gateway cuts all that it is sending.
const MAX_ENTRIES_OF_CHANGE: usize = 10 * MAX_ENTRIES;
/// How many entries it is enough to read, to know that they are too many.
pub(crate) const MORE_THAN_ENTRIES: usize = MAX_ENTRIES_OF_CHANGE + 1;

const NEXT_REVISION: &str =
    "UPDATE revision_counter SET revision = revision + 1 WHERE id = 1 RETURNING revision";
const RECORD_REVISION: &str = "INSERT INTO revisions (revision, stamp, at, ends_public) \
     VALUES ($1, $2, $3, $4)";
const RECORD_ENTRIES: &str = "INSERT INTO changes (revision, ordinal, kind, id, digest) VALUES ";
/// How many entries are written by one statement; a thousand alone take as many round trips.
const ENTRIES_AT_A_TIME: usize = 100;

/// One change under way: a transaction that already holds the counter. Dropped, it is undone.
pub(crate) struct Change {
    write: Write,
    /// The last one taken.
    revision: Revision,
    touched: Vec<Touched>,
    ends_public: bool,
    dialect: Dialect,
    #[cfg(feature = "testing")]
    hooks: Hooks,
}

impl Store {
    /// Begins a change at `now`. Its first statement takes the next revision, so that no other
    /// change commits between what this one reads and its own commit (sync.md F1): do slow work,
    /// such as hashing a password, before.
    pub(crate) async fn change(&self, now: Timestamp) -> Result<Change, StoreError> {
        let mut change = Change {
            write: self.write(now).await?,
            dialect: self.dialect,
            revision: Revision(0),
            touched: Vec::new(),
            ends_public: false,
            #[cfg(feature = "testing")]
            hooks: self.hooks.clone(),
        };
        change.reached_begun().await?;
        if !change.counts_last() {
            change.take_revision().await?;
        }
        Ok(change)
    }
}

impl Change {
    /// The connection, inside the transaction.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        self.write.connection()
    }

    /// This change's number.
    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    /// When this change happens, by the clock it was begun with.
    pub(crate) fn now(&self) -> Timestamp {
        self.write.now()
    }

    /// Records what this change does.
    pub(crate) async fn audit(
        &mut self,
        actor: &Actor,
        event: Event<'_>,
    ) -> Result<(), StoreError> {
        let revision = Some(self.revision);
        insert_event(&mut self.write, revision, actor, event).await
    }

    /// Names something whose grants or registration this change may alter.
    pub(crate) fn touch(&mut self, touched: impl IntoIterator<Item = Touched>) {
        self.touched.extend(touched);
    }

    /// Says that a channel is no longer open to everyone: gateways that are away may serve it for
    /// longer than private content (sync.md L6).
    pub(crate) fn ends_public(&mut self) {
        self.ends_public = true;
    }

    /// Writes the feed's entries and commits. From here on gateways can see the change.
    pub(crate) async fn commit(mut self) -> Result<Revision, StoreError> {
        self.reached_decided().await;
        if self.counts_last() {
            self.take_revision().await?;
        }
        let entries = entries(std::mem::take(&mut self.touched));
        let mut parts = entries.chunks(MAX_ENTRIES);
        self.record(parts.next().unwrap_or_default()).await?;
        // Nobody sees these apart: they are committed together, and read together.
        for more in parts {
            self.take_revision().await?;
            self.record(more).await?;
        }
        signals::tell(self.write.connection(), self.dialect, News::Change).await?;
        self.write.commit().await?;
        Ok(self.revision)
    }

    /// Gives up what would change nothing: as things are, they are since the change before.
    pub(crate) fn last(self) -> Revision {
        Revision(self.revision.0 - 1)
    }

    async fn take_revision(&mut self) -> Result<(), StoreError> {
        let next = sqlx::query_scalar(NEXT_REVISION).fetch_one(self.write.connection()).await?;
        self.revision = Revision(next);
        Ok(())
    }

    async fn record(&mut self, entries: &[Touched]) -> Result<(), StoreError> {
        let stamp = Stamp(i64::from_ne_bytes(random_bytes()?));
        sqlx::query(RECORD_REVISION)
            .bind(self.revision.0)
            .bind(stamp.0)
            .bind(self.now().as_millis())
            .bind(i64::from(self.ends_public))
            .execute(self.write.connection())
            .await?;
        let entries: Vec<_> = (0i64..).zip(entries.iter().copied()).collect();
        for entries in entries.chunks(ENTRIES_AT_A_TIME) {
            self.record_entries(entries).await?;
        }
        Ok(())
    }

    async fn record_entries(&mut self, entries: &[(i64, Touched)]) -> Result<(), StoreError> {
        let row = |n: usize| {
            let [ordinal, kind, id, digest] = [2, 3, 4, 5].map(|column| n * 4 + column);
            format!("($1, ${ordinal}, ${kind}, ${id}, ${digest})")
        };
        let rows: Vec<_> = (0..entries.len()).map(row).collect();
        let sql = AssertSqlSafe(format!("{RECORD_ENTRIES}{}", rows.join(", ")));
        let mut query = sqlx::query(sql).bind(self.revision.0);
        for (ordinal, touched) in entries {
            let (kind, id, digest) = match *touched {
                Touched::Token { id, digest } => {
                    ("token", Some(id.0), Some(digest.as_bytes().to_vec()))
                }
                Touched::Principal(id) => ("principal", Some(id.0), None),
                Touched::Channel(id) => ("channel", Some(id.0), None),
                Touched::Everything => ("everything", None, None),
            };
            query = query.bind(*ordinal).bind(kind).bind(id).bind(digest);
        }
        query.execute(self.write.connection()).await?;
        Ok(())
    }

    #[cfg(feature = "testing")]
    async fn reached_begun(&mut self) -> Result<(), StoreError> {
        if let Some(sql) = self.hooks.statement() {
            sqlx::query(sql).execute(self.write.connection()).await?;
        }
        self.hooks.reached(Step::Begun).await;
        Ok(())
    }

    #[cfg(feature = "testing")]
    async fn reached_decided(&mut self) {
        self.hooks.reached(Step::Decided).await;
    }

    /// F1 taken out, for the test that shows what is then lost.
    #[cfg(feature = "testing")]
    fn counts_last(&self) -> bool {
        self.hooks.counts_last()
    }

    #[cfg(not(feature = "testing"))]
    async fn reached_begun(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    #[cfg(not(feature = "testing"))]
    async fn reached_decided(&mut self) {}

    #[cfg(not(feature = "testing"))]
    fn counts_last(&self) -> bool {
        false
    }
}

/// The entries of one change, each once.
fn entries(mut touched: Vec<Touched>) -> Vec<Touched> {
    let mut seen = std::collections::HashSet::new();
    touched.retain(|entry| seen.insert(*entry));
    if touched.len() > MAX_ENTRIES_OF_CHANGE { vec![Touched::Everything] } else { touched }
}

fn random_bytes<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use access::PrincipalId;

    use super::*;

    fn principals(n: usize) -> Vec<Touched> {
        (0..n as i64).map(|n| Touched::Principal(PrincipalId(n))).collect()
    }

    #[test]
    fn a_change_names_each_thing_once_and_at_most_ten_thousand() {
        let twice = [principals(3), principals(3)].concat();
        assert_eq!(entries(twice), principals(3));
        let most = MAX_ENTRIES_OF_CHANGE;
        assert_eq!(entries(principals(most)).len(), most);
        assert_eq!(entries(principals(most + 1)), [Touched::Everything]);
    }
}
