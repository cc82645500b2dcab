//! Who may do what to whose tokens, and for what and how long a token may be issued.

use access::{ChannelId, ChannelName, Limits, Permission, Timestamp, TokenId};

use super::{Expiry, MAX_LIFESPAN};
use crate::TokenManagers;
use crate::store::{self, Connection, NAME_PREFIX, Principal, PrincipalKind, Token, TokenChannel};
use crate::usecases::caller::Caller;
use crate::usecases::{Control, Error, Holder, service_account};

/// How many channels a token may name.
const MAX_CHANNELS: usize = 100;
/// How many networks a token may be used from.
const MAX_NETWORKS: usize = 100;

/// The principal whose tokens the caller may issue and change: a service account whose channel
/// they manage (product.md S1), or themselves.
pub(in crate::usecases) async fn managed_principal(
    control: &Control,
    caller: &Caller,
    db: &mut Connection,
    name: &str,
) -> Result<Principal, Error> {
    let principal = visible_principal(control, caller, db, name).await?;
    if principal.kind == PrincipalKind::ServiceAccount {
        require_manager(caller, db, name).await?;
    } else if principal.id != caller.id() {
        return Err(Error::NotPermitted {
            needs: format!("a sign-in as `{name}`: a personal token is issued by its user alone"),
            who: format!("`{name}`"),
        });
    }
    Ok(principal)
}

