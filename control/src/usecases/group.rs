//! Groups: who is in them, and what they may do on which channel.

use access::source::Touched;
use access::{ChannelName, Permission};
use serde_json::{Value, json};

use super::caller::{Caller, require_manage};
use super::names::{check_group_name, check_text};
use super::{Committed, Control, Error, Listed, Page, cursor};
use crate::Actor;
use crate::store::{
    self, Change, Connection, Event, Group, GroupColumn, GroupDetails, Look, NamePart, Principal,
    PrincipalKind, Target,
};

/// What to change of a group; what is not said stays.
#[derive(Clone, Debug, Default)]
pub struct GroupEdit {
    /// Its name.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
}

/// Makes a group without members or permissions. For admins.
///
/// # Errors
/// [`Error::InvalidField`], [`Error::NotPermitted`], [`Error::NameTaken`]; [`Error::Store`].
pub async fn create(
    control: &Control,
    actor: &Actor,
    name: &str,
    description: &str,
) -> Result<Committed<Group>, Error> {
    check_group_name(name)?;
    check_text("description", description)?;
    let mut change = begin(control, actor).await?;
    require_free_name(&mut change, name).await?;
    let now = change.now();
    let db = change.connection();
    let id = store::insert_group(db, name, description, None, now).await?;
    let (name, description) = (name.to_owned(), description.to_owned());
    let made = Group { id, name, description, owners_of: None, created_at: now };
    let after = Some(shown(&made));
    let done = finish(change, actor, ("group.create", &made), (None, after)).await?;
    Ok(Committed { value: made, revision: done.revision })
}

/// The groups that the caller sees, by name: those they are in, and those that may do something
/// on a channel they manage; admins see all.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn list(control: &Control, actor: &Actor, page: &Page) -> Result<Listed<Group>, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let found = store::list_groups(&mut db, caller.view(), &page.names()).await?;
    Ok(Listed::page(found, page, |group| group.name.clone()))
}

/// The groups that the caller sees, as they are looked through.
///
/// # Errors
/// [`Error::NotSignedIn`], [`Error::InvalidField`] for a foreign cursor; [`Error::Store`].
pub async fn browse(
    control: &Control,
    actor: &Actor,
    look: &Look<'_, GroupColumn>,
) -> Result<Listed<Group>, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let found = store::look_at_groups(&mut db, caller.view(), look).await;
    let (items, next_cursor) = found.map_err(cursor)?;
    Ok(Listed { items, next_cursor })
}

/// One group with its members, and its permissions on the channels that the caller may see.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn get(control: &Control, actor: &Actor, name: &str) -> Result<GroupDetails, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let group = visible(&caller, &mut db, name).await?;
    let all = NamePart { after: "", prefix: "", limit: Page::MAX_LIMIT };
    Ok(store::group_details(&mut db, caller.view(), group, (all, all)).await?)
}

/// A group with a page of its members, and a page of its permissions on the channels that the caller
/// may see.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The group.
    pub group: Group,
    /// How many members it has.
    pub member_count: i64,
    /// Members, by name.
    pub members: Listed<Principal>,
    /// What they may do on which channel, by channel.
    pub permissions: Listed<(ChannelName, Permission)>,
}

/// One group, page by page.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn look(
    control: &Control,
    actor: &Actor,
    name: &str,
    (members, permissions): (&Page, &Page),
) -> Result<Looked, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let group = visible(&caller, &mut db, name).await?;
    let parts = (members.part(), permissions.part());
    let found = store::group_details(&mut db, caller.view(), group, parts).await?;
    Ok(Looked {
        group: found.group,
        member_count: found.member_count,
        members: Listed::page(found.members, members, |member| member.name.clone()),
        permissions: Listed::page(found.permissions, permissions, |(name, _)| name.to_string()),
    })
}

