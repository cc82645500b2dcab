//! *Create User*.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::{HERE, role, role_field};
use crate::usecases::permitted;
use crate::usecases::user::{self, NewUser};
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled};
use crate::web::form::{self, Input};
use crate::web::meter::seats;
use crate::web::org::page_below;
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::proof;
use crate::web::visitor::Visitor;
use crate::{Control, Error};

const SHOWN: [&str; 5] = ["name", "display_name", "email", "role", "password"];

pub(in crate::web::org) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
) -> Result<Markup, Failure> {
    permitted::user_creation(&control, &visitor.actor).await?;
    let filled = Filled::with(Fields::of([("role", "user".to_owned())]));
    page(&control, &visitor, &filled).await
}

pub(in crate::web::org) async fn create(
    State(control): State<Control>,
    posted: Posted,
) -> Result<Response, Failure> {
    let fields = &posted.fields;
    let name = fields.text("name");
    let display_name = fields.some("display_name").unwrap_or_else(|| name.to_owned());
    let new = NewUser {
        name: name.to_owned(),
        display_name,
        email: fields.text("email").to_owned(),
        role: role(fields.text("role")),
        password: fields.raw("password").to_owned(),
    };
    let faults = user::faults(&new);
    match user::create(&control, &posted.visitor.actor, new).await {
        // Sent twice, it is done once.
        Ok(_) | Err(Error::AlreadyDone { .. }) => {
            Ok(proof::after(HERE.path(), None).into_response())
        }
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &SHOWN)?;
            // All of it at once: the use case told the first.
            for fault in faults {
                filled.refuse(fault, &SHOWN)?;
            }
            Ok(refused(page(&control, &posted.visitor, &filled).await?))
        }
    }
}

async fn page(control: &Control, visitor: &Visitor, filled: &Filled) -> Result<Markup, Failure> {
    let taken = user::seats(control, &visitor.actor).await?;
    let fields = html! {
        (Input::text("name", "Username").hint("Lower-case letters, digits, and . _ - between them; it can't be changed").focused().of(filled))
        (Input::text("display_name", "Full name (optional)").of(filled))
        (Input::text("email", "Email (optional)").of(filled))
        (role_field(filled))
        (Input::password("password", "First password", "new-password").hint("Tell it to them by another way than email; they can change it").of(filled))
        (form::buttons("Create User", HERE.path()))
    };
    let about = html! { (seats(taken)) };
    let inner = form::post(visitor, filled, &format!("{}/new", HERE.path()), fields);
    Ok(page_below(visitor, HERE, "Create User", about, inner))
}
