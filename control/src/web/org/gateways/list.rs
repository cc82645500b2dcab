//! The gateways that haven't ended, and those that have lately without a clean stop. The list renews
//! itself while the page is open.

use std::time::Duration;

use access::Timestamp;
use access::source::Revision;
use axum::extract::State;
use maud::{Markup, html};

use super::HERE;
use crate::usecases::{Listed, Page, gateway};
use crate::web::duration::duration;
use crate::web::empty::empty;
use crate::web::failure::Failure;
use crate::web::fields::Query;
use crate::web::meter::meter;
use crate::web::moment::{exact, moment};
use crate::web::number::exact as digits;
use crate::web::org::{tab_head, tab_page};
use crate::web::paging::Pages;
use crate::web::status::{Tone, status};
use crate::web::table::{Head, table};
use crate::web::visitor::Visitor;
use crate::web::{address, commands};
use crate::{Control, GatewayRow};

/// A lease that is used up to this part and more is watched.
const LOW: f64 = 0.25;
/// How many gateways a page has.
const LIMIT: usize = 50;

pub(in crate::web::org) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    let inner = content(&control, &visitor, &Pages::of(&fields)).await?;
    Ok(tab_page(&visitor, HERE, inner))
}

/// What the tab shows, also under a dialog: of the gateways those after the one with this instance.
pub(super) async fn content(
    control: &Control,
    visitor: &Visitor,
    pages: &Pages,
) -> Result<Markup, Failure> {
    let page = Page { limit: Page::MAX_LIMIT, ..Page::first() };
    let (found, newest) = gateway::list(control, &visitor.actor, &page).await?;
    let gateways = found.items;
    let lost = gateway::lost(control, &visitor.actor).await?;
    let mut all: Vec<_> = gateways.iter().chain(&lost).collect();
    all.sort_by(|a, b| (&a.name, &a.instance.0).cmp(&(&b.name, &b.instance.0)));
    let after = pages.after();
    let here = match pages.kept().as_slice() {
        [] => HERE.path().to_owned(),
        fields => format!("{}?{}", HERE.path(), address::query(fields)),
    };
    let about = "A gateway serves private channels only while its lease runs. It renews the lease only when it knows every change.";
    let now = visitor.now;
    let as_of = html! {
        p.dim {
            "As of " time datetime=(now) title=(exact(now)) data-clock { (clock(&exact(now))) } " "
            a #refresh href=(here) { "Refresh" }
        }
    };
    Ok(html! {
        // The part of the page that a newer one replaces; without JavaScript there is *Refresh*.
        div #gateways hx-get=(here) hx-select="#gateways" hx-swap="outerHTML"
            hx-trigger="every 3s" {
            (tab_head(HERE, about, as_of))
            @if gateways.is_empty() {
                (empty("gate", "No gateway is running", html! {
                    "Channels are served by gateways. Start one beside the storage, with the same database."
                }, html! {}))
                div.script { (commands::line("condagate", "condagate gateway --config condagate.toml")) }
            } @else {
                (numbers(&gateways, &lost, newest))
            }
            @if !all.is_empty() {
                @let shown = part(all, after.as_deref());
                (rows(visitor, &shown.items, newest))
                (pages.links(&shown, &[]))
            }
        }
    })
}

/// The page of the gateways after that instance. There are few: all are read, to be told in numbers.
fn part<'g>(gateways: Vec<&'g GatewayRow>, after: Option<&str>) -> Listed<&'g GatewayRow> {
    let before = gateways.iter().position(|gateway| Some(gateway.instance.0.as_str()) == after);
    let mut items: Vec<_> = gateways.into_iter().skip(before.map_or(0, |at| at + 1)).collect();
    let more = items.len() > LIMIT;
    items.truncate(LIMIT);
    let next_cursor = items.last().filter(|_| more).map(|last| last.instance.0.clone());
    Listed { items, next_cursor }
}

/// The hours, minutes and seconds of a time.
fn clock(exact: &str) -> &str {
    exact.get(11..19).unwrap_or(exact)
}