/// Changes a group's name or description. For admins; the owners of a channel are named for it.
///
/// # Errors
/// [`Error::InvalidField`], [`Error::NotPermitted`], [`Error::NotFound`], [`Error::NameTaken`],
/// [`Error::OwnersGroup`]; [`Error::Store`].
pub async fn edit(
    control: &Control,
    actor: &Actor,
    name: &str,
    edit: GroupEdit,
) -> Result<Committed<Group>, Error> {
    check_text("description", edit.description.as_deref().unwrap_or_default())?;
    let mut change = begin(control, actor).await?;
    let before = find(change.connection(), name).await?;
    let mut after = before.clone();
    after.description = edit.description.unwrap_or(after.description);
    if let Some(new) = edit.name.filter(|new| *new != before.name) {
        require_plain(&before)?;
        check_group_name(&new)?;
        require_free_name(&mut change, &new).await?;
        after.name = new;
    }
    if after == before {
        return Ok(Committed { value: after, revision: change.last() });
    }
    store::update_group(change.connection(), &after).await?;
    let states = (Some(shown(&before)), Some(shown(&after)));
    let done = finish(change, actor, ("group.edit", &after), states).await?;
    Ok(Committed { value: after, revision: done.revision })
}

/// Deletes a group; its members lose what it gave them. For admins; the owners of a channel go
/// only with it.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotFound`], [`Error::OwnersGroup`]; [`Error::Store`].
pub async fn delete(control: &Control, actor: &Actor, name: &str) -> Result<Committed<()>, Error> {
    let mut change = begin(control, actor).await?;
    let group = find(change.connection(), name).await?;
    require_plain(&group)?;
    touch_members(&mut change, &group).await?;
    store::delete_group(change.connection(), group.id).await?;
    let before = Some(shown(&group));
    finish(change, actor, ("group.delete", &group), (before, None)).await
}

/// Adds a user or service account to a group. For admins; to a channel's owners also for who holds
/// `manage` on it, and to another group for who holds `manage` on every channel that it may do
/// something on (product.md S11). Adding who is in already is fine.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`]; [`Error::Store`].
pub async fn add_member(
    control: &Control,
    actor: &Actor,
    group: &str,
    member: &str,
) -> Result<Committed<()>, Error> {
    set_member(control, actor, (group, member), true).await
}

/// Takes a user or service account out of a group, as [`add_member`] adds them. Taking out who
/// isn't in is fine.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::LastOwner`]; [`Error::Store`].
pub async fn remove_member(
    control: &Control,
    actor: &Actor,
    group: &str,
    member: &str,
) -> Result<Committed<()>, Error> {
    set_member(control, actor, (group, member), false).await
}

async fn set_member(
    control: &Control,
    actor: &Actor,
    (group, member): (&str, &str),
    belongs: bool,
) -> Result<Committed<()>, Error> {
    let mut change = control.store.change(control.now()).await?;
    let now = change.now();
    let caller = Caller::of_change(&mut change, actor).await?;
    let db = change.connection();
    let group = visible(&caller, db, group).await?;
    require_member_manager(&caller, db, &group).await?;
    let principal = store::principal_named(db, member).await?;
    let principal = principal.ok_or_else(|| Error::not_found("principal", member))?;
    let changed = if belongs {
        store::add_member(db, group.id, principal.id, now).await?
    } else {
        store::remove_member(db, group.id, principal.id).await?
    };
    if !changed {
        return Ok(Committed { value: (), revision: change.last() });
    }
    if !belongs
        && group.owners_of.is_some()
        && principal.kind == PrincipalKind::User
        && store::count_users_in(db, group.id).await? == 0
    {
        return Err(Error::LastOwner { group: group.name });
    }
    change.touch([Touched::Principal(principal.id)]);
    let state = |is_in: bool| is_in.then(|| json!({ "member": member }));
    let states = (state(!belongs), state(belongs));
    let action = if belongs { "group.add_member" } else { "group.remove_member" };
    finish(change, actor, (action, &group), states).await
}

