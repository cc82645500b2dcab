//! The list of users.

use axum::extract::State;
use maud::{Markup, html};

use super::{HERE, address};
use crate::usecases::{Listed, Page, user};
use crate::web::empty::none_found;
use crate::web::failure::Failure;
use crate::web::fields::Query;
use crate::web::form;
use crate::web::icon::icon;
use crate::web::meter::seats;
use crate::web::moment::moment;
use crate::web::org::{tab_head, tab_page};
use crate::web::status::{Tone, status};
use crate::web::table::{Head, paging, table};
use crate::web::visitor::Visitor;
use crate::{Control, Role, User};

const LIMIT: u32 = 50;

pub(in crate::web::org) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    let inner = content(&control, &visitor, fields.text("q"), fields.some("after")).await?;
    Ok(tab_page(&visitor, HERE, inner))
}

/// What the tab shows, also under a dialog.
pub(super) async fn content(
    control: &Control,
    visitor: &Visitor,
    search: &str,
    after: Option<String>,
) -> Result<Markup, Failure> {
    let is_first = after.is_none();
    let page = Page { after, limit: LIMIT, prefix: search.to_owned() };
    let found = user::list(control, &visitor.actor, &page).await?;
    let taken = user::seats(control, &visitor.actor).await?;
    let about = "Whoever can sign in here. Users and service accounts take a seat each.";
    Ok(html! {
        (tab_head(HERE, about, seats(taken)))
        (form::search(HERE.path(), "Search users", search, html! {
            a.btn.primary.last href={ (HERE.path()) "/new" } { (icon("plus")) "Create User" }
        }))
        @if found.items.is_empty() {
            (none_found("user", search, "", HERE.path()))
        } @else {
            (rows(visitor, &found))
            (paging(&found, is_first, &[("q", search)]))
        }
    })
}

fn rows(visitor: &Visitor, found: &Listed<User>) -> Markup {
    let heads = [
        Head::words("Name"),
        Head::words("Email"),
        Head::words("Role"),
        Head::words("Status"),
        Head::words("Created"),
        Head::actions(),
    ];
    let rows = html! { @for user in &found.items { (row(visitor, user)) } };
    table("Users", &heads, rows)
}

fn row(visitor: &Visitor, user: &User) -> Markup {
    let name = &user.principal.name;
    let is_self = visitor.actor.principal == Some(user.principal.id);
    html! {
        tr.gone[!user.principal.active] {
            th scope="row" {
                b { (name) } @if is_self { span.dim { " (you)" } }
                @if !user.display_name.is_empty() && user.display_name != *name { small { (user.display_name) } }
            }
            td.full data-label="Email" {
                @if user.email.is_empty() { span.dim { "None" } } @else { (user.email) }
            }
            td data-label="Role" {
                @if user.principal.role == Some(Role::Admin) { "Admin" } @else { "User" }
            }
            td data-label="Status" {
                @if user.principal.active { (status(Tone::Good, "ok", "Active")) }
                @else { (status(Tone::Dim, "off", "Deactivated")) }
            }
            td data-label="Created" { (moment(visitor.now, user.created_at)) }
            td.acts {
                a.btn.icon href=(address(name, "edit")) aria-label={ "Edit " (name) } title="Edit" { (icon("edit")) }
                a.btn.icon href=(address(name, "delete")) aria-label={ "Delete " (name) } title="Delete" { (icon("trash")) }
            }
        }
    }
}
