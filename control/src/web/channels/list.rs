//! The list of channels.

use axum::extract::State;
use maud::{Markup, html};

use super::{name, privacy};
use crate::usecases::overview::{self, Overview};
use crate::usecases::{Listed, Page};
use crate::web::empty::{empty, none_found};
use crate::web::failure::Failure;
use crate::web::fields::Query;
use crate::web::icon::icon;
use crate::web::page::{self, Place};
use crate::web::status::{Tone, status};
use crate::web::table::{Head, paging, shortened, table};
use crate::web::visitor::Visitor;
use crate::web::{address, commands, form, number};
use crate::{ChannelCreators, Control};

/// How many channels a page has.
const LIMIT: u32 = 50;

pub(super) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    let (search, after) = (fields.text("q"), fields.some("after"));
    let is_first = after.is_none();
    let page = Page { after, limit: LIMIT, prefix: search.to_owned() };
    let found = overview::channels(&control, &visitor.actor, &page).await?;
    let may_create =
        visitor.is_admin || control.settings().channel_creators == ChannelCreators::Everyone;
    let create = html! {
        @if may_create {
            a.btn.primary href="/channels/new" { (icon("plus")) "Create Channel" }
        }
    };
    let nothing_at_all = found.items.is_empty() && search.is_empty() && is_first;
    let content = html! {
        @if nothing_at_all {
            (page::head(html! { "Channels" }, html! {}, html! {}))
            (none_yet(may_create, create))
        } @else {
            (page::head(html! { "Channels" }, html! {}, create))
            (search_bar(search, &found, is_first))
            @if found.items.is_empty() {
                (none_found("channel", search, ", or it is not visible to you", "/channels"))
            } @else {
                (rows(&found.items))
                (paging(&found, is_first, &[("q", search)]))
            }
        }
    };
    Ok(visitor.page("Channels", Place::Channels, content))
}

fn search_bar(search: &str, found: &Listed<Overview>, is_first: bool) -> Markup {
    let is_all = is_first && found.next_cursor.is_none();
    html! {
        (form::search("/channels", "Search channels", search, html! {
            @if is_all {
                span { (found.items.len()) @if found.items.len() == 1 { " channel" } @else { " channels" } }
            }
        }))
    }
}

fn none_yet(may_create: bool, create: Markup) -> Markup {
    if !may_create {
        let why = html! { "You see a channel here once one of its owners adds you to a group of it, or makes it visible to everybody who signs in." };
        return empty("box", "No channels yet", why, html! {});
    }
    let why = html! { "A channel puts a name and access rules in front of packages that already lie in a storage. Nothing is copied or moved." };
    html! {
        (empty("box", "No channels yet", why, create))
        div.script {
            p.small { "From a script" }
            (commands::line("condagate", "condagate channel create analytics --storage main"))
        }
    }
}

fn rows(items: &[Overview]) -> Markup {
    let heads = [
        Head::words("Name"),
        Head::words("Privacy"),
        Head::words("Your permission"),
        Head::words("Service account"),
        Head::number("Downloads (30 days)"),
    ];
    let rows = html! { @for item in items { (row(item)) } };
    table("Channels you can see", &heads, rows)
}

fn row(item: &Overview) -> Markup {
    let details = &item.channel;
    let channel = &details.channel;
    html! {
        tr {
            th scope="row" {
                a href=(address::channel(&channel.name, "")) { (name(&channel.name)) }
                @if !details.description.is_empty() { small { (shortened(&details.description)) } }
            }
            td data-label="Privacy" { (privacy(channel.privacy)) }
            td data-label="Your permission" {
                @match details.permission {
                    Some(permission) => (permission),
                    None => span.dim { "None" },
                }
            }
            td data-label="Service account" {
                @if item.has_account { (status(Tone::Plain, "check", "Yes")) } @else { span.dim { "No" } }
            }
            td.num data-label="Downloads (30 days)" {
                @match item.downloads {
                    Some(0) => span.dim { "None" },
                    Some(downloads) => (number::count(downloads, "downloads")),
                    None => span.dim title="Shown to whoever manages the channel" { "–" span.vh { "shown to whoever manages the channel" } },
                }
            }
        }
    }
}
