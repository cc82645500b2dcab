//! Editing a user, and setting a new password for them.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::{HERE, address, role, role_field};
use crate::usecases::password;
use crate::usecases::user::{self, UserEdit};
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled};
use crate::web::form::{self, Input};
use crate::web::org::page_below;
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::visitor::Visitor;
use crate::{Control, Role, User};

const SHOWN: [&str; 4] = ["display_name", "email", "role", "active"];
/// Of the second form on the page.
const SHOWN_OF_PASSWORD: [&str; 2] = ["old_password", "password"];

pub(in crate::web::org) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Markup, Failure> {
    let user = user::get(&control, &visitor.actor, &name).await?;
    Ok(page(&visitor, &user, &as_it_is(&user), &Filled::default()))
}

pub(in crate::web::org) async fn save(
    State(control): State<Control>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let fields = &posted.fields;
    let edit = UserEdit {
        display_name: Some(fields.text("display_name").to_owned()),
        email: Some(fields.text("email").to_owned()),
        role: Some(role(fields.text("role"))),
        active: Some(fields.has("active", "yes")),
    };
    match user::edit(&control, &posted.visitor.actor, &name, edit).await {
        Ok(_) => Ok(Redirect::to(HERE.path()).into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &SHOWN)?;
            let user = user::get(&control, &posted.visitor.actor, &name).await?;
            Ok(refused(page(&posted.visitor, &user, &filled, &Filled::default())))
        }
    }
}

pub(in crate::web::org) async fn set_password(
    State(control): State<Control>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let (visitor, fields) = (&posted.visitor, &posted.fields);
    let old = Some(fields.raw("old_password")).filter(|old| !old.is_empty());
    match password::set(&control, &visitor.actor, &name, old, fields.raw("password")).await {
        Ok(()) => Ok(Redirect::to(&back(visitor, &name)).into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &SHOWN_OF_PASSWORD)?;
            let user = user::get(&control, &visitor.actor, &name).await?;
            Ok(refused(page(visitor, &user, &as_it_is(&user), &filled)))
        }
    }
}

/// Where one comes from: the list, for who may see it.
fn back(visitor: &Visitor, name: &str) -> String {
    if visitor.is_admin { HERE.path().to_owned() } else { address(name, "edit") }
}

fn as_it_is(user: &User) -> Filled {
    let role = user.principal.role.unwrap_or(Role::User).as_str();
    let active = if user.principal.active { "yes" } else { "" };
    Filled::with(Fields::of([
        ("display_name", user.display_name.clone()),
        ("email", user.email.clone()),
        ("role", role.to_owned()),
        ("active", active.to_owned()),
    ]))
}

fn page(visitor: &Visitor, user: &User, filled: &Filled, of_password: &Filled) -> Markup {
    let name = &user.principal.name;
    let is_self = visitor.actor.principal == Some(user.principal.id);
    let fields = html! {
        (Input::text("display_name", "Full name (optional)").of(filled))
        (Input::text("email", "Email (optional)").of(filled))
        (role_field(filled))
        (form::tick(filled, "active", "Active", "Without it they can't sign in, their tokens are revoked for good, and their seat is free"))
        (form::buttons("Save", HERE.path()))
    };
    let new_password = html! {
        // By which password managers know whose it is.
        input type="text" name="username" value=(name) autocomplete="username" readonly hidden;
        @if is_self { (Input::password("old_password", "Present password", "current-password").of(of_password)) }
        (Input::password("password", "New password", "new-password").of(of_password))
        div.row { button.btn { "Set password" } }
    };
    let about = html! { p { "Every change is in the audit log." } };
    let inner = html! {
        // Admins alone change what a user is.
        @if visitor.is_admin { (form::post(visitor, filled, &address(name, "edit"), fields)) }
        section.gap {
            h2 { "Set a new password" }
            p {
                @if is_self { "Your other sessions end; your tokens go on working." }
                @else { "Their other sessions end; their tokens go on working." }
            }
            (form::post(visitor, of_password, &address(name, "password"), new_password))
        }
    };
    page_below(visitor, HERE, name, about, inner)
}
