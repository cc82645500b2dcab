//! Requests that may be repeated: what was made by one, and what was answered.

use std::time::Duration;

use access::{PrincipalId, Timestamp};
use sqlx::Row as _;

use super::audit::Target;
use super::{Connection, StoreError};
use crate::actor::Repeatable;

/// What became of a request that may be repeated.
pub(crate) struct Repeated {
    /// Whether it was the same request, not another one under its key.
    pub(crate) is_same: bool,
    /// The kind of thing that it made.
    pub(crate) kind: String,
    /// That thing's id.
    pub(crate) id: i64,
    /// Status and body, where they were kept.
    pub(crate) answer: Option<(u16, String)>,
}

/// How long a request may be sent again.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

const FIND: &str = "SELECT request_digest, target_kind, target_id, status, answer \
     FROM repeatable_requests WHERE principal_id = $1 AND key_digest = $2 AND at > $3";
/// Over one under the same key that is too old.
const INSERT: &str = "INSERT INTO repeatable_requests (principal_id, key_digest, request_digest, \
     at, target_kind, target_id) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (principal_id, \
     key_digest) DO UPDATE SET request_digest = $3, at = $4, target_kind = $5, target_id = $6, \
     status = NULL, answer = NULL WHERE repeatable_requests.at <= $7";
const ANSWER: &str = "UPDATE repeatable_requests SET status = $3, answer = $4 \
     WHERE principal_id = $1 AND key_digest = $2";

/// From after when a request may be sent again at `now`.
pub(crate) fn repeatable_since(now: Timestamp) -> Timestamp {
    now.minus(KEPT)
}

/// What became of the request that the principal sent under this key, if that is remembered.
pub(crate) async fn find_repeated(
    db: &mut Connection,
    principal: PrincipalId,
    request: &Repeatable,
    now: Timestamp,
) -> Result<Option<Repeated>, StoreError> {
    let row = sqlx::query(FIND)
        .bind(principal.0)
        .bind(request.key_digest.to_vec())
        .bind(repeatable_since(now).as_millis())
        .fetch_optional(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let status = row.try_get::<Option<i64>, _>("status")?;
    let status = status.and_then(|status| u16::try_from(status).ok());
    Ok(Some(Repeated {
        is_same: row.try_get::<&[u8], _>("request_digest")? == request.request_digest,
        kind: row.try_get("target_kind")?,
        id: row.try_get("target_id")?,
        answer: status.zip(row.try_get("answer")?),
    }))
}

/// Records what the request made, in the transaction that makes it.
pub(super) async fn insert_repeatable(
    db: &mut Connection,
    principal: PrincipalId,
    request: &Repeatable,
    target: Target<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let done = sqlx::query(INSERT)
        .bind(principal.0)
        .bind(request.key_digest.to_vec())
        .bind(request.request_digest.to_vec())
        .bind(now.as_millis())
        .bind(target.kind)
        .bind(target.id)
        .bind(repeatable_since(now).as_millis())
        .execute(db)
        .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Repeated) }
}

/// Keeps what was answered.
pub(crate) async fn keep_answer(
    db: &mut Connection,
    principal: PrincipalId,
    request: &Repeatable,
    (status, body): (u16, &str),
) -> Result<(), StoreError> {
    sqlx::query(ANSWER)
        .bind(principal.0)
        .bind(request.key_digest.to_vec())
        .bind(i64::from(status))
        .bind(body)
        .execute(db)
        .await?;
    Ok(())
}
