//! Who serves.

use std::time::Duration;

use access::lease::Instance;
use access::source::Revision;
use serde_json::json;

use super::caller::Caller;
use super::{Control, Error, Listed, Page};
use crate::Actor;
use crate::store::{self, Event, GatewayRow, Target};

/// How far apart the clocks of gateways and control planes may be, at most, where nothing but their
/// times says that a lease is over.
pub(crate) const CLOCKS_APART: Duration = Duration::from_secs(30);

/// The gateways that are registered and haven't ended, by name, and the newest change; for admins.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn list(
    control: &Control,
    actor: &Actor,
    page: &Page,
) -> Result<(Listed<GatewayRow>, Revision), Error> {
    let mut db = control.store.reader().await?;
    Caller::verify(&mut db, actor, control.now()).await?.require_admin()?;
    let after = page.after.as_deref().unwrap_or_default();
    let mut found = store::live_gateways(&mut db).await?;
    found.sort_by_cached_key(place);
    found.retain(|gateway| place(gateway).as_str() > after);
    let newest = store::newest_revision(&mut db).await?;
    Ok((Listed::page(found, page, place), newest))
}

/// For how long a gateway that is gone without a stop is told of among the others.
const LOST_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// And for how long it is told of on every page.
const LOST_LATELY: Duration = Duration::from_secs(60 * 60);

/// The gateways whose lease has run out within a day without a clean stop, by name, until they come
/// back under their name or are forgotten; for admins.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn lost(control: &Control, actor: &Actor) -> Result<Vec<GatewayRow>, Error> {
    let now = control.now();
    let mut db = control.store.reader().await?;
    Caller::verify(&mut db, actor, now).await?.require_admin()?;
    Ok(store::lost_gateways(&mut db, now.minus(LOST_FOR)).await?)
}

/// How long a change may be on its way before a gateway that lacks it is behind.
const ON_ITS_WAY: Duration = Duration::from_secs(5);

/// Whether the gateways are well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// How many serve.
    pub serving: usize,
    /// Those whose lease is over, by name.
    pub silent: Vec<String>,
    /// Those that serve without the newest change, by name.
    pub behind: Vec<String>,
    /// Those that have ended within the hour without a clean stop, and haven't come back, by name.
    pub lost: Vec<String>,
}

/// Whether the gateways are well; for admins.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn health(control: &Control, actor: &Actor) -> Result<Health, Error> {
    let now = control.now();
    let mut db = control.store.reader().await?;
    Caller::verify(&mut db, actor, now).await?.require_admin()?;
    let newest = store::newest_revision(&mut db).await?;
    let change = store::find_revision(&mut db, newest).await?;
    let is_due = change.is_none_or(|change| change.at.plus(ON_ITS_WAY) <= now);
    let mut health = Health::default();
    for gateway in store::live_gateways(&mut db).await? {
        if gateway.lease_ends_at() <= now {
            health.silent.push(gateway.name);
            continue;
        }
        health.serving += 1;
        if is_due && gateway.lag(newest) > 0 {
            health.behind.push(gateway.name);
        }
    }
    let lost = store::lost_gateways(&mut db, now.minus(LOST_LATELY)).await?;
    health.lost = lost.into_iter().map(|gateway| gateway.name).collect();
    Ok(health)
}

/// A gateway's place in a list: those of one name stand together.
fn place(gateway: &GatewayRow) -> String {
    format!("{}/{}", gateway.name, gateway.instance.0)
}

/// One start of a gateway, also one that has ended; for admins.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn get(
    control: &Control,
    actor: &Actor,
    instance: &Instance,
) -> Result<GatewayRow, Error> {
    let mut db = control.store.reader().await?;
    Caller::verify(&mut db, actor, control.now()).await?.require_admin()?;
    let found = store::find_gateway(&mut db, instance).await?;
    found.ok_or_else(|| Error::not_found("gateway", &instance.0))
}

/// Waits no more for a gateway that is gone for good: changes are proven without it. For admins,
/// who answer for it that it is gone; one that comes back registers anew (sync.md L5). One whose lease
/// ran out without a stop is told of no more. Forgetting one that has stopped is fine.
///
/// # Errors
/// [`Error::GatewayLive`] while its lease holds; [`Error::NotFound`], [`Error::NotPermitted`],
/// [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn forget(control: &Control, actor: &Actor, instance: &Instance) -> Result<(), Error> {
    let now = control.now();
    let mut write = control.store.write(now).await?;
    Caller::verify(write.connection(), actor, now).await?.require_admin()?;
    let found = store::find_gateway(write.connection(), instance).await?;
    let found = found.ok_or_else(|| Error::not_found("gateway", &instance.0))?;
    let until = found.lease_ends_at();
    if found.ended_at.is_some() {
        if !store::forget_ended(write.connection(), instance).await? {
            return Ok(());
        }
    // One that renewed since it was read is not gone either.
    } else if now < until.plus(CLOCKS_APART)
        || !control.store.end_unrenewed(&mut write, (instance, found.renewal), false).await?
    {
        return Err(Error::GatewayLive { name: found.name, until });
    }
    let event = Event {
        action: "gateway.forget",
        target: Target { kind: "gateway", id: 0, name: &found.name },
        before: Some(json!({
            "instance": instance.0, "lease_ends_at": until.to_string(),
        })),
        after: None,
    };
    write.audit(actor, event).await?;
    Ok(write.commit().await?)
}