fn numbers(gateways: &[GatewayRow], lost: &[GatewayRow], newest: Revision) -> Markup {
    let behind: Vec<_> = gateways.iter().filter(|gateway| gateway.lag(newest) > 0).collect();
    let of = gateways.len();
    let longest = gateways.iter().map(|gateway| gateway.terms.lease + gateway.terms.serve_known);
    let longest = longest.max().unwrap_or_default();
    html! {
        dl.stats {
            div {
                dt { "Up to date" }
                dd {
                    (of - behind.len()) " of " (of)
                    @match (behind.as_slice(), lost) {
                        ([], []) => small { "every gateway knows every change" },
                        ([], [one]) => small { (one.name) " is gone" },
                        ([], more) => small { (more.len()) " are gone" },
                        ([one], _) => small { (one.name) " is behind" },
                        (more, _) => small { (more.len()) " are behind" },
                    }
                }
            }
            div { dt { "Last change" } dd { (digits(u64::try_from(newest.0).unwrap_or(0))) small { "the newest change’s number" } } }
            div {
                dt { "Holds everywhere within" }
                dd { (duration(longest)) small { "the lease, even for a gateway cut off" } }
            }
        }
    }
}

fn rows(visitor: &Visitor, gateways: &[&GatewayRow], newest: Revision) -> Markup {
    // Only who is silent can be forgotten.
    let is_any_silent = gateways.iter().any(|gateway| is_silent(gateway, visitor.now));
    let mut heads = vec![
        Head::words("Gateway"),
        Head::words("State"),
        Head::words("Lag"),
        Head::words("Lease"),
        Head::words("Started"),
        Head::words("Version"),
    ];
    if is_any_silent {
        heads.push(Head::actions());
    }
    let rows =
        html! { @for gateway in gateways { (row(visitor, gateway, newest, is_any_silent)) } };
    table("Gateways", &heads, rows)
}

/// Whether it can be forgotten.
fn is_silent(gateway: &GatewayRow, now: Timestamp) -> bool {
    gateway.ended_at.is_some() || gateway.lease_ends_at() <= now
}

fn row(visitor: &Visitor, gateway: &GatewayRow, newest: Revision, is_any_silent: bool) -> Markup {
    let now = visitor.now;
    let lag = gateway.lag(newest);
    let ends = gateway.lease_ends_at();
    let left = if is_silent(gateway, now) { Duration::ZERO } else { ends.since(now) };
    let part = left.as_secs_f64() / gateway.terms.lease.as_secs_f64().max(1.0);
    html! {
        tr {
            th scope="row" { b { (gateway.name) } }
            td data-label="State" {
                @if let Some(at) = gateway.ended_at {
                    (status(Tone::Bad, "off", "Ended"))
                    small { "Its lease ran out " (moment(now, at)) "; it was not stopped cleanly" }
                } @else if left.is_zero() {
                    (status(Tone::Bad, "off", "No longer serves"))
                    small { "Silent since " (moment(now, gateway.renewed_at)) }
                } @else if lag > 0 {
                    (status(Tone::Warning, "warn", "Behind"))
                    small { "Last news " (moment(now, gateway.renewed_at)) }
                } @else {
                    (status(Tone::Good, "ok", "Serving"))
                }
            }
            td data-label="Lag" {
                @match lag { _ if gateway.ended_at.is_some() => "", 0 => "none", 1 => "1 change", _ => { (lag) " changes" } }
                small { "at change " (digits(u64::try_from(gateway.applied_revision.0).unwrap_or(0))) }
            }
            td data-label="Lease" {
                @if left.is_zero() { "ended " (moment(now, ends)) } @else {
                    (duration(left)) " left"
                    (meter(part, part <= LOW))
                    small { "of " (duration(gateway.terms.lease)) }
                }
            }
            td data-label="Started" { (moment(now, gateway.started_at)) }
            td data-label="Version" { (gateway.version) }
            @if is_any_silent {
                td.acts.full {
                    @if left.is_zero() {
                        a.btn href={ (HERE.path()) "/" (gateway.instance.0) "/forget" } aria-label={ "Forget " (gateway.name) } { "Forget" }
                    }
                }
            }
        }
    }
}
