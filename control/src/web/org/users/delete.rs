//! Deleting a user, after a confirmation that says what becomes of what is theirs.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::{HERE, address, list};
use crate::usecases::user;
use crate::web::dialog::{self, dialog};
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled};
use crate::web::form;
use crate::web::org::tab_page_under;
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::proof;
use crate::web::visitor::Visitor;
use crate::{Control, Error, User};

pub(in crate::web::org) async fn ask(
    State(control): State<Control>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Markup, Failure> {
    asked(&control, &visitor, &name, &Filled::default()).await
}

pub(in crate::web::org) async fn delete(
    State(control): State<Control>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    match user::delete(&control, &posted.visitor.actor, &name).await {
        Ok(done) => Ok(proof::after(HERE.path(), Some(done.revision)).into_response()),
        // Sent twice, it is done once.
        Err(Error::AlreadyDone { .. }) => Ok(proof::after(HERE.path(), None).into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &[])?;
            Ok(refused(asked(&control, &posted.visitor, &name, &filled).await?))
        }
    }
}

async fn asked(
    control: &Control,
    visitor: &Visitor,
    name: &str,
    filled: &Filled,
) -> Result<Markup, Failure> {
    let user = user::get(control, &visitor.actor, name).await?;
    let inner = list::content(control, visitor, &Fields::default()).await?;
    let over = dialog("Delete user", content(visitor, &user, filled));
    Ok(tab_page_under(visitor, HERE, inner, over))
}

fn content(visitor: &Visitor, user: &User, filled: &Filled) -> Markup {
    let name = &user.principal.name;
    html! {
        p {
            "Delete " b { (name) }
            @if user.display_name != *name && !user.display_name.is_empty() { " (" (user.display_name) ")" }
            "? They are signed out everywhere, every token of theirs is revoked at once and for good, "
            "and they leave all groups. Their seat is free. What they did stays in the audit log."
        }
        (form::post(visitor, filled, &address(name, "delete"), dialog::danger("Delete", HERE.path())))
    }
}
