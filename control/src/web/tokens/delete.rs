//! Revoking a token: the question, and the proof.

use access::{Permission, TokenId};
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::back::{Back, list};
use super::edit::id_in_path;
use super::owner::Owner;
use super::proof::shown_after;
use super::{old_value, was};
use crate::usecases::token;
use crate::web::dialog::{danger, dialog};
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled, Query};
use crate::web::form;
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::proof::WAIT;
use crate::web::visitor::Visitor;
use crate::{Control, Error, Token};

/// The dialog: who used it last, and what will happen.
pub(super) async fn ask(
    State(control): State<Control>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let (token, back) = found(&control, &visitor, &id, &fields).await?;
    if token.revoked.is_some() {
        return Ok(to(token.id, "revoked", &back));
    }
    Ok(asking(&control, &visitor, (&token, &back), &Filled::default()).await?.into_response())
}

pub(super) async fn revoke(
    State(control): State<Control>,
    Path(id): Path<String>,
    Query(fields): Query,
    posted: Posted,
) -> Result<Response, Failure> {
    let (visitor, back, id) = (&posted.visitor, Back::of(&fields), id_in_path(&id)?);
    let done = match posted.fields.has("with_issued", "yes") {
        true => token::revoke_with_issued(&control, &visitor.actor, id).await,
        false => token::revoke(&control, &visitor.actor, id).await,
    };
    match done {
        Ok(_) | Err(Error::AlreadyDone { .. }) => Ok(to(id, "revoked", &back)),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &[])?;
            let token = token::get(&control, &visitor.actor, id).await?;
            let page = asking(&control, visitor, (&token, &back), &filled).await?;
            Ok(refused(page))
        }
    }
}

/// The proof over the page of whose it was.
pub(super) async fn revoked(
    State(control): State<Control>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let (token, back) = found(&control, &visitor, &id, &fields).await?;
    let Some((_, revision)) = token.revoked else {
        return Ok(to(token.id, "delete", &back));
    };
    let owner = Owner::of(&control, &visitor, &token).await?;
    let proof = shown_after(&control, (token.id.0, revision), WAIT).await?;
    let heading = format!("{} is revoked", token.name);
    let dialog = dialog(
        &heading,
        html! {
            (proof)
            div.row { a.btn.primary href=(list(&owner.address(), back.fields())) data-cancel autofocus { "Close" } }
        },
    );
    let content = owner.content(&control, &visitor, back.fields()).await?;
    Ok(visitor.page_under(&heading, owner.place(), content, dialog).into_response())
}

async fn asking(
    control: &Control,
    visitor: &Visitor,
    (token, back): (&Token, &Back),
    filled: &Filled,
) -> Result<Markup, Failure> {
    let owner = Owner::of(control, visitor, token).await?;
    let heading = format!("Delete {}?", token.name);
    let action = address(token.id, "delete", back);
    let dialog = dialog(
        &heading,
        form::post(
            visitor,
            filled,
            &action,
            html! {
                p { "It is refused at once on every gateway, and downloads that run on it are cut. This can’t be undone." }
                dl.kv {
                    @if let Some(old) = old_value::told(visitor, token) {
                        dt { "Old value" }
                        dd { (old) ": it ends with the token" }
                    }
                    dt { "Last used" }
                    dd { (was::last_used(visitor, token)) }
                    @if !token.description.is_empty() { dt { "Description" } dd { (token.description) } }
                    dt { "Channels" }
                    dd { @for channel in &token.channels { div { (channel.name) } } }
                }
                @if token.permission == Permission::Manage || token.admin {
                    (form::tick(filled, "with_issued", "Also delete the tokens that it issued", "If its value leaked, others may have been made with it."))
                }
                (danger("Delete", &list(&owner.address(), back.fields())))
            },
        ),
    );
    let content = owner.content(control, visitor, back.fields()).await?;
    Ok(visitor.page_under(&heading, owner.place(), content, dialog))
}

/// The token that a page is about, and the list that its visitor came from.
pub(super) async fn found(
    control: &Control,
    visitor: &Visitor,
    id: &str,
    fields: &Fields,
) -> Result<(Token, Back), Failure> {
    let token = token::get(control, &visitor.actor, id_in_path(id)?).await?;
    Ok((token, Back::of(fields)))
}

/// A page of a token, with the way back to that list.
pub(super) fn address(token: TokenId, page: &str, back: &Back) -> String {
    format!("/tokens/{}/{page}{}", token.0, back.query())
}

fn to(token: TokenId, page: &str, back: &Back) -> Response {
    Redirect::to(&address(token, page, back)).into_response()
}
