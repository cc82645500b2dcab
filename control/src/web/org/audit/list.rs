//! A page of events, newest first.

use std::collections::BTreeMap;

use access::TokenId;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::{EXPORT, HERE, event, filter};
use crate::usecases::{Page, audit, token};
use crate::web::address;
use crate::web::empty::empty;
use crate::web::failure::Failure;
use crate::web::fields::Query;
use crate::web::icon::icon;
use crate::web::moment::moment;
use crate::web::org::{tab_head, tab_page};
use crate::web::page::refused;
use crate::web::paging::Pages;
use crate::web::status::{Tone, status};
use crate::web::table::{Head, log};
use crate::web::visitor::Visitor;
use crate::{AuditEvent, Control};

const LIMIT: u32 = 50;
const ABOUT: &str = "Every change: who, what, from where. Days are in UTC.";

pub(in crate::web::org) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let (wanted, faults) = filter::read(&fields);
    if !faults.is_empty() {
        let inner = html! {
            (tab_head(HERE, ABOUT, html! {}))
            (filter::form(&fields, &faults))
            (empty("search", "No event is shown", html! {
                "What you filter by can’t be read: see above."
            }, html! { a.btn href=(HERE.path()) { "Show all events" } }))
        };
        return Ok(refused(tab_page(&visitor, HERE, inner)));
    }
    let pages = Pages::of(&fields);
    let page = Page { after: pages.after(), limit: LIMIT, prefix: String::new() };
    let found = audit::list(&control, &visitor.actor, &wanted, &page).await?;
    let names = token_names(&control, &visitor, &found.items).await;
    let kept = filter::kept(&fields);
    let export = format!("{EXPORT}?{}", address::query(&kept));
    let download = html! {
        a.btn href=(export) download { (icon("download")) "Download NDJSON" }
    };
    let inner = html! {
        (tab_head(HERE, ABOUT, download))
        (filter::form(&fields, &faults))
        @if found.items.is_empty() {
            (empty("search", "Nothing like that has happened", html! {
                "No event matches what you filter by. Names must be written out."
            }, html! { a.btn href=(HERE.path()) { "Show all events" } }))
        } @else {
            (rows(&visitor, &found.items, &names))
            (pages.links(&found, &kept))
        }
    };
    Ok(tab_page(&visitor, HERE, inner).into_response())
}

/// The names of the tokens by which something was done; those that are gone have none.
async fn token_names(
    control: &Control,
    visitor: &Visitor,
    events: &[AuditEvent],
) -> BTreeMap<i64, String> {
    let mut names = BTreeMap::new();
    for id in events.iter().filter_map(|event| event.via.strip_prefix("token:")?.parse().ok()) {
        if let std::collections::btree_map::Entry::Vacant(entry) = names.entry(id)
            && let Ok(found) = token::get(control, &visitor.actor, TokenId(id)).await
        {
            entry.insert(found.name);
        }
    }
    names
}

fn rows(visitor: &Visitor, events: &[AuditEvent], names: &BTreeMap<i64, String>) -> Markup {
    let heads = ["When", "Who", "What", "Target", "From"].map(Head::words);
    let rows = html! { @for event in events { (row(visitor, event, names)) } };
    log("Audit events", &heads, rows)
}

fn row(visitor: &Visitor, event: &AuditEvent, names: &BTreeMap<i64, String>) -> Markup {
    let detail = event::detail(event);
    let what = event::what(event);
    html! {
        tr {
            th.nowrap scope="row" { (moment(visitor.now, event.at)) }
            td.long data-label="Who" {
                b { (event.actor) } " "
                small { (event::by(event, |id| names.get(&id).cloned())) }
            }
            td.what data-label="What" {
                @if event.action == "session.refuse" { (status(Tone::Bad, "warn", what)) } @else { (what) }
            }
            td.full data-label="Target" {
                (event.target)
                @if !detail.is_empty() { small { (detail) } }
            }
            td.long.from data-label="From" {
                @match &event.address { Some(address) => (address), None => span.dim { "this machine" } }
            }
        }
    }
}
