//! Changing a token while its value stays (product.md S9).

use std::num::{NonZeroU32, NonZeroU64};

use access::{ChannelId, ChannelName, Limits, Permission, Timestamp, TokenId};
use ipnet::IpNet;

use super::Expiry;
use super::record::{audit, check_seen, find, shown};
use super::rules::{check_expiry, check_limits, check_numbers, exceeded, grantable, managed_token};
use crate::Actor;
use crate::store::{self, Connection, Principal, Token, TokenForm};
use crate::usecases::caller::Caller;
use crate::usecases::names::{check_text, check_token_name};
use crate::usecases::{Committed, Control, Error};

/// What of a token is to change; what is none stays.
#[derive(Clone, Debug, Default)]
pub struct TokenEdit {
    /// Its name.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// When it ends, within a year from its issue.
    pub expires: Option<Expiry>,
    /// What it grants on each of its channels.
    pub permission: Option<Permission>,
    /// Its channels.
    pub channels: Option<Vec<ChannelName>>,
    /// The networks that it may be used from; empty for all.
    pub networks: Option<Box<[IpNet]>>,
    /// Requests per second on each gateway; none for no limit.
    pub requests_per_second: Option<Option<NonZeroU32>>,
    /// Bytes per day over all gateways; none for no limit.
    pub bytes_per_day: Option<Option<NonZeroU64>>,
    /// The [`fingerprint`](super::fingerprint) of what the caller saw, if they mean to change that
    /// alone.
    pub seen: Option<String>,
}

/// Changes a token. An expired one comes back by a later end, a revoked one never does. What
/// widens it is granted anew: then caller and principal must hold all that it will grant, as at
/// its issue (product.md S6).
///
/// # Errors
/// [`Error::InvalidField`], [`Error::Lifespan`], [`Error::NotFound`], [`Error::NotPermitted`],
/// [`Error::PermissionNotHeld`], [`Error::NameTaken`], [`Error::TokenRevoked`],
/// [`Error::ChangedMeanwhile`]; [`Error::Store`].
pub async fn edit(
    control: &Control,
    actor: &Actor,
    id: TokenId,
    edit: TokenEdit,
) -> Result<Committed<Token>, Error> {
    if let Some(name) = &edit.name {
        check_token_name(name)?;
    }
    if let Some(description) = &edit.description {
        check_text("description", description)?;
    }
    let mut change = control.store.change(control.now()).await?;
    let caller = Caller::of_change(&mut change, actor).await?;
    let now = change.now();
    let db = change.connection();
    let (before, principal) = managed_token(control, &caller, db, id, now).await?;
    check_seen(edit.seen.as_deref(), &before)?;
    let wanted = Wanted::of(&before, edit, &caller, now)?;
    let channels = wanted.permitted(&before, &caller, db, &principal).await?;
    if wanted.name != before.name
        && store::token_name_in_use(db, principal.id, &wanted.name).await?
    {
        return Err(Error::NameTaken { kind: "token", name: wanted.name });
    }
    if wanted.is(&before) {
        return Ok(Committed { value: before, revision: change.last() });
    }
    store::update_token(db, id, wanted.form(), &channels).await?;
    let values = store::values_of(db, id, store::MORE_THAN_ENTRIES).await?;
    let after = find(db, id, now).await?;
    change.touch(values);
    let states = (Some(shown(&before)), Some(shown(&after)));
    audit(&mut change, actor, &after, "token.edit", states).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: after, revision })
}

/// A token as it is to be.
struct Wanted {
    name: String,
    description: String,
    expires_at: Timestamp,
    permission: Permission,
    channels: Vec<ChannelName>,
    limits: Limits,
}

impl Wanted {
    fn of(before: &Token, edit: TokenEdit, caller: &Caller, now: Timestamp) -> Result<Self, Error> {
        let expires_at = match edit.expires {
            Some(expires) => check_expiry(caller, expires, before.issued_at, now)?,
            None => before.expires_at,
        };
        let held = &before.limits;
        let limits = Limits {
            networks: edit.networks.unwrap_or_else(|| held.networks.clone()),
            requests_per_second: edit.requests_per_second.unwrap_or(held.requests_per_second),
            bytes_per_day: edit.bytes_per_day.unwrap_or(held.bytes_per_day),
        };
        let own = || before.channels.iter().map(|channel| channel.name.clone()).collect();
        let channels = edit.channels.unwrap_or_else(own);
        check_numbers(&channels, before.admin, &limits)?;
        Ok(Self {
            name: edit.name.unwrap_or_else(|| before.name.clone()),
            description: edit.description.unwrap_or_else(|| before.description.clone()),
            expires_at,
            permission: edit.permission.unwrap_or(before.permission),
            channels,
            limits,
        })
    }

    /// Its channels, if all that it is to grant is permitted.
    async fn permitted(
        &self,
        before: &Token,
        caller: &Caller,
        db: &mut Connection,
        principal: &Principal,
    ) -> Result<Vec<ChannelId>, Error> {
        let had = |name: &ChannelName| before.channels.iter().any(|channel| channel.name == *name);
        let widens = self.expires_at > before.expires_at
            || self.permission > before.permission
            || !self.channels.iter().all(had)
            || exceeded(&self.limits, &before.limits).is_some();
        if widens {
            check_limits(caller, &self.limits)?;
            return grantable(caller, db, principal, self.permission, &self.channels).await;
        }
        let mut ids = Vec::with_capacity(self.channels.len());
        for name in &self.channels {
            ids.extend(store::channel_named(db, name.as_str()).await?);
        }
        Ok(ids)
    }

    /// Whether it is so already.
    fn is(&self, before: &Token) -> bool {
        let own = before.channels.iter().map(|channel| &channel.name);
        self.name == before.name
            && self.description == before.description
            && self.expires_at == before.expires_at
            && self.permission == before.permission
            && self.channels.iter().eq(own)
            && self.limits == before.limits
    }

    fn form(&self) -> TokenForm<'_> {
        TokenForm {
            name: &self.name,
            description: &self.description,
            permission: self.permission,
            limits: &self.limits,
            expires_at: self.expires_at,
        }
    }
}
