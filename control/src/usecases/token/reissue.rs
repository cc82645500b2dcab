//! Giving a token a new value (product.md S9).

use std::time::Duration;

use access::{TokenId, TokenSecret};

use super::record::{audit, check_seen, find, shown};
use super::rules::{check_expiry, check_limits, grantable, managed_token};
use super::{Expiry, Issued, MAX_LIFESPAN};
use crate::Actor;
use crate::store::{self, NewValue, StoreError};
use crate::usecases::caller::Caller;
use crate::usecases::{Committed, Control, Error};

/// How long the old value may work on beside the new one.
pub const MAX_OVERLAP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How a token is to be reissued.
#[derive(Clone, Debug, Default)]
pub struct Reissue {
    /// How long the old value works on, at most until it would have ended anyway.
    pub overlap: Duration,
    /// When the token ends, within a year from now; none for as long as it was issued for before; a
    /// token that reissues itself ends when it would have.
    pub expires: Option<Expiry>,
    /// The [`fingerprint`](super::fingerprint) of what the caller saw, if they mean that alone.
    pub seen: Option<String>,
}

/// Gives a token a new value and a new year. The old value ends now, or after the overlap; one
/// that was in an overlap already ends now. An expired token comes back with its new value only, a
/// revoked one never does. Its new holder may do all that it grants: so caller and principal must
/// hold that, as at its issue (product.md S6).
///
/// # Errors
/// [`Error::InvalidField`], [`Error::Lifespan`], [`Error::NotFound`], [`Error::NotPermitted`],
/// [`Error::PermissionNotHeld`], [`Error::TokenRevoked`], [`Error::ChangedMeanwhile`];
/// [`Error::Store`].
pub async fn reissue(
    control: &Control,
    actor: &Actor,
    id: TokenId,
    how: Reissue,
) -> Result<Committed<Issued>, Error> {
    if how.overlap > MAX_OVERLAP {
        return Err(Error::invalid("overlap", "the old value may work on for at most 7 days"));
    }
    let secret = TokenSecret::generate().map_err(StoreError::from)?;

    let mut change = control.store.change(control.now()).await?;
    let caller = Caller::of_change(&mut change, actor).await?;
    let now = change.now();
    let db = change.connection();
    let (before, principal) = managed_token(control, &caller, db, id, now).await?;
    check_seen(how.seen.as_deref(), &before)?;
    let lifespan = before.expires_at.since(before.issued_at).min(MAX_LIFESPAN);
    let own_end = caller.token_ends().filter(|_| caller.token() == Some(id));
    let expires = how.expires.unwrap_or_else(|| {
        let same = now.plus(lifespan);
        Expiry::At(own_end.map_or(same, |end| end.min(same)))
    });
    let expires_at = check_expiry(&caller, expires, now, now)?;
    check_limits(&caller, &before.limits)?;
    if before.admin && !caller.is_admin() {
        return Err(Error::needs_admin());
    }
    let channels: Vec<_> = before.channels.iter().map(|channel| channel.name.clone()).collect();
    grantable(&caller, db, &principal, before.permission, &channels).await?;

    let old_ends = now.plus(how.overlap).min(before.expires_at.max(now));
    let value =
        NewValue { digest: secret.digest(), hint: &secret.hint(), issued_by_token: caller.token() };
    store::replace_value(db, id, value, (now, old_ends, expires_at)).await?;
    let values = store::values_of(db, id, store::MORE_THAN_ENTRIES).await?;
    let token = find(db, id, now).await?;
    change.touch(values);
    let mut state = shown(&token);
    state["old_value_ends_at"] = old_ends.to_string().into();
    let states = (Some(shown(&before)), Some(state));
    audit(&mut change, actor, &token, "token.reissue", states).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: Issued { token, secret }, revision })
}
