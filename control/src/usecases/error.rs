//! Why a use case refused; each reason that callers must tell apart is a variant of its own.

use std::fmt;

use access::{ChannelName, Permission, Timestamp, TokenId};

use crate::StoreError;

/// Why a use case didn't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No valid credential.
    #[error("sign in first: the session or token is unknown, ended or revoked")]
    NotSignedIn,
    /// The user's name or password is wrong; one answer for both.
    #[error("the user name or the password is wrong")]
    WrongPassword,
    /// Too many failed sign-ins for this account from this address.
    #[error("too many failed attempts; try again in {retry_after_secs} s")]
    TooManyAttempts {
        /// Seconds until the next attempt is looked at.
        retry_after_secs: u64,
    },
    /// The caller sees the thing but may not do this to it.
    #[error("this needs {needs}; {who} can give it")]
    NotPermitted {
        /// What is missing.
        needs: String,
        /// Who can give it.
        who: String,
    },
    /// There is no such thing *or* the caller may not see it: one answer for both.
    #[error("no {kind} `{name}`, or it is not visible to you")]
    NotFound {
        /// What kind of thing.
        kind: &'static str,
        /// What was asked for.
        name: String,
    },
    /// Another thing of the kind has the name.
    #[error("there is a {kind} `{name}` already")]
    NameTaken {
        /// What kind of thing.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// Every seat is taken (product.md S2).
    #[error("all seats are taken: {used} of {limit}; users and service accounts both count")]
    SeatLimit {
        /// How many are taken.
        used: i64,
        /// `control.seats`.
        limit: u32,
    },
    /// A token can't be issued for more than its issuer and its principal hold (product.md S6).
    #[error(
        "{holder} not hold `{permission}` on `{channel}`, so that no token can be issued for it"
    )]
    PermissionNotHeld {
        /// Who lacks it.
        holder: Holder,
        /// The channel.
        channel: ChannelName,
        /// What was to be granted.
        permission: Permission,
    },
    /// A token's end is in the past, past a year, or past the end of the token that issues it
    /// (product.md S5, S6).
    #[error("`expires_at` must lie between now and {latest}: {reason}")]
    Lifespan {
        /// The latest end allowed.
        latest: Timestamp,
        /// Why that one.
        reason: &'static str,
    },
    /// What is revoked never comes back (product.md S9).
    #[error("token {} is revoked for good; issue another one", id.0)]
    TokenRevoked {
        /// The token.
        id: TokenId,
    },
    /// It is no longer what the caller saw.
    #[error("somebody else has changed the {kind} `{name}` meanwhile; look at it again")]
    ChangedMeanwhile {
        /// What kind of thing.
        kind: &'static str,
        /// Its name now.
        name: String,
    },
    /// The request was done before, and its answer was not kept: a token's value never is.
    #[error("this request was done already: it made {kind} {id}")]
    AlreadyDone {
        /// What kind of thing it made.
        kind: String,
        /// Its id.
        id: i64,
    },
    /// Another request was sent under this key.
    #[error("this `Idempotency-Key` belongs to another request; take a new key for each")]
    KeyReused,
    /// A field can't have this value.
    #[error("`{field}`: {message}")]
    InvalidField {
        /// The field, as in the API.
        field: &'static str,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The user is the last one in a channel's group of owners (product.md, "group").
    #[error("`{group}` would be left without a user; add another one first")]
    LastOwner {
        /// The group.
        group: String,
    },
    /// A channel's group of owners is made, named and deleted only with it, and always holds
    /// `manage` on it.
    #[error("`{group}` holds the owners of its channel: it comes, goes and holds `manage` with it")]
    OwnersGroup {
        /// The group.
        group: String,
    },
    /// Nobody could hand out role `admin` any more.
    #[error("this is the last active admin; give another user role `admin` first")]
    LastAdmin,
    /// A gateway that may still serve can't be forgotten.
    #[error(
        "gateway `{name}` has renewed its lease, which lasts until {until} (and 30 s for clocks \
         that differ); stop it first, then it is waited for no more"
    )]
    GatewayLive {
        /// Its label.
        name: String,
        /// The end of its lease.
        until: Timestamp,
    },
    /// The database didn't answer or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something of ours failed that no caller can help.
    #[error("{0}")]
    Internal(String),
}

/// Who lacks a permission that a token should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The caller.
    You,
    /// The principal that the token would act for.
    Principal(String),
}

/// As the beginning of a sentence with `not`.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::You => f.write_str("you do"),
            Self::Principal(name) => write!(f, "`{name}` does"),
        }
    }
}

impl Error {
    pub(crate) fn invalid(field: &'static str, message: impl fmt::Display) -> Self {
        Self::InvalidField { field, message: message.to_string() }
    }

    pub(super) fn not_found(kind: &'static str, name: impl fmt::Display) -> Self {
        Self::NotFound { kind, name: name.to_string() }
    }

    pub(super) fn needs_admin() -> Self {
        Self::NotPermitted { needs: "role `admin`".into(), who: "an admin".into() }
    }

    pub(super) fn needs_sign_in() -> Self {
        Self::NotPermitted {
            needs: "a sign-in, or a token that carries role `admin`".into(),
            who: "the user".into(),
        }
    }

    pub(super) fn needs_group(group: &str) -> Self {
        Self::NotPermitted {
            needs: format!("`manage` on every channel of `{group}`, or role `admin`"),
            who: "an admin".into(),
        }
    }

    pub(super) fn needs_managing_token() -> Self {
        Self::NotPermitted {
            needs: "a token with `manage`, or a session".into(),
            who: "whoever issues your tokens".into(),
        }
    }

    pub(super) fn needs_manage(channel: &ChannelName) -> Self {
        Self::NotPermitted {
            needs: format!("`manage` on `{channel}`"),
            who: format!("a user of `{}`", crate::store::owners_name(channel)),
        }
    }
}
