//! Tokens as they are stored: never their value, only its digest and hint.

mod browse;
mod read;
mod revoke;
mod values;
mod write;

use access::source::Revision;
use access::{ChannelName, Limits, Permission, PrincipalId, Timestamp, TokenHint, TokenId};

pub use browse::{TokenColumn, TokenCounts, TokenSort, TokenState};
pub(crate) use {browse::*, read::*, revoke::*, values::*, write::*};

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
    /// What its use is held to (product.md +4).
    pub limits: Limits,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// The token it was made with, if it was made with one.
    pub created_by_token: Option<TokenId>,
    /// When its present value was issued: the year of its lifespan begins here.
    pub issued_at: Timestamp,
    /// From when it no longer works.
    pub expires_at: Timestamp,
    /// The value before its present one, while that works on.
    pub old_value: Option<OldValue>,
    /// When it was revoked, and by which change.
    pub revoked: Option<(Timestamp, Revision)>,
    /// When it was last used, and from which address.
    pub last_used: Option<(Timestamp, String)>,
    /// Whether it worked when it was read.
    pub status: TokenStatus,
}

/// A value that works on beside a newer one (product.md S9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldValue {
    /// What may be shown of it.
    pub hint: TokenHint,
    /// From when it no longer works.
    pub ends_at: Timestamp,
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

/// Whether a token works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenStatus {
    /// It does.
    Active,
    /// Its time is over; it may be extended or reissued.
    Expired,
    /// It was revoked, for good.
    Revoked,
    /// The bytes of the day are used up; it works again when the next day begins in UTC.
    Limited,
}

impl TokenStatus {
    const ALL: [Self; 4] = [Self::Active, Self::Expired, Self::Revoked, Self::Limited];

    /// The word used in the API, in queries and on every page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Limited => "limited",
        }
    }
}

/// A word that names no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no status; use `active`, `expired`, `revoked` or `limited`")]
pub struct UnknownTokenStatus(String);

impl std::str::FromStr for TokenStatus {
    type Err = UnknownTokenStatus;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == word);
        found.ok_or_else(|| UnknownTokenStatus(word.to_owned()))
    }
}
