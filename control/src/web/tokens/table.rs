//! The table of somebody's tokens.

use access::Limits;
use maud::{Markup, html};

use super::back::{Back, MADE};
use super::old_value;
use super::owner::WHY_NO_TOKEN;
use crate::usecases::Page;
use crate::usecases::token::{self, Browse, Browsed};
use crate::web::empty::empty;
use crate::web::fields::Fields;
use crate::web::icon::icon;
use crate::web::moment::moment;
use crate::web::number::Unit;
use crate::web::page::current;
use crate::web::paging::Pages;
use crate::web::status::{Tone, note, status};
use crate::web::table::{Head, shortened, table};
use crate::web::visitor::Visitor;
use crate::web::{address, form};
use crate::{Control, Error, Token, TokenColumn, TokenSort, TokenState, TokenStatus};

/// How many tokens a page has.
const LIMIT: u32 = 30;
/// How many channels of a token are named in its row.
const CHANNELS: usize = 5;

/// How many of the networks that it may be used from.
const NETWORKS: usize = 2;

/// Columns by which one can sort, with their word in the address.
const COLUMNS: [(&str, TokenColumn); 5] = [
    ("name", TokenColumn::Name),
    ("permission", TokenColumn::Permission),
    ("created", TokenColumn::Created),
    ("expires", TokenColumn::Expires),
    ("used", TokenColumn::Used),
];

/// What of somebody's tokens a page's address asks for.
pub(super) struct Asked {
    search: String,
    state: Option<Option<TokenState>>,
    /// The word for the order, with `-` before it for downwards.
    sort: String,
    pages: Pages,
    back: Back,
    /// The token that was just made, or has just got a new value.
    made: Option<i64>,
}

impl Asked {
    pub(super) fn of(fields: &Fields) -> Self {
        let state = match fields.text("show") {
            "all" => Some(None),
            word => TokenState::ALL.into_iter().find(|state| state.as_str() == word).map(Some),
        };
        let sort = fields.text("sort");
        let is_known = COLUMNS.iter().any(|(key, _)| sort.trim_start_matches('-') == *key);
        Self {
            search: fields.text("q").to_owned(),
            state,
            sort: if is_known { sort } else { "name" }.to_owned(),
            pages: Pages::of(fields),
            back: Back::to(fields),
            made: fields.text(MADE).parse().ok(),
        }
    }

    /// What is asked for.
    pub(super) async fn find(
        &self,
        control: &Control,
        visitor: &Visitor,
        owner: &str,
    ) -> Result<Browsed, Error> {
        let key = self.sort.trim_start_matches('-');
        let column = COLUMNS.iter().find(|column| column.0 == key);
        let sort = TokenSort {
            column: column.map_or(TokenColumn::Name, |column| column.1),
            downwards: self.sort.starts_with('-'),
        };
        let wanted = Browse { search: &self.search, state: self.state, sort };
        let page = Page { after: self.pages.after(), limit: LIMIT, ..Page::first() };
        token::browse(control, &visitor.actor, owner, wanted, &page).await
    }

    /// Whether nothing was searched for.
    pub(super) fn is_everything(&self) -> bool {
        self.search.is_empty()
    }
}

/// The tokens with the choice of which to see, and the order; why none can be changed stands above.
pub(super) fn section(
    control: &Control,
    visitor: &Visitor,
    (owner, address): (&str, &str),
    asked: &Asked,
    (found, why_no_change): (&Browsed, Option<&str>),
) -> Markup {
    let (search, sort) = (asked.search.as_str(), asked.sort.as_str());
    let show = found.state.map_or("all", TokenState::as_str);
    let counts = found.counts;
    let picks = [
        ("active", "Active", counts.active),
        ("expired", "Expired", counts.expired),
        ("revoked", "Revoked", counts.revoked),
        ("all", "All", counts.all()),
    ];
    let picked = |which: &str| {
        let fields = [("q", search), ("show", which), ("sort", sort)];
        format!("?{}", address::query(fields.as_slice()))
    };
    let states = html! {
        // Searching keeps the order, and what is found may be in another state.
        input type="hidden" name="sort" value=(sort);
        nav.pick.last aria-label="Which tokens" {
            @for (which, words, count) in picks {
                a href=(picked(which)) aria-current=[current(which == show)] { (words) " " (count) }
            }
        }
    };
    html! {
        section {
            h2 { "Tokens" }
            (form::find(address, ("Search tokens", "Name or description"), search, states))
            @if found.tokens.items.is_empty() {
                (empty("search", "No such token", html! {
                    @if search.is_empty() { "There is no token here that is " b { (show) } "." }
                    @else { "No token has " b { (search) } " in its name or description." }
                }, html! { a.btn href=(address) { "Show all tokens" } }))
            } @else {
                (table(&format!("Tokens of {owner}"), &heads(search, show, sort), html! {
                    @for token in &found.tokens.items { (row(control, visitor, (token, asked), why_no_change)) }
                }))
                (asked.pages.links(&found.tokens, &[("q", search), ("show", show), ("sort", sort)]))
            }
        }
    }
}

