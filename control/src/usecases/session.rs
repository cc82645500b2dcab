//! Signing in and out, and who presents a credential.

use std::net::IpAddr;

use access::{Timestamp, TokenSecret};
use serde_json::json;

use super::caller::Caller;
use super::{Control, Error, Listed, Page, user};
use crate::store::{
    self, Connection, Event, SessionId, SignIn, SignedInSession, StoreError, Target, Write,
};
use crate::{Actor, Via};

/// A new session.
#[derive(Debug)]
pub struct Session {
    /// Its value, shown this once; stored is only its digest.
    pub secret: TokenSecret,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// From where a request comes, for the audit log.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// From which address, when over the network.
    pub address: Option<IpAddr>,
    /// The request, as in the logs.
    pub request_id: Option<String>,
}

/// Signs a user in. An attempt that fails is recorded too.
///
/// # Errors
/// [`Error::WrongPassword`], the same and as late for an unknown name;
/// [`Error::TooManyAttempts`]; [`Error::Store`].
pub async fn create(
    control: &Control,
    username: &str,
    password: &str,
    origin: Origin,
) -> Result<Session, Error> {
    control.attempts.begin(username, origin.address, control.clock.moment())?;
    let mut db = control.store.reader().await?;
    let user = store::sign_in(&mut db, username).await?;
    // Not held while hashing: it takes long.
    drop(db);
    let right =
        control.passwords.verify(password, user.as_ref().map(|u| &*u.password_hash)).await?;
    let secret = TokenSecret::generate().map_err(StoreError::from)?;
    let mut write = control.store.write(control.now()).await?;
    match user.filter(|_| right) {
        // Whoever was locked out, or got another password, while it was checked, is not let in.
        Some(user) if holds_still(write.connection(), username, &user).await? => {
            control.attempts.succeeded(username, origin.address);
            let expires_at = write.now().plus(control.settings.session_lifetime);
            insert(&mut write, username, user, (&secret, expires_at), origin).await?;
            write.commit().await?;
            Ok(Session { secret, expires_at })
        }
        Some(_) | None => {
            record_failure(&mut write, username, origin).await?;
            write.commit().await?;
            Err(Error::WrongPassword)
        }
    }
}

async fn holds_still(
    db: &mut Connection,
    username: &str,
    checked: &SignIn,
) -> Result<bool, StoreError> {
    let now = store::sign_in(db, username).await?;
    Ok(now.is_some_and(|now| now.id == checked.id && now.password_hash == checked.password_hash))
}

async fn insert(
    write: &mut Write,
    username: &str,
    user: SignIn,
    (secret, expires_at): (&TokenSecret, Timestamp),
    origin: Origin,
) -> Result<(), Error> {
    let (digest, times) = (secret.digest(), (write.now(), expires_at));
    let id =
        store::insert_session(write.connection(), digest, user.id, times, origin.address).await?;
    let actor = Actor {
        principal: Some(user.id),
        name: username.to_owned(),
        via: Via::Password,
        address: origin.address,
        request_id: origin.request_id,
        repeatable: None,
    };
    let target = Target { kind: "session", id: id.0, name: username };
    let after = Some(json!({ "user": username, "expires_at": expires_at.to_string() }));
    let event = Event { action: "session.create", target, before: None, after };
    Ok(write.audit(&actor, event).await?)
}

/// What was tried is named only if there is such a user: people type their password into the
/// wrong field.
async fn record_failure(write: &mut Write, username: &str, origin: Origin) -> Result<(), Error> {
    let known = store::principal_named(write.connection(), username).await?;
    let (id, name) = match &known {
        Some(principal) => (principal.id.0, principal.name.as_str()),
        None => (0, "unknown"),
    };
    let actor = Actor {
        principal: None,
        name: "unknown".into(),
        via: Via::Password,
        address: origin.address,
        request_id: origin.request_id,
        repeatable: None,
    };
    let target = Target { kind: "user", id, name };
    let event = Event { action: "session.refuse", target, before: None, after: None };
    Ok(write.audit(&actor, event).await?)
}

