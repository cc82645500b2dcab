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
    /// When it was first seen in force on every gateway.
    pub(crate) confirmed_at: Option<Timestamp>,
}

const FIND: &str = "SELECT at, ends_public, confirmed_at FROM revisions WHERE revision = $1";
const CONFIRM: &str =
    "UPDATE revisions SET confirmed_at = $2 WHERE revision = $1 AND confirmed_at IS NULL";

pub(crate) async fn find_revision(
    db: &mut Connection,
    revision: Revision,
) -> Result<Option<RevisionRow>, StoreError> {
    let Some(row) = sqlx::query(FIND).bind(revision.0).fetch_optional(db).await? else {
        return Ok(None);
    };
    Ok(Some(RevisionRow {
        revision,
        at: time(&row, "at")?,
        ends_public: row.try_get::<i64, _>("ends_public")? != 0,
        confirmed_at: time_if_any(&row, "confirmed_at")?,
    }))
}

impl Store {
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
