//! Users.

use access::source::Touched;
use serde_json::json;

use super::names::{check_text, check_user_name};
use super::{Committed, Control, Error};
use crate::store::{self, Change, Event, NewUser, PrincipalKind, Role, Target};
use crate::{Actor, Principal};

/// Makes an admin directly in the database: for the first start, and for a lock-out
/// (`condagate admin create`). No permission is asked: whoever has the database has it all.
///
/// # Errors
/// [`Error::InvalidField`], [`Error::NameTaken`], [`Error::SeatLimit`]; [`Error::Store`].
pub async fn create_admin(
    control: &Control,
    name: &str,
    password: &str,
) -> Result<Committed<Principal>, Error> {
    create(control, &Actor::console(), name, Role::Admin, password).await
}

/// Makes a user directly in the database, as [`create_admin`] makes an admin.
///
/// # Errors
/// As [`create_admin`].
pub async fn create(
    control: &Control,
    actor: &Actor,
    name: &str,
    role: Role,
    password: &str,
) -> Result<Committed<Principal>, Error> {
    check_user_name(name)?;
    check_text("display_name", name)?;
    let password_hash = control.passwords.hash(password).await?;
    let mut change = control.store.change(control.now()).await?;
    if actor.principal.is_some() {
        let now = change.now();
        super::caller::Caller::verify(change.connection(), actor, now).await?.require_admin()?;
    }
    require_free_name(&mut change, "user", name).await?;
    require_seat(control, &mut change).await?;
    let now = change.now();
    let new = NewUser { name, display_name: name, email: "", role, password_hash: &password_hash };
    let id = store::insert_user(change.connection(), new, now).await?;
    change.touch([Touched::Principal(id)]);
    let event = Event {
        action: "user.create",
        target: Target { kind: "user", id: id.0, name },
        before: None,
        after: Some(json!({ "name": name, "role": role.as_str() })),
    };
    change.audit(actor, event).await?;
    let revision = change.commit().await?;
    let kind = PrincipalKind::User;
    let value = Principal { id, name: name.to_owned(), kind, role: Some(role), active: true };
    Ok(Committed { value, revision })
}

/// Checks a user's name and password.
///
/// # Errors
/// [`Error::WrongPassword`], the same and as late for an unknown name; [`Error::Store`].
pub(super) async fn authenticate(
    control: &Control,
    name: &str,
    password: &str,
) -> Result<access::PrincipalId, Error> {
    let mut db = control.store.reader().await?;
    let user = store::sign_in(&mut db, name).await?;
    // Not held while hashing: it takes long.
    drop(db);
    let (id, stored) = user.map(|user| (user.id, user.password_hash)).unzip();
    let right = control.passwords.verify(password, stored).await?;
    id.filter(|_| right).ok_or(Error::WrongPassword)
}

/// S2: users and service accounts both take a seat. The counter's lock keeps two creations from
/// taking the last one together.
pub(super) async fn require_seat(control: &Control, change: &mut Change) -> Result<(), Error> {
    let Some(limit) = control.settings.seats else { return Ok(()) };
    let used = store::seats_used(change.connection()).await?;
    if used < i64::from(limit) { Ok(()) } else { Err(Error::SeatLimit { used, limit }) }
}

pub(super) async fn require_free_name(
    change: &mut Change,
    kind: &'static str,
    name: &str,
) -> Result<(), Error> {
    match store::principal_named(change.connection(), name).await? {
        None => Ok(()),
        Some(_) => Err(Error::NameTaken { kind, name: name.to_owned() }),
    }
}
