//! Users.

use access::source::Touched;
use serde_json::{Value, json};

use super::caller::Caller;
use super::names::{check_email, check_text, check_user_name};
use super::{Committed, Control, Error, Listed, Page, cursor, passwords, seen};
use crate::store::{
    self, Change, Connection, Event, Look, PrincipalKind, Revoke, Role, Target, User, UserColumn,
    UserProfile,
};
use crate::{Actor, Principal};

/// A user to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Their name, unique among principals.
    pub name: String,
    /// Their name as people write it.
    pub display_name: String,
    /// Their address; empty when not known.
    pub email: String,
    /// What they may do beyond what their groups give them.
    pub role: Role,
    /// Their first password.
    pub password: String,
}

/// What to change of a user; what is not said stays.
#[derive(Clone, Debug, Default)]
pub struct UserEdit {
    /// Their name as people write it.
    pub display_name: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// What they may do beyond what their groups give them.
    pub role: Option<Role>,
    /// Whether they may do anything at all. Ending it ends their sessions, revokes their tokens
    /// for good and frees their seat; giving it back takes a seat.
    pub active: Option<bool>,
    /// The [`fingerprint`] of what the caller saw, if they mean to change that alone.
    pub seen: Option<String>,
}

/// Makes an admin directly in the database: for the first start, and for a lock-out
/// (`condagate admin create`). No permission is asked: whoever has the database has it all.
///
/// # Errors
/// [`Error::InvalidField`], [`Error::NameTaken`], [`Error::SeatLimit`]; [`Error::Store`].
pub async fn create_admin(
    control: &Control,
    name: &str,
    password: &str,
) -> Result<Committed<User>, Error> {
    let new = NewUser {
        name: name.to_owned(),
        display_name: name.to_owned(),
        email: String::new(),
        role: Role::Admin,
        password: password.to_owned(),
    };
    create(control, &Actor::console(), new).await
}

/// Makes a user. For admins, and for the operator at the machine.
///
/// # Errors
/// [`Error::InvalidField`], [`Error::NotPermitted`], [`Error::NameTaken`], [`Error::SeatLimit`];
/// [`Error::Store`].
pub async fn create(
    control: &Control,
    actor: &Actor,
    new: NewUser,
) -> Result<Committed<User>, Error> {
    if let Some(fault) = faults(&new).into_iter().next() {
        return Err(fault);
    }
    require_admin_ahead(control, actor).await?;
    let password_hash = control.passwords.hash(&new.password).await?;
    let mut change = control.store.change(control.now()).await?;
    require_admin_of(&mut change, actor).await?;
    require_free_name(change.connection(), "user", &new.name).await?;
    require_seat(control, change.connection()).await?;
    let now = change.now();
    let NewUser { name, display_name, email, role, .. } = new;
    let profile = UserProfile { display_name: &display_name, email: &email, role };
    let id = store::insert_user(change.connection(), &name, profile, &password_hash, now).await?;
    let (kind, role) = (PrincipalKind::User, Some(role));
    let principal = Principal { id, name, kind, role, active: true };
    let made = User { principal, display_name, email, created_at: now };
    change.touch([Touched::Principal(id)]);
    audit(&mut change, actor, "user.create", (None, Some(&made))).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: made, revision })
}

/// What is wrong with what was typed for a user, all of it: [`create`] tells the first. Whether the
/// name is taken shows only then.
pub(crate) fn faults(new: &NewUser) -> Vec<Error> {
    let checks = [
        check_user_name(&new.name),
        check_text("display_name", &new.display_name),
        check_email(&new.email),
        passwords::check(&new.password),
    ];
    checks.into_iter().filter_map(Result::err).collect()
}

/// Whether there is anybody who can sign in and make others: not so at the first start.
///
/// # Errors
/// [`Error::Store`].
pub async fn has_an_admin(control: &Control) -> Result<bool, Error> {
    let mut db = control.store.reader().await?;
    Ok(store::has_an_admin(&mut db).await?)
}

