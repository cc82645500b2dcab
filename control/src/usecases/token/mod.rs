//! Tokens (product.md S5, S6, S9 to S11, +4, +5), a file per verb; `rules` says who may do what.

mod browse;
mod edit;
mod end_old;
mod import;
mod issue;
mod lookup;
mod read;
mod record;
mod reissue;
mod revoke;
mod rules;

use std::time::Duration;

use access::{ChannelName, Limits, Permission, Timestamp, TokenSecret};

pub use browse::{Browse, Browsed, browse};
pub use edit::{TokenEdit, edit};
pub use end_old::end_old_value;
pub use import::{Import, Imported, MAX_ATOMIC, import};
pub use issue::create;
pub use lookup::{Found, lookup};
pub use read::{count_expiring, expiring, get, list};
pub use record::fingerprint;
pub use reissue::{MAX_OVERLAP, Reissue, reissue};
pub use revoke::{revoke, revoke_with_issued};
pub(super) use rules::{managed_principal, visible_token};

use crate::store::Token;

/// How long a token may last from its issue (product.md S5).
pub const MAX_LIFESPAN: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A token to be issued.
#[derive(Clone, Debug)]
pub struct TokenOrder {
    /// Its name, unique among its principal's tokens in use.
    pub name: String,
    /// For people.
    pub description: String,
    /// When it ends.
    pub expires: Expiry,
    /// What it grants on each of its channels.
    pub permission: Permission,
    /// Its channels; one that acts with its user's role in the API needs none.
    pub channels: Vec<ChannelName>,
    /// Whether it may act with its user's role in the API.
    pub admin: bool,
    /// What its use is held to.
    pub limits: Limits,
}

/// A token's end, as callers say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// At this time.
    At(Timestamp),
    /// This long from now.
    In(Duration),
}

impl Expiry {
    /// The end, said at `now`.
    fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(end) => end,
            Self::In(lifespan) => now.plus(lifespan),
        }
    }
}

/// A token just issued, with its value: this once.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub token: Token,
    /// Its value. It can't be had again.
    pub secret: TokenSecret,
}