fn heads(search: &str, show: &str, sort: &str) -> [Head; 8] {
    let sorted =
        |words, key| Head::words(words).sorted(key, sort, &[("q", search), ("show", show)]);
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

fn row(
    control: &Control,
    visitor: &Visitor,
    (token, asked): (&Token, &Asked),
    why_no_change: Option<&str>,
) -> Markup {
    let is_gone = token.status == TokenStatus::Revoked;
    let is_made = asked.made == Some(token.id.0);
    let class = if is_gone { Some("gone") } else { is_made.then_some("made") };
    let page = |which: &str| format!("/tokens/{}/{which}{}", token.id.0, asked.back.query());
    html! {
        tr class=[class] {
            th scope="row" {
                b { (token.name) } small { (token.hint) }
                @if is_made { (note(Tone::Good, "ok", "New")) }
            }
            td.full.max {
                @if token.description.is_empty() { span.vh { "No description" } } @else { (shortened(&token.description)) }
                @if let Some(limits) = limits(&token.limits) { (note(Tone::Plain, "lock", &limits)) }
                @if token.old_value.is_some() { p.small { (old_value::ending(visitor, token, &asked.back)) } }
            }
            td data-label="Permission" {
                (token.permission)
                @if token.admin { small { "acts with your role in the API" } }
            }
            td.long data-label="Channels" { (channels(token)) }
            td.nowrap data-label="Created" { (moment(visitor.now, token.created_at)) small { "by " (token.created_by) } }
            td.nowrap data-label="Expires" { (expires(control, visitor, token)) }
            td.nowrap data-label="Last used" { (last_used(visitor, token)) }
            td.acts {
                @if !is_gone {
                    @match why_no_change {
                        None => a.btn.icon href=(page("edit")) aria-label={ "Edit " (token.name) } title={ "Edit " (token.name) } { (icon("edit")) },
                        Some(why) => button.btn.icon disabled aria-label={ "Edit " (token.name) } title=(why.replace('`', "")) aria-describedby=(WHY_NO_TOKEN) { (icon("edit")) },
                    }
                    a.btn.icon href=(page("delete")) aria-label={ "Delete " (token.name) } title={ "Delete " (token.name) } { (icon("trash")) }
                }
            }
        }
    }
}

/// What its use is held to; nothing where it isn't.
fn limits(limits: &Limits) -> Option<String> {
    let named: Vec<_> = limits.networks.iter().take(NETWORKS).map(ToString::to_string).collect();
    let more = match limits.networks.len().saturating_sub(NETWORKS) {
        0 => String::new(),
        1 => " and 1 more network".to_owned(),
        more => format!(" and {more} more networks"),
    };
    let networks = (!named.is_empty()).then(|| format!("{}{more}", named.join(", ")));
    let requests = limits.requests_per_second.map(|number| match number.get() {
        1 => "1 request a second".to_owned(),
        more => format!("{more} requests a second"),
    });
    let bytes =
        limits.bytes_per_day.map(|bytes| format!("{} a day", Unit::Bytes.round(bytes.get())));
    let told: Vec<_> = [networks, requests, bytes].into_iter().flatten().collect();
    (!told.is_empty()).then(|| format!("Limited to {}", told.join("; ")))
}

/// What it was issued for, and where it grants less now.
fn channels(token: &Token) -> Markup {
    let works = matches!(token.status, TokenStatus::Active | TokenStatus::Limited);
    html! {
        @if token.channels.is_empty() { span.dim { "None" } }
        @for channel in token.channels.iter().take(CHANNELS) {
            div {
                (channel.name)
                @match channel.effective {
                    Some(now) if now < token.permission => (note(Tone::Warning, "warn", &format!("now {now} only"))),
                    None if works => (note(Tone::Bad, "off", "grants nothing now")),
                    _ => {},
                }
            }
        }
        @if let Some(more @ 1..) = token.channels.len().checked_sub(CHANNELS) {
            small { "and " (more) " more" }
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
