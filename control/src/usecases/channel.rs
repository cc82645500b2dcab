//! Channels.

mod binding;

use std::sync::Arc;

use access::source::Touched;
use access::{Channel, ChannelId, ChannelName, Permission, Privacy};
use serde_json::{Value, json};

use binding::{check_prefix, choose_storage, needs_binder, require_own_files};

use super::caller::{Caller, require_manage};
use super::names::check_text;
use super::{Committed, Control, Error, Listed, Page, seen};
use crate::store::{self, Change, ChannelDetails, Connection, Event, Revoke, Target};
use crate::{Actor, ChannelCreators};

/// A channel to be made.
#[derive(Clone, Debug)]
pub struct NewChannel {
    /// Its name.
    pub name: ChannelName,
    /// For people.
    pub description: String,
    /// Who may download from it.
    pub privacy: Privacy,
    /// The configured storage that holds its files; may be left out where there is only one.
    pub storage: Option<String>,
    /// Where in that storage; its own name when not said.
    pub prefix: Option<String>,
    /// Whether a grant on it covers the channels below it too.
    pub include_subchannels: bool,
}

/// What to change of a channel; what is not said stays.
#[derive(Clone, Debug, Default)]
pub struct ChannelEdit {
    /// For people.
    pub description: Option<String>,
    /// Who may download from it.
    pub privacy: Option<Privacy>,
    /// The configured storage that holds its files.
    pub storage: Option<String>,
    /// Where in that storage.
    pub prefix: Option<String>,
    /// Whether a grant on it covers the channels below it too.
    pub include_subchannels: Option<bool>,
    /// The [`fingerprint`] of what the caller saw, if they mean to change that alone.
    pub seen: Option<String>,
}

/// Makes a channel with its group of owners, and the caller one of them.
///
/// # Errors
/// [`Error::InvalidField`], [`Error::NotPermitted`], [`Error::NameTaken`]; [`Error::Store`].
pub async fn create(
    control: &Control,
    actor: &Actor,
    new: NewChannel,
) -> Result<Committed<ChannelDetails>, Error> {
    check_first_segment(control, &new.name)?;
    let storage = choose_storage(control, new.storage)?;
    check_text("description", &new.description)?;
    let prefix = new.prefix.unwrap_or_else(|| new.name.to_string());
    check_prefix(&prefix)?;

    let mut change = control.store.change(control.now()).await?;
    let now = change.now();
    let caller = Caller::of_change(&mut change, actor).await?;
    let db = change.connection();
    require_creator(control, db, &caller, &new.name).await?;
    if new.include_subchannels {
        require_subchannels(db, &caller, &new.name).await?;
    }
    if !caller.is_admin() {
        require_own_files(db, &caller, &new.name, (&storage, &prefix)).await?;
    }
    let mut made = ChannelDetails {
        channel: Channel {
            id: ChannelId(0),
            name: new.name,
            privacy: new.privacy,
            storage: Arc::from(storage),
            prefix: Arc::from(prefix),
            include_subchannels: new.include_subchannels,
        },
        description: new.description,
        created_at: now,
        permission: Some(Permission::Manage),
    };
    made.channel.id = store::insert_channel(change.connection(), &made, caller.id()).await?;
    add_owners(&mut change, &made.channel, &caller).await?;
    change.touch([Touched::Channel(made.channel.id)]);
    audit(&mut change, actor, "channel.create", (None, Some(&made))).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: made, revision })
}

/// All that is wrong with what is said of a channel to be made, of itself: [`create`] tells the first.
pub fn faults(control: &Control, new: &NewChannel) -> Vec<Error> {
    let checks = [
        check_first_segment(control, &new.name),
        choose_storage(control, new.storage.clone()).map(drop),
        check_text("description", &new.description),
        new.prefix.as_deref().map_or(Ok(()), check_prefix),
    ];
    checks.into_iter().filter_map(Result::err).collect()
}

