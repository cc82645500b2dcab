//! The values of tokens: whose they are, and until when they work.

use access::source::Touched;
use access::{PrincipalId, Timestamp, TokenDigest, TokenId};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::store::rows::{digest_from_column, limits, permission_from_column, time, time_if_any};
use crate::store::{Connection, StoreError};

/// What a token lets its holder do in the API, for whoever presents its value.
pub(crate) struct Presented {
    pub(crate) id: TokenId,
    pub(crate) principal: PrincipalId,
    pub(crate) principal_name: String,
}

/// A token in use, as the rules need it.
pub(crate) struct InUse {
    pub(crate) admin: bool,
    pub(crate) permission: access::Permission,
    pub(crate) limits: access::Limits,
    pub(crate) expires_at: Timestamp,
}

/// A value that a token has or had.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenValue {
    pub(crate) token: TokenId,
    pub(crate) principal: PrincipalId,
    pub(crate) revoked: bool,
    /// When it ended or will end; none for the present one, which ends with its token.
    pub(crate) valid_until: Option<Timestamp>,
}

pub(in crate::store) const PRESENTED: &str = "SELECT t.id, p.id AS principal_id, p.name FROM token_values v \
     JOIN tokens t ON t.id = v.token_id AND t.revoked_at IS NULL AND t.expires_at > $2 \
     JOIN principals p ON p.id = t.principal_id AND p.deactivated_at IS NULL \
     WHERE v.digest = $1 AND (v.valid_until IS NULL OR v.valid_until > $2)";
const IN_USE: &str = "SELECT admin, permission, networks, requests_per_second, bytes_per_day, \
     expires_at FROM tokens \
     WHERE id = $1 AND principal_id = $2 AND revoked_at IS NULL AND expires_at > $3";
pub(in crate::store) const FIND: &str = "SELECT v.token_id, v.valid_until, t.principal_id, t.revoked_at \
     FROM token_values v JOIN tokens t ON t.id = v.token_id WHERE v.digest = $1";
const OF_TOKEN: &str = "SELECT token_id, digest FROM token_values WHERE token_id = $1 LIMIT $2";

/// The token in use that has this value.
pub(crate) async fn presented_token(
    db: &mut Connection,
    digest: TokenDigest,
    now: Timestamp,
) -> Result<Option<Presented>, StoreError> {
    let row = sqlx::query(PRESENTED)
        .bind(digest.as_bytes().to_vec())
        .bind(now.as_millis())
        .fetch_optional(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Presented {
        id: TokenId(row.try_get("id")?),
        principal: PrincipalId(row.try_get("principal_id")?),
        principal_name: row.try_get("name")?,
    }))
}

/// What the rules need of a principal's token, if it is in use.
pub(crate) async fn token_in_use(
    db: &mut Connection,
    id: TokenId,
    principal: PrincipalId,
    now: Timestamp,
) -> Result<Option<InUse>, StoreError> {
    let row = sqlx::query(IN_USE)
        .bind(id.0)
        .bind(principal.0)
        .bind(now.as_millis())
        .fetch_optional(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(InUse {
        admin: row.try_get::<i64, _>("admin")? != 0,
        permission: permission_from_column(row.try_get("permission")?)?,
        limits: limits(&row)?,
        expires_at: time(&row, "expires_at")?,
    }))
}

/// The value of this digest, if any token ever had it.
pub(crate) async fn find_value(
    db: &mut Connection,
    digest: TokenDigest,
) -> Result<Option<TokenValue>, StoreError> {
    let row = sqlx::query(FIND).bind(digest.as_bytes().to_vec()).fetch_optional(db).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(TokenValue {
        token: TokenId(row.try_get("token_id")?),
        principal: PrincipalId(row.try_get("principal_id")?),
        revoked: time_if_any(&row, "revoked_at")?.is_some(),
        valid_until: time_if_any(&row, "valid_until")?,
    }))
}

/// Every value that the token ever had, at most `limit` of them.
pub(crate) async fn values_of(
    db: &mut Connection,
    id: TokenId,
    limit: usize,
) -> Result<Vec<Touched>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = sqlx::query(OF_TOKEN).bind(id.0).bind(limit).fetch_all(db).await?;
    rows.iter().map(touched).collect()
}

pub(super) fn touched(row: &AnyRow) -> Result<Touched, StoreError> {
    let digest = digest_from_column(row.try_get("digest")?)?;
    Ok(Touched::Token { id: TokenId(row.try_get("token_id")?), digest })
}
