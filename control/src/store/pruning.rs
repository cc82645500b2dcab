//! Deletes what is past, a little at a time: a change waits for one such deletion at most.

use access::Timestamp;
use access::source::Revision;

use super::{Connection, Store, StoreError};

/// What is past, and up to where.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Past {
    /// The changes before that one, oldest first: what is left has no hole (sync.md F3).
    Changes(Revision),
    /// The gateways that had ended, and served nothing any more, before then.
    Gateways(Timestamp),
    /// The sessions that end by then.
    Sessions(Timestamp),
    /// The requests from then or before that could be repeated.
    Repeatable(Timestamp),
}

/// How many rows are deleted at a time; of changes, how many entries, and the rest of the last one.
const AT_A_TIME: i64 = 1_000;

/// Where a gateway follows in this statement, it sees all of it or nothing.
pub(super) const CHANGES: &str = "DELETE FROM revisions WHERE revision <= (SELECT max(revision) FROM \
     (SELECT r.revision FROM revisions r LEFT JOIN changes c ON c.revision = r.revision \
     WHERE r.revision < $1 ORDER BY r.revision LIMIT $2) AS oldest)";
const GATEWAYS: &str = "DELETE FROM gateways WHERE instance IN (SELECT instance FROM gateways \
     WHERE ended_at + public_grace_ms < $1 LIMIT $2)";
pub(super) const SESSIONS: &str = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions \
     WHERE expires_at <= $1 LIMIT $2)";
pub(super) const REPEATABLE: &str = "DELETE FROM repeatable_requests \
     WHERE (principal_id, key_digest) IN (SELECT principal_id, key_digest \
     FROM repeatable_requests WHERE at <= $1 LIMIT $2)";

/// It reads on from the oldest, and stops at the first that is younger.
const LAST_BEFORE: &str = "SELECT max(revision) FROM revisions WHERE revision < coalesce((SELECT \
     revision FROM revisions WHERE at > $1 ORDER BY revision LIMIT 1), 9223372036854775807)";

/// The last change before the first one that is younger than `time`.
pub(crate) async fn last_revision_before(
    db: &mut Connection,
    time: Timestamp,
) -> Result<Option<Revision>, StoreError> {
    let last = sqlx::query_scalar::<_, Option<i64>>(LAST_BEFORE).bind(time.as_millis());
    Ok(last.fetch_one(db).await?.map(Revision))
}

impl Store {
    /// Deletes some of what is past; how many rows that were, none once there are no more.
    pub(crate) async fn prune(&self, past: Past) -> Result<u64, StoreError> {
        let (sql, bound) = match past {
            Past::Changes(before) => (CHANGES, before.0),
            Past::Gateways(before) => (GATEWAYS, before.as_millis()),
            Past::Sessions(by) => (SESSIONS, by.as_millis()),
            Past::Repeatable(by) => (REPEATABLE, by.as_millis()),
        };
        let _turn = self.turn().await?;
        let done = sqlx::query(sql)
            .bind(bound)
            .bind(AT_A_TIME)
            .execute(&mut *self.reader().await?)
            .await?;
        Ok(done.rows_affected())
    }
}
