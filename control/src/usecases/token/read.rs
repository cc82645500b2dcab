//! Tokens shown to those who may see them.

use std::time::Duration;

use access::{Timestamp, TokenId};

use super::rules::{require_token_manager, visible_principal, visible_token};
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

/// The tokens that the caller may see, that work, and that end within `within`, or within
/// `expiry_warning` when that isn't said (product.md +6). The first to end comes first.
///
/// # Errors
/// [`Error::InvalidField`] for a foreign cursor, [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn expiring(
    control: &Control,
    actor: &Actor,
    within: Option<Duration>,
    page: &Page,
) -> Result<Listed<Token>, Error> {
    let after = match page.after.as_deref() {
        None => (Timestamp::from_millis(0), TokenId(0)),
        Some(cursor) => {
            read_cursor(cursor).ok_or_else(|| Error::invalid("cursor", "not one of ours"))?
        }
    };
    let now = control.now();
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, now).await?;
    let accounts = require_token_manager(control, &caller).is_ok();
    let seen_by = (caller.view(), accounts);
    let until = now.plus(within.unwrap_or(control.settings.expiry_warning));
    let wanted = store::Expiring { seen_by, until, after, limit: page.probe() };
    let found = store::list_expiring_tokens(&mut db, wanted, now).await?;
    Ok(Listed::page(found, page, |token| {
        format!("{}-{}", token.expires_at.as_millis(), token.id.0)
    }))
}

/// How many tokens end within `expiry_warning`: for the operator's metrics.
///
/// # Errors
/// [`Error::Store`].
pub async fn count_expiring(control: &Control) -> Result<i64, Error> {
    let (now, within) = (control.now(), control.settings.expiry_warning);
    let mut db = control.store.reader().await?;
    Ok(store::count_expiring(&mut db, (now, now.plus(within))).await?)
}

fn read_cursor(cursor: &str) -> Option<(Timestamp, TokenId)> {
    let (expires_at, id) = cursor.split_once('-')?;
    Some((Timestamp::from_millis(expires_at.parse().ok()?), TokenId(id.parse().ok()?)))
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
