//! The list of groups.

use axum::extract::State;
use maud::{Markup, html};

use super::{HERE, address};
use crate::usecases::{Listed, Page, group};
use crate::web::empty::{empty, none_found};
use crate::web::failure::Failure;
use crate::web::fields::Query;
use crate::web::form;
use crate::web::icon::icon;
use crate::web::moment::moment;
use crate::web::org::{tab_head, tab_page};
use crate::web::table::{Head, paging, shortened, table};
use crate::web::visitor::Visitor;
use crate::{Control, Group};

const LIMIT: u32 = 50;

pub(in crate::web::org) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    let (search, after) = (fields.text("q"), fields.some("after"));
    let is_first = after.is_none();
    let page = Page { after, limit: LIMIT, prefix: search.to_owned() };
    let found = group::list(&control, &visitor.actor, &page).await?;
    let about =
        "A group gives its members a permission on channels. Every channel has one of its owners.";
    let create = html! {
        @if visitor.is_admin {
            a.btn.primary.last href={ (HERE.path()) "/new" } { (icon("plus")) "Create Group" }
        }
    };
    let nothing_at_all = found.items.is_empty() && search.is_empty() && is_first;
    let inner = html! {
        (tab_head(HERE, about, html! {}))
        @if nothing_at_all {
            (empty("group", "No groups yet", html! {
                "You are in no group, and manage no channel that one has a permission on."
            }, create))
        } @else {
            (form::search(HERE.path(), "Search groups", search, create))
            @if found.items.is_empty() {
                (none_found("group", search, ", or it is not visible to you", HERE.path()))
            } @else {
                (rows(&visitor, &found))
                (paging(&found, is_first, &[("q", search)]))
            }
        }
    };
    Ok(tab_page(&visitor, HERE, inner))
}

fn rows(visitor: &Visitor, found: &Listed<Group>) -> Markup {
    let heads = [Head::words("Name"), Head::words("Description"), Head::words("Created")];
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
