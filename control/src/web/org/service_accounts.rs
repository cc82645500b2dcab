//! `/org/service-accounts`: each channel that the visitor may manage, with its account or the way to
//! one (product.md S3).

use access::ChannelName;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};

use super::{Tab, channel_of, tab_head, tab_page, tab_page_under};
use crate::usecases::service_account::{self, Used};
use crate::usecases::{Listed, permitted, user};
use crate::web::address;
use crate::web::channels;
use crate::web::dialog::{self, dialog};
use crate::web::empty::{empty, none_found};
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled, Query};
use crate::web::form;
use crate::web::listing::Asked;
use crate::web::meter::{NO_SEAT, is_full, seats};
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::table::{Head, shortened, table};
use crate::web::visitor::Visitor;
use crate::{ChannelColumn, Control, Error};

const HERE: Tab = Tab::ServiceAccounts;

pub(super) fn router() -> Router<Control> {
    Router::new()
        .route("/org/service-accounts", get(show))
        .route("/org/service-accounts/{channel}/new", get(ask).post(create))
}

async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    let inner = list(&control, &visitor, &fields).await?;
    Ok(tab_page(&visitor, HERE, inner))
}

async fn list(control: &Control, visitor: &Visitor, fields: &Fields) -> Result<Markup, Failure> {
    let asked = Asked::of(fields, &channels::COLUMNS, ChannelColumn::Name);
    let found = service_account::browse(control, &visitor.actor, &asked.look()).await?;
    let taken = match visitor.is_admin {
        true => Some(user::seats(control, &visitor.actor).await?),
        false => None,
    };
    let about = "Channels that you may manage. Each can have one service account, which takes a seat like a user.";
    let right = html! { @if let Some(taken) = taken { (seats(taken)) } };
    Ok(html! {
        (tab_head(HERE, about, right))
        @if found.items.is_empty() && asked.is_everything() {
            (empty("key", "No channel to manage", html! {
                "You hold " b { "manage" } " on no channel. "
                @if visitor.is_admin { "Create one, or add yourself to the owners of one under its Members." }
                @else { "Whoever owns one can add you to its group of owners." }
            }, html! { a.btn href="/channels" { "Go to Channels" } }))
        } @else {
            (form::find(HERE.path(), ("Search channels", form::PART), &asked.search, asked.kept()))
            @if found.items.is_empty() {
                (none_found("channel", &asked.search, ", or you don’t manage it", HERE.path()))
            } @else {
                (rows(visitor, &asked, &found, taken.is_some_and(is_full)))
                (asked.paging(&found))
            }
        }
    })
}

fn rows(
    visitor: &Visitor,
    asked: &Asked<ChannelColumn>,
    found: &Listed<Used>,
    is_full: bool,
) -> Markup {
    let heads = [
        asked.head("Channel", "name"),
        asked.head("Privacy", "privacy"),
        asked.head("Service account", "account"),
        Head::number("Active tokens"),
        Head::words("Last used"),
        Head::actions(),
    ];
    let rows = html! { @for item in &found.items { (row(visitor, item, is_full)) } };
    table("Channels that you may manage", &heads, rows)
}

fn row(visitor: &Visitor, item: &Used, is_full: bool) -> Markup {
    let channel = &item.channel.channel;
    let id = format!("c-{}", channel.name.with_colons());
    html! {
        tr {
            th scope="row" id=(id) {
                a href=(address::channel(&channel.name, "service-accounts")) { (channels::name(&channel.name)) }
                @if !item.channel.description.is_empty() { small { (shortened(&item.channel.description)) } }
            }
            td.roomy data-label="Privacy" { (channels::privacy(channel.privacy)) }
            td.full data-label="Service account" {
                @match &item.account {
                    Some((account, _)) => a href=(address::account(&account.name)) { (account.name) },
                    None => span.dim { "None" },
                }
            }
            @match &item.account {
                Some((_, used)) => {
                    td.num data-label="Active tokens" { (used.active) }
                    td.nowrap data-label="Last used" { (channels::last_used(visitor, *used)) }
                },
                None => { td.num { span.vh { "None" } } td { span.vh { "Never" } } },
            }
            td.acts.full.settled[item.account.is_some()] {
                @match why_not(visitor, item, is_full) {
                    Some(why) => {
                        button.btn disabled aria-describedby={ "why-" (id) } title=(why) { "Create Service Account" }
                        small id={ "why-" (id) } { (why) }
                    },
                    None => a.btn href=(asking(&channel.name)) aria-describedby=(id) { "Create Service Account" },
                }
            }
        }
    }
}

/// Why the visitor can't make this channel's account.
fn why_not(visitor: &Visitor, item: &Used, is_full: bool) -> Option<&'static str> {
    match &item.account {
        Some(_) => Some("This channel already has one"),
        None if !visitor.is_admin => Some("Creating one needs role admin"),
        None if is_full => Some(NO_SEAT),
        None => None,
    }
}

fn asking(channel: &ChannelName) -> String {
    format!("{}/{}/new", HERE.path(), channel.with_colons())
}

/// The page of a channel's account.
fn account(channel: &ChannelName) -> String {
    format!("/service-accounts/service-account-channel-{}", channel.with_colons())
}

/// The dialog that names the account and its seat.
async fn ask(
    State(control): State<Control>,
    visitor: Visitor,
    Path(channel): Path<String>,
) -> Result<Markup, Failure> {
    let channel = channel_of(&channel)?;
    permitted::service_account_creation(&control, &visitor.actor, &channel).await?;
    asked(&control, &visitor, &channel, &Filled::default()).await
}

async fn asked(
    control: &Control,
    visitor: &Visitor,
    channel: &ChannelName,
    filled: &Filled,
) -> Result<Markup, Failure> {
    let (used, limit) = user::seats(control, &visitor.actor).await?;
    let name = format!("service-account-channel-{}", channel.with_colons());
    let seat = match limit {
        Some(limit) => format!("Seat {} of {limit}", used + 1),
        None => format!("Seat {}; there is no limit", used + 1),
    };
    let content = html! {
        p { "Programs use " b { (channel) } " through it, by tokens that you hand out and take back." }
        dl.kv {
            dt { "Account" } dd { b { (name) } }
            dt { "Seat" } dd { (seat) }
        }
        (form::post(visitor, filled, &asking(channel), dialog::make("Create", HERE.path())))
    };
    let inner = list(control, visitor, &Fields::default()).await?;
    Ok(tab_page_under(visitor, HERE, inner, dialog("Create Service Account", content)))
}

async fn create(
    State(control): State<Control>,
    Path(channel): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let channel = channel_of(&channel)?;
    match service_account::create(&control, &posted.visitor.actor, &channel).await {
        Ok(_) => Ok(Redirect::to(&account(&channel)).into_response()),
        // It was sent twice.
        Err(Error::AlreadyDone { .. }) => Ok(Redirect::to(&account(&channel)).into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &[])?;
            let page = asked(&control, &posted.visitor, &channel, &filled).await?;
            Ok(refused(page))
        }
    }
}
