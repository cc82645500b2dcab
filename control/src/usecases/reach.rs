//! Who reaches a channel, what an account reaches, and what a token could be issued for.

use access::{ChannelName, Permission};

use super::caller::{Caller, require_manage};
use super::{Control, Error, Listed, Page, permitted, service_account};
use crate::Actor;
use crate::store::{self, Grantable, GroupDetails, NamePart, Pattern, Reach};

/// How many members of a channel's group are told.
const MEMBERS: u32 = 8;

/// A group with what it may do on a channel.
#[derive(Clone, Debug)]
pub struct Access {
    /// The group with the first of its members, and none of its permissions.
    pub group: GroupDetails,
    /// What it may do on the channel.
    pub permission: Permission,
    /// Whether it is the channel's group of owners.
    pub is_owners: bool,
    /// Whether the caller may change who is in it.
    pub changes_members: bool,
}

/// The groups with `part` in their name that may do something on a channel, the mightiest first: for
/// whoever holds `manage` on it, and for admins.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::InvalidField`] for a foreign cursor,
/// [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn groups(
    control: &Control,
    actor: &Actor,
    (name, part): (&ChannelName, &str),
    page: &Page,
) -> Result<Listed<Access>, Error> {
    let after = page.after.as_deref().map(|cursor| {
        let (permission, group) = cursor.split_once(' ')?;
        Some((permission.parse().ok()?, group.to_owned()))
    });
    let after = after.map(|place| place.ok_or_else(|| Error::invalid("cursor", "not one of ours")));
    let after = after.transpose()?;
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let channel = caller.channel(&mut db, name).await?;
    if !caller.is_admin() {
        require_manage(&channel)?;
    }
    let owners = store::owners_name(name);
    let wanted = (channel.channel.id, &Pattern::containing(part));
    let groups = store::groups_on(&mut db, wanted, after.as_ref(), page.probe()).await?;
    let groups = Listed::page(groups, page, |(name, permission)| format!("{permission} {name}"));
    let first = NamePart { after: "", prefix: "", limit: MEMBERS };
    let none = NamePart { limit: 0, ..first };
    let mut items = Vec::new();
    for (group, permission) in groups.items {
        // One that was deleted meanwhile is none.
        let Some(group) = store::find_group(&mut db, &group).await? else { continue };
        let is_owners = group.name == owners;
        let changes_members = permitted::changes_members(&caller, &mut db, &group).await?;
        let group = store::group_details(&mut db, caller.view(), group, (first, none)).await?;
        items.push(Access { group, permission, is_owners, changes_members });
    }
    Ok(Listed { items, next_cursor: groups.next_cursor })
}

/// The channels whose name begins as the page says that a service account reaches, each with every
/// group through which it does (product.md S11): for whoever manages the account.
///
/// # Errors
/// [`Error::NotFound`], [`Error::InvalidField`] for a foreign cursor, [`Error::NotSignedIn`];
/// [`Error::Store`].
pub async fn of_account(
    control: &Control,
    actor: &Actor,
    name: &str,
    page: &Page,
) -> Result<Listed<Reach>, Error> {
    let after = page.after.as_deref().map(|cursor| cursor.split_once(' '));
    let after = after.map(|pair| pair.ok_or_else(|| Error::invalid("cursor", "not one of ours")));
    let after = after.transpose()?.unwrap_or_default();
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let account = service_account::find(&caller, &mut db, name).await?;
    let part = (after, page.probe());
    let found = store::reached_by(&mut db, account.id, &page.prefix, part).await?;
    // No name has a space.
    Ok(Listed::page(found, page, |reach| format!("{} {}", reach.channel, reach.group)))
}

/// The channels with the page's beginning anywhere in their name for which the caller could issue a
/// token of a service account, or of their own; and the most that they could grant anywhere
/// (product.md S6).
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn grantable(
    control: &Control,
    actor: &Actor,
    account: Option<&str>,
    page: &Page,
) -> Result<(Listed<Grantable>, Option<Permission>), Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let own = store::most_held(&mut db, caller.id()).await?;
    let (principal, most) = match account {
        Some(account) => {
            let account = service_account::find(&caller, &mut db, account).await?;
            (account.id, own.min(store::most_held(&mut db, account.id).await?))
        }
        None => (caller.id(), own),
    };
    let part = (page.after.as_deref().unwrap_or_default(), page.probe());
    let pattern = Pattern::containing(&page.prefix);
    let both = (principal, caller.id());
    let found = store::grantable_channels(&mut db, both, &pattern, part).await?;
    Ok((Listed::page(found, page, |found| found.channel.to_string()), most))
}
