//! The list of channels.

use axum::extract::State;
use maud::{Markup, html};

use super::{name, privacy};
use crate::usecases::Listed;
use crate::usecases::overview::{self, Overview};
use crate::web::empty::{empty, none_found};
use crate::web::failure::Failure;
use crate::web::fields::Query;
use crate::web::icon::icon;
use crate::web::listing::Asked;
use crate::web::page::{self, Place};
use crate::web::status::{Tone, status};
use crate::web::table::{Head, shortened, table};
use crate::web::visitor::Visitor;
use crate::web::{address, commands, form, number};
use crate::{ChannelColumn, ChannelCreators, Control};

/// The columns by which channels can be sorted.
pub(in crate::web) const COLUMNS: [(&str, ChannelColumn); 3] = [
    ("name", ChannelColumn::Name),
    ("privacy", ChannelColumn::Privacy),
    ("account", ChannelColumn::Account),
];

pub(super) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    let asked = Asked::of(&fields, &COLUMNS, ChannelColumn::Name);
    let found = overview::channels(&control, &visitor.actor, &asked.look()).await?;
    let may_create =
        visitor.is_admin || control.settings().channel_creators == ChannelCreators::Everyone;
    let create = html! {
        @if may_create {
            a.btn.primary href="/channels/new" { (icon("plus")) "Create Channel" }
        }
    };
    let nothing_at_all = found.items.is_empty() && asked.is_everything();
    let content = html! {
        @if nothing_at_all {
            (page::head(html! { "Channels" }, html! {}, html! {}))
            (none_yet(may_create, create))
        } @else {
            (page::head(html! { "Channels" }, html! {}, create))
            (search_bar(&asked, &found))
            @if found.items.is_empty() {
                (none_found("channel", &asked.search, ", or it is not visible to you", "/channels"))
            } @else {
                (rows(&asked, &found.items))
                (asked.paging(&found))
            }
        }
    };
    Ok(visitor.page("Channels", Place::Channels, content))
}

fn search_bar(asked: &Asked<ChannelColumn>, found: &Listed<Overview>) -> Markup {
    let is_all = asked.is_first() && found.next_cursor.is_none();
    html! {
        (form::find("/channels", ("Search channels", form::PART), &asked.search, html! {
            (asked.kept())
            @if is_all && !found.items.is_empty() {
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

fn rows(asked: &Asked<ChannelColumn>, items: &[Overview]) -> Markup {
    let heads = [
        asked.head("Name", "name"),
        asked.head("Privacy", "privacy"),
        Head::words("Your permission"),
        asked.head("Service account", "account"),
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
            td.nowrap data-label="Privacy" { (privacy(channel.privacy)) }
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
