//! Tokens as they are stored: never their value, only its digest and hint.

use std::collections::HashMap;

use access::source::{Revision, Touched};
use access::{
    ChannelId, ChannelName, Permission, PrincipalId, Timestamp, TokenDigest, TokenHint, TokenId,
};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::{
    digest_from_column, permission_from_column, permission_if_any, permission_to_column, time,
    time_if_any, word,
};
use super::{Connection, StoreError};

/// A token as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its identity, never reused.
    pub id: TokenId,
    /// Its name, unique among its principal's tokens in use.
    pub name: String,
    /// For people.
    pub description: String,
    /// For whom it acts.
    pub principal_id: PrincipalId,
    /// That principal's name.
    pub principal: String,
    /// What may be shown of its value.
    pub hint: TokenHint,
    /// What it was issued for.
    pub permission: Permission,
    /// Whether it may act with its user's role in the API.
    pub admin: bool,
    /// The channels it was issued for, by name.
    pub channels: Vec<TokenChannel>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// The token it was made with, if it was made with one.
    pub created_by_token: Option<TokenId>,
    /// From when it no longer works.
    pub expires_at: Timestamp,
    /// When it was revoked, and by which change.
    pub revoked: Option<(Timestamp, Revision)>,
    /// When it was last used, and from which address.
    pub last_used: Option<(Timestamp, String)>,
}

/// One channel of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenChannel {
    /// The channel.
    pub name: ChannelName,
    /// What the token grants on it now: the lower of what it was issued for and what its
    /// principal holds; nothing when the principal holds nothing.
    pub effective: Option<Permission>,
}

/// A token to be made.
pub(crate) struct NewToken<'a> {
    pub(crate) principal: PrincipalId,
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    pub(crate) permission: Permission,
    pub(crate) admin: bool,
    pub(crate) channels: &'a [ChannelId],
    pub(crate) created_by: PrincipalId,
    pub(crate) created_by_token: Option<TokenId>,
    pub(crate) expires_at: Timestamp,
    pub(crate) digest: TokenDigest,
    pub(crate) hint: &'a TokenHint,
}

/// What a token lets its holder do in the API, for whoever presents its value.
pub(crate) struct Presented {
    pub(crate) id: TokenId,
    pub(crate) principal: PrincipalId,
    pub(crate) principal_name: String,
}

/// A token in use, as the rules need it.
pub(crate) struct InUse {
    pub(crate) admin: bool,
    pub(crate) expires_at: Timestamp,
}

const INSERT: &str = "INSERT INTO tokens (principal_id, name, description, permission, admin, \
     created_at, created_by, created_by_token, issued_at, expires_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $6, $9) RETURNING id";
const INSERT_VALUE: &str =
    "INSERT INTO token_values (digest, token_id, hint, created_at) VALUES ($1, $2, $3, $4)";
const INSERT_CHANNEL: &str = "INSERT INTO token_channels (token_id, channel_id) VALUES ($1, $2)";
const NAME_IN_USE: &str =
    "SELECT 1 FROM tokens WHERE principal_id = $1 AND name = $2 AND revoked_at IS NULL";

const REVOKE: &str = "UPDATE tokens SET revoked_at = $2, revoked_revision = $3 \
     WHERE id = $1 AND revoked_at IS NULL";
const REVOKE_ALL_OF: &str = "UPDATE tokens SET revoked_at = $2, revoked_revision = $3 \
     WHERE principal_id = $1 AND revoked_at IS NULL";
/// Those that have no other channel.
const REVOKE_ONLY_ON: &str = "UPDATE tokens SET revoked_at = $2, revoked_revision = $3 \
     WHERE revoked_at IS NULL \
     AND id IN (SELECT token_id FROM token_channels WHERE channel_id = $1) \
     AND NOT EXISTS (SELECT 1 FROM token_channels o \
     WHERE o.token_id = tokens.id AND o.channel_id <> $1)";
const REVOKED_BY: &str = "SELECT v.token_id, v.digest FROM tokens t \
     JOIN token_values v ON v.token_id = t.id WHERE t.revoked_revision = $1 LIMIT $2";

const PRESENTED: &str = "SELECT t.id, p.id AS principal_id, p.name FROM token_values v \
     JOIN tokens t ON t.id = v.token_id AND t.revoked_at IS NULL AND t.expires_at > $2 \
     JOIN principals p ON p.id = t.principal_id AND p.deactivated_at IS NULL \
     WHERE v.digest = $1 AND (v.valid_until IS NULL OR v.valid_until > $2)";
const IN_USE: &str = "SELECT admin, expires_at FROM tokens \
     WHERE id = $1 AND principal_id = $2 AND revoked_at IS NULL AND expires_at > $3";

macro_rules! tokens_where {
    ($condition:literal) => {
        concat!(
            "SELECT t.id, t.name, t.description, t.principal_id, p.name AS principal, v.hint, \
             t.permission, t.admin, t.created_at, creator.name AS created_by, t.created_by_token, \
             t.expires_at, t.revoked_at, t.revoked_revision, u.last_used_at, u.last_used_from \
             FROM tokens t JOIN principals p ON p.id = t.principal_id \
             JOIN principals creator ON creator.id = t.created_by \
             JOIN token_values v ON v.token_id = t.id AND v.valid_until IS NULL \
             LEFT JOIN token_last_used u ON u.token_id = t.id WHERE ",
            $condition
        )
    };
}
const BY_ID: &str = tokens_where!("t.id = $1");
const LIST: &str = tokens_where!("t.principal_id = $1 AND t.id > $2 ORDER BY t.id LIMIT $3");

