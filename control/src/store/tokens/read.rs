//! Tokens read for people.

use std::collections::HashMap;

use access::source::Revision;
use access::{Permission, PrincipalId, Timestamp, TokenHint, TokenId};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Token, TokenChannel, TokenStatus};
use crate::store::channels::held_channels;
use crate::store::memberships::held;
use crate::store::rows::{
    limits, permission_from_column, permission_if_any, time, time_if_any, word,
};
use crate::store::{ChannelView, Connection, StoreError};

/// Whether a token works at `$1`, a moment of the day `$2`.
macro_rules! status {
    () => {
        "CASE WHEN t.revoked_at IS NOT NULL THEN 'revoked' WHEN t.expires_at <= $1 THEN 'expired' \
         WHEN t.bytes_per_day IS NOT NULL AND t.bytes_per_day <= (SELECT d.bytes \
         FROM usage_days d WHERE d.token_id = t.id AND d.channel_id = -1 AND d.package = '*' \
         AND d.day = $2) THEN 'limited' \
         ELSE 'active' END"
    };
}

macro_rules! tokens_where {
    ($condition:expr) => {
        concat!(
            "SELECT t.id, t.name, t.description, t.principal_id, p.name AS principal, v.hint, \
             t.permission, t.admin, t.networks, t.requests_per_second, t.bytes_per_day, \
             t.created_at, creator.name AS created_by, t.created_by_token, t.issued_at, \
             t.expires_at, t.revoked_at, t.revoked_revision, u.last_used_at, u.last_used_from, ",
            status!(),
            " AS status FROM tokens t JOIN principals p ON p.id = t.principal_id \
             JOIN principals creator ON creator.id = t.created_by \
             JOIN token_values v ON v.token_id = t.id AND v.valid_until IS NULL \
             LEFT JOIN token_last_used u ON u.token_id = t.id WHERE ",
            $condition
        )
    };
}
pub(in crate::store) const BY_ID: &str = tokens_where!("t.id = $3");

/// The page after `$4` of the tokens of `$3` with the status `$5` and the beginning `$6` of their
/// name, each if it isn't empty.
macro_rules! page {
    () => {
        concat!(
            "SELECT t.id FROM tokens t WHERE t.principal_id = $3 AND t.id > $4 \
             AND ($5 = '' OR ",
            status!(),
            " = $5) AND ($6 = '' OR substr(t.name, 1, length($6)) = $6) ORDER BY t.id LIMIT $7"
        )
    };
}
pub(in crate::store) const LIST: &str =
    tokens_where!(concat!("t.id IN (", page!(), ") ORDER BY t.id"));

/// The page after `$7`, `$8` of the tokens that work and end until `$9`, as far as `$4` sees them
/// through the token `$5` (0: none): all of them if `$6`, else their own and, if `$10`, those of the
/// accounts that they manage. The first to end come first.
macro_rules! expiring {
    () => {
        concat!(
            "SELECT t.id FROM tokens t WHERE t.revoked_at IS NULL AND t.expires_at > $1 \
             AND (t.expires_at, t.id) > ($7, $8) AND t.expires_at <= $9 AND ",
            status!(),
            " IN ('active', 'limited') AND ($6 = 1 OR t.principal_id = $4 OR ($10 = 1 \
             AND t.principal_id IN (SELECT s.principal_id FROM service_accounts s \
             WHERE s.channel_id IN ",
            held_channels!("gp.permission = 3"),
            " AND ($5 = 0 OR s.channel_id IN (SELECT tc.channel_id FROM token_channels tc \
             JOIN tokens by ON by.id = tc.token_id AND by.permission = 3 \
             WHERE tc.token_id = $5))))) ORDER BY t.expires_at, t.id LIMIT $3"
        )
    };
}
pub(in crate::store) const EXPIRING: &str =
    tokens_where!(concat!("t.id IN (", expiring!(), ") ORDER BY t.expires_at, t.id"));
pub(in crate::store) const COUNT_EXPIRING: &str = "SELECT count(*) FROM tokens \
    WHERE revoked_at IS NULL AND expires_at > $1 AND expires_at <= $2";

/// What is held on a channel is read once for all the tokens that share channel and principal; what
/// a deactivated principal holds is nothing.
macro_rules! token_channels_where {
    ($condition:expr) => {
        concat!(
            "WITH shown AS MATERIALIZED (SELECT tc.token_id, tc.channel_id, t.principal_id \
             FROM token_channels tc JOIN tokens t ON t.id = tc.token_id WHERE ",
            $condition,
            "), pairs AS MATERIALIZED (SELECT DISTINCT principal_id, channel_id FROM shown), \
             holdings AS MATERIALIZED (SELECT pairs.principal_id, pairs.channel_id, (",
            held!("pairs.principal_id", "pairs.channel_id"),
            ") AS held FROM pairs JOIN principals p ON p.id = pairs.principal_id \
             WHERE p.deactivated_at IS NULL) \
             SELECT shown.token_id, c.name, holdings.held FROM shown \
             JOIN channels c ON c.id = shown.channel_id LEFT JOIN holdings \
             ON holdings.channel_id = shown.channel_id \
             AND holdings.principal_id = shown.principal_id ORDER BY c.name"
        )
    };
}
pub(in crate::store) const CHANNELS_BY_ID: &str = token_channels_where!("tc.token_id = $1");
pub(in crate::store) const CHANNELS_OF_LIST: &str =
    token_channels_where!(concat!("tc.token_id IN (", page!(), ")"));