/// Who presents this value: the session's or the token's holder. Where there is neither, the
/// answer is the same whatever the reason.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn authenticate(
    control: &Control,
    secret: &TokenSecret,
    origin: Origin,
) -> Result<Actor, Error> {
    let Origin { address, request_id } = origin;
    let (digest, now) = (secret.digest(), control.now());
    let mut db = control.store.reader().await?;
    if let Some((session, id, name)) = store::find_session(&mut db, digest, now).await? {
        let (principal, via) = (Some(id), Via::Session(session));
        return Ok(Actor { principal, name, via, address, request_id, repeatable: None });
    }
    let token = store::presented_token(&mut db, digest, now).await?.ok_or(Error::NotSignedIn)?;
    let (principal, via) = (Some(token.principal), Via::Token(token.id));
    Ok(Actor { principal, name: token.principal_name, via, address, request_id, repeatable: None })
}

/// A user's sessions, for themselves and for admins.
///
/// # Errors
/// [`Error::NotFound`], [`Error::InvalidField`] for a foreign cursor; [`Error::Store`].
pub async fn list(
    control: &Control,
    actor: &Actor,
    username: &str,
    page: &Page,
) -> Result<Listed<SignedInSession>, Error> {
    let (after, now) = (SessionId(page.after_id()?), control.now());
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, now).await?;
    caller.require_sign_in()?;
    let user = user::visible(&caller, &mut db, username).await?;
    let range = (after, page.probe());
    let found = store::list_sessions(&mut db, user.principal.id, now, range).await?;
    Ok(Listed::page(found, page, |session| session.id.0.to_string()))
}

/// The session that this value opens, if it still does and the caller may end it: for one that was
/// found somewhere.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn lookup(
    control: &Control,
    actor: &Actor,
    value: &TokenSecret,
) -> Result<SignedInSession, Error> {
    let not_found = || Error::not_found("session", value.hint());
    let now = control.now();
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, now).await?;
    caller.require_sign_in()?;
    let known = store::find_session(&mut db, value.digest(), now).await?;
    let (id, ..) = known.ok_or_else(not_found)?;
    visible(&caller, &mut db, id, now).await?.ok_or_else(not_found)
}

/// The session of that id, for its user and for admins.
async fn visible(
    caller: &Caller,
    db: &mut Connection,
    id: SessionId,
    now: Timestamp,
) -> Result<Option<SignedInSession>, Error> {
    let found = store::session(db, id, now).await?;
    Ok(found.filter(|session| caller.is_admin() || session.principal_id == caller.id()))
}

/// Ends a session: one's own, or as an admin anybody's.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Store`].
pub async fn end(control: &Control, actor: &Actor, id: SessionId) -> Result<(), Error> {
    let mut write = control.store.write(control.now()).await?;
    let now = write.now();
    let db = write.connection();
    let caller = Caller::verify(db, actor, now).await?;
    caller.require_sign_in()?;
    let found = visible(&caller, db, id, now).await?;
    let session = found.ok_or_else(|| Error::not_found("session", id.0))?;
    store::delete_session(db, id).await?;
    let target = Target { kind: "session", id: id.0, name: &session.principal };
    let before = Some(json!({
        "user": session.principal,
        "expires_at": session.expires_at.to_string(),
    }));
    write.audit(actor, Event { action: "session.end", target, before, after: None }).await?;
    Ok(write.commit().await?)
}

/// Ends the session by which the actor acts.
///
/// # Errors
/// [`Error::NotFound`] when they act by something else; [`Error::Store`].
pub async fn end_current(control: &Control, actor: &Actor) -> Result<(), Error> {
    match actor.via {
        Via::Session(session) => end(control, actor, session).await,
        Via::Console | Via::Password | Via::Token(_) => Err(Error::not_found("session", "current")),
    }
}
