//! A channel's *Usage*: downloads and bytes each day, and what and who most of it is. Drawn here: a
//! picture and a table of the same numbers.

use access::{ChannelName, Day};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::frame::{frame, named};
use crate::usecases::usage::{self, UsageOrder};
use crate::usecases::{Page, channel};
use crate::web::address;
use crate::web::chart::{Chart, each_day, long_day};
use crate::web::empty::empty;
use crate::web::failure::{Failure, sentence};
use crate::web::fields::Query;
use crate::web::meter::share;
use crate::web::number::{self, Unit};
use crate::web::table::{Head, table};
use crate::web::visitor::Visitor;
use crate::{Control, Error, Top, TopOf, UsageBy, UsageSubject, UsageSum};

/// The days that one can look at, up to today.
const PERIODS: [u32; 3] = [7, 30, 90];
const USUAL: u32 = 30;
const TAB: &str = "Usage";
/// How many packages and tokens are named.
const TOP: usize = 10;

pub(super) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let name = named(&name)?;
    let details = channel::get(&control, &visitor.actor, &name).await?;
    let chosen = fields.text("days").parse().ok().filter(|days| PERIODS.contains(days));
    let days = chosen.unwrap_or(USUAL);
    let today = visitor.now.day();
    let period = (today.minus(days - 1), today);
    let order = UsageOrder {
        token: None,
        channel: Some(name.clone()),
        package: None,
        from: Some(period.0),
        to: Some(period.1),
        by: UsageBy::Day,
    };
    let actor = &visitor.actor;
    let page = Page { limit: Page::MAX_LIMIT, ..Page::first() };
    let found = tokio::try_join!(
        usage::list(&control, actor, &order, &page),
        usage::top(&control, actor, &name, (TopOf::Packages, period), TOP),
        usage::top(&control, actor, &name, (TopOf::Tokens, period), TOP),
    );
    let (by_day, packages, tokens) = match found {
        // The channel's other tabs stay at hand.
        Err(why @ Error::NotPermitted { .. }) => {
            let page = frame(&visitor, &details, TAB, not_shown(&why));
            return Ok((StatusCode::FORBIDDEN, page).into_response());
        }
        found => found?,
    };
    let by_day = by_day.items;
    let content = html! {
        (periods(days))
        @if by_day.is_empty() {
            (empty("download", "Nothing was downloaded", html! {
                "Nobody has used " b { (name) } " in the last " (days) " days. Gateways report what was downloaded every few seconds."
            }, html! { a.btn href={ (address::channel(&name, "packages")) } { "How clients use it" } }))
        } @else {
            (numbers(&by_day, &tokens))
            (charts(period, &by_day))
            div.two.gap {
                (top_packages(&packages))
                (top_tokens(&name, &tokens))
            }
        }
    };
    Ok(frame(&visitor, &details, TAB, content).into_response())
}

fn not_shown(why: &Error) -> Markup {
    empty(
        "download",
        "Usage is shown to the channel’s owners",
        html! { "What is downloaded, and by which tokens. " (sentence(&why.to_string())) },
        html! {},
    )
}

fn periods(chosen: u32) -> Markup {
    html! {
        nav.bar aria-label="Period" {
            div.pick {
                @for days in PERIODS {
                    a href={ "?days=" (days) } aria-current=[(days == chosen).then_some("true")] { (days) " days" }
                }
            }
        }
    }
}

fn numbers(days: &[UsageSum], tokens: &Top) -> Markup {
    let downloads = days.iter().map(|day| day.downloads).sum();
    let bytes = days.iter().map(|day| day.bytes).sum();
    let addresses = days.iter().filter_map(|day| day.addresses).max().unwrap_or(0);
    html! {
        dl.stats {
            div { dt { "Downloads" } dd { (number::count(downloads, "downloads")) small { "of package files" } } }
            div { dt { "Bytes" } dd { (number::bytes(bytes)) small { "with repodata" } } }
            div { dt { "Addresses" } dd { (number::count(addresses, "addresses")) small { "on the day that had most" } } }
            @if tokens.since.is_none() {
                div { dt { "Tokens" } dd { (number::count(tokens.of, "tokens")) small { "were used" } } }
            }
        }
    }
}

fn charts((from, to): (Day, Day), found: &[UsageSum]) -> Markup {
    let of = |number: fn(&UsageSum) -> u64| {
        let days = found.iter().filter_map(|sum| match sum.subject {
            UsageSubject::Day(day) => Some((day, number(sum))),
            _ => None,
        });
        each_day((from, to), days)
    };
    let (downloads, bytes) = (of(|sum| sum.downloads), of(|sum| sum.bytes));
    let chart = |id, title, unit, days| Chart { id, title, unit, days, today: to }.render();
    html! {
        section {
            h2 { "Downloads per day" }
            p { "Days are in UTC. Today, outlined, is not over yet." }
            (chart("downloads", "Downloads per day", Unit::Things, downloads.as_slice()))
        }
        section {
            h2 { "Bytes per day" }
            (chart("bytes", "Bytes per day", Unit::Bytes, bytes.as_slice()))
        }
        details.fold.gap {
            summary { (crate::web::icon::icon("right")) "The numbers of each day" }
            @let heads = [Head::words("Day"), Head::number("Downloads"), Head::number("Bytes")];
            (table("Downloads and bytes of each day", &heads, html! {
                @for (day, bytes) in downloads.iter().zip(&bytes).rev() {
                    tr {
                        th.nowrap scope="row" { (long_day(day.0)) }
                        td.num data-label="Downloads" { (number::exact(day.1)) }
                        td.num data-label="Bytes" { (number::bytes(bytes.1)) }
                    }
                }
            }))
        }
    }
}

fn top_packages(top: &Top) -> Markup {
    let name = |sum: &UsageSum| match &sum.subject {
        UsageSubject::Package(name) if !name.is_empty() => html! { b { (name) } },
        _ => html! { span.dim { "Repodata and other files" } },
    };
    top_table("Top packages", "Package", top, name)
}

fn top_tokens(channel: &ChannelName, top: &Top) -> Markup {
    let name = |sum: &UsageSum| match &sum.subject {
        UsageSubject::Token(Some((_, name, principal))) if !name.is_empty() => {
            html! { b { (name) } small { (principal) } }
        }
        UsageSubject::Token(Some((id, ..))) => html! { span.dim { "token " (id.0) ", deleted" } },
        _ => html! { span.dim { "without a token" } small { (channel) " is open to everybody" } },
    };
    top_table("Top tokens", "Token", top, name)
}

fn top_table(
    heading: &str,
    what: &'static str,
    top: &Top,
    name: impl Fn(&UsageSum) -> Markup,
) -> Markup {
    let most = top.sums.first().map_or(1, |sum| sum.bytes).max(1);
    let heads = [Head::words(what), Head::number("Downloads"), Head::number("Bytes")];
    html! {
        section {
            h2 { (heading) }
            (table(&format!("{heading}, by bytes"), &heads, html! {
                @for sum in &top.sums {
                    tr {
                        th.full scope="row" { (name(sum)) (share(sum.bytes, most)) }
                        td.num data-label="Downloads" { (number::exact(sum.downloads)) }
                        td.num data-label="Bytes" { (number::bytes(sum.bytes)) }
                    }
                }
            }))
            @if let Some(since) = top.since {
                p.small { "Chosen from what was downloaded since " (long_day(since)) "; there is too much to compare all." }
            }
        }
    }
}