/// The users by name, for admins. Others name whom they mean.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn list(control: &Control, actor: &Actor, page: &Page) -> Result<Listed<User>, Error> {
    let mut db = control.store.reader().await?;
    Caller::verify(&mut db, actor, control.now()).await?.require_admin()?;
    let found = store::list_users(&mut db, &page.names()).await?;
    Ok(Listed::page(found, page, |user| user.principal.name.clone()))
}

/// Users as they are looked through, active or not. For admins.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotSignedIn`], [`Error::InvalidField`] for a foreign cursor;
/// [`Error::Store`].
pub async fn browse(
    control: &Control,
    actor: &Actor,
    look: &Look<'_, UserColumn>,
) -> Result<Listed<User>, Error> {
    let mut db = control.store.reader().await?;
    Caller::verify(&mut db, actor, control.now()).await?.require_admin()?;
    let (items, next_cursor) = store::look_at_users(&mut db, look).await.map_err(cursor)?;
    Ok(Listed { items, next_cursor })
}

/// How many seats are taken, and how many there are; none for no limit (product.md S2). For admins.
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn seats(control: &Control, actor: &Actor) -> Result<(i64, Option<u32>), Error> {
    let mut db = control.store.reader().await?;
    Caller::verify(&mut db, actor, control.now()).await?.require_admin()?;
    Ok((store::seats_used(&mut db).await?, control.settings.seats))
}

/// One user: for admins, and for themselves.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn get(control: &Control, actor: &Actor, name: &str) -> Result<User, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    visible(&caller, &mut db, name).await
}

/// Changes a user. For admins; the last admin stays one.
///
/// # Errors
/// [`Error::InvalidField`], [`Error::NotPermitted`], [`Error::NotFound`], [`Error::LastAdmin`],
/// [`Error::SeatLimit`], [`Error::ChangedMeanwhile`]; [`Error::Store`].
pub async fn edit(
    control: &Control,
    actor: &Actor,
    name: &str,
    edit: UserEdit,
) -> Result<Committed<User>, Error> {
    check_text("display_name", edit.display_name.as_deref().unwrap_or_default())?;
    check_email(edit.email.as_deref().unwrap_or_default())?;
    let mut change = control.store.change(control.now()).await?;
    let now = change.now();
    let before = managed(&mut change, actor, name).await?;
    seen::check(edit.seen.as_deref(), &fingerprint(&before), ("user", name))?;
    let mut after = before.clone();
    after.display_name = edit.display_name.unwrap_or(after.display_name);
    after.email = edit.email.unwrap_or(after.email);
    after.principal.role = edit.role.or(after.principal.role);
    after.principal.active = edit.active.unwrap_or(after.principal.active);

    if after == before {
        return Ok(Committed { value: after, revision: change.last() });
    }
    let id = before.principal.id;
    if after.principal.active && !before.principal.active {
        require_seat(control, change.connection()).await?;
        store::set_active(change.connection(), id, true, now).await?;
        change.touch([Touched::Principal(id)]);
    }
    if before.principal.active && !after.principal.active {
        lock_out(&mut change, &before.principal).await?;
        store::set_active(change.connection(), id, false, now).await?;
    }
    let profile = UserProfile {
        display_name: &after.display_name,
        email: &after.email,
        role: after.principal.role.unwrap_or(Role::User),
    };
    store::update_user(change.connection(), id, profile).await?;
    require_an_admin(&mut change).await?;
    audit(&mut change, actor, "user.edit", (Some(&before), Some(&after))).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: after, revision })
}

/// Deletes a user: sessions end, tokens are revoked, groups are left, the name is free again. Not
/// the last admin, nor a channel's last owner: whose channel would it be?
///
/// # Errors
/// [`Error::NotPermitted`], [`Error::NotFound`], [`Error::LastAdmin`], [`Error::LastOwner`];
/// [`Error::Store`].
pub async fn delete(control: &Control, actor: &Actor, name: &str) -> Result<Committed<()>, Error> {
    let mut change = control.store.change(control.now()).await?;
    let now = change.now();
    let user = managed(&mut change, actor, name).await?;
    let id = user.principal.id;
    lock_out(&mut change, &user.principal).await?;
    let db = change.connection();
    let owned = store::owned_alone(db, id).await?;
    if let Some(group) = owned {
        return Err(Error::LastOwner { group });
    }
    store::leave_all_groups(db, id).await?;
    store::delete_principal(db, id, now).await?;
    require_an_admin(&mut change).await?;
    audit(&mut change, actor, "user.delete", (Some(&user), None)).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: (), revision })
}

