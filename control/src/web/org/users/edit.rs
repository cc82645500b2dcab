//! Editing a user, and setting a new password for them.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::{HERE, address, list, role, role_field};
use crate::usecases::user::{self, UserEdit};
use crate::usecases::{Listed, Page, password, session, token};
use crate::web::dialog::{self, dialog};
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled};
use crate::web::form::{self, Input};
use crate::web::org::{page_below, tab_page_under};
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::proof;
use crate::web::visitor::Visitor;
use crate::{Control, Error, Role, TokenStatus, User};

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
    let before = user::get(&control, &posted.visitor.actor, &name).await?.principal;
    let locks_out = edit.active == Some(false) && before.active;
    let takes_role = edit.role == Some(Role::User) && before.role == Some(Role::Admin);
    match fields.text(dialog::CONFIRM) {
        "" if locks_out => return Ok(asked(&control, &posted, &name).await?.into_response()),
        "" if takes_role => return Ok(asked_role(&control, &posted, &name).await?.into_response()),
        "no" => {
            let user = user::get(&control, &posted.visitor.actor, &name).await?;
            let page = page(&posted.visitor, &user, &posted.filled(), &Filled::default());
            return Ok(page.into_response());
        }
        _ => {}
    }
    match user::edit(&control, &posted.visitor.actor, &name, edit).await {
        Ok(done) => {
            let change = (locks_out || takes_role).then_some(done.revision);
            // Whoever has just given up the role has no list any more.
            let is_own = takes_role && posted.visitor.actor.principal == Some(before.id);
            let back = if is_own { address(&name, "edit") } else { HERE.path().to_owned() };
            Ok(proof::after(&back, change).into_response())
        }
        // It was sent twice.
        Err(Error::AlreadyDone { .. }) => Ok(proof::after(HERE.path(), None).into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &SHOWN)?;
            let user = user::get(&control, &posted.visitor.actor, &name).await?;
            Ok(refused(page(&posted.visitor, &user, &filled, &Filled::default())))
        }
    }
}

/// Whether a user is meant to be locked out: what stops by it.
async fn asked(control: &Control, posted: &Posted, name: &str) -> Result<Markup, Failure> {
    let (visitor, actor) = (&posted.visitor, &posted.visitor.actor);
    let page = Page { limit: Page::MAX_LIMIT, ..Page::first() };
    let sessions = session::list(control, actor, name, &page).await?;
    let tokens = token::list(control, actor, name, Some(TokenStatus::Active), &page).await?;
    let over = dialog(
        "Deactivate user",
        html! {
            p { "Lock " b { (name) } " out? At once, on every gateway:" }
            dl.kv {
                dt { "Sessions" } dd { (many(&sessions, "ends", "end")) }
                dt { "Tokens" } dd { (many(&tokens, "is revoked for good", "are revoked for good")) }
                dt { "Seat" } dd { "Free for somebody else" }
            }
            p { "Downloads on their tokens are cut. They stay in their groups; made active again, they need new tokens." }
            (dialog::confirm(posted, &address(name, "edit"), "Deactivate"))
        },
    );
    let under = list::content(control, visitor, &Fields::default()).await?;
    Ok(tab_page_under(visitor, HERE, under, over))
}

/// Whether an admin is meant to be none any more: what they can't do then.
async fn asked_role(control: &Control, posted: &Posted, name: &str) -> Result<Markup, Failure> {
    let visitor = &posted.visitor;
    let over = dialog(
        "Take role admin away",
        html! {
            p {
                "Make " b { (name) } " a user without the role? They no longer see or change users, gateways and the audit log, "
                "nor channels and groups that none of their own groups is for. It holds at once, in their sessions and for tokens that act with their role."
            }
            p {
                "What their groups give them stays, and so do their tokens for channels. "
                @if visitor.actor.name == name { b { "This is your own role: only another admin can give it back." } }
            }
            (dialog::confirm(posted, &address(name, "edit"), "Take role away"))
        },
    );
    let under = list::content(control, visitor, &Fields::default()).await?;
    Ok(tab_page_under(visitor, HERE, under, over))
}

/// "2 end"
fn many<T>(found: &Listed<T>, one: &str, more: &str) -> String {
    match (found.items.len(), &found.next_cursor) {
        (0, _) => "None".to_owned(),
        (1, _) => format!("1 {one}"),
        (many, None) => format!("{many} {more}"),
        (many, Some(_)) => format!("More than {many} {more}"),
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
        (form::tick(filled, "active", "Active", "Without it they can’t sign in, their tokens are revoked for good, and their seat is free"))
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
