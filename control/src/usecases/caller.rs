//! Who the actor is and what they may do, read inside the transaction that acts on it. The one
//! place where authorization is decided.

use access::{ChannelId, ChannelName, Limits, Permission, PrincipalId, Timestamp, TokenId};

use super::{Control, Error, Page, repeat};
use crate::store::{
    self, Change, ChannelDetails, ChannelView, Connection, InUse, NameRange, PrincipalKind, Role,
    session_is_live,
};
use crate::{Actor, Principal, StoreError, Via};

/// An actor whose credential was found valid at this moment.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    principal: Principal,
    token: Option<CallerToken>,
}

/// The token by which somebody acts.
#[derive(Clone, Debug)]
struct CallerToken {
    id: TokenId,
    admin: bool,
    permission: Permission,
    limits: Limits,
    expires_at: Timestamp,
}

/// A principal with what it holds, for `GET /me`.
#[derive(Clone, Debug)]
pub struct Held {
    /// Who.
    pub principal: Principal,
    /// Whether role `admin` can be used with this credential.
    pub is_admin: bool,
    /// The channels on which something is held, at most [`Page::MAX_LIMIT`].
    pub channels: Vec<ChannelDetails>,
}

/// A principal with what it is beyond its groups.
#[derive(Clone, Debug)]
pub struct Who {
    /// Who.
    pub principal: Principal,
    /// Whether role `admin` can be used with this credential.
    pub is_admin: bool,
}

/// Who the actor is.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn who(control: &Control, actor: &Actor) -> Result<Who, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    Ok(Who { is_admin: caller.is_admin(), principal: caller.principal })
}

/// Who the actor is and what they hold.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn me(control: &Control, actor: &Actor) -> Result<Held, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let range = NameRange::new("", None, Page::MAX_LIMIT);
    let channels = store::list_held_channels(&mut db, caller.view(), &range).await?;
    Ok(Held { is_admin: caller.is_admin(), principal: caller.principal, channels })
}

impl Caller {
    /// Looks the actor up.
    pub(super) async fn verify(
        db: &mut Connection,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let id = actor.principal.ok_or(Error::NotSignedIn)?;
        let principal = store::principal(db, id).await?.filter(|principal| principal.active);
        let principal = principal.ok_or(Error::NotSignedIn)?;
        let token = match actor.via {
            Via::Console => None,
            // A password is looked at once, for a session.
            Via::Password => return Err(Error::NotSignedIn),
            Via::Session(session) => {
                let live = session_is_live(db, session, id, now).await?;
                live.then_some(None).ok_or(Error::NotSignedIn)?
            }
            Via::Token(token_id) => {
                let token = store::token_in_use(db, token_id, id, now).await?;
                Some(CallerToken::admitted(token_id, token.ok_or(Error::NotSignedIn)?, actor)?)
            }
        };
        Ok(Self { principal, token })
    }

    /// Looks up the actor of a change. A token changes things only with `manage`, or with its
    /// user's role `admin`: most stand in the URLs of clients, and their holders only download. What
    /// was sent before under the same key is not done again: the counter's lock keeps two at a time
    /// apart.
    pub(super) async fn of_change(change: &mut Change, actor: &Actor) -> Result<Self, Error> {
        let now = change.now();
        let caller = Self::verify(change.connection(), actor, now).await?;
        repeat::refuse(change, actor).await?;
        let manages = |token: &CallerToken| token.permission == Permission::Manage;
        if caller.is_admin() || caller.token.as_ref().is_none_or(manages) {
            Ok(caller)
        } else {
            Err(Error::needs_managing_token())
        }
    }

    pub(super) fn id(&self) -> PrincipalId {
        self.principal.id
    }

    /// The token by which the caller acts, for what it issues.
    pub(super) fn token(&self) -> Option<TokenId> {
        self.token.as_ref().map(|token| token.id)
    }

    /// When the credential ends, if it is a token.
    pub(super) fn token_ends(&self) -> Option<Timestamp> {
        self.token.as_ref().map(|token| token.expires_at)
    }

    /// What the credential is limited to, if it is a token.
    pub(super) fn token_limits(&self) -> Option<&Limits> {
        self.token.as_ref().map(|token| &token.limits)
    }

    /// Whether the caller has role `admin` by a credential that carries it (api.md,
    /// "Authentication").
    pub(super) fn is_admin(&self) -> bool {
        self.principal.role == Some(Role::Admin)
            && self.token.as_ref().is_none_or(|token| token.admin)
    }

    pub(super) fn is_user(&self) -> bool {
        self.principal.kind == PrincipalKind::User
    }

    pub(super) fn require_admin(&self) -> Result<(), Error> {
        if self.is_admin() { Ok(()) } else { Err(Error::needs_admin()) }
    }

    /// Whether the caller acts for the whole of a user, not within a token's channels: a token
    /// that stands in a client's URL may not touch its user's account.
    pub(super) fn require_sign_in(&self) -> Result<(), Error> {
        if self.limit().is_none() { Ok(()) } else { Err(Error::needs_sign_in()) }
    }

    /// What the caller sees. A token limits it to its channels, unless it carries role `admin`.
    pub(super) fn view(&self) -> ChannelView {
        ChannelView { principal: self.id(), within: self.limit(), sees_all: self.is_admin() }
    }

    /// What the caller holds on a channel: what their groups give them, capped by their token.
    pub(super) async fn held(
        &self,
        db: &mut Connection,
        channel: ChannelId,
    ) -> Result<Option<Permission>, StoreError> {
        let held = store::held_by(db, self.id(), channel).await?;
        let Some(token) = self.limit() else { return Ok(held) };
        let issued_for = store::issued_for(db, token, channel).await?;
        Ok(held.zip(issued_for).map(|(held, issued_for)| held.min(issued_for)))
    }

    /// The channel of that name, if the caller may see it, with what they hold on it.
    pub(super) async fn channel(
        &self,
        db: &mut Connection,
        name: &ChannelName,
    ) -> Result<ChannelDetails, Error> {
        let found = store::find_channel(db, self.view(), name).await?;
        found.ok_or_else(|| Error::not_found("channel", name))
    }

    /// The token to whose channels the caller is limited.
    pub(super) fn limit(&self) -> Option<TokenId> {
        self.token().filter(|_| !self.is_admin())
    }
}

impl CallerToken {
    /// The token, if it may be used from where the actor is (product.md +4). An address that isn't
    /// known is in no network.
    fn admitted(id: TokenId, token: InUse, actor: &Actor) -> Result<Self, Error> {
        let InUse { admin, permission, limits, expires_at } = token;
        let admitted = actor.address.is_some_and(|address| limits.admit_from(address));
        if limits.networks.is_empty() || admitted {
            Ok(Self { id, admin, permission, limits, expires_at })
        } else {
            Err(Error::NotPermitted {
                needs: "a request from one of the token's networks".into(),
                who: "whoever manages the token".into(),
            })
        }
    }
}

/// Whether somebody who sees the channel holds `manage` on it.
pub(super) fn require_manage(channel: &ChannelDetails) -> Result<(), Error> {
    if channel.permission == Some(Permission::Manage) {
        Ok(())
    } else {
        Err(Error::needs_manage(&channel.channel.name))
    }
}
