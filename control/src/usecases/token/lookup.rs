//! Which token a value belongs to: for one that leaked and was found somewhere.

use access::{Timestamp, TokenSecret};

use super::rules::sees;
use crate::Actor;
use crate::store::{self, Token, TokenStatus};
use crate::usecases::caller::Caller;
use crate::usecases::{Control, Error};

/// The token that a value belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The token.
    pub token: Token,
    /// Whether this value still works, if only beside a newer one.
    pub works: bool,
    /// When this value ended or will end because of a newer one; none for the present value, which
    /// ends with the token.
    pub replaced_at: Option<Timestamp>,
}

/// The token that this value belongs to, also if it ended, if the caller may see that token.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn lookup(control: &Control, actor: &Actor, value: &TokenSecret) -> Result<Found, Error> {
    // What may be shown of a value: the answer is the same for one that is hidden.
    let not_found = || Error::not_found("token", value.hint());
    let now = control.now();
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, now).await?;
    let known = store::find_value(&mut db, value.digest()).await?.ok_or_else(not_found)?;
    let token = store::find_token(&mut db, known.token, now).await?.ok_or_else(not_found)?;
    match sees(control, &caller, &mut db, &token).await {
        Ok(true) => {}
        Ok(false) | Err(Error::NotPermitted { .. }) => return Err(not_found()),
        Err(other) => return Err(other),
    }
    let replaced_at = known.valid_until;
    let works = !matches!(token.status, TokenStatus::Revoked | TokenStatus::Expired)
        && replaced_at.is_none_or(|ends| ends > now);
    Ok(Found { token, works, replaced_at })
}
