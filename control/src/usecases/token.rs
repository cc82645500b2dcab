//! Tokens (product.md S5, S6, S10).

use std::time::Duration;

use access::source::Touched;
use access::{ChannelId, ChannelName, Permission, Timestamp, TokenId, TokenSecret};
use serde_json::{Value, json};

use super::caller::Caller;
use super::names::{check_text, check_token_name};
use super::{Committed, Control, Error, Holder, Listed, Page, service_account};
use crate::store::{
    self, Change, Connection, Event, NewToken, Principal, PrincipalKind, Revoke, StoreError,
    Target, Token,
};
use crate::{Actor, TokenManagers};

/// How long a token may last from its issue (product.md S5).
pub const MAX_LIFESPAN: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How many channels a token may name.
const MAX_CHANNELS: usize = 100;

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
    /// Its channels.
    pub channels: Vec<ChannelName>,
    /// Whether it may act with its user's role in the API.
    pub admin: bool,
}

/// A token's end, as callers say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// At this time.
    At(Timestamp),
    /// This long after its issue.
    In(Duration),
}

/// A token just issued, with its value: this once.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub token: Token,
    /// Its value. It can't be had again.
    pub secret: TokenSecret,
}

/// Issues a token for a service account, or for the calling user.
///
/// # Errors
/// [`Error::InvalidField`], [`Error::Lifespan`], [`Error::NotFound`], [`Error::NotPermitted`],
/// [`Error::PermissionNotHeld`], [`Error::NameTaken`]; [`Error::Store`].
pub async fn create(
    control: &Control,
    actor: &Actor,
    principal: &str,
    order: TokenOrder,
) -> Result<Committed<Issued>, Error> {
    check_token_name(&order.name)?;
    check_text("description", &order.description)?;
    if order.channels.is_empty() || order.channels.len() > MAX_CHANNELS {
        return Err(Error::invalid("channels", format!("name 1 to {MAX_CHANNELS} channels")));
    }
    let secret = TokenSecret::generate().map_err(StoreError::from)?;

    let mut change = control.store.change(control.now()).await?;
    let now = change.now();
    let db = change.connection();
    let caller = Caller::verify(db, actor, now).await?;
    let principal = managed_principal(control, &caller, db, principal).await?;
    let expires_at = check_expiry(&caller, order.expires, now)?;
    if order.admin && !(principal.id == caller.id() && caller.is_admin()) {
        return Err(Error::needs_admin());
    }
    let channels = grantable(&caller, db, &principal, &order).await?;
    if store::token_name_in_use(db, principal.id, &order.name).await? {
        return Err(Error::NameTaken { kind: "token", name: order.name });
    }
    let new = NewToken {
        principal: principal.id,
        name: &order.name,
        description: &order.description,
        permission: order.permission,
        admin: order.admin,
        channels: &channels,
        created_by: caller.id(),
        created_by_token: caller.token(),
        expires_at,
        digest: secret.digest(),
        hint: &secret.hint(),
    };
    let id = store::insert_token(db, new, now).await?;
    let token = find(db, id).await?;
    change.touch([Touched::Token { id, digest: secret.digest() }]);
    let shown = shown(&token);
    audit(&mut change, actor, &token, "token.create", (None, Some(shown))).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: Issued { token, secret }, revision })
}

/// The tokens of a service account, or of the calling user, by id.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::InvalidField`] for a foreign cursor;
/// [`Error::Store`].
pub async fn list(
    control: &Control,
    actor: &Actor,
    principal: &str,
    page: &Page,
) -> Result<Listed<Token>, Error> {
    let after = page.after_id()?;
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let principal = visible_principal(control, &caller, &mut db, principal).await?;
    let found = store::list_tokens(&mut db, principal.id, TokenId(after), page.probe()).await?;
    Ok(Listed::page(found, page, |token| token.id.0.to_string()))
}

/// One token.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`]; [`Error::Store`].
pub async fn get(control: &Control, actor: &Actor, id: TokenId) -> Result<Token, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    visible_token(control, &caller, &mut db, id).await
}

