//! The table of somebody's tokens.

use std::cmp::Ordering;

use maud::{Markup, html};

use crate::web::address;
use crate::web::fields::Fields;
use crate::web::icon::icon;
use crate::web::moment::moment;
use crate::web::page::current;
use crate::web::status::{Tone, note, status};
use crate::web::table::{Head, table};
use crate::web::visitor::Visitor;
use crate::{Control, Token, TokenStatus};

/// The tokens with the choice of which to see, and the order.
pub(super) fn section(
    control: &Control,
    visitor: &Visitor,
    owner: &str,
    mut tokens: Vec<Token>,
    fields: &Fields,
) -> Markup {
    let ended = |token: &Token| matches!(token.status, TokenStatus::Expired | TokenStatus::Revoked);
    let (all, gone) = (tokens.len(), tokens.iter().filter(|token| ended(token)).count());
    let show = match fields.text("show") {
        show @ ("ended" | "all") => show,
        // What works, unless nothing does.
        _ if gone == all => "all",
        _ => "active",
    };
    match show {
        "active" => tokens.retain(|token| !ended(token)),
        "ended" => tokens.retain(ended),
        _ => {}
    }
    let sort = fields.some("sort").unwrap_or_else(|| "name".to_owned());
    sort_by(&mut tokens, &sort);
    let kept = |which: &str| format!("?{}", address::query(&[("show", which), ("sort", &sort)]));
    let picks = [("active", "Active", all - gone), ("ended", "Ended", gone), ("all", "All", all)];
    html! {
        section {
            div.head {
                h2 { "Tokens" }
                nav.pick aria-label="Which tokens" {
                    @for (which, words, count) in picks {
                        a href=(kept(which)) aria-current=[current(which == show)] { (words) " " (count) }
                    }
                }
            }
            (table(&format!("Tokens of {owner}"), &heads(show, &sort), html! {
                @for token in &tokens { (row(control, visitor, token)) }
            }))
        }
    }
}

fn heads(show: &str, sort: &str) -> [Head; 8] {
    let sorted = |words, key| Head::words(words).sorted(key, sort, &[("show", show)]);
    [
        sorted("Name", "name"),
        Head::words("Description"),
        sorted("Permission", "permission"),
        Head::words("Channels"),
        sorted("Created", "created"),
        sorted("Expires", "expires"),
        sorted("Last used", "used"),
        Head::actions(),
    ]
}

fn sort_by(tokens: &mut [Token], sort: &str) {
    let (key, downwards) = sort.strip_prefix('-').map_or((sort, false), |key| (key, true));
    let by = |a: &Token, b: &Token| match key {
        "permission" => a.permission.cmp(&b.permission),
        "created" => a.created_at.cmp(&b.created_at),
        "expires" => a.expires_at.cmp(&b.expires_at),
        "used" => a.last_used.as_ref().map(|u| u.0).cmp(&b.last_used.as_ref().map(|u| u.0)),
        _ => Ordering::Equal,
    };
    let by_name = |a: &Token, b: &Token| a.name.to_lowercase().cmp(&b.name.to_lowercase());
    tokens.sort_by(|a, b| {
        let order = by(a, b).then_with(|| by_name(a, b));
        if downwards { order.reverse() } else { order }
    });
}

fn row(control: &Control, visitor: &Visitor, token: &Token) -> Markup {
    let is_gone = token.status == TokenStatus::Revoked;
    html! {
        tr class=[is_gone.then_some("gone")] {
            th scope="row" { b { (token.name) } small { (token.hint) } }
            td.full.max {
                @if token.description.is_empty() { span.vh { "No description" } } @else { (token.description) }
            }
            td data-label="Permission" {
                (token.permission)
                @if token.admin { small { "acts with your role in the API" } }
            }
            td data-label="Channels" { (channels(token)) }
            td.nowrap data-label="Created" { (moment(visitor.now, token.created_at)) small { "by " (token.created_by) } }
            td.nowrap data-label="Expires" { (expires(control, visitor, token)) }
            td.nowrap data-label="Last used" { (last_used(visitor, token)) }
            td.acts {
                @if !is_gone {
                    a.btn.icon href={ "/tokens/" (token.id.0) "/edit" } aria-label={ "Edit " (token.name) } title={ "Edit " (token.name) } { (icon("edit")) }
                    a.btn.icon href={ "/tokens/" (token.id.0) "/delete" } aria-label={ "Delete " (token.name) } title={ "Delete " (token.name) } { (icon("trash")) }
                }
            }
        }
    }
}

/// What it was issued for, and where it grants less now.
fn channels(token: &Token) -> Markup {
    let works = matches!(token.status, TokenStatus::Active | TokenStatus::Limited);
    html! {
        @if token.channels.is_empty() { span.dim { "None" } }
        @for channel in &token.channels {
            div {
                (channel.name)
                @match channel.effective {
                    Some(now) if now < token.permission => (note(Tone::Warning, "warn", &format!("now {now} only"))),
                    None if works => (note(Tone::Bad, "off", "grants nothing now")),
                    _ => {},
                }
            }
        }
    }
}

fn expires(control: &Control, visitor: &Visitor, token: &Token) -> Markup {
    let soon = token.expires_at.since(visitor.now) <= control.settings().expiry_warning;
    html! {
        @match (token.status, token.revoked) {
            (TokenStatus::Revoked, Some((at, _))) => {
                (status(Tone::Dim, "off", "Revoked"))
                small { (moment(visitor.now, at)) }
            },
            (TokenStatus::Expired, _) => {
                (status(Tone::Dim, "clock", "Expired"))
                small { (moment(visitor.now, token.expires_at)) }
            },
            (status, _) => {
                (moment(visitor.now, token.expires_at))
                @if soon { (note(Tone::Warning, "clock", "Expires soon")) }
                @if status == TokenStatus::Limited { (note(Tone::Warning, "warn", "Bytes of the day used up")) }
            },
        }
    }
}

fn last_used(visitor: &Visitor, token: &Token) -> Markup {
    html! {
        @match &token.last_used {
            Some((at, from)) => { (moment(visitor.now, *at)) small { (from) } },
            None => (status(Tone::Dim, "never", "Never used")),
        }
    }
}
