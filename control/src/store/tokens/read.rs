//! Tokens read for people.

use std::collections::HashMap;

use access::source::Revision;
use access::{ChannelId, Permission, PrincipalId, Timestamp, TokenHint, TokenId};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{OldValue, Token, TokenChannel, TokenStatus};
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
pub(super) use status;

/// Tokens; the ids of their channels come as one text, and so do end and hint of a value that works on
/// beside the present one, since a subquery has one column.
macro_rules! tokens_where {
    ($condition:expr) => {
        concat!(
            "SELECT t.id, t.name, t.description, t.principal_id, p.name AS principal, v.hint, \
             t.permission, t.admin, t.networks, t.requests_per_second, t.bytes_per_day, \
             t.created_at, creator.name AS created_by, t.created_by_token, t.issued_at, \
             t.expires_at, t.revoked_at, t.revoked_revision, u.last_used_at, u.last_used_from, ",
            status!(),
            " AS status, (SELECT string_agg(CAST(tc.channel_id AS TEXT), ' ') \
             FROM token_channels tc WHERE tc.token_id = t.id) AS channels, \
             (SELECT CAST(o.valid_until AS TEXT) || ' ' || o.hint FROM token_values o \
             WHERE o.token_id = t.id AND o.valid_until > $1 ORDER BY o.valid_until DESC LIMIT 1) \
             AS old_value FROM tokens t JOIN principals p ON p.id = t.principal_id \
             JOIN principals creator ON creator.id = t.created_by \
             JOIN token_values v ON v.token_id = t.id AND v.valid_until IS NULL \
             LEFT JOIN token_last_used u ON u.token_id = t.id WHERE ",
            $condition
        )
    };
}
pub(super) use tokens_where;

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

/// What the principals of tokens hold on the channels that these name: read once for all the tokens
/// that share principal and channel. What a deactivated principal holds is nothing.
macro_rules! holdings_where {
    ($condition:expr) => {
        concat!(
            "WITH pairs AS MATERIALIZED (SELECT DISTINCT t.principal_id, tc.channel_id \
             FROM token_channels tc JOIN tokens t ON t.id = tc.token_id WHERE ",
            $condition,
            ") SELECT pairs.principal_id, c.id, c.name, CASE WHEN p.deactivated_at IS NULL THEN (",
            held!("pairs.principal_id", "pairs.channel_id"),
            ") END AS held FROM pairs JOIN principals p ON p.id = pairs.principal_id \
             JOIN channels c ON c.id = pairs.channel_id"
        )
    };
}
pub(super) use holdings_where;

pub(in crate::store) const HOLDINGS_BY_ID: &str = holdings_where!("tc.token_id = $1");
pub(in crate::store) const HOLDINGS_OF_LIST: &str =
    holdings_where!(concat!("tc.token_id IN (", page!(), ")"));
pub(in crate::store) const HOLDINGS_OF_EXPIRING: &str =
    holdings_where!(concat!("tc.token_id IN (", expiring!(), ")"));

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
    let holdings = sqlx::query(HOLDINGS_BY_ID).bind(id.0).fetch_all(db).await?;
    Ok(Some(read(&row, &Holdings::read(&holdings)?)?))
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
    let holdings = Holdings::read(&page(HOLDINGS_OF_LIST).fetch_all(db).await?)?;
    rows.iter().map(|row| read(row, &holdings)).collect()
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
    let holdings = Holdings::read(&page(HOLDINGS_OF_EXPIRING).fetch_all(db).await?)?;
    rows.iter().map(|row| read(row, &holdings)).collect()
}

/// How many tokens that work end until then.
pub(crate) async fn count_expiring(
    db: &mut Connection,
    (now, until): (Timestamp, Timestamp),
) -> Result<i64, StoreError> {
    let row = sqlx::query(COUNT_EXPIRING).bind(now.as_millis()).bind(until.as_millis());
    Ok(row.fetch_one(db).await?.try_get(0)?)
}

/// What principals hold on the channels that their tokens name.
pub(super) struct Holdings(HashMap<(PrincipalId, ChannelId), TokenChannel>);

impl Holdings {
    pub(super) fn read(rows: &[AnyRow]) -> Result<Self, StoreError> {
        let holding = |row: &AnyRow| {
            let of = (PrincipalId(row.try_get(0)?), ChannelId(row.try_get(1)?));
            let name = word("a channel's name", row.try_get(2)?)?;
            Ok((of, TokenChannel { name, effective: permission_if_any(row, 3)? }))
        };
        Ok(Self(rows.iter().map(holding).collect::<Result<_, StoreError>>()?))
    }

    /// The channels of these ids, by name, with what a token issued for `permission` gives there.
    fn of_token(
        &self,
        principal: PrincipalId,
        ids: &str,
        permission: Permission,
    ) -> Result<Vec<TokenChannel>, StoreError> {
        let mut channels = Vec::new();
        for id in ids.split_ascii_whitespace() {
            let id = word("a channel's id", id).map(ChannelId)?;
            // A channel that was deleted between the two reads is one that the token has no more.
            if let Some(TokenChannel { name, effective }) = self.0.get(&(principal, id)) {
                let effective = effective.map(|held| held.min(permission));
                channels.push(TokenChannel { name: name.clone(), effective });
            }
        }
        channels.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(channels)
    }
}

/// An old value that works on: it ends with its token at the latest.
fn old(text: &str, token_ends: Timestamp) -> Result<OldValue, StoreError> {
    let (ends_at, hint) = text.split_once(' ').unwrap_or((text, ""));
    let ends_at = Timestamp::from_millis(word("the end of a token's old value", ends_at)?);
    Ok(OldValue { hint: TokenHint::from_stored(hint), ends_at: ends_at.min(token_ends) })
}

pub(super) fn read(row: &AnyRow, holdings: &Holdings) -> Result<Token, StoreError> {
    let principal_id = PrincipalId(row.try_get("principal_id")?);
    let permission = permission_from_column(row.try_get("permission")?)?;
    let channels = row.try_get::<Option<&str>, _>("channels")?.unwrap_or_default();
    let revoked_at = time_if_any(row, "revoked_at")?;
    let revoked_by = row.try_get::<Option<i64>, _>("revoked_revision")?.map(Revision);
    let last_used_at = time_if_any(row, "last_used_at")?;
    let expires_at = time(row, "expires_at")?;
    let status = word("a token's status", row.try_get("status")?)?;
    let works = matches!(status, TokenStatus::Active | TokenStatus::Limited);
    let old_value = row.try_get::<Option<&str>, _>("old_value")?;
    let last_used_from = row.try_get::<Option<String>, _>("last_used_from")?;
    Ok(Token {
        id: TokenId(row.try_get("id")?),
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        principal_id,
        principal: row.try_get("principal")?,
        hint: TokenHint::from_stored(row.try_get("hint")?),
        permission,
        admin: row.try_get::<i64, _>("admin")? != 0,
        channels: holdings.of_token(principal_id, channels, permission)?,
        limits: limits(row)?,
        created_at: time(row, "created_at")?,
        created_by: row.try_get("created_by")?,
        created_by_token: row.try_get::<Option<i64>, _>("created_by_token")?.map(TokenId),
        issued_at: time(row, "issued_at")?,
        expires_at,
        old_value: old_value.filter(|_| works).map(|text| old(text, expires_at)).transpose()?,
        revoked: revoked_at.zip(revoked_by),
        last_used: last_used_at.zip(last_used_from),
        status,
    })
}
