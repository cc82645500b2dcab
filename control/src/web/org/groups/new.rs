//! *Create Group*.

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::{HERE, address};
use crate::usecases::{group, permitted};
use crate::web::failure::Failure;
use crate::web::fields::Filled;
use crate::web::form::{self, Input};
use crate::web::org::page_below;
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::visitor::Visitor;
use crate::{Control, Error};

pub(in crate::web::org) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
) -> Result<Markup, Failure> {
    permitted::as_admin(&control, &visitor.actor).await?;
    Ok(page(&visitor, &Filled::default()))
}

pub(in crate::web::org) async fn create(
    State(control): State<Control>,
    posted: Posted,
) -> Result<Response, Failure> {
    let (name, description) = (posted.fields.text("name"), posted.fields.text("description"));
    match group::create(&control, &posted.visitor.actor, name, description).await {
        Ok(made) => Ok(Redirect::to(&address(&made.value.name, "")).into_response()),
        // It was sent twice.
        Err(Error::AlreadyDone { .. }) => Ok(Redirect::to(&address(name, "")).into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &["name", "description"])?;
            Ok(refused(page(&posted.visitor, &filled)))
        }
    }
}

fn page(visitor: &Visitor, filled: &Filled) -> Markup {
    let fields = html! {
        (Input::text("name", "Name").hint("Letters, digits, and . _ - between them").focused().of(filled))
        (Input::text("description", "Description (optional)").of(filled))
        (form::buttons("Create Group", HERE.path()))
    };
    let about = html! { p { "Then add members, and give it a permission on channels." } };
    let inner = form::post(visitor, filled, &format!("{}/new", HERE.path()), fields);
    page_below(visitor, HERE, "Create Group", about, inner)
}
