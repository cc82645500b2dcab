//! Deleting a group, after a confirmation that says who loses what.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::one::{self, Asked, Forms};
use super::{HERE, address};
use crate::usecases::{group, permitted};
use crate::web::dialog::{self, dialog};
use crate::web::failure::Failure;
use crate::web::fields::Filled;
use crate::web::form;
use crate::web::page::Place;
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::proof;
use crate::web::visitor::Visitor;
use crate::{Control, Error};

pub(in crate::web::org) async fn ask(
    State(control): State<Control>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Markup, Failure> {
    permitted::group_deletion(&control, &visitor.actor, &name).await?;
    asked(&control, &visitor, &name, &Filled::default()).await
}

pub(in crate::web::org) async fn delete(
    State(control): State<Control>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    match group::delete(&control, &posted.visitor.actor, &name).await {
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
    let details = group::get(control, &visitor.actor, name).await?;
    let (members, channels) = (details.member_count, details.permissions.len());
    let over = dialog(
        "Delete group",
        html! {
            p {
                "Delete " b { (name) } "? Its " (members) (if members == 1 { " member loses" } else { " members lose" })
                " what it gives them on " (channels) (if channels == 1 { " channel" } else { " channels" })
                ", and their tokens with them, at once."
            }
            (form::post(visitor, filled, &address(name, "delete"), dialog::danger("Delete", &address(name, ""))))
        },
    );
    let asked = Asked::first();
    let found = asked.find(control, visitor, name).await?;
    let under = one::content(control, visitor, (&asked, &found), &Forms::default()).await?;
    Ok(visitor.page_under(name, Place::Org, under, over))
}
