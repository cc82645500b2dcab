//! What a token may do now.

use ipnet::IpNet;
use smallvec::SmallVec;

use crate::{ChannelId, Day, Limits, Permission, Timestamp, TokenHint};

/// A token's identity in the database; never reused, and free to be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub i64);

/// The identity of a user or a service account in the database; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalId(pub i64);

/// What one token value may do now: the token's own channels and permission, capped by what its
/// principal holds at this revision (product.md, "grant").
///
/// In this order, so that what is decided by lies together: of a million grants, none is in the
/// processor's caches.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Grant {
    /// From when this value no longer works: the token's expiry, or the end of the overlap when
    /// the token was reissued.
    pub expires_at: Timestamp,
    /// Whether another value took this one's place, so that the token goes on when this one ends.
    pub is_replaced: bool,
    /// What may be shown of its value.
    pub hint: TokenHint,
    /// Whether the value is in use, or how it ended.
    pub standing: Standing,
    /// Apart, and only where there is a limit: of a million grants each line of memory counts.
    limited: Option<Box<Limited>>,
    /// The channels with what may be done on each; mostly one or two, which then lie in here.
    channels: SmallVec<[GrantedChannel; 2]>,
    /// The token.
    pub token: TokenId,
    /// For whom it acts.
    pub principal: PrincipalId,
}

/// What a grant is held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limited {
    /// The limits of its token.
    pub limits: Limits,
    /// The last day on which the token was used, and the bytes it was sent then, over all
    /// gateways as far as reported; told only where they are limited.
    pub bytes_of_day: Option<(Day, u64)>,
}

/// One channel of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantedChannel {
    /// The channel.
    pub channel: ChannelId,
    /// The lower of what the token was issued for and what its principal holds.
    pub permission: Permission,
}

/// Whether a token is in use. Its expiry is apart, since time alone ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Neither revoked nor held by somebody deactivated.
    Active,
    /// Revoked at that time; never comes back.
    Revoked(Timestamp),
    /// Its principal was deactivated.
    PrincipalInactive,
}

impl Grant {
    /// A grant without limits; `channels` in any order, the higher permission wins where one stands twice.
    pub fn new(
        token: TokenId,
        hint: TokenHint,
        principal: PrincipalId,
        expires_at: Timestamp,
        standing: Standing,
        mut channels: Vec<GrantedChannel>,
    ) -> Self {
        channels.sort_by_key(|c| (c.channel, std::cmp::Reverse(c.permission)));
        channels.dedup_by_key(|c| c.channel);
        Self {
            token,
            hint,
            principal,
            expires_at,
            is_replaced: false,
            standing,
            limited: None,
            channels: channels.into(),
        }
    }

    /// The grant held to these limits, if there are any.
    #[must_use]
    pub fn held_to(self, limited: Limited) -> Self {
        let limited = (!limited.limits.is_none()).then(|| Box::new(limited));
        Self { limited, ..self }
    }

    /// What it is held to; none where nothing is limited.
    pub fn limited(&self) -> Option<&Limited> {
        self.limited.as_deref()
    }

    /// The channels with what may be done on each, by id.
    pub fn channels(&self) -> &[GrantedChannel] {
        &self.channels
    }

    /// What may be done on exactly this channel.
    pub fn on(&self, channel: ChannelId) -> Option<Permission> {
        let at = self.channels.binary_search_by_key(&channel, |c| c.channel).ok()?;
        Some(self.channels[at].permission)
    }

    /// About how many bytes of memory the grant takes: the weight by which tables are bounded.
    pub fn weight_bytes(&self) -> usize {
        let channels = match self.channels.spilled() {
            true => size_of_val::<[GrantedChannel]>(&self.channels),
            false => 0,
        };
        let networks = |limited: &Limited| size_of_val::<[IpNet]>(&limited.limits.networks);
        let limited = self.limited().map_or(0, |limited| size_of::<Limited>() + networks(limited));
        size_of::<Self>() + channels + limited
    }
}
