//! Requests that may be sent again, when their answer was lost on its way (api.md,
//! `Idempotency-Key`).
//!
//! 1. A request with a key is looked up first: one that was sent before is not done again.
//! 2. What it makes is recorded beside the audit event of whoever acts with an
//!    [`Actor::repeatable`], in the same transaction: no use case has to think of it, and a crash
//!    leaves both or neither.
//! 3. Its answer is kept afterwards, unless it is a secret. Without one the repeated request is
//!    told what was made.

use super::{Control, Error};
use crate::Actor;
use crate::actor::Repeatable;
use crate::store::{self, Change, Repeated};

/// The answer that was given to this request of the actor's, status and body; none if it wasn't
/// sent before.
///
/// # Errors
/// [`Error::AlreadyDone`] when the answer wasn't kept, [`Error::KeyReused`]; [`Error::Store`].
pub(crate) async fn look_up(
    control: &Control,
    actor: &Actor,
    request: &Repeatable,
) -> Result<Option<(u16, String)>, Error> {
    let principal = actor.principal.ok_or(Error::NotSignedIn)?;
    let mut db = control.store.reader().await?;
    let found = store::find_repeated(&mut db, principal, request, control.now()).await?;
    let Some(found) = found else { return Ok(None) };
    match found.answer {
        Some(answer) if found.is_same => Ok(Some(answer)),
        _ => Err(done(found)),
    }
}

/// Refuses what was done since it was looked up: by the same request, sent twice at a time.
///
/// # Errors
/// [`Error::AlreadyDone`], [`Error::KeyReused`]; [`Error::Store`].
pub(super) async fn refuse(change: &mut Change, actor: &Actor) -> Result<(), Error> {
    let (Some(principal), Some(request)) = (actor.principal, &actor.repeatable) else {
        return Ok(());
    };
    let now = change.now();
    let found = store::find_repeated(change.connection(), principal, request, now).await?;
    found.map_or(Ok(()), |found| Err(done(found)))
}

fn done(found: Repeated) -> Error {
    if found.is_same {
        Error::AlreadyDone { kind: found.kind, id: found.id }
    } else {
        Error::KeyReused
    }
}

/// Keeps the answer to a request of the actor's that made something.
///
/// # Errors
/// [`Error::Store`].
pub(crate) async fn keep(
    control: &Control,
    actor: &Actor,
    request: &Repeatable,
    answer: (u16, &str),
) -> Result<(), Error> {
    let principal = actor.principal.ok_or(Error::NotSignedIn)?;
    let mut write = control.store.write(control.now()).await?;
    store::keep_answer(write.connection(), principal, request, answer).await?;
    Ok(write.commit().await?)
}
