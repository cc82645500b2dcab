//! Signing in and out, and who presents a credential.

use std::net::IpAddr;

use access::{Timestamp, TokenSecret};

use super::{Control, Error, user};
use crate::store::{self, StoreError};
use crate::{Actor, Via};

/// A new session.
#[derive(Debug)]
pub struct Session {
    /// Its value, shown this once; stored is only its digest.
    pub secret: TokenSecret,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Signs a user in.
///
/// # Errors
/// [`Error::WrongPassword`], [`Error::TooManyAttempts`]; [`Error::Store`].
pub async fn create(
    control: &Control,
    username: &str,
    password: &str,
    address: Option<IpAddr>,
) -> Result<Session, Error> {
    control.attempts.begin(username, address, control.clock.moment())?;
    let user = user::authenticate(control, username, password).await?;
    control.attempts.succeeded(username, address);
    let secret = TokenSecret::generate().map_err(StoreError::from)?;
    let now = control.now();
    let expires_at = now.plus(control.settings.session_lifetime);
    let mut db = control.store.reader().await?;
    store::insert_session(&mut db, secret.digest(), user, (now, expires_at), address).await?;
    Ok(Session { secret, expires_at })
}

/// Who presents this value: the session's or the token's holder. Where there is neither, the
/// answer is the same whatever the reason.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn authenticate(
    control: &Control,
    secret: &TokenSecret,
    address: Option<IpAddr>,
    request_id: Option<String>,
) -> Result<Actor, Error> {
    let (digest, now) = (secret.digest(), control.now());
    let mut db = control.store.reader().await?;
    if let Some((session, id, name)) = store::find_session(&mut db, digest, now).await? {
        let via = Via::Session(session);
        return Ok(Actor { principal: Some(id), name, via, address, request_id });
    }
    let token = store::presented_token(&mut db, digest, now).await?.ok_or(Error::NotSignedIn)?;
    let (principal, name) = (Some(token.principal), token.principal_name);
    Ok(Actor { principal, name, via: Via::Token(token.id), address, request_id })
}

/// Ends the session by which the actor acts.
///
/// # Errors
/// [`Error::NotFound`] when they act by something else; [`Error::Store`].
pub async fn end_current(control: &Control, actor: &Actor) -> Result<(), Error> {
    let Via::Session(session) = actor.via else {
        return Err(Error::not_found("session", "current"));
    };
    let mut db = control.store.reader().await?;
    Ok(store::delete_session(&mut db, session).await?)
}