pub(in crate::store) const CHANNELS_OF_EXPIRING: &str =
    token_channels_where!(concat!("tc.token_id IN (", expiring!(), ")"));

pub(crate) async fn find_token(
    db: &mut Connection,
    id: TokenId,
    now: Timestamp,
) -> Result<Option<Token>, StoreError> {
    let row = sqlx::query(BY_ID)
        .bind(now.as_millis())
        .bind(now.day().number())
        .bind(id.0)
        .fetch_optional(&mut *db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let mut token = read(&row)?;
    let channels = sqlx::query(CHANNELS_BY_ID).bind(id.0).fetch_all(db).await?;
    for row in &channels {
        token.channels.push(read_channel(row, token.permission)?);
    }
    Ok(Some(token))
}

/// The principal's tokens of this status whose name begins so, by id, after `after`.
pub(crate) async fn list_tokens(
    db: &mut Connection,
    principal: PrincipalId,
    (status, prefix): (Option<TokenStatus>, &str),
    (after, limit): (TokenId, u32),
    now: Timestamp,
) -> Result<Vec<Token>, StoreError> {
    let page = |sql| {
        sqlx::query(sql)
            .bind(now.as_millis())
            .bind(now.day().number())
            .bind(principal.0)
            .bind(after.0)
            .bind(status.map_or("", TokenStatus::as_str))
            .bind(prefix)
            .bind(i64::from(limit))
    };
    let rows = page(LIST).fetch_all(&mut *db).await?;
    let channels = page(CHANNELS_OF_LIST).fetch_all(db).await?;
    with_channels(&rows, &channels)
}

/// Which tokens end soon.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expiring {
    /// Through whose eyes, and whether those of service accounts are seen.
    pub(crate) seen_by: (ChannelView, bool),
    /// Until when they end.
    pub(crate) until: Timestamp,
    /// After which of them the page begins.
    pub(crate) after: (Timestamp, TokenId),
    pub(crate) limit: u32,
}

/// Tokens that work and end soon, the first to end first.
pub(crate) async fn list_expiring_tokens(
    db: &mut Connection,
    wanted: Expiring,
    now: Timestamp,
) -> Result<Vec<Token>, StoreError> {
    let (view, accounts) = wanted.seen_by;
    let page = |sql| {
        sqlx::query(sql)
            .bind(now.as_millis())
            .bind(now.day().number())
            .bind(i64::from(wanted.limit))
            .bind(view.principal.0)
            .bind(view.within.map_or(0, |token| token.0))
            .bind(i64::from(view.sees_all))
            .bind(wanted.after.0.as_millis())
            .bind(wanted.after.1.0)
            .bind(wanted.until.as_millis())
            .bind(i64::from(accounts))
    };
    let rows = page(EXPIRING).fetch_all(&mut *db).await?;
    let channels = page(CHANNELS_OF_EXPIRING).fetch_all(db).await?;
    with_channels(&rows, &channels)
}

/// How many tokens that work end until then.
pub(crate) async fn count_expiring(
    db: &mut Connection,
    (now, until): (Timestamp, Timestamp),
) -> Result<i64, StoreError> {
    let row = sqlx::query(COUNT_EXPIRING).bind(now.as_millis()).bind(until.as_millis());
    Ok(row.fetch_one(db).await?.try_get(0)?)
}

/// Tokens with their channels, which come in any order of tokens.
fn with_channels(tokens: &[AnyRow], channels: &[AnyRow]) -> Result<Vec<Token>, StoreError> {
    let mut tokens = tokens.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let at: HashMap<TokenId, usize> =
        tokens.iter().enumerate().map(|(at, token)| (token.id, at)).collect();
    for row in channels {
        if let Some(&at) = at.get(&TokenId(row.try_get("token_id")?)) {
            let channel = read_channel(row, tokens[at].permission)?;
            tokens[at].channels.push(channel);
        }
    }
    Ok(tokens)
}

fn read(row: &AnyRow) -> Result<Token, StoreError> {
    let revoked_at = time_if_any(row, "revoked_at")?;
    let revoked_by = row.try_get::<Option<i64>, _>("revoked_revision")?.map(Revision);
    let last_used_at = time_if_any(row, "last_used_at")?;
    let last_used_from = row.try_get::<Option<String>, _>("last_used_from")?;
    Ok(Token {
        id: TokenId(row.try_get("id")?),
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        principal_id: PrincipalId(row.try_get("principal_id")?),
        principal: row.try_get("principal")?,
        hint: TokenHint::from_stored(row.try_get("hint")?),
        permission: permission_from_column(row.try_get("permission")?)?,
        admin: row.try_get::<i64, _>("admin")? != 0,
        channels: Vec::new(),
        limits: limits(row)?,
        created_at: time(row, "created_at")?,
        created_by: row.try_get("created_by")?,
        created_by_token: row.try_get::<Option<i64>, _>("created_by_token")?.map(TokenId),
        issued_at: time(row, "issued_at")?,
        expires_at: time(row, "expires_at")?,
        revoked: revoked_at.zip(revoked_by),
        last_used: last_used_at.zip(last_used_from),
        status: word("a token's status", row.try_get("status")?)?,
    })
}

fn read_channel(row: &AnyRow, issued_for: Permission) -> Result<TokenChannel, StoreError> {
    let held = permission_if_any(row, "held")?;
    Ok(TokenChannel {
        name: word("a channel's name", row.try_get("name")?)?,
        effective: held.map(|held| held.min(issued_for)),
    })
}