/// Revokes a token. One that is revoked already stays as it is, and the answer is the same: the
/// revision that revoked it (product.md S10).
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`]; [`Error::Store`].
pub async fn revoke(
    control: &Control,
    actor: &Actor,
    id: TokenId,
) -> Result<Committed<Token>, Error> {
    let mut change = control.store.change(control.now()).await?;
    let (now, revision) = (change.now(), change.revision());
    let db = change.connection();
    let caller = Caller::verify(db, actor, now).await?;
    let before = visible_token(control, &caller, db, id).await?;
    if let Some((_, revision)) = before.revoked {
        return Ok(Committed { value: before, revision });
    }
    store::revoke_tokens(db, Revoke::One(id), now, revision).await?;
    let values = store::values_revoked_by(db, revision, store::MORE_THAN_ENTRIES).await?;
    let after = find(db, id).await?;
    change.touch(values);
    let states = (Some(shown(&before)), Some(shown(&after)));
    audit(&mut change, actor, &after, "token.revoke", states).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: after, revision })
}

/// The principal whose tokens the caller may issue: a service account whose channel they manage
/// (product.md S1), or themselves.
async fn managed_principal(
    control: &Control,
    caller: &Caller,
    db: &mut Connection,
    name: &str,
) -> Result<Principal, Error> {
    let principal = visible_principal(control, caller, db, name).await?;
    if principal.kind == PrincipalKind::ServiceAccount {
        let account = service_account::find(caller, db, name).await?;
        if caller.held(db, account.channel_id).await? != Some(Permission::Manage) {
            return Err(Error::needs_manage(&account.channel));
        }
    } else if principal.id != caller.id() {
        return Err(Error::NotPermitted {
            needs: format!("being `{name}`: personal tokens are issued by their user alone"),
            who: "nobody".into(),
        });
    }
    Ok(principal)
}

/// The principal whose tokens the caller may see and revoke: as [`managed_principal`], and all of
/// them for an admin.
async fn visible_principal(
    control: &Control,
    caller: &Caller,
    db: &mut Connection,
    name: &str,
) -> Result<Principal, Error> {
    let not_found = || Error::not_found("principal", name);
    let principal = store::principal_named(db, name).await?.ok_or_else(not_found)?;
    match principal.kind {
        PrincipalKind::ServiceAccount => {
            // One answer, whether it is hidden or not there.
            service_account::find(caller, db, name).await.map_err(|error| match error {
                Error::NotFound { .. } => not_found(),
                other => other,
            })?;
            require_token_manager(control, caller)?;
        }
        PrincipalKind::User if principal.id == caller.id() || caller.is_admin() => {}
        PrincipalKind::User => return Err(not_found()),
    }
    Ok(principal)
}

pub(super) async fn visible_token(
    control: &Control,
    caller: &Caller,
    db: &mut Connection,
    id: TokenId,
) -> Result<Token, Error> {
    let not_found = || Error::not_found("token", id.0);
    let token = store::find_token(db, id).await?.ok_or_else(not_found)?;
    // A deleted account's tokens are history, for admins.
    if caller.is_admin() {
        return Ok(token);
    }
    match visible_principal(control, caller, db, &token.principal).await {
        Ok(principal) if principal.id == token.principal_id => Ok(token),
        Ok(_) | Err(Error::NotFound { .. }) => Err(not_found()),
        Err(other) => Err(other),
    }
}

/// S1: `control.token_managers = "admins"` keeps service accounts' tokens to admins.
fn require_token_manager(control: &Control, caller: &Caller) -> Result<(), Error> {
    match control.settings.token_managers {
        TokenManagers::Managers => Ok(()),
        TokenManagers::Admins => caller.require_admin(),
    }
}

/// S5 and S6: after now, within a year, and not past the token that issues it.
fn check_expiry(caller: &Caller, expires: Expiry, now: Timestamp) -> Result<Timestamp, Error> {
    let end = match expires {
        Expiry::At(end) => end,
        Expiry::In(lifespan) => now.plus(lifespan),
    };
    let year = now.plus(MAX_LIFESPAN);
    let (latest, reason) = match caller.token_ends() {
        Some(ends) if ends < year => (ends, "the token that issues it ends then"),
        _ => (year, "a token lasts at most 365 days from its issue"),
    };
    if now < end && end <= latest { Ok(end) } else { Err(Error::Lifespan { latest, reason }) }
}

/// S6: the channels of the order, each once, if caller and principal both hold the permission on
/// every one.
async fn grantable(
    caller: &Caller,
    db: &mut Connection,
    principal: &Principal,
    order: &TokenOrder,
) -> Result<Vec<ChannelId>, Error> {
    let mut channels = Vec::with_capacity(order.channels.len());
    for name in &order.channels {
        let channel = caller.channel(db, name).await?;
        let id = channel.channel.id;
        let refused = |holder| Error::PermissionNotHeld {
            holder,
            channel: name.clone(),
            permission: order.permission,
        };
        if channel.permission < Some(order.permission) {
            return Err(refused(Holder::You));
        }
        if store::held_by(db, principal.id, id).await? < Some(order.permission) {
            return Err(refused(Holder::Principal(principal.name.clone())));
        }
        if !channels.contains(&id) {
            channels.push(id);
        }
    }
    Ok(channels)
}

async fn find(db: &mut Connection, id: TokenId) -> Result<Token, Error> {
    store::find_token(db, id).await?.ok_or_else(|| Error::not_found("token", id.0))
}

async fn audit(
    change: &mut Change,
    actor: &Actor,
    token: &Token,
    action: &'static str,
    (before, after): (Option<Value>, Option<Value>),
) -> Result<(), Error> {
    let target = Target { kind: "token", id: token.id.0, name: &token.name };
    Ok(change.audit(actor, Event { action, target, before, after }).await?)
}

fn shown(token: &Token) -> Value {
    let channels: Vec<_> = token.channels.iter().map(|channel| channel.name.as_str()).collect();
    json!({
        "principal": token.principal,
        "name": token.name,
        "description": token.description,
        "hint": token.hint.to_string(),
        "permission": token.permission.as_str(),
        "admin": token.admin,
        "channels": channels,
        "expires_at": token.expires_at.to_string(),
        "revoked_at": token.revoked.map(|(at, _)| at.to_string()),
    })
}
