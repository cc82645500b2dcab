//! Tokens made, changed and given a new value.

use access::{
    ChannelId, Limits, Permission, PrincipalId, Timestamp, TokenDigest, TokenHint, TokenId,
};

use crate::store::rows::{
    bytes_to_column, networks_to_column, permission_to_column, requests_to_column,
};
use crate::store::{Connection, StoreError};

/// A token to be made.
pub(crate) struct NewToken<'a> {
    pub(crate) principal: PrincipalId,
    pub(crate) form: TokenForm<'a>,
    pub(crate) channels: &'a [ChannelId],
    pub(crate) admin: bool,
    pub(crate) created_by: PrincipalId,
    pub(crate) value: NewValue<'a>,
}

/// What of a token can be changed while its value stays.
#[derive(Clone, Copy)]
pub(crate) struct TokenForm<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    pub(crate) permission: Permission,
    pub(crate) limits: &'a Limits,
    pub(crate) expires_at: Timestamp,
}

/// A value to be given to a token.
#[derive(Clone, Copy)]
pub(crate) struct NewValue<'a> {
    pub(crate) digest: TokenDigest,
    pub(crate) hint: &'a TokenHint,
    /// The token with which it is issued, if with one.
    pub(crate) issued_by_token: Option<TokenId>,
}

const INSERT: &str = "INSERT INTO tokens (principal_id, name, description, permission, admin, \
     created_at, created_by, created_by_token, issued_at, expires_at, networks, \
     requests_per_second, bytes_per_day) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $6, $9, $10, $11, $12) RETURNING id";
const UPDATE: &str = "UPDATE tokens SET name = $2, description = $3, permission = $4, \
     expires_at = $5, networks = $6, requests_per_second = $7, bytes_per_day = $8 WHERE id = $1";
const INSERT_VALUE: &str = "INSERT INTO token_values (digest, token_id, hint, created_at, \
     issued_by_token) VALUES ($1, $2, $3, $4, $5)";
const INSERT_CHANNEL: &str = "INSERT INTO token_channels (token_id, channel_id) VALUES ($1, $2)";
const DELETE_CHANNELS: &str = "DELETE FROM token_channels WHERE token_id = $1";
pub(in crate::store) const NAME_IN_USE: &str =
    "SELECT 1 FROM tokens WHERE principal_id = $1 AND name = $2 AND revoked_at IS NULL";
/// What works beside the present value ends at `$2`.
const END_OVERLAPS: &str = "UPDATE token_values SET valid_until = $2 \
     WHERE token_id = $1 AND valid_until > $2";
const END_PRESENT: &str =
    "UPDATE token_values SET valid_until = $2 WHERE token_id = $1 AND valid_until IS NULL";
const REISSUED: &str = "UPDATE tokens SET issued_at = $2, expires_at = $3 WHERE id = $1";

pub(crate) async fn insert_token(
    db: &mut Connection,
    new: NewToken<'_>,
    now: Timestamp,
) -> Result<TokenId, StoreError> {
    let NewToken { form, value, .. } = new;
    let id: i64 = sqlx::query_scalar(INSERT)
        .bind(new.principal.0)
        .bind(form.name)
        .bind(form.description)
        .bind(permission_to_column(form.permission))
        .bind(i64::from(new.admin))
        .bind(now.as_millis())
        .bind(new.created_by.0)
        .bind(value.issued_by_token.map(|id| id.0))
        .bind(form.expires_at.as_millis())
        .bind(networks_to_column(form.limits))
        .bind(requests_to_column(form.limits))
        .bind(bytes_to_column(form.limits))
        .fetch_one(&mut *db)
        .await?;
    let id = TokenId(id);
    insert_value(db, id, value, now).await?;
    insert_channels(db, id, new.channels).await?;
    Ok(id)
}

/// Changes a token; its value stays.
pub(crate) async fn update_token(
    db: &mut Connection,
    id: TokenId,
    form: TokenForm<'_>,
    channels: &[ChannelId],
) -> Result<(), StoreError> {
    sqlx::query(UPDATE)
        .bind(id.0)
        .bind(form.name)
        .bind(form.description)
        .bind(permission_to_column(form.permission))
        .bind(form.expires_at.as_millis())
        .bind(networks_to_column(form.limits))
        .bind(requests_to_column(form.limits))
        .bind(bytes_to_column(form.limits))
        .execute(&mut *db)
        .await?;
    sqlx::query(DELETE_CHANNELS).bind(id.0).execute(&mut *db).await?;
    insert_channels(db, id, channels).await
}

/// Gives a token a new value. The present one works on until `old_ends`; what was in an overlap
/// already ends now.
pub(crate) async fn replace_value(
    db: &mut Connection,
    id: TokenId,
    value: NewValue<'_>,
    (now, old_ends, expires_at): (Timestamp, Timestamp, Timestamp),
) -> Result<(), StoreError> {
    let at = |sql, at: Timestamp| sqlx::query(sql).bind(id.0).bind(at.as_millis());
    at(END_OVERLAPS, now).execute(&mut *db).await?;
    at(END_PRESENT, old_ends).execute(&mut *db).await?;
    at(REISSUED, now).bind(expires_at.as_millis()).execute(&mut *db).await?;
    insert_value(db, id, value, now).await
}

/// Ends what works beside the present value; how many values that were.
pub(crate) async fn end_old_values(
    db: &mut Connection,
    id: TokenId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let ended = sqlx::query(END_OVERLAPS).bind(id.0).bind(now.as_millis()).execute(db).await?;
    Ok(ended.rows_affected())
}

/// Whether the principal has a token of that name that isn't revoked.
pub(crate) async fn token_name_in_use(
    db: &mut Connection,
    principal: PrincipalId,
    name: &str,
) -> Result<bool, StoreError> {
    let row = sqlx::query(NAME_IN_USE).bind(principal.0).bind(name).fetch_optional(db).await?;
    Ok(row.is_some())
}

async fn insert_value(
    db: &mut Connection,
    id: TokenId,
    value: NewValue<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(INSERT_VALUE)
        .bind(value.digest.as_bytes().to_vec())
        .bind(id.0)
        .bind(value.hint.as_str())
        .bind(now.as_millis())
        .bind(value.issued_by_token.map(|id| id.0))
        .execute(db)
        .await?;
    Ok(())
}

async fn insert_channels(
    db: &mut Connection,
    id: TokenId,
    channels: &[ChannelId],
) -> Result<(), StoreError> {
    for channel in channels {
        sqlx::query(INSERT_CHANNEL).bind(id.0).bind(channel.0).execute(&mut *db).await?;
    }
    Ok(())
}
