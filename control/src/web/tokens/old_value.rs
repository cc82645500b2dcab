//! The value of a token that works on beside a newer one: until when, and its end before that.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::back::{Back, list};
use super::delete::{address, found};
use super::edit::id_in_path;
use super::owner::Owner;
use super::was;
use crate::usecases::token;
use crate::web::dialog::{danger, dialog};
use crate::web::failure::Failure;
use crate::web::fields::{Filled, Query};
use crate::web::form;
use crate::web::moment::moment;
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::proof;
use crate::web::visitor::Visitor;
use crate::{Control, Error, Token};

/// The field with what was shown of the value that is to end.
const OLD: &str = "old_value";
/// The page of that end, below its token's.
const END: &str = "old-value/end";

/// Which value works on, and until when; nothing where none does.
pub(super) fn told(visitor: &Visitor, token: &Token) -> Option<Markup> {
    let old = token.old_value.as_ref()?;
    Some(html! { (old.hint) " still works; it ends " (moment(visitor.now, old.ends_at)) })
}

/// The same with the way to end it now.
pub(super) fn ending(visitor: &Visitor, token: &Token, back: &Back) -> Markup {
    html! {
        @if let Some(told) = told(visitor, token) {
            "The old value " (told) ". "
            a href=(address(token.id, END, back)) aria-label={ "End it now, the old value of " (token.name) } { "End it now" }
        }
    }
}

/// The dialog: which value, and what runs on.
pub(super) async fn ask(
    State(control): State<Control>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let (token, back) = found(&control, &visitor, &id, &fields).await?;
    Ok(asking(&control, &visitor, (&token, &back), &Filled::default()).await?.into_response())
}

/// Ends it, and shows where that is in force.
pub(super) async fn end(
    State(control): State<Control>,
    Path(id): Path<String>,
    Query(fields): Query,
    posted: Posted,
) -> Result<Response, Failure> {
    let (visitor, back, id) = (&posted.visitor, Back::of(&fields), id_in_path(&id)?);
    let seen = Some(posted.fields.text(OLD));
    let done = token::end_old_value(&control, &visitor.actor, id, seen).await;
    let token = token::get(&control, &visitor.actor, id).await?;
    let owner = Owner::of(&control, visitor, &token).await?;
    let to = list(&owner.address(), back.fields());
    match done {
        Ok(done) => Ok(proof::after(&to, Some(done.revision)).into_response()),
        Err(Error::AlreadyDone { .. }) => Ok(proof::after(&to, None).into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &[])?;
            Ok(refused(asking(&control, visitor, (&token, &back), &filled).await?))
        }
    }
}

async fn asking(
    control: &Control,
    visitor: &Visitor,
    (token, back): (&Token, &Back),
    filled: &Filled,
) -> Result<Markup, Failure> {
    let owner = Owner::of(control, visitor, token).await?;
    let to = list(&owner.address(), back.fields());
    let heading = format!("End the old value of {}?", token.name);
    let over = match told(visitor, token) {
        Some(told) => form::post(
            visitor,
            filled,
            &address(token.id, END, back),
            html! {
                p { "It is refused at once on every gateway, and downloads that run on it are cut. The new value goes on." }
                dl.kv {
                    dt { "Old value" } dd { (told) }
                    dt { "New value" } dd { (token.hint) }
                    dt { "Last used" } dd { (was::last_used(visitor, token)) ", with either value" }
                }
                input type="hidden" name=(OLD) value=[token.old_value.as_ref().map(|old| old.hint)];
                (danger("End it now", &to))
            },
        ),
        None => html! {
            p { "No old value of it works any more." }
            div.row { a.btn.primary href=(to) data-cancel autofocus { "Close" } }
        },
    };
    let content = owner.content(control, visitor, back.fields()).await?;
    Ok(visitor.page_under(&heading, owner.place(), content, dialog(&heading, over)))
}
