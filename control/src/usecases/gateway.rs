//! Who serves.

use super::caller::Caller;
use super::{Control, Error, Listed, Page};
use crate::Actor;
use crate::store::{self, GatewayInstance};

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
