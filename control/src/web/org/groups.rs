//! `/org/groups`: who is in which group, and what each group may do on which channel.

mod change;
mod delete;
mod list;
pub(in crate::web) mod lower;
mod new;
mod one;
pub(in crate::web) mod remove;

use axum::Router;
use axum::routing::{get, post};

use super::Tab;
use crate::Control;

const HERE: Tab = Tab::Groups;

pub(super) fn router() -> Router<Control> {
    Router::new()
        .route("/org/groups", get(list::show))
        .route("/org/groups/new", get(new::show).post(new::create))
        .route("/org/groups/{name}", get(one::show))
        .route("/org/groups/{name}/description", post(change::describe))
        .route("/org/groups/{name}/members", post(change::add_member))
        .route(
            "/org/groups/{name}/members/{member}/remove",
            get(remove::ask_member).post(remove::remove_member),
        )
        .route("/org/groups/{name}/permissions", post(change::permit))
        .route(
            "/org/groups/{name}/permissions/{channel}/remove",
            get(remove::ask_permission).post(remove::remove_permission),
        )
        .route("/org/groups/{name}/delete", get(delete::ask).post(delete::delete))
}

/// A group's page, or what is done on it. Names have no letter that an address would have to escape.
fn address(name: &str, verb: &str) -> String {
    if verb.is_empty() {
        format!("{}/{name}", HERE.path())
    } else {
        format!("{}/{name}/{verb}", HERE.path())
    }
}
