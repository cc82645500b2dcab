//! Changes after they were committed.

use access::Timestamp;
use access::source::Revision;
use sqlx::Row as _;

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
}

/// The change itself, or the one before which it was pruned.
pub(super) const FIND: &str = "SELECT revision, at, ends_public, confirmed_at, pruned_before_at \
     FROM revisions WHERE revision >= $1 AND $1 >= 0 \
     AND (revision = $1 OR pruned_before_at IS NOT NULL) ORDER BY revision LIMIT 1";
const PRUNE_BEFORE: &str = "UPDATE revisions SET pruned_before_at = $2 WHERE revision = $1 \
     AND EXISTS (SELECT 1 FROM revisions WHERE revision < $1)";
const NEWEST: &str = "SELECT revision FROM revision_counter";
const CONFIRM: &str =
    "UPDATE revisions SET confirmed_at = $2 WHERE revision = $1 AND confirmed_at IS NULL";

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
    Ok(Some(RevisionRow {
        revision,
        at: time(&row, "at")?,
        ends_public: row.try_get::<i64, _>("ends_public")? != 0,
        confirmed_at: time_if_any(&row, confirmed_at)?,
    }))
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
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Keeps when a change was first seen in force on every gateway.
    pub(crate) async fn confirm_revision(
        &self,
        revision: Revision,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let _turn = self.turn().await?;
        sqlx::query(CONFIRM).bind(revision.0).bind(at.as_millis()).execute(&self.pool).await?;
        Ok(())
    }
}