macro_rules! token_channels_where {
    ($condition:literal) => {
        concat!(
            "SELECT tc.token_id, c.name, (SELECT max(gp.permission) FROM group_members m \
             JOIN group_permissions gp ON gp.group_id = m.group_id AND gp.channel_id = c.id \
             WHERE m.principal_id = t.principal_id) AS held FROM token_channels tc \
             JOIN tokens t ON t.id = tc.token_id JOIN channels c ON c.id = tc.channel_id WHERE ",
            $condition,
            " ORDER BY c.name"
        )
    };
}
const CHANNELS_BY_ID: &str = token_channels_where!("tc.token_id = $1");
const CHANNELS_OF_LIST: &str = token_channels_where!(
    "tc.token_id IN (SELECT id FROM tokens WHERE principal_id = $1 AND id > $2 \
     ORDER BY id LIMIT $3)"
);

pub(crate) async fn insert_token(
    db: &mut Connection,
    new: NewToken<'_>,
    now: Timestamp,
) -> Result<TokenId, StoreError> {
    let id: i64 = sqlx::query_scalar(INSERT)
        .bind(new.principal.0)
        .bind(new.name)
        .bind(new.description)
        .bind(permission_to_column(new.permission))
        .bind(i64::from(new.admin))
        .bind(now.as_millis())
        .bind(new.created_by.0)
        .bind(new.created_by_token.map(|id| id.0))
        .bind(new.expires_at.as_millis())
        .fetch_one(&mut *db)
        .await?;
    sqlx::query(INSERT_VALUE)
        .bind(new.digest.as_bytes().to_vec())
        .bind(id)
        .bind(new.hint.as_str())
        .bind(now.as_millis())
        .execute(&mut *db)
        .await?;
    for channel in new.channels {
        sqlx::query(INSERT_CHANNEL).bind(id).bind(channel.0).execute(&mut *db).await?;
    }
    Ok(TokenId(id))
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

/// What is to be revoked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Revoke {
    /// One token.
    One(TokenId),
    /// Every token that acts for a principal.
    AllOf(PrincipalId),
    /// Every token that was issued for this channel and no other.
    OnlyOn(ChannelId),
}

/// Revokes what isn't revoked yet.
pub(crate) async fn revoke_tokens(
    db: &mut Connection,
    what: Revoke,
    now: Timestamp,
    revision: Revision,
) -> Result<(), StoreError> {
    let (sql, id) = match what {
        Revoke::One(id) => (REVOKE, id.0),
        Revoke::AllOf(id) => (REVOKE_ALL_OF, id.0),
        Revoke::OnlyOn(id) => (REVOKE_ONLY_ON, id.0),
    };
    sqlx::query(sql).bind(id).bind(now.as_millis()).bind(revision.0).execute(db).await?;
    Ok(())
}

/// The values of the tokens that a change revoked, at most `limit` of them.
pub(crate) async fn values_revoked_by(
    db: &mut Connection,
    revision: Revision,
    limit: usize,
) -> Result<Vec<Touched>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = sqlx::query(REVOKED_BY).bind(revision.0).bind(limit).fetch_all(db).await?;
    let touched = |row: &AnyRow| {
        let digest = digest_from_column(row.try_get("digest")?)?;
        Ok(Touched::Token { id: TokenId(row.try_get("token_id")?), digest })
    };
    rows.iter().map(touched).collect()
}

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
    let admin = row.try_get::<i64, _>("admin")? != 0;
    Ok(Some(InUse { admin, expires_at: time(&row, "expires_at")? }))
}

pub(crate) async fn find_token(
    db: &mut Connection,
    id: TokenId,
) -> Result<Option<Token>, StoreError> {
    let Some(row) = sqlx::query(BY_ID).bind(id.0).fetch_optional(&mut *db).await? else {
        return Ok(None);
    };
    let mut token = read(&row)?;
    let channels = sqlx::query(CHANNELS_BY_ID).bind(id.0).fetch_all(db).await?;
    for row in &channels {
        token.channels.push(read_channel(row, token.permission)?);
    }
    Ok(Some(token))
}

/// The principal's tokens, by id, after `after`.
pub(crate) async fn list_tokens(
    db: &mut Connection,
    principal: PrincipalId,
    after: TokenId,
    limit: u32,
) -> Result<Vec<Token>, StoreError> {
    let page = |sql| sqlx::query(sql).bind(principal.0).bind(after.0).bind(i64::from(limit));
    let rows = page(LIST).fetch_all(&mut *db).await?;
    let mut tokens = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let at: HashMap<TokenId, usize> =
        tokens.iter().enumerate().map(|(at, token)| (token.id, at)).collect();
    for row in &page(CHANNELS_OF_LIST).fetch_all(db).await? {
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
        created_at: time(row, "created_at")?,
        created_by: row.try_get("created_by")?,
        created_by_token: row.try_get::<Option<i64>, _>("created_by_token")?.map(TokenId),
        expires_at: time(row, "expires_at")?,
        revoked: revoked_at.zip(revoked_by),
        last_used: last_used_at.zip(last_used_from),
    })
}

fn read_channel(row: &AnyRow, issued_for: Permission) -> Result<TokenChannel, StoreError> {
    let held = permission_if_any(row, "held")?;
    Ok(TokenChannel {
        name: word("a channel's name", row.try_get("name")?)?,
        effective: held.map(|held| held.min(issued_for)),
    })
}
