//! Editing a user, and setting a new password for them.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::step::{Step, asked};
use super::{HERE, address, role, role_field};
use crate::usecases::password;
use crate::usecases::user::{self, UserEdit};
use crate::web::began::{self, About};
use crate::web::dialog;
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled};
use crate::web::form::{self, Input};
use crate::web::org::page_below;
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::proof;
use crate::web::visitor::Visitor;
use crate::{Control, Error, Role, User};

const SHOWN: [&str; 4] = ["display_name", "email", "role", "active"];
const ABOUT: About =
    About { kind: "user", texts: &["display_name", "email", "role"], ticks: &["active"] };
/// Of the second form on the page.
const SHOWN_OF_PASSWORD: [&str; 2] = ["old_password", "password"];

pub(in crate::web::org) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Markup, Failure> {
    let user = user::get(&control, &visitor.actor, &name).await?;
    Ok(page(&visitor, &user, &Filled::with(now(&user)), &Filled::default()))
}

pub(in crate::web::org) async fn save(
    State(control): State<Control>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let (visitor, fields) = (&posted.visitor, &posted.fields);
    let before = user::get(&control, &visitor.actor, &name).await?;
    let edit = UserEdit {
        display_name: began::changed(fields, "display_name"),
        email: began::changed(fields, "email"),
        role: began::changed(fields, "role").map(|word| role(&word)),
        active: began::ticked(fields, "active"),
        seen: began::seen(fields),
    };
    let of = (ABOUT.kind, &*name);
    let fresh = began::check(&control, &posted, &user::fingerprint(&before), (of, &[])).await;
    let (mut takes, mut is_own) = (false, false);
    let done = match fresh {
        Ok(()) => {
            let steps = Step::of(&before, &edit);
            match fields.text(dialog::CONFIRM) {
                "" if !steps.is_empty() => {
                    return Ok(asked(&control, &posted, &before, &steps).await?.into_response());
                }
                "no" => {
                    let page = page(visitor, &before, &posted.filled(), &Filled::default());
                    return Ok(page.into_response());
                }
                _ => {}
            }
            takes = steps.iter().any(|step| step.takes());
            // Whoever has just given up the role has no list any more.
            is_own = steps.contains(&Step::TakeRole)
                && visitor.actor.principal == Some(before.principal.id);
            user::edit(&control, &visitor.actor, &name, edit).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(done) => {
            let back = if is_own { address(&name, "edit") } else { HERE.path().to_owned() };
            Ok(proof::after(&back, takes.then_some(done.revision)).into_response())
        }
        // It was sent twice.
        Err(Error::AlreadyDone { .. }) => Ok(proof::after(HERE.path(), None).into_response()),
        Err(error) => {
            let user = user::get(&control, &visitor.actor, &name).await?;
            let mut filled = posted.filled();
            match error {
                Error::ChangedMeanwhile { .. } => began::merge(&mut filled, &now(&user), &ABOUT),
                error => filled.refuse(error, &SHOWN)?,
            }
            Ok(refused(page(visitor, &user, &filled, &Filled::default())))
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
        Ok(()) => Ok(proof::after(&back(visitor, &name), None).into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &SHOWN_OF_PASSWORD)?;
            let user = user::get(&control, &visitor.actor, &name).await?;
            Ok(refused(page(visitor, &user, &Filled::with(now(&user)), &filled)))
        }
    }
}

/// Where one comes from: the list, for who may see it.
fn back(visitor: &Visitor, name: &str) -> String {
    if visitor.is_admin { HERE.path().to_owned() } else { address(name, "edit") }
}

fn now(user: &User) -> Fields {
    let role = user.principal.role.unwrap_or(Role::User).as_str();
    let active = if user.principal.active { "yes" } else { "" };
    Fields::of([
        ("display_name", user.display_name.clone()),
        ("email", user.email.clone()),
        ("role", role.to_owned()),
        ("active", active.to_owned()),
    ])
}

fn page(visitor: &Visitor, user: &User, filled: &Filled, of_password: &Filled) -> Markup {
    let name = &user.principal.name;
    let is_self = visitor.actor.principal == Some(user.principal.id);
    let fields = html! {
        (began::hidden(&user::fingerprint(user), &now(user)))
        (Input::text("display_name", "Full name (optional)").of(filled))
        (Input::text("email", "Email (optional)").of(filled))
        (role_field(filled))
        (form::tick(filled, "active", "Active", if is_self {
            "Without it you can’t sign in, your tokens are revoked for good, and your seat is free"
        } else {
            "Without it they can’t sign in, their tokens are revoked for good, and their seat is free"
        }))
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
