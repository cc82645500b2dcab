//! The list of groups.

use axum::extract::State;
use maud::{Markup, html};

use super::{HERE, address};
use crate::usecases::{Listed, group};
use crate::web::empty::{empty, none_found};
use crate::web::failure::Failure;
use crate::web::fields::Query;
use crate::web::form;
use crate::web::icon::icon;
use crate::web::listing::Asked;
use crate::web::moment::moment;
use crate::web::org::{tab_head, tab_page};
use crate::web::table::{Head, shortened, table};
use crate::web::visitor::Visitor;
use crate::{Control, Group, GroupColumn};

const COLUMNS: [(&str, GroupColumn); 2] =
    [("name", GroupColumn::Name), ("created", GroupColumn::Created)];

pub(in crate::web::org) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    let asked = Asked::of(&fields, &COLUMNS, GroupColumn::Name);
    let found = group::browse(&control, &visitor.actor, &asked.look()).await?;
    let about =
        "A group gives its members a permission on channels. Every channel has one of its owners.";
    let create = html! {
        @if visitor.is_admin {
            a.btn.primary.last href={ (HERE.path()) "/new" } { (icon("plus")) "Create Group" }
        }
    };
    let nothing_at_all = found.items.is_empty() && asked.is_everything();
    let inner = html! {
        (tab_head(HERE, about, html! {}))
        @if nothing_at_all {
            (empty("group", "No groups yet", html! {
                "You are in no group, and manage no channel that one has a permission on."
            }, create))
        } @else {
            (form::find(HERE.path(), ("Search groups", form::PART), &asked.search, html! { (asked.kept()) (create) }))
            @if found.items.is_empty() {
                (none_found("group", &asked.search, ", or it is not visible to you", HERE.path()))
            } @else {
                (rows(&visitor, &asked, &found))
                (asked.paging(&found))
            }
        }
    };
    Ok(tab_page(&visitor, HERE, inner))
}

fn rows(visitor: &Visitor, asked: &Asked<GroupColumn>, found: &Listed<Group>) -> Markup {
    let heads =
        [asked.head("Name", "name"), Head::words("Description"), asked.head("Created", "created")];
    let rows = html! {
        @for group in &found.items {
            tr {
                th scope="row" { a href=(address(&group.name, "")) { (group.name) } }
                td.full data-label="Description" {
                    @if group.description.is_empty() { span.dim { "None" } } @else { (shortened(&group.description)) }
                }
                td data-label="Created" { (moment(visitor.now, group.created_at)) }
            }
        }
    };
    table("Groups", &heads, rows)
}
