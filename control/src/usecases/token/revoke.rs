//! Revoking tokens: at once and for good.

use access::TokenId;
use serde_json::json;

use super::record::{audit, find, shown};
use super::rules::{require_reach, visible_token};
use crate::Actor;
use crate::store::{self, Revoke, Token};
use crate::usecases::caller::Caller;
use crate::usecases::{Committed, Control, Error};

/// Revokes a token. One that is revoked already stays as it is, and the answer is the same: the
/// revision that revoked it (product.md S10).
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`]; [`Error::Store`].
pub async fn revoke(
    control: &Control,
    actor: &Actor,
    id: TokenId,
) -> Result<Committed<Token>, Error> {
    take(control, actor, id, Revoke::One(id)).await
}

/// Revokes a token and every one that was issued with it, with those, and so on (product.md S6).
/// Whoever may revoke the token may take along what it made, whosever that is. Where all of them
/// are revoked already, the answer is the last revision that revoked one.
///
/// # Errors
/// As [`revoke`].
pub async fn revoke_with_issued(
    control: &Control,
    actor: &Actor,
    id: TokenId,
) -> Result<Committed<Token>, Error> {
    take(control, actor, id, Revoke::WithIssued(id)).await
}

async fn take(
    control: &Control,
    actor: &Actor,
    id: TokenId,
    what: Revoke,
) -> Result<Committed<Token>, Error> {
    let mut change = control.store.change(control.now()).await?;
    let caller = Caller::of_change(&mut change, actor).await?;
    let (now, revision) = (change.now(), change.revision());
    let db = change.connection();
    let before = visible_token(control, &caller, db, id, now).await?;
    require_reach(&caller, db, &before, now).await?;
    if store::revoke_tokens(db, what, now, revision).await? == 0 {
        let last = match what {
            Revoke::WithIssued(_) => store::last_revoked(db, id).await?,
            _ => before.revoked.map(|(_, revision)| revision),
        };
        return Ok(Committed { value: before, revision: last.unwrap_or(revision) });
    }
    let values = store::values_revoked_by(db, revision, store::MORE_THAN_ENTRIES).await?;
    let mut others = store::tokens_revoked_by(db, revision).await?;
    others.retain(|other| *other != id);
    let after = find(db, id, now).await?;
    change.touch(values);
    let mut state = shown(&after);
    if !others.is_empty() {
        state["with_issued"] = json!(others.iter().map(|other| other.0).collect::<Vec<_>>());
    }
    let states = (Some(shown(&before)), Some(state));
    audit(&mut change, actor, &after, "token.revoke", states).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: after, revision })
}
