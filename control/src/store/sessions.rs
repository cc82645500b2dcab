//! Sessions as they are stored: by the digest of their value, never the value.

use std::net::IpAddr;

use access::{PrincipalId, Timestamp, TokenDigest};
use sqlx::Row as _;

use super::{Connection, StoreError};

/// A session's identity in the database; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(pub i64);

const INSERT: &str = "INSERT INTO sessions (digest, principal_id, created_at, expires_at, \
     address) VALUES ($1, $2, $3, $4, $5)";
const FIND: &str = "SELECT s.id, p.id AS principal_id, p.name FROM sessions s \
     JOIN principals p ON p.id = s.principal_id AND p.deactivated_at IS NULL \
     WHERE s.digest = $1 AND s.expires_at > $2";
const IS_LIVE: &str =
    "SELECT 1 FROM sessions WHERE id = $1 AND principal_id = $2 AND expires_at > $3";
const DELETE: &str = "DELETE FROM sessions WHERE id = $1";
const DELETE_EXPIRED: &str = "DELETE FROM sessions WHERE expires_at <= $1";

/// Keeps a new session; those that have ended are cleared away on the occasion.
pub(crate) async fn insert_session(
    db: &mut Connection,
    digest: TokenDigest,
    principal: PrincipalId,
    (now, expires_at): (Timestamp, Timestamp),
    address: Option<IpAddr>,
) -> Result<(), StoreError> {
    sqlx::query(DELETE_EXPIRED).bind(now.as_millis()).execute(&mut *db).await?;
    sqlx::query(INSERT)
        .bind(digest.as_bytes().to_vec())
        .bind(principal.0)
        .bind(now.as_millis())
        .bind(expires_at.as_millis())
        .bind(address.map(|address| address.to_string()))
        .execute(db)
        .await?;
    Ok(())
}

/// The session of that digest, with its active principal and their name.
pub(crate) async fn find_session(
    db: &mut Connection,
    digest: TokenDigest,
    now: Timestamp,
) -> Result<Option<(SessionId, PrincipalId, String)>, StoreError> {
    let row = sqlx::query(FIND)
        .bind(digest.as_bytes().to_vec())
        .bind(now.as_millis())
        .fetch_optional(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let principal = PrincipalId(row.try_get("principal_id")?);
    Ok(Some((SessionId(row.try_get("id")?), principal, row.try_get("name")?)))
}

pub(crate) async fn session_is_live(
    db: &mut Connection,
    session: SessionId,
    principal: PrincipalId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let found = sqlx::query(IS_LIVE)
        .bind(session.0)
        .bind(principal.0)
        .bind(now.as_millis())
        .fetch_optional(db)
        .await?;
    Ok(found.is_some())
}

pub(crate) async fn delete_session(
    db: &mut Connection,
    session: SessionId,
) -> Result<(), StoreError> {
    sqlx::query(DELETE).bind(session.0).execute(db).await?;
    Ok(())
}
