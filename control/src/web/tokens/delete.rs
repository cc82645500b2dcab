//! Revoking a token: the question, and the proof.

use access::Permission;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::edit::id_in_path;
use super::owner::Owner;
use super::proof::shown_after;
use super::was;
use crate::usecases::token;
use crate::web::dialog::{danger, dialog};
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled};
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
) -> Result<Response, Failure> {
    let token = token::get(&control, &visitor.actor, id_in_path(&id)?).await?;
    if token.revoked.is_some() {
        return Ok(Redirect::to(&format!("/tokens/{}/revoked", token.id.0)).into_response());
    }
    let filled = Filled::with(Fields::default());
    Ok(asking(&control, &visitor, &token, &filled).await?.into_response())
}

pub(super) async fn revoke(
    State(control): State<Control>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let (visitor, id) = (&posted.visitor, id_in_path(&id)?);
    let done = match posted.fields.has("with_issued", "yes") {
        true => token::revoke_with_issued(&control, &visitor.actor, id).await,
        false => token::revoke(&control, &visitor.actor, id).await,
    };
    match done {
        Ok(_) | Err(Error::AlreadyDone { .. }) => {
            Ok(Redirect::to(&format!("/tokens/{}/revoked", id.0)).into_response())
        }
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &[])?;
            let token = token::get(&control, &visitor.actor, id).await?;
            let page = asking(&control, visitor, &token, &filled).await?;
            Ok(refused(page))
        }
    }
}

/// The proof over the page of whose it was.
pub(super) async fn revoked(
    State(control): State<Control>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let token = token::get(&control, &visitor.actor, id_in_path(&id)?).await?;
    let Some((_, revision)) = token.revoked else {
        return Ok(Redirect::to(&format!("/tokens/{}/delete", token.id.0)).into_response());
    };
    let owner = Owner::of(&control, &visitor, &token).await?;
    let proof = shown_after(&control, (token.id.0, revision), WAIT).await?;
    let heading = format!("{} is revoked", token.name);
    let dialog = dialog(
        &heading,
        html! {
            (proof)
            div.row { a.btn.primary href=(owner.address()) data-cancel autofocus { "Close" } }
        },
    );
    let content = owner.content(&control, &visitor, &Fields::default()).await?;
    Ok(visitor.page_under(&heading, owner.place(), content, dialog).into_response())
}

async fn asking(
    control: &Control,
    visitor: &Visitor,
    token: &Token,
    filled: &Filled,
) -> Result<Markup, Failure> {
    let owner = Owner::of(control, visitor, token).await?;
    let heading = format!("Delete {}?", token.name);
    let action = format!("/tokens/{}/delete", token.id.0);
    let dialog = dialog(
        &heading,
        form::post(
            visitor,
            filled,
            &action,
            html! {
                p { "It is refused at once on every gateway, and downloads that run on it are cut. This can’t be undone." }
                dl.kv {
                    dt { "Last used" }
                    dd { (was::last_used(visitor, token)) }
                    @if !token.description.is_empty() { dt { "Description" } dd { (token.description) } }
                    dt { "Channels" }
                    dd { @for channel in &token.channels { div { (channel.name) } } }
                }
                @if token.permission == Permission::Manage || token.admin {
                    (form::tick(filled, "with_issued", "Also delete the tokens that it issued", "If its value leaked, others may have been made with it."))
                }
                (danger("Delete", &owner.address()))
            },
        ),
    );
    let content = owner.content(control, visitor, &Fields::default()).await?;
    Ok(visitor.page_under(&heading, owner.place(), content, dialog))
}
