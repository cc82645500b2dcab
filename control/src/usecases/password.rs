//! Changing a password.

use access::PrincipalId;

use super::caller::Caller;
use super::{Control, Error, user};
use crate::store::{self, Event, Target};
use crate::{Actor, Via};

/// Sets a user's password and ends their other sessions. One's own needs the old one, so that a
/// screen left open is not enough; an admin sets anybody else's.
///
/// # Errors
/// [`Error::InvalidField`], also for a wrong old password; [`Error::TooManyAttempts`],
/// [`Error::NotFound`], [`Error::NotPermitted`]; [`Error::Store`].
pub async fn set(
    control: &Control,
    actor: &Actor,
    username: &str,
    old: Option<&str>,
    new: &str,
) -> Result<(), Error> {
    let (id, stored) = find(control, actor, username).await?;
    let own = actor.principal == Some(id);
    if own {
        check_old(control, actor, username, old, &stored).await?;
    }
    let hash = control.passwords.hash(new).await?;

    let mut write = control.store.write(control.now()).await?;
    let now = write.now();
    let db = write.connection();
    let caller = Caller::verify(db, actor, now).await?;
    let target = user::visible(&caller, db, username).await?.principal;
    let unchanged = store::password_of(db, id).await?.is_some_and(|now| now == stored);
    if target.id != id || (own && !unchanged) {
        return Err(Error::invalid("old_password", "changed meanwhile; sign in again"));
    }
    store::set_password(db, id, &hash).await?;
    let current = match actor.via {
        Via::Session(session) if own => Some(session),
        _ => None,
    };
    store::delete_sessions_of(db, id, current).await?;
    let target = Target { kind: "user", id: id.0, name: username };
    let event = Event { action: "user.set_password", target, before: None, after: None };
    write.audit(actor, event).await?;
    Ok(write.commit().await?)
}

/// Whose password it is, and its hash; a token that doesn't carry its user's role may not.
async fn find(
    control: &Control,
    actor: &Actor,
    username: &str,
) -> Result<(PrincipalId, String), Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    caller.require_sign_in()?;
    let user = user::visible(&caller, &mut db, username).await?;
    let stored = store::password_of(&mut db, user.principal.id).await?;
    let stored = stored.ok_or_else(|| Error::not_found("user", username))?;
    Ok((user.principal.id, stored))
}

async fn check_old(
    control: &Control,
    actor: &Actor,
    username: &str,
    old: Option<&str>,
    stored: &str,
) -> Result<(), Error> {
    let old = old.ok_or_else(|| Error::invalid("old_password", "say your present one too"))?;
    control.attempts.begin(username, actor.address, control.clock.moment())?;
    if !control.passwords.verify(old, Some(stored)).await? {
        return Err(Error::invalid("old_password", "not your present password"));
    }
    control.attempts.succeeded(username, actor.address);
    Ok(())
}