/// The principal whose tokens the caller may see and revoke: as [`managed_principal`], and all of
/// them for an admin.
pub(super) async fn visible_principal(
    control: &Control,
    caller: &Caller,
    db: &mut Connection,
    name: &str,
) -> Result<Principal, Error> {
    let is_account = name.starts_with(NAME_PREFIX);
    let kind = if is_account { "service account" } else { "user" };
    let not_found = || Error::not_found(kind, name);
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

/// The token of that id, if the caller may see it.
pub(in crate::usecases) async fn visible_token(
    control: &Control,
    caller: &Caller,
    db: &mut Connection,
    id: TokenId,
    now: Timestamp,
) -> Result<Token, Error> {
    let not_found = || Error::not_found("token", id.0);
    let token = store::find_token(db, id, now).await?.ok_or_else(not_found)?;
    if sees(control, caller, db, &token).await? { Ok(token) } else { Err(not_found()) }
}

/// Whether the caller may see the token. A deleted account's tokens are history, for admins.
pub(super) async fn sees(
    control: &Control,
    caller: &Caller,
    db: &mut Connection,
    token: &Token,
) -> Result<bool, Error> {
    if caller.is_admin() {
        return Ok(true);
    }
    match visible_principal(control, caller, db, &token.principal).await {
        Ok(principal) => Ok(principal.id == token.principal_id),
        Err(Error::NotFound { .. }) => Ok(false),
        Err(other) => Err(other),
    }
}

/// The token of that id and its principal, if the caller may change it. What is revoked never
/// comes back (product.md S9).
pub(super) async fn managed_token(
    control: &Control,
    caller: &Caller,
    db: &mut Connection,
    id: TokenId,
    now: Timestamp,
) -> Result<(Token, Principal), Error> {
    let token = visible_token(control, caller, db, id, now).await?;
    if token.revoked.is_some() {
        return Err(Error::TokenRevoked { id });
    }
    require_reach(caller, db, &token, now).await?;
    let principal = managed_principal(control, caller, db, &token.principal).await?;
    Ok((token, principal))
}

/// Whoever acts by a token within its channels changes none that reaches further: not one that
/// carries role `admin`, nor one for other channels (api.md, "Authentication").
pub(super) async fn require_reach(
    caller: &Caller,
    db: &mut Connection,
    token: &Token,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(own) = caller.limit() else { return Ok(()) };
    let own = store::find_token(db, own, now).await?.ok_or(Error::NotSignedIn)?;
    let reached = |channel: &TokenChannel| own.channels.iter().any(|c| c.name == channel.name);
    if !token.admin && token.channels.iter().all(reached) {
        return Ok(());
    }
    Err(Error::NotPermitted {
        needs: format!("a token that reaches as far as token {}, or a session", token.id.0),
        who: "whoever issues your tokens".into(),
    })
}

/// S1: `manage` on the account's channel, for admins too.
pub(super) async fn require_manager(
    caller: &Caller,
    db: &mut Connection,
    account: &str,
) -> Result<(), Error> {
    let account = service_account::find(caller, db, account).await?;
    if caller.held(db, account.channel_id).await? == Some(Permission::Manage) {
        Ok(())
    } else {
        Err(Error::needs_manage(&account.channel))
    }
}

/// S1: `control.token_managers = "admins"` keeps service accounts' tokens to admins.
pub(super) fn require_token_manager(control: &Control, caller: &Caller) -> Result<(), Error> {
    match control.settings.token_managers {
        TokenManagers::Managers => Ok(()),
        TokenManagers::Admins => caller.require_admin(),
    }
}

/// How many channels and networks a token may name; only one with a role in the API needs no
/// channel.
pub(super) fn check_numbers(
    channels: &[ChannelName],
    admin: bool,
    limits: &Limits,
) -> Result<(), Error> {
    if channels.len() > MAX_CHANNELS || (channels.is_empty() && !admin) {
        return Err(Error::invalid("channels", format!("name 1 to {MAX_CHANNELS} channels")));
    }
    if limits.networks.len() > MAX_NETWORKS {
        return Err(Error::invalid("networks", format!("name at most {MAX_NETWORKS} networks")));
    }
    Ok(())
}

/// S5 and S6: after now, within a year from the issue, and not past the token that issues it.
pub(super) fn check_expiry(
    caller: &Caller,
    expires: Expiry,
    issued_at: Timestamp,
    now: Timestamp,
) -> Result<Timestamp, Error> {
    let end = expires.from(now);
    let year = issued_at.plus(MAX_LIFESPAN);
    let (latest, reason) = match caller.token_ends() {
        Some(ends) if ends < year => (ends, "the token that issues it ends then"),
        _ if issued_at < now => (year, "365 days from its issue; a reissue begins another year"),
        _ => (year, "a token lasts at most 365 days from its issue"),
    };
    if now < end && end <= latest { Ok(end) } else { Err(Error::Lifespan { latest, reason }) }
}

/// S6: the channels of those names, each once, if caller and principal both hold the permission on
/// every one.
pub(super) async fn grantable(
    caller: &Caller,
    db: &mut Connection,
    principal: &Principal,
    permission: Permission,
    channels: &[ChannelName],
) -> Result<Vec<ChannelId>, Error> {
    let mut ids = Vec::with_capacity(channels.len());
    for name in channels {
        let id = grantable_channel(caller, db, principal, permission, name).await?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// S6 for one channel.
pub(super) async fn grantable_channel(
    caller: &Caller,
    db: &mut Connection,
    principal: &Principal,
    permission: Permission,
    name: &ChannelName,
) -> Result<ChannelId, Error> {
    let channel = caller.channel(db, name).await?;
    let id = channel.channel.id;
    let refused = |holder| Error::PermissionNotHeld { holder, channel: name.clone(), permission };
    if channel.permission < Some(permission) {
        return Err(refused(Holder::You));
    }
    if store::held_by(db, principal.id, id).await? < Some(permission) {
        return Err(refused(Holder::Principal(principal.name.clone())));
    }
    Ok(id)
}

/// S6: a token can't issue one that is limited less than itself.
pub(super) fn check_limits(caller: &Caller, limits: &Limits) -> Result<(), Error> {
    match caller.token_limits().and_then(|own| exceeded(limits, own)) {
        None => Ok(()),
        Some(field) => {
            Err(Error::invalid(field, "the token that issues it is limited to less itself"))
        }
    }
}

/// The first of `limits` that lets through what `bounds` does not.
pub(super) fn exceeded(limits: &Limits, bounds: &Limits) -> Option<&'static str> {
    let within = |network| bounds.networks.iter().any(|bound| bound.contains(network));
    let (networks, no_bound) = (&limits.networks, bounds.networks.is_empty());
    if !no_bound && (networks.is_empty() || !networks.iter().all(within)) {
        return Some("networks");
    }
    if is_more(limits.requests_per_second, bounds.requests_per_second) {
        return Some("requests_per_second");
    }
    is_more(limits.bytes_per_day, bounds.bytes_per_day).then_some("bytes_per_day")
}

/// Whether `limit` is above `bound`; none is above all.
fn is_more<T: Ord>(limit: Option<T>, bound: Option<T>) -> bool {
    bound.is_some_and(|bound| limit.is_none_or(|limit| limit > bound))
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroU64};

    use super::*;

    fn limits(networks: &[&str], requests: u32, bytes: u64) -> Limits {
        Limits {
            networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
            requests_per_second: NonZeroU32::new(requests),
            bytes_per_day: NonZeroU64::new(bytes),
        }
    }

    #[test]
    fn less_of_anything_is_within_and_none_is_not() {
        let bounds = limits(&["10.0.0.0/8", "2001:db8::/32"], 10, 1_000);
        for within in [
            bounds.clone(),
            limits(&["10.1.0.0/16"], 1, 1),
            limits(&["2001:db8:1::/48", "10.0.0.0/8"], 10, 999),
        ] {
            assert_eq!(exceeded(&within, &bounds), None, "{within:?}");
            assert_eq!(exceeded(&within, &Limits::default()), None, "{within:?}");
        }
        for (beyond, field) in [
            (limits(&[], 1, 1), "networks"),
            (limits(&["10.0.0.0/7"], 1, 1), "networks"),
            (limits(&["10.1.0.0/16", "192.0.2.0/24"], 1, 1), "networks"),
            (limits(&["10.1.0.0/16"], 0, 1), "requests_per_second"),
            (limits(&["10.1.0.0/16"], 11, 1), "requests_per_second"),
            (limits(&["10.1.0.0/16"], 1, 0), "bytes_per_day"),
            (limits(&["10.1.0.0/16"], 1, 1_001), "bytes_per_day"),
        ] {
            assert_eq!(exceeded(&beyond, &bounds), Some(field), "{beyond:?}");
        }
    }
}