/// Sets what a group's members may do on a channel, or takes it from them. For admins, and for who
/// holds `manage` on that channel; what a channel's owners hold on it never changes.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::OwnersGroup`]; [`Error::Store`].
pub async fn set_permission(
    control: &Control,
    actor: &Actor,
    group: &str,
    channel: &ChannelName,
    permission: Option<Permission>,
) -> Result<Committed<()>, Error> {
    let mut change = control.store.change(control.now()).await?;
    let caller = Caller::of_change(&mut change, actor).await?;
    let db = change.connection();
    let channel = caller.channel(db, channel).await?;
    if !caller.is_admin() {
        require_manage(&channel)?;
    }
    let group = find(db, group).await?;
    let id = channel.channel.id;
    if group.owners_of == Some(id) {
        return Err(Error::OwnersGroup { group: group.name });
    }
    let before = store::group_permission(db, group.id, id).await?;
    if before == permission {
        return Ok(Committed { value: (), revision: change.last() });
    }
    store::set_group_permission(db, group.id, id, permission).await?;
    touch_members(&mut change, &group).await?;
    let name = channel.channel.name.as_str();
    let state = |held: Option<Permission>| {
        held.map(|held| json!({ "channel": name, "permission": held.as_str() }))
    };
    let states = (state(before), state(permission));
    finish(change, actor, ("group.set_permission", &group), states).await
}

/// Begins a change that only an admin may make.
async fn begin(control: &Control, actor: &Actor) -> Result<Change, Error> {
    let mut change = control.store.change(control.now()).await?;
    Caller::of_change(&mut change, actor).await?.require_admin()?;
    Ok(change)
}

async fn find(db: &mut Connection, name: &str) -> Result<Group, Error> {
    store::find_group(db, name).await?.ok_or_else(|| Error::not_found("group", name))
}

/// The group of that name, if the caller sees it; one answer for hidden and absent.
pub(super) async fn visible(
    caller: &Caller,
    db: &mut Connection,
    name: &str,
) -> Result<Group, Error> {
    let found = store::find_seen_group(db, caller.view(), name).await?;
    found.ok_or_else(|| Error::not_found("group", name))
}

/// Whoever adds a member gives what the group holds: they must be able to give all of it.
pub(super) async fn require_member_manager(
    caller: &Caller,
    db: &mut Connection,
    group: &Group,
) -> Result<(), Error> {
    if caller.is_admin() {
        return Ok(());
    }
    let manages = match group.owners_of {
        Some(channel) => caller.held(db, channel).await? == Some(Permission::Manage),
        None => store::manages_all_of(db, (caller.id(), caller.limit()), group.id).await?,
    };
    if manages { Ok(()) } else { Err(Error::needs_group(&group.name)) }
}

pub(super) fn require_plain(group: &Group) -> Result<(), Error> {
    match group.owners_of {
        None => Ok(()),
        Some(_) => Err(Error::OwnersGroup { group: group.name.clone() }),
    }
}

async fn require_free_name(change: &mut Change, name: &str) -> Result<(), Error> {
    match store::find_group(change.connection(), name).await? {
        None => Ok(()),
        Some(_) => Err(Error::NameTaken { kind: "group", name: name.to_owned() }),
    }
}

/// F1: read after the counter was taken, so that nobody joins between this and the commit.
async fn touch_members(change: &mut Change, group: &Group) -> Result<(), Error> {
    let members = store::members(change.connection(), group.id, store::MORE_THAN_ENTRIES).await?;
    change.touch(members.into_iter().map(Touched::Principal));
    Ok(())
}

async fn finish(
    mut change: Change,
    actor: &Actor,
    (action, group): (&'static str, &Group),
    (before, after): (Option<Value>, Option<Value>),
) -> Result<Committed<()>, Error> {
    let target = Target { kind: "group", id: group.id.0, name: &group.name };
    change.audit(actor, Event { action, target, before, after }).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: (), revision })
}

fn shown(group: &Group) -> Value {
    json!({ "name": group.name, "description": group.description })
}
