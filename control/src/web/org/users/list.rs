//! The list of users.

use axum::extract::State;
use maud::{Markup, html};

use super::{HERE, address};
use crate::usecases::{Listed, user};
use crate::web::empty::none_found;
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Query};
use crate::web::form;
use crate::web::icon::icon;
use crate::web::listing::Asked;
use crate::web::meter::{NO_SEAT, is_full, seats};
use crate::web::moment::moment;
use crate::web::org::{tab_head, tab_page};
use crate::web::status::{Tone, status};
use crate::web::table::{Head, table};
use crate::web::visitor::Visitor;
use crate::{Control, Role, User, UserColumn};

const COLUMNS: [(&str, UserColumn); 5] = [
    ("name", UserColumn::Name),
    ("email", UserColumn::Email),
    ("role", UserColumn::Role),
    ("status", UserColumn::Status),
    ("created", UserColumn::Created),
];

pub(in crate::web::org) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    let inner = content(&control, &visitor, &fields).await?;
    Ok(tab_page(&visitor, HERE, inner))
}

/// What the tab shows, also under a dialog.
pub(super) async fn content(
    control: &Control,
    visitor: &Visitor,
    fields: &Fields,
) -> Result<Markup, Failure> {
    let asked = Asked::of(fields, &COLUMNS, UserColumn::Name);
    let found = user::browse(control, &visitor.actor, &asked.look()).await?;
    let taken = user::seats(control, &visitor.actor).await?;
    let about = "Whoever can sign in here. Users and service accounts take a seat each.";
    Ok(html! {
        (tab_head(HERE, about, seats(taken)))
        (form::find(HERE.path(), ("Search users", form::PART), &asked.search, html! {
            (asked.kept())
            @if is_full(taken) {
                div.last {
                    button.btn disabled aria-describedby="why-no-user" title=(NO_SEAT) { (icon("plus")) "Create User" }
                    p.small id="why-no-user" { (NO_SEAT) }
                }
            } @else {
                a.btn.primary.last href={ (HERE.path()) "/new" } { (icon("plus")) "Create User" }
            }
        }))
        @if found.items.is_empty() {
            (none_found("user", &asked.search, "", HERE.path()))
        } @else {
            (rows(visitor, &asked, &found))
            (asked.paging(&found))
        }
    })
}

fn rows(visitor: &Visitor, asked: &Asked<UserColumn>, found: &Listed<User>) -> Markup {
    let heads = [
        asked.head("Name", "name"),
        asked.head("Email", "email"),
        asked.head("Role", "role"),
        asked.head("Status", "status"),
        asked.head("Created", "created"),
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
