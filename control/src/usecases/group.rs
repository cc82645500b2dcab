//! Groups: who is in them, and what they may do on which channel.

use access::source::Touched;
use access::{ChannelName, Permission};
use serde_json::json;

use super::caller::{Caller, require_manage};
use super::{Committed, Control, Error};
use crate::Actor;
use crate::store::{self, Change, Event, Group, PrincipalKind, Target};

/// Adds a user or service account to a channel's group of owners (for `manage` holders), or to any
/// group (for admins). Adding who is in already is fine.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`]; [`Error::Store`].
pub async fn add_member(
    control: &Control,
    actor: &Actor,
    group: &str,
    member: &str,
) -> Result<Committed<()>, Error> {
    let (mut change, found) = begin(control, actor, group).await?;
    let now = change.now();
    let db = change.connection();
    let principal = store::principal_named(db, member).await?;
    let principal = principal.ok_or_else(|| Error::not_found("principal", member))?;
    store::add_member(db, found.id, principal.id, now).await?;
    change.touch([Touched::Principal(principal.id)]);
    let after = Some(json!({ "member": member }));
    finish(change, actor, ("group.add_member", group, found), after).await
}

/// Takes a user or service account out of a group. Taking out who isn't in is fine.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::LastOwner`]; [`Error::Store`].
pub async fn remove_member(
    control: &Control,
    actor: &Actor,
    group: &str,
    member: &str,
) -> Result<Committed<()>, Error> {
    let (mut change, found) = begin(control, actor, group).await?;
    let db = change.connection();
    let principal = store::principal_named(db, member).await?;
    let principal = principal.ok_or_else(|| Error::not_found("principal", member))?;
    let was_in = store::remove_member(db, found.id, principal.id).await?;
    let is_user = principal.kind == PrincipalKind::User;
    if was_in
        && is_user
        && found.owners_of.is_some()
        && store::count_users_in(db, found.id).await? == 0
    {
        return Err(Error::LastOwner { group: group.to_owned() });
    }
    change.touch([Touched::Principal(principal.id)]);
    let after = Some(json!({ "not_member": member }));
    finish(change, actor, ("group.remove_member", group, found), after).await
}

/// Sets what a group's members may do on a channel, or takes it from them. For who holds `manage`
/// on that channel; what a channel's owners hold on it never changes.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`]; [`Error::Store`].
pub async fn set_permission(
    control: &Control,
    actor: &Actor,
    group: &str,
    channel: &ChannelName,
    permission: Option<Permission>,
) -> Result<Committed<()>, Error> {
    let mut change = control.store.change(control.now()).await?;
    let now = change.now();
    let db = change.connection();
    let caller = Caller::verify(db, actor, now).await?;
    let channel = caller.channel(db, channel).await?;
    if !caller.is_admin() {
        require_manage(&channel)?;
    }
    let found = store::find_group(db, group).await?;
    let found = found.ok_or_else(|| Error::not_found("group", group))?;
    let id = channel.channel.id;
    if found.owners_of == Some(id) {
        return Err(Error::NotPermitted {
            needs: format!("another group: `{group}` always holds `manage` on its channel"),
            who: "nobody".into(),
        });
    }
    store::set_group_permission(db, found.id, id, permission).await?;
    // F1: read after the counter was taken, so that nobody joins between this and the commit.
    let members = store::members(db, found.id, store::MORE_THAN_ENTRIES).await?;
    change.touch(members.into_iter().map(Touched::Principal));
    let name = channel.channel.name.as_str();
    let after = Some(json!({ "channel": name, "permission": permission.map(Permission::as_str) }));
    finish(change, actor, ("group.set_permission", group, found), after).await
}

/// Begins a change of a group's members, if the actor may change them.
async fn begin(control: &Control, actor: &Actor, name: &str) -> Result<(Change, Group), Error> {
    let mut change = control.store.change(control.now()).await?;
    let now = change.now();
    let db = change.connection();
    let caller = Caller::verify(db, actor, now).await?;
    let not_found = || Error::not_found("group", name);
    let group = store::find_group(db, name).await?.ok_or_else(not_found)?;
    let manages = match group.owners_of {
        Some(channel) => caller.held(db, channel).await? == Some(Permission::Manage),
        None => false,
    };
    if manages || caller.is_admin() { Ok((change, group)) } else { Err(not_found()) }
}

async fn finish(
    mut change: Change,
    actor: &Actor,
    (action, name, group): (&'static str, &str, Group),
    after: Option<serde_json::Value>,
) -> Result<Committed<()>, Error> {
    let target = Target { kind: "group", id: group.id.0, name };
    change.audit(actor, Event { action, target, before: None, after }).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: (), revision })
}
