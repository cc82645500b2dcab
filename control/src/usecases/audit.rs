//! Reading the audit log.

use access::Timestamp;

use super::caller::Caller;
use super::{Control, Error, Listed, Page};
use crate::Actor;
use crate::store::{self, AuditEvent, AuditFilter, AuditPosition};

/// Events, newest first. For admins alone: an event tells of people, addresses and channels that
/// nobody else need see.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotSignedIn`], [`Error::InvalidField`] for a foreign cursor;
/// [`Error::Store`].
pub async fn list(
    control: &Control,
    actor: &Actor,
    filter: &AuditFilter,
    page: &Page,
) -> Result<Listed<AuditEvent>, Error> {
    let after = page.after.as_deref().map(parse).transpose()?;
    let mut db = control.store.reader().await?;
    Caller::verify(&mut db, actor, control.now()).await?.require_admin()?;
    let found = store::list_audit_events(&mut db, filter, after, page.probe()).await?;
    Ok(Listed::page(found, page, |event| format!("{}-{}", event.at.as_millis(), event.id)))
}

/// A cursor: time and id of the last event of the page before.
fn parse(cursor: &str) -> Result<AuditPosition, Error> {
    let read = || {
        let (at, id) = cursor.rsplit_once('-')?;
        let at = Timestamp::from_millis(at.parse().ok()?);
        Some(AuditPosition { at, id: id.parse().ok()? })
    };
    read().ok_or_else(|| Error::invalid("cursor", "not one of ours"))
}
