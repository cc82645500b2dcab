//! Sessions as they are stored: by the digest of their value, never the value.

use std::net::IpAddr;

use access::{PrincipalId, Timestamp, TokenDigest};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::time;
use super::{Connection, StoreError};

/// A session's identity in the database; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(pub i64);

/// A sign-in that still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInSession {
    /// Its identity.
    pub id: SessionId,
    /// Whose it is.
    pub principal_id: PrincipalId,
    /// That user's name.
    pub principal: String,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// From which address.
    pub address: Option<String>,
}

const INSERT: &str = "INSERT INTO sessions (digest, principal_id, created_at, expires_at, \
     address) VALUES ($1, $2, $3, $4, $5) RETURNING id";
pub(super) const FIND: &str = "SELECT s.id, p.id AS principal_id, p.name FROM sessions s \
     JOIN principals p ON p.id = s.principal_id AND p.deactivated_at IS NULL \
     WHERE s.digest = $1 AND s.expires_at > $2";
const IS_LIVE: &str =
    "SELECT 1 FROM sessions WHERE id = $1 AND principal_id = $2 AND expires_at > $3";
const DELETE: &str = "DELETE FROM sessions WHERE id = $1";
pub(super) const DELETE_OTHERS: &str = "DELETE FROM sessions WHERE principal_id = $1 AND id <> $2";
pub(super) const LIST: &str = "SELECT s.id, s.principal_id, p.name AS principal, s.created_at, s.expires_at, \
     s.address FROM sessions s JOIN principals p ON p.id = s.principal_id \
     WHERE s.principal_id = $1 AND s.expires_at > $2 AND s.id > $3 ORDER BY s.id LIMIT $4";
const BY_ID: &str = "SELECT s.id, s.principal_id, p.name AS principal, s.created_at, \
     s.expires_at, s.address FROM sessions s JOIN principals p ON p.id = s.principal_id \
     WHERE s.id = $1 AND s.expires_at > $2";

/// Keeps a new session.
pub(crate) async fn insert_session(
    db: &mut Connection,
    digest: TokenDigest,
    principal: PrincipalId,
    (now, expires_at): (Timestamp, Timestamp),
    address: Option<IpAddr>,
) -> Result<SessionId, StoreError> {
    let id = sqlx::query_scalar(INSERT)
        .bind(digest.as_bytes().to_vec())
        .bind(principal.0)
        .bind(now.as_millis())
        .bind(expires_at.as_millis())
        .bind(address.map(|address| address.to_string()))
        .fetch_one(db)
        .await?;
    Ok(SessionId(id))
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

/// Ends a user's sessions but `except`, by which they may be acting.
pub(crate) async fn delete_sessions_of(
    db: &mut Connection,
    principal: PrincipalId,
    except: Option<SessionId>,
) -> Result<(), StoreError> {
    // No session has the id 0.
    let except = except.map_or(0, |session| session.0);
    sqlx::query(DELETE_OTHERS).bind(principal.0).bind(except).execute(db).await?;
    Ok(())
}

/// A user's sessions that hold at `now`, by id after `after`.
pub(crate) async fn list_sessions(
    db: &mut Connection,
    principal: PrincipalId,
    now: Timestamp,
    (after, limit): (SessionId, u32),
) -> Result<Vec<SignedInSession>, StoreError> {
    let rows = sqlx::query(LIST)
        .bind(principal.0)
        .bind(now.as_millis())
        .bind(after.0)
        .bind(i64::from(limit))
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// The session of that id, if it holds at `now`.
pub(crate) async fn session(
    db: &mut Connection,
    id: SessionId,
    now: Timestamp,
) -> Result<Option<SignedInSession>, StoreError> {
    let row = sqlx::query(BY_ID).bind(id.0).bind(now.as_millis()).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<SignedInSession, StoreError> {
    Ok(SignedInSession {
        id: SessionId(row.try_get("id")?),
        principal_id: PrincipalId(row.try_get("principal_id")?),
        principal: row.try_get("principal")?,
        created_at: time(row, "created_at")?,
        expires_at: time(row, "expires_at")?,
        address: row.try_get("address")?,
    })
}
