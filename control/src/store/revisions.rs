//! Changes after they were committed.

use access::Timestamp;
use access::source::Revision;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::{time, time_if_any};
use super::{Connection, Store, StoreError};

/// A change as its row has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RevisionRow {
    pub(crate) revision: Revision,
    /// When it was begun.
    pub(crate) at: Timestamp,
    /// Whether a channel is no longer open to everyone by it.
    pub(crate) ends_public: bool,
    /// When it was first seen in force on every gateway, of one that was pruned: when it was.
    pub(crate) confirmed_at: Option<Timestamp>,
    /// A time by which it was committed, once somebody was told a bound that counts from it.
    pub(crate) committed_by: Option<Timestamp>,
}

/// The change itself, or the one before which it was pruned.
pub(super) const FIND: &str = "SELECT revision, at, ends_public, confirmed_at, committed_by, \
     pruned_before_at FROM revisions WHERE revision >= $1 AND $1 >= 0 \
     AND (revision = $1 OR pruned_before_at IS NOT NULL) ORDER BY revision LIMIT 1";
const PRUNE_BEFORE: &str = "UPDATE revisions SET pruned_before_at = $2 WHERE revision = $1 \
     AND EXISTS (SELECT 1 FROM revisions WHERE revision < $1)";
const NEWEST: &str = "SELECT revision FROM revision_counter";
/// Each of that change alone: in a database that took the place of the one in which it was read,
/// another one may have its number.
const CONFIRM: &str = "UPDATE revisions SET confirmed_at = $2 \
     WHERE revision = $1 AND at = $3 AND confirmed_at IS NULL";
/// Those that end nothing public come into force in their order.
const CONFIRM_UP_TO: &str = "UPDATE revisions SET confirmed_at = $2 \
     WHERE confirmed_at IS NULL AND revision <= $1 AND ends_public = 0 \
     AND EXISTS (SELECT 1 FROM revisions last WHERE last.revision = $1 AND last.at = $3)";
const COMMITTED_BY: &str = "UPDATE revisions SET committed_by = $2 \
     WHERE revision = $1 AND at = $3 AND committed_by IS NULL";
const UNCONFIRMED: &str = "SELECT revision, at, ends_public, confirmed_at, committed_by \
     FROM revisions WHERE confirmed_at IS NULL ORDER BY revision LIMIT $1";

/// The change of that number, also one that was pruned: it was in force everywhere by then.
pub(crate) async fn find_revision(
    db: &mut Connection,
    revision: Revision,
) -> Result<Option<RevisionRow>, StoreError> {
    let Some(row) = sqlx::query(FIND).bind(revision.0).fetch_optional(db).await? else {
        return Ok(None);
    };
    let is_kept = row.try_get::<i64, _>("revision")? == revision.0;
    let confirmed_at = if is_kept { "confirmed_at" } else { "pruned_before_at" };
    let confirmed_at = time_if_any(&row, confirmed_at)?;
    Ok(Some(RevisionRow { revision, confirmed_at, ..read(&row)? }))
}

/// The oldest changes that nobody has seen in force everywhere, at most `limit`.
pub(crate) async fn unconfirmed_revisions(
    db: &mut Connection,
    limit: i64,
) -> Result<Vec<RevisionRow>, StoreError> {
    let rows = sqlx::query(UNCONFIRMED).bind(limit).fetch_all(db).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<RevisionRow, StoreError> {
    Ok(RevisionRow {
        revision: Revision(row.try_get("revision")?),
        at: time(row, "at")?,
        ends_public: row.try_get::<i64, _>("ends_public")? != 0,
        confirmed_at: time_if_any(row, "confirmed_at")?,
        committed_by: time_if_any(row, "committed_by")?,
    })
}

/// The newest change.
pub(crate) async fn newest_revision(db: &mut Connection) -> Result<Revision, StoreError> {
    Ok(Revision(sqlx::query_scalar(NEWEST).fetch_one(db).await?))
}

impl Store {
    /// Says that the changes before this one are in force everywhere, which is when they may be
    /// pruned.
    pub(crate) async fn prune_before(
        &self,
        revision: Revision,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let _turn = self.turn().await?;
        sqlx::query(PRUNE_BEFORE)
            .bind(revision.0)
            .bind(now.as_millis())
            .execute(&mut *self.reader().await?)
            .await?;
        Ok(())
    }

    /// Keeps when that change was first seen in force on every gateway.
    pub(crate) async fn confirm_revision(
        &self,
        change: &RevisionRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.keep(CONFIRM, change, at).await
    }

    /// Keeps it of that change and all before it, but those that end something public.
    pub(crate) async fn confirm_revisions_up_to(
        &self,
        change: &RevisionRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.keep(CONFIRM_UP_TO, change, at).await
    }

    /// Keeps a time by which a change was committed; the first one stays.
    pub(crate) async fn keep_committed_by(
        &self,
        change: &RevisionRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.keep(COMMITTED_BY, change, at).await
    }

    async fn keep(
        &self,
        sql: &'static str,
        change: &RevisionRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let _turn = self.turn().await?;
        sqlx::query(sql)
            .bind(change.revision.0)
            .bind(at.as_millis())
            .bind(change.at.as_millis())
            .execute(&mut *self.reader().await?)
            .await?;
        Ok(())
    }
}