/// The channels that the caller may see, by name.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn list(
    control: &Control,
    actor: &Actor,
    page: &Page,
) -> Result<Listed<ChannelDetails>, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let found = store::list_channels(&mut db, caller.view(), &page.names()).await?;
    Ok(Listed::page(found, page, |item| item.channel.name.to_string()))
}

/// One channel.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn get(
    control: &Control,
    actor: &Actor,
    name: &ChannelName,
) -> Result<ChannelDetails, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    caller.channel(&mut db, name).await
}

/// Changes a channel: for who holds `manage` on it, and for admins; to which files it is bound for
/// admins alone.
///
/// # Errors
/// [`Error::InvalidField`], [`Error::NotFound`], [`Error::NotPermitted`],
/// [`Error::ChangedMeanwhile`]; [`Error::Store`].
pub async fn edit(
    control: &Control,
    actor: &Actor,
    name: &ChannelName,
    edit: ChannelEdit,
) -> Result<Committed<ChannelDetails>, Error> {
    check_text("description", edit.description.as_deref().unwrap_or_default())?;
    check_prefix(edit.prefix.as_deref().unwrap_or_default())?;
    let storage = edit.storage.map(|storage| choose_storage(control, Some(storage))).transpose()?;

    let mut change = control.store.change(control.now()).await?;
    let caller = Caller::of_change(&mut change, actor).await?;
    let db = change.connection();
    let before = managed(&caller, db, name).await?;
    seen::check(edit.seen.as_deref(), &fingerprint(&before), ("channel", name.as_str()))?;
    let mut after = before.clone();
    after.description = edit.description.unwrap_or(after.description);
    let channel = &mut after.channel;
    channel.privacy = edit.privacy.unwrap_or(channel.privacy);
    channel.storage = storage.map_or_else(|| Arc::clone(&channel.storage), Arc::from);
    channel.prefix = edit.prefix.map_or_else(|| Arc::clone(&channel.prefix), Arc::from);
    channel.include_subchannels = edit.include_subchannels.unwrap_or(channel.include_subchannels);
    let was = &before.channel;
    let rebinds = (&channel.storage, &channel.prefix) != (&was.storage, &was.prefix);
    if rebinds && !caller.is_admin() {
        return Err(needs_binder());
    }
    if channel.include_subchannels && !was.include_subchannels {
        require_subchannels(db, &caller, name).await?;
    }
    if after == before {
        return Ok(Committed { value: after, revision: change.last() });
    }
    store::update_channel(db, &after).await?;
    change.touch([Touched::Channel(was.id)]);
    if was.privacy == Privacy::Public && after.channel.privacy != Privacy::Public {
        change.ends_public();
    }
    audit(&mut change, actor, "channel.edit", (Some(&before), Some(&after))).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: after, revision })
}

/// Deletes a channel and, in the same change, its group of owners, its service account, and its
/// share in every token; a token that has no other channel is revoked. Files are not touched.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`]; [`Error::Store`].
pub async fn delete(
    control: &Control,
    actor: &Actor,
    name: &ChannelName,
) -> Result<Committed<()>, Error> {
    let mut change = control.store.change(control.now()).await?;
    let (now, revision) = (change.now(), change.revision());
    let caller = Caller::of_change(&mut change, actor).await?;
    let found = managed(&caller, change.connection(), name).await?;
    let id = found.channel.id;
    if let Some(account) = store::service_account_of(change.connection(), id).await? {
        super::service_account::end(&mut change, &account).await?;
    }
    let db = change.connection();
    store::revoke_tokens(db, Revoke::OnlyOn(id), now, revision).await?;
    let values = store::values_revoked_by(db, revision, store::MORE_THAN_ENTRIES).await?;
    store::delete_channel(db, id).await?;
    change.touch(values);
    change.touch([Touched::Channel(id)]);
    if found.channel.privacy == Privacy::Public {
        change.ends_public();
    }
    audit(&mut change, actor, "channel.delete", (Some(&found), None)).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: (), revision })
}

