//! Who reaches a channel, what an account reaches, and what a token could be issued for.

use access::{ChannelName, Permission};

use super::caller::{Caller, require_manage};
use super::{Control, Error, Page, service_account};
use crate::Actor;
use crate::store::{self, GroupDetails, Reach};

/// How many groups of a channel, and how many members of each, are told.
const MAX_GROUPS: u32 = 100;

/// A group with what it may do on a channel.
#[derive(Clone, Debug)]
pub struct Access {
    /// The group; the first of its members.
    pub group: GroupDetails,
    /// What it may do on the channel.
    pub permission: Permission,
    /// Whether it is the channel's group of owners.
    pub is_owners: bool,
}

/// The groups that may do something on a channel, the mightiest first: for whoever holds `manage`
/// on it, and for admins.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn groups(
    control: &Control,
    actor: &Actor,
    name: &ChannelName,
) -> Result<Vec<Access>, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let channel = caller.channel(&mut db, name).await?;
    if !caller.is_admin() {
        require_manage(&channel)?;
    }
    let owners = store::owners_name(name);
    let mut found = Vec::new();
    for (group, permission) in store::groups_on(&mut db, channel.channel.id, MAX_GROUPS).await? {
        // One that was deleted meanwhile is none.
        let Some(group) = store::find_group(&mut db, &group).await? else { continue };
        let is_owners = group.name == owners;
        let group = store::group_details(&mut db, caller.view(), group, MAX_GROUPS).await?;
        found.push(Access { group, permission, is_owners });
    }
    Ok(found)
}

/// The channels that a service account reaches, and through which group (product.md S11): for
/// whoever manages the account.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn of_account(control: &Control, actor: &Actor, name: &str) -> Result<Vec<Reach>, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let account = service_account::find(&caller, &mut db, name).await?;
    Ok(store::reached_by(&mut db, account.id, Page::MAX_LIMIT).await?)
}

/// The channels for which the caller could issue a token of a service account, or of their own, and
/// with how much at most (product.md S6).
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn grantable(
    control: &Control,
    actor: &Actor,
    account: Option<&str>,
) -> Result<Vec<(ChannelName, Permission)>, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let own = mightiest(store::reached_by(&mut db, caller.id(), Page::MAX_LIMIT).await?);
    let Some(account) = account else { return Ok(own) };
    let account = service_account::find(&caller, &mut db, account).await?;
    let reached = mightiest(store::reached_by(&mut db, account.id, Page::MAX_LIMIT).await?);
    let both = reached.into_iter().filter_map(|(channel, permission)| {
        let (_, held) = own.iter().find(|(own, _)| *own == channel)?;
        Some((channel, permission.min(*held)))
    });
    Ok(both.collect())
}

/// Each channel once, with the most that a group gives on it.
fn mightiest(mut reached: Vec<Reach>) -> Vec<(ChannelName, Permission)> {
    reached.dedup_by(|later, first| later.channel == first.channel);
    reached.into_iter().map(|reach| (reach.channel, reach.permission)).collect()
}
