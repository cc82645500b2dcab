//! Ending the value that works on beside a newer one (product.md S9).

use access::TokenId;

use super::record::{audit, find, shown};
use super::rules::{require_reach, visible_token};
use crate::Actor;
use crate::store::{self, Token};
use crate::usecases::caller::Caller;
use crate::usecases::{Committed, Control, Error, seen};

/// Ends the old value of a token that works on since its reissue; the present one stays. Where none
/// works any more nothing changes, and the answer is the last revision. `seen` is what was shown of
/// the value that is meant: another reissue makes the present value the old one. For whoever may
/// revoke the token.
///
/// # Errors
/// [`Error::ChangedMeanwhile`]; [`Error::NotFound`], [`Error::NotPermitted`]; [`Error::Store`].
pub async fn end_old_value(
    control: &Control,
    actor: &Actor,
    id: TokenId,
    seen: Option<&str>,
) -> Result<Committed<Token>, Error> {
    let mut change = control.store.change(control.now()).await?;
    let caller = Caller::of_change(&mut change, actor).await?;
    let now = change.now();
    let db = change.connection();
    let before = visible_token(control, &caller, db, id, now).await?;
    require_reach(&caller, db, &before, now).await?;
    if let Some(old) = &before.old_value {
        seen::check(seen, &old.hint.to_string(), ("token", &before.name))?;
    }
    if store::end_old_values(db, id, now).await? == 0 {
        return Ok(Committed { value: before, revision: change.last() });
    }
    let values = store::values_of(db, id, store::MORE_THAN_ENTRIES).await?;
    let after = find(db, id, now).await?;
    change.touch(values);
    let ended = before.old_value.as_ref().map(|old| old.ends_at);
    let [was, is] = [(&before, ended), (&after, Some(now))].map(|(token, ends_at)| {
        let mut state = shown(token);
        state["old_value_ends_at"] = ends_at.map(|at| at.to_string()).into();
        state
    });
    audit(&mut change, actor, &after, "token.end_old_value", (Some(was), Some(is))).await?;
    let revision = change.commit().await?;
    Ok(Committed { value: after, revision })
}
