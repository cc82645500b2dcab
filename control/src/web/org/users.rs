//! `/org/users`: who can sign in, and what each may do beyond their groups. For admins.

mod delete;
mod edit;
mod list;
mod new;
mod step;

use axum::Router;
use axum::routing::{get, post};
use maud::{Markup, html};

use crate::web::fields::Filled;
use crate::web::form;
use crate::{Control, Role};

use super::Tab;

const HERE: Tab = Tab::Users;

pub(super) fn router() -> Router<Control> {
    Router::new()
        .route("/org/users", get(list::show))
        .route("/org/users/new", get(new::show).post(new::create))
        .route("/org/users/{name}/edit", get(edit::show).post(edit::save))
        .route("/org/users/{name}/password", post(edit::set_password))
        .route("/org/users/{name}/delete", get(delete::ask).post(delete::delete))
}

/// Where a user's pages are. Their names have no letter that an address would have to escape.
fn address(name: &str, verb: &str) -> String {
    format!("{}/{name}/{verb}", HERE.path())
}

/// The role, with what each means.
fn role_field(filled: &Filled) -> Markup {
    let choice = |role: Role, words: &str, note: &str| form::Choice {
        value: role.as_str(),
        words: html! { (words) },
        note: html! { (note) },
        is_disabled: false,
    };
    let choices = [
        choice(Role::User, "User", "Does what their groups allow"),
        choice(
            Role::Admin,
            "Admin",
            "Also makes channels, service accounts, users and groups, and sees everything",
        ),
    ];
    form::choices(filled, ("role", "Role"), "radio", &choices)
}

/// The role that was chosen.
fn role(word: &str) -> Role {
    if word == Role::Admin.as_str() { Role::Admin } else { Role::User }
}
