//! Tokens shown to those who may see them.

use access::TokenId;

use super::rules::{visible_principal, visible_token};
use crate::Actor;
use crate::store::{self, Token, TokenStatus};
use crate::usecases::caller::Caller;
use crate::usecases::{Control, Error, Listed, Page};

/// The tokens of a service account or a user, by id: of this status if one is given, and with
/// the page's beginning of their name.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::InvalidField`] for a foreign cursor;
/// [`Error::Store`].
pub async fn list(
    control: &Control,
    actor: &Actor,
    principal: &str,
    status: Option<TokenStatus>,
    page: &Page,
) -> Result<Listed<Token>, Error> {
    let part = (TokenId(page.after_id()?), page.probe());
    let now = control.now();
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, now).await?;
    let principal = visible_principal(control, &caller, &mut db, principal).await?;
    let wanted = (status, &*page.prefix);
    let found = store::list_tokens(&mut db, principal.id, wanted, part, now).await?;
    Ok(Listed::page(found, page, |token| token.id.0.to_string()))
}

/// One token.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`]; [`Error::Store`].
pub async fn get(control: &Control, actor: &Actor, id: TokenId) -> Result<Token, Error> {
    let now = control.now();
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, now).await?;
    visible_token(control, &caller, &mut db, id, now).await
}
