//! Service accounts: credentials for programs, at most one per channel (product.md S1 to S4).

use access::source::Touched;
use access::{ChannelName, Permission};
use serde_json::json;

use super::caller::{Caller, require_manage};
use super::{Committed, Control, Error, Listed, Page, cursor, user};
use crate::Actor;
use crate::store::{
    self, Change, ChannelColumn, ChannelDetails, Connection, Event, Look, PrincipalKind, Revoke,
    ServiceAccount, Target, TokenUse,
};

/// A channel that the caller may manage, with its account if it has one (product.md S3).
#[derive(Clone, Debug)]
pub struct Manageable {
    /// The channel.
    pub channel: ChannelDetails,
    /// Its account.
    pub account: Option<ServiceAccount>,
}

/// Makes the service account of a channel, a member of its owners' group (product.md S1, S2, S4).
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::NameTaken`], [`Error::SeatLimit`];
/// [`Error::Store`].
pub async fn create(
    control: &Control,
    actor: &Actor,
    channel: &ChannelName,
) -> Result<Committed<ServiceAccount>, Error> {
    let mut change = control.store.change(control.now()).await?;
    let now = change.now();
    let caller = Caller::of_change(&mut change, actor).await?;
    let channel = caller.channel(change.connection(), channel).await?.channel;
    require_creator(&caller, change.connection(), &channel.name).await?;
    let name = store::service_account_name(&channel.name);
    user::require_free_name(change.connection(), "service account", &name).await?;
    user::require_seat(control, change.connection()).await?;

    let db = change.connection();
    let id = store::insert_principal(db, PrincipalKind::ServiceAccount, &name, now).await?;
    store::bind_service_account(db, id, channel.id).await?;
    let owners = store::owners_group(db, channel.id).await?;
    store::add_member(db, owners, id, now).await?;
    change.touch([Touched::Principal(id)]);
    let made =
        ServiceAccount { id, name, channel_id: channel.id, channel: channel.name, created_at: now };
    audit(&mut change, actor, "service_account.create", &made).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: made, revision })
}

/// The accounts that the caller may manage, by channel.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn list(
    control: &Control,
    actor: &Actor,
    page: &Page,
) -> Result<Listed<ServiceAccount>, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let view = caller.view();
    let found = store::list_service_accounts(&mut db, view, &page.names()).await?;
    Ok(Listed::page(found, page, |account| account.channel.to_string()))
}

/// Each channel on which the caller holds `manage`, with its account if it has one (product.md
/// S3).
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn list_manageable(
    control: &Control,
    actor: &Actor,
    page: &Page,
) -> Result<Listed<Manageable>, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let found = store::list_managed_channels(&mut db, caller.view(), &page.names()).await?;
    let found = found.into_iter().map(|(channel, account)| Manageable { channel, account });
    let found = found.collect::<Vec<_>>();
    Ok(Listed::page(found, page, |item| item.channel.channel.name.to_string()))
}

/// A channel that the caller may manage, with its account if it has one, and how that is used.
#[derive(Clone, Debug)]
pub struct Used {
    /// The channel.
    pub channel: ChannelDetails,
    /// Its account, and the use of its tokens.
    pub account: Option<(ServiceAccount, TokenUse)>,
}

/// As [`list_manageable`], with how the accounts' tokens are used, as the list is looked through.
///
/// # Errors
/// [`Error::NotSignedIn`], [`Error::InvalidField`] for a foreign cursor; [`Error::Store`].
pub async fn browse(
    control: &Control,
    actor: &Actor,
    look: &Look<'_, ChannelColumn>,
) -> Result<Listed<Used>, Error> {
    let now = control.now();
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, now).await?;
    let found = store::look_at_managed(&mut db, caller.view(), look, now).await;
    let (found, next_cursor) = found.map_err(cursor)?;
    let found = found.into_iter().map(|(channel, account)| Used { channel, account });
    Ok(Listed { items: found.collect(), next_cursor })
}

/// The account of a channel, if it has one, and how its tokens are used: for those who may manage it.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn of_channel(
    control: &Control,
    actor: &Actor,
    channel: &ChannelName,
) -> Result<Option<(ServiceAccount, TokenUse)>, Error> {
    let now = control.now();
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, now).await?;
    let channel = caller.channel(&mut db, channel).await?;
    if !caller.is_admin() {
        require_manage(&channel)?;
    }
    let account = store::service_account_of(&mut db, channel.channel.id).await?;
    let Some(account) = account else { return Ok(None) };
    let used = store::tokens_used(&mut db, account.id, now).await?;
    Ok(Some((account, used)))
}

/// One account.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn get(control: &Control, actor: &Actor, name: &str) -> Result<ServiceAccount, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    find(&caller, &mut db, name).await
}

/// Deletes an account and revokes its tokens, in one change.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`]; [`Error::Store`].
pub async fn delete(control: &Control, actor: &Actor, name: &str) -> Result<Committed<()>, Error> {
    let mut change = control.store.change(control.now()).await?;
    let caller = Caller::of_change(&mut change, actor).await?;
    let account = find(&caller, change.connection(), name).await?;
    require_creator(&caller, change.connection(), &account.channel).await?;
    end(&mut change, &account).await?;
    audit(&mut change, actor, "service_account.delete", &account).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: (), revision })
}

/// The account of that name, for those who may manage it; nobody else sees it.
pub(super) async fn find(
    caller: &Caller,
    db: &mut Connection,
    name: &str,
) -> Result<ServiceAccount, Error> {
    let not_found = || Error::not_found("service account", name);
    let account = store::service_account_named(db, name).await?.ok_or_else(not_found)?;
    let held = caller.held(db, account.channel_id).await?;
    if caller.is_admin() || held == Some(Permission::Manage) {
        Ok(account)
    } else {
        Err(not_found())
    }
}

/// Ends an account: its tokens are revoked, its memberships go, its name is free again.
pub(super) async fn end(change: &mut Change, account: &ServiceAccount) -> Result<(), Error> {
    let (now, revision) = (change.now(), change.revision());
    let db = change.connection();
    store::revoke_tokens(db, Revoke::AllOf(account.id), now, revision).await?;
    store::leave_all_groups(db, account.id).await?;
    store::unbind_service_account(db, account.id).await?;
    store::delete_principal(db, account.id, now).await?;
    change.touch([Touched::Principal(account.id)]);
    Ok(())
}

/// S1: role `admin`, and `manage` on the channel.
pub(super) async fn require_creator(
    caller: &Caller,
    db: &mut Connection,
    channel: &ChannelName,
) -> Result<(), Error> {
    caller.require_admin()?;
    require_manage(&caller.channel(db, channel).await?)
}

async fn audit(
    change: &mut Change,
    actor: &Actor,
    action: &'static str,
    account: &ServiceAccount,
) -> Result<(), Error> {
    let target = Target { kind: "service_account", id: account.id.0, name: &account.name };
    let state = Some(json!({ "name": account.name, "channel": account.channel.as_str() }));
    let (before, after) =
        if action == "service_account.delete" { (state, None) } else { (None, state) };
    Ok(change.audit(actor, Event { action, target, before, after }).await?)
}
