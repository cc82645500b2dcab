//! Issuing a token.

use access::TokenSecret;
use access::source::Touched;

use super::record::{audit, find, shown};
use super::rules::{check_expiry, check_limits, check_numbers, grantable, managed_principal};
use super::{Issued, TokenOrder};
use crate::Actor;
use crate::store::{self, NewToken, NewValue, StoreError, TokenForm};
use crate::usecases::caller::Caller;
use crate::usecases::names::{check_text, check_token_name};
use crate::usecases::{Committed, Control, Error};

/// Issues a token for a service account, or for the calling user.
///
/// # Errors
/// [`Error::InvalidField`], [`Error::Lifespan`], [`Error::NotFound`], [`Error::NotPermitted`],
/// [`Error::PermissionNotHeld`], [`Error::NameTaken`]; [`Error::Store`].
pub async fn create(
    control: &Control,
    actor: &Actor,
    principal: &str,
    order: TokenOrder,
) -> Result<Committed<Issued>, Error> {
    check_token_name(&order.name)?;
    check_text("description", &order.description)?;
    check_numbers(&order.channels, order.admin, &order.limits)?;
    let secret = TokenSecret::generate().map_err(StoreError::from)?;

    let mut change = control.store.change(control.now()).await?;
    let caller = Caller::of_change(&mut change, actor).await?;
    let now = change.now();
    let db = change.connection();
    let principal = managed_principal(control, &caller, db, principal).await?;
    let expires_at = check_expiry(&caller, order.expires, now, now)?;
    if order.admin && !(principal.id == caller.id() && caller.is_admin()) {
        return Err(Error::needs_admin());
    }
    check_limits(&caller, &order.limits)?;
    let channels = grantable(&caller, db, &principal, order.permission, &order.channels).await?;
    if store::token_name_in_use(db, principal.id, &order.name).await? {
        return Err(Error::NameTaken { kind: "token", name: order.name });
    }
    let new = NewToken {
        principal: principal.id,
        form: TokenForm {
            name: &order.name,
            description: &order.description,
            permission: order.permission,
            limits: &order.limits,
            expires_at,
        },
        channels: &channels,
        admin: order.admin,
        created_by: caller.id(),
        value: NewValue {
            digest: secret.digest(),
            hint: &secret.hint(),
            issued_by_token: caller.token(),
        },
    };
    let id = store::insert_token(db, new, now).await?;
    let token = find(db, id, now).await?;
    change.touch([Touched::Token { id, digest: secret.digest() }]);
    let shown = shown(&token);
    audit(&mut change, actor, &token, "token.create", (None, Some(shown))).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: Issued { token, secret }, revision })
}
