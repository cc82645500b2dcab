//! Somebody's tokens as they are looked through: searched, of one state, in the order of a column.

use access::{PrincipalId, Timestamp, TokenId};
use sqlx::Row as _;

use super::read::{Holdings, holdings_where, read, status, tokens_where};
use super::{Token, TokenStatus};
use crate::store::memberships::held;
use crate::store::rows::permission_to_column;
use crate::store::{Connection, Pattern, StoreError};

/// What has become of a token. One that has used up the bytes of its day works again the next, so
/// that it is active here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// It works, or will again without anybody's doing.
    Active,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
}

impl TokenState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Active, Self::Expired, Self::Revoked];

    /// The word in addresses and queries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// The state of a token with this status.
    pub fn of(status: TokenStatus) -> Self {
        match status {
            TokenStatus::Active | TokenStatus::Limited => Self::Active,
            TokenStatus::Expired => Self::Expired,
            TokenStatus::Revoked => Self::Revoked,
        }
    }
}

/// A column by which tokens are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenColumn {
    /// Their name, small and capital letters alike.
    Name,
    /// What they were issued for.
    Permission,
    /// When they were made.
    Created,
    /// When they end.
    Expires,
    /// When they were last used; never comes before all others.
    Used,
}

/// The order of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenSort {
    /// By which column; those that are equal there in the order in which they were made.
    pub column: TokenColumn,
    /// The last first.
    pub downwards: bool,
}

/// How many tokens of a principal there are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCounts {
    /// Active ones.
    pub active: u64,
    /// Expired ones.
    pub expired: u64,
    /// Revoked ones.
    pub revoked: u64,
}

impl TokenCounts {
    /// How many are in this state.
    pub fn of(self, state: TokenState) -> u64 {
        match state {
            TokenState::Active => self.active,
            TokenState::Expired => self.expired,
            TokenState::Revoked => self.revoked,
        }
    }

    /// How many there are.
    pub fn all(self) -> u64 {
        self.active + self.expired + self.revoked
    }
}

/// What of a token's order its page is read by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenKey {
    Text(String),
    Number(i64),
}

impl TokenSort {
    /// Where a token stands in this order.
    pub(crate) fn key(self, token: &Token) -> TokenKey {
        match self.column {
            // As `lower` of both databases makes it.
            TokenColumn::Name => TokenKey::Text(token.name.to_ascii_lowercase()),
            TokenColumn::Permission => TokenKey::Number(permission_to_column(token.permission)),
            TokenColumn::Created => TokenKey::Number(token.created_at.as_millis()),
            TokenColumn::Expires => TokenKey::Number(token.expires_at.as_millis()),
            TokenColumn::Used => {
                TokenKey::Number(token.last_used.as_ref().map_or(0, |(at, _)| at.as_millis()))
            }
        }
    }

    /// What stands before every token.
    pub(crate) fn start(self) -> (TokenKey, TokenId) {
        let key = match (self.column, self.downwards) {
            (TokenColumn::Name, false) => TokenKey::Text(String::new()),
            (TokenColumn::Name, true) => TokenKey::Text("\u{10ffff}".to_owned()),
            (_, false) => TokenKey::Number(i64::MIN),
            (_, true) => TokenKey::Number(i64::MAX),
        };
        (key, TokenId(if self.downwards { i64::MAX } else { 0 }))
    }
}

/// Which tokens, in which order.
#[derive(Clone, Debug)]
pub(crate) struct TokensWanted<'w> {
    /// Only those with this in their name or description.
    pub(crate) pattern: &'w Pattern,
    /// Only those in this state.
    pub(crate) state: Option<TokenState>,
    pub(crate) sort: TokenSort,
    /// After which place in that order the page begins.
    pub(crate) after: (TokenKey, TokenId),
    pub(crate) limit: u32,
}

/// A token's state at `$1`.
macro_rules! state {
    () => {
        "CASE WHEN t.revoked_at IS NOT NULL THEN 'revoked' WHEN t.expires_at <= $1 THEN 'expired' \
         ELSE 'active' END"
    };
}

/// The tokens of `$3` in which `$4` is found.
macro_rules! searched {
    () => {
        "t.principal_id = $3 AND ($4 = '%' OR lower(t.name) LIKE $4 ESCAPE '!' \
         OR lower(t.description) LIKE $4 ESCAPE '!')"
    };
}