/// The user of that name, if the caller may see them; one answer for hidden and absent.
pub(super) async fn visible(
    caller: &Caller,
    db: &mut Connection,
    name: &str,
) -> Result<User, Error> {
    let found = store::user_named(db, name).await?;
    let seen = found.filter(|user| caller.is_admin() || user.principal.id == caller.id());
    seen.ok_or_else(|| Error::not_found("user", name))
}

/// S2: users and service accounts both take a seat. The counter's lock keeps two creations from
/// taking the last one together.
pub(super) async fn require_seat(control: &Control, db: &mut Connection) -> Result<(), Error> {
    let Some(limit) = control.settings.seats else { return Ok(()) };
    let used = store::seats_used(db).await?;
    if used < i64::from(limit) { Ok(()) } else { Err(Error::SeatLimit { used, limit }) }
}

pub(super) async fn require_free_name(
    db: &mut Connection,
    kind: &'static str,
    name: &str,
) -> Result<(), Error> {
    match store::principal_named(db, name).await? {
        None => Ok(()),
        Some(_) => Err(Error::NameTaken { kind, name: name.to_owned() }),
    }
}

/// The user that an admin is about to change.
async fn managed(change: &mut Change, actor: &Actor, name: &str) -> Result<User, Error> {
    require_admin_of(change, actor).await?;
    let db = change.connection();
    store::user_named(db, name).await?.ok_or_else(|| Error::not_found("user", name))
}

/// Ends a user's sessions and revokes their tokens, for good: giving the user back gives back
/// none of them.
async fn lock_out(change: &mut Change, user: &Principal) -> Result<(), Error> {
    let (now, revision) = (change.now(), change.revision());
    let db = change.connection();
    store::delete_sessions_of(db, user.id, None).await?;
    store::revoke_tokens(db, Revoke::AllOf(user.id), now, revision).await?;
    change.touch([Touched::Principal(user.id)]);
    Ok(())
}

/// Role `admin`, or the machine itself.
async fn require_admin_of(change: &mut Change, actor: &Actor) -> Result<(), Error> {
    if actor.is_console() {
        return Ok(());
    }
    Caller::of_change(change, actor).await?.require_admin()
}

/// The same before slow work, so that only an admin can have passwords hashed.
async fn require_admin_ahead(control: &Control, actor: &Actor) -> Result<(), Error> {
    if actor.is_console() {
        return Ok(());
    }
    let mut db = control.store.reader().await?;
    Caller::verify(&mut db, actor, control.now()).await?.require_admin()
}

/// Somebody must be able to hand out role `admin` again.
async fn require_an_admin(change: &mut Change) -> Result<(), Error> {
    if store::has_an_admin(change.connection()).await? { Ok(()) } else { Err(Error::LastAdmin) }
}

async fn audit(
    change: &mut Change,
    actor: &Actor,
    action: &'static str,
    (before, after): (Option<&User>, Option<&User>),
) -> Result<(), Error> {
    let Some(user) = after.or(before) else { return Ok(()) };
    let target = Target { kind: "user", id: user.principal.id.0, name: &user.principal.name };
    let (before, after) = (before.map(shown), after.map(shown));
    Ok(change.audit(actor, Event { action, target, before, after }).await?)
}

/// What of a user can be changed, as one word: another one after every change.
pub fn fingerprint(user: &User) -> String {
    seen::fingerprint(&shown(user))
}

fn shown(user: &User) -> Value {
    json!({
        "name": user.principal.name,
        "display_name": user.display_name,
        "email": user.email,
        "role": user.principal.role.map(Role::as_str),
        "active": user.principal.active,
    })
}
