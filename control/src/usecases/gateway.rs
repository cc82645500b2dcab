//! Who serves.

use std::time::Duration;

use serde_json::json;

use super::caller::Caller;
use super::{Control, Error, Listed, Page};
use crate::Actor;
use crate::store::{self, Event, GatewayInstance, Target};

/// How far apart the clocks of gateways and control planes may be, at most, where nothing but their
/// times says that a lease is over.
pub(crate) const CLOCKS_APART: Duration = Duration::from_secs(30);

/// The gateways that are registered and haven't ended, for admins.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn list(
    control: &Control,
    actor: &Actor,
    page: &Page,
) -> Result<Listed<GatewayInstance>, Error> {
    let mut db = control.store.reader().await?;
    Caller::verify(&mut db, actor, control.now()).await?.require_admin()?;
    let after = page.after.as_deref().unwrap_or_default();
    let found = store::list_gateways(&mut db, after, page.probe()).await?;
    Ok(Listed::page(found, page, |gateway| gateway.instance.clone()))
}

/// Waits no more for a gateway that is gone for good: changes are proven without it. For admins,
/// who answer for it that it is gone; one that comes back registers anew (sync.md L5). Forgetting
/// one that has ended is fine.
///
/// # Errors
/// [`Error::GatewayLive`] while its lease holds; [`Error::NotFound`], [`Error::NotPermitted`],
/// [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn forget(control: &Control, actor: &Actor, instance: &str) -> Result<(), Error> {
    let now = control.now();
    let mut write = control.store.write(now).await?;
    Caller::verify(write.connection(), actor, now).await?.require_admin()?;
    let found = store::find_gateway(write.connection(), instance).await?;
    let found = found.ok_or_else(|| Error::not_found("gateway", instance))?;
    if found.has_ended {
        return Ok(());
    }
    let live = || Error::GatewayLive { name: found.name.clone(), until: found.lease_ends_at };
    // One that renewed since it was read is not gone either.
    if now < found.lease_ends_at.plus(CLOCKS_APART)
        || !control.store.end_unrenewed(&mut write, (instance, found.renewal), false).await?
    {
        return Err(live());
    }
    let event = Event {
        action: "gateway.forget",
        target: Target { kind: "gateway", id: 0, name: &found.name },
        before: Some(json!({
            "instance": instance, "lease_ends_at": found.lease_ends_at.to_string(),
        })),
        after: None,
    };
    write.audit(actor, event).await?;
    Ok(write.commit().await?)
}