/// The page's tokens in the order of `$key`, after `$6`, `$7`. When they were used is read only where
/// the key asks for it: both databases leave out a join that nothing is taken from.
macro_rules! sorted {
    ($key:expr, $after:literal, $down:literal) => {
        tokens_where!(concat!(
            "t.id IN (SELECT t.id FROM tokens t LEFT JOIN token_last_used u ON u.token_id = t.id WHERE ",
            searched!(),
            " AND ($5 = '' OR ",
            state!(),
            " = $5) AND (",
            $key,
            ", t.id) ",
            $after,
            " ($6, $7) ORDER BY ",
            $key,
            $down,
            ", t.id",
            $down,
            " LIMIT $8) ORDER BY ",
            $key,
            $down,
            ", t.id",
            $down
        ))
    };
}
macro_rules! by {
    ($key:expr) => {
        (sorted!($key, ">", ""), sorted!($key, "<", " DESC"))
    };
}

/// Upwards and downwards.
type Pair = (&'static str, &'static str);
pub(in crate::store) const BY_NAME: Pair = by!("lower(t.name)");
pub(in crate::store) const BY_PERMISSION: Pair = by!("t.permission");
pub(in crate::store) const BY_CREATED: Pair = by!("t.created_at");
pub(in crate::store) const BY_EXPIRES: Pair = by!("t.expires_at");
pub(in crate::store) const BY_USED: Pair = by!("coalesce(u.last_used_at, 0)");
pub(in crate::store) const COUNTS: &str = concat!(
    "SELECT count(*) FILTER (WHERE state = 'active') AS active, \
     count(*) FILTER (WHERE state = 'expired') AS expired, \
     count(*) FILTER (WHERE state = 'revoked') AS revoked FROM (SELECT ",
    state!(),
    " AS state FROM tokens t WHERE ",
    searched!(),
    ") AS states"
);

/// How many tokens' holdings are read at a time.
const HOLDINGS: usize = 20;
/// Of the tokens that were found: finding them again would cost as much as the first time.
pub(in crate::store) const HOLDINGS_OF_FOUND: &str = holdings_where!(
    "tc.token_id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
     $18, $19, $20)"
);

/// The principal's tokens that are wanted, in their order.
pub(crate) async fn browse_tokens(
    db: &mut Connection,
    principal: PrincipalId,
    wanted: &TokensWanted<'_>,
    now: Timestamp,
) -> Result<Vec<Token>, StoreError> {
    let pair = match wanted.sort.column {
        TokenColumn::Name => BY_NAME,
        TokenColumn::Permission => BY_PERMISSION,
        TokenColumn::Created => BY_CREATED,
        TokenColumn::Expires => BY_EXPIRES,
        TokenColumn::Used => BY_USED,
    };
    let sql = if wanted.sort.downwards { pair.1 } else { pair.0 };
    let query = sqlx::query(sql)
        .bind(now.as_millis())
        .bind(now.day().number())
        .bind(principal.0)
        .bind(wanted.pattern.as_str())
        .bind(wanted.state.map_or("", TokenState::as_str));
    let query = match &wanted.after.0 {
        TokenKey::Text(text) => query.bind(text.as_str()),
        TokenKey::Number(number) => query.bind(*number),
    };
    let query = query.bind(wanted.after.1.0).bind(i64::from(wanted.limit));
    let rows = query.fetch_all(&mut *db).await?;
    let mut tokens = Vec::with_capacity(rows.len());
    for rows in rows.chunks(HOLDINGS) {
        let mut query = sqlx::query(HOLDINGS_OF_FOUND);
        for at in 0..HOLDINGS {
            // No token has the id 0.
            query = query.bind(rows.get(at).map_or(Ok(0), |row| row.try_get::<i64, _>("id"))?);
        }
        let holdings = Holdings::read(&query.fetch_all(&mut *db).await?)?;
        for row in rows {
            tokens.push(read(row, &holdings)?);
        }
    }
    Ok(tokens)
}

/// How many of the principal's tokens with this in their name or description are in each state.
pub(crate) async fn count_tokens(
    db: &mut Connection,
    principal: PrincipalId,
    pattern: &Pattern,
    now: Timestamp,
) -> Result<TokenCounts, StoreError> {
    let query = sqlx::query(COUNTS).bind(now.as_millis()).bind(now.day().number());
    let row = query.bind(principal.0).bind(pattern.as_str()).fetch_one(db).await?;
    let number = |state: TokenState| {
        Ok::<_, StoreError>(row.try_get::<i64, _>(state.as_str())?.unsigned_abs())
    };
    Ok(TokenCounts {
        active: number(TokenState::Active)?,
        expired: number(TokenState::Expired)?,
        revoked: number(TokenState::Revoked)?,
    })
}
