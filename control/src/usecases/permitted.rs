//! What the caller could do, for whoever offers it: a form that would be refused is refused when it
//! is opened. The use case that does it decides again, by the same checks.

use access::{ChannelName, Permission};

use super::caller::Caller;
use super::{Control, Error, channel, group, service_account, token, user};
use crate::Actor;
use crate::store::{self, Connection, Group, NameRange};

/// What the caller may change of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupChanges {
    /// Who is in it.
    pub members: bool,
    /// What it may do on which of its channels.
    pub permissions: Vec<ChannelName>,
    /// What it may do on another channel.
    pub any_channel: bool,
}

/// Role `admin`.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn as_admin(control: &Control, actor: &Actor) -> Result<(), Error> {
    let mut db = control.store.reader().await?;
    Caller::verify(&mut db, actor, control.now()).await?.require_admin()
}

/// Changing a channel, and deleting it.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotFound`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn channel_change(
    control: &Control,
    actor: &Actor,
    name: &ChannelName,
) -> Result<(), Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    channel::managed(&caller, &mut db, name).await.map(drop)
}

/// Making some channel.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn channel_creation(control: &Control, actor: &Actor) -> Result<(), Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    channel::require_some_creator(control, &caller)
}

/// Making a user: by an admin, while there is a seat.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::SeatLimit`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn user_creation(control: &Control, actor: &Actor) -> Result<(), Error> {
    let mut db = control.store.reader().await?;
    Caller::verify(&mut db, actor, control.now()).await?.require_admin()?;
    user::require_seat(control, &mut db).await
}

/// Making the service account of a channel (product.md S1, S2).
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotFound`], [`Error::NameTaken`], [`Error::SeatLimit`],
/// [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn service_account_creation(
    control: &Control,
    actor: &Actor,
    name: &ChannelName,
) -> Result<(), Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let found = caller.channel(&mut db, name).await?;
    service_account::require_creator(&caller, &mut db, &found.channel.name).await?;
    let account = store::service_account_name(name);
    user::require_free_name(&mut db, "service account", &account).await?;
    user::require_seat(control, &mut db).await
}

/// Deleting a service account (product.md S1).
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotFound`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn service_account_deletion(
    control: &Control,
    actor: &Actor,
    name: &str,
) -> Result<(), Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let account = service_account::find(&caller, &mut db, name).await?;
    service_account::require_creator(&caller, &mut db, &account.channel).await
}

/// Issuing and changing the tokens of a service account or a user (product.md S1).
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotFound`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn token_issue(control: &Control, actor: &Actor, principal: &str) -> Result<(), Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    token::managed_principal(control, &caller, &mut db, principal).await.map(drop)
}

/// Deleting a group; the owners of a channel go only with it.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotFound`], [`Error::OwnersGroup`], [`Error::NotSignedIn`];
/// [`Error::Store`].
pub async fn group_deletion(control: &Control, actor: &Actor, name: &str) -> Result<(), Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let found = group::visible(&caller, &mut db, name).await?;
    caller.require_admin()?;
    group::require_plain(&found)
}

/// Changing who is in a group.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotFound`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn membership_change(control: &Control, actor: &Actor, name: &str) -> Result<(), Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let found = group::visible(&caller, &mut db, name).await?;
    group::require_member_manager(&caller, &mut db, &found).await
}

/// What the caller may change of a group that they see, of these permissions of it, by channel.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn group_changes(
    control: &Control,
    actor: &Actor,
    group: &Group,
    permissions: &[(ChannelName, Permission)],
) -> Result<GroupChanges, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let members = changes_members(&caller, &mut db, group).await?;
    if caller.is_admin() {
        let permissions = permissions.iter().map(|(name, _)| name.clone()).collect();
        return Ok(GroupChanges { members, permissions, any_channel: true });
    }
    let changed = match (permissions.first(), permissions.last()) {
        (Some((first, _)), Some((last, _))) => {
            let whose = (caller.id(), caller.limit());
            store::managed_of(&mut db, whose, group.id, (first, last)).await?
        }
        _ => Vec::new(),
    };
    let one = NameRange::new("", None, 1);
    let managed = store::list_managed_channels(&mut db, caller.view(), &one).await?;
    Ok(GroupChanges { members, permissions: changed, any_channel: !managed.is_empty() })
}

/// Whether the caller may change who is in a group.
pub(super) async fn changes_members(
    caller: &Caller,
    db: &mut Connection,
    group: &Group,
) -> Result<bool, Error> {
    match group::require_member_manager(caller, db, group).await {
        Ok(()) => Ok(true),
        Err(Error::NotPermitted { .. }) => Ok(false),
        Err(other) => Err(other),
    }
}