/// The channel that a `manage` holder or an admin is about to change.
pub(super) async fn managed(
    caller: &Caller,
    db: &mut Connection,
    name: &ChannelName,
) -> Result<ChannelDetails, Error> {
    let found = caller.channel(db, name).await?;
    if !caller.is_admin() {
        require_manage(&found)?;
    }
    Ok(found)
}

fn check_first_segment(control: &Control, name: &ChannelName) -> Result<(), Error> {
    let first = name.first_segment();
    if control.settings.reserved_first_segments.iter().any(|reserved| reserved == first) {
        let message = format!("`{first}` begins one of the gateway's mount prefixes");
        return Err(Error::invalid("name", message));
    }
    Ok(())
}

/// `control.channel_creators`; a token that stands in a client's URL creates nothing.
pub(super) fn require_some_creator(control: &Control, caller: &Caller) -> Result<(), Error> {
    if control.settings.channel_creators == ChannelCreators::Admins || !caller.is_user() {
        caller.require_admin()?;
    }
    caller.require_sign_in()
}

/// Where everyone creates, a channel can only go where its creator
/// manages all that is above it.
async fn require_creator(
    control: &Control,
    db: &mut Connection,
    caller: &Caller,
    name: &ChannelName,
) -> Result<(), Error> {
    require_some_creator(control, caller)?;
    if store::channel_named(db, name.as_str()).await?.is_some() {
        return Err(Error::NameTaken { kind: "channel", name: name.to_string() });
    }
    if caller.is_admin() {
        return Ok(());
    }
    for parent in name.parents() {
        if let Some(id) = store::channel_named(db, parent).await?
            && caller.held(db, id).await? != Some(Permission::Manage)
        {
            return Err(Error::NotPermitted {
                needs: format!("`manage` on the channels above `{name}`"),
                who: "an admin".into(),
            });
        }
    }
    Ok(())
}

/// Whoever lets a channel's grants cover those below it must manage them all.
async fn require_subchannels(
    db: &mut Connection,
    caller: &Caller,
    name: &ChannelName,
) -> Result<(), Error> {
    if caller.is_admin() {
        return Ok(());
    }
    for id in store::channels_below(db, name).await? {
        if caller.held(db, id).await? != Some(Permission::Manage) {
            return Err(Error::NotPermitted {
                needs: format!("`manage` on every channel below `{name}`"),
                who: "an admin".into(),
            });
        }
    }
    Ok(())
}

/// Every channel has its group of owners, made and deleted only with it (product.md, "group").
async fn add_owners(change: &mut Change, channel: &Channel, creator: &Caller) -> Result<(), Error> {
    let now = change.now();
    let db = change.connection();
    let name = store::owners_name(&channel.name);
    let description = format!("Owners of {}", channel.name);
    let group = store::insert_group(db, &name, &description, Some(channel.id), now).await?;
    store::set_group_permission(db, group, channel.id, Some(Permission::Manage)).await?;
    store::add_member(db, group, creator.id(), now).await?;
    change.touch([Touched::Principal(creator.id())]);
    Ok(())
}

async fn audit(
    change: &mut Change,
    actor: &Actor,
    action: &'static str,
    (before, after): (Option<&ChannelDetails>, Option<&ChannelDetails>),
) -> Result<(), Error> {
    let Some(channel) = after.or(before).map(|details| &details.channel) else { return Ok(()) };
    let target = Target { kind: "channel", id: channel.id.0, name: channel.name.as_str() };
    let (before, after) = (before.map(shown), after.map(shown));
    Ok(change.audit(actor, Event { action, target, before, after }).await?)
}

/// What of a channel can be changed, as one word: another one after every change.
pub fn fingerprint(details: &ChannelDetails) -> String {
    seen::fingerprint(&shown(details))
}

fn shown(details: &ChannelDetails) -> Value {
    let channel = &details.channel;
    json!({
        "name": channel.name.as_str(),
        "description": details.description,
        "privacy": channel.privacy.as_str(),
        "storage": &*channel.storage,
        "prefix": &*channel.prefix,
        "include_subchannels": channel.include_subchannels,
    })
}
