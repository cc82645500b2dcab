//! The *Service Accounts* tab: the channel's account, or the way to one.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::frame::{frame, frame_under, manages, named, shown};
use crate::usecases::channel;
use crate::usecases::permitted;
use crate::usecases::service_account;
use crate::usecases::user;
use crate::web::address;
use crate::web::dialog::{self, dialog};
use crate::web::empty::empty;
use crate::web::failure::Failure;
use crate::web::fields::Filled;
use crate::web::form;
use crate::web::icon::icon;
use crate::web::meter::{NO_SEAT, is_full};
use crate::web::moment::moment;
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::table::{Head, table};
use crate::web::visitor::Visitor;
use crate::{ChannelDetails, Control, Error, TokenUse};

const TAB: &str = "Service Accounts";
const ONLY_ADMINS: &str = "Only admins create service accounts.";

pub(super) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Path(segment): Path<String>,
) -> Result<Markup, Failure> {
    let details = shown(&control, &visitor, &segment).await?;
    let content = content(&control, &visitor, &details).await?;
    Ok(frame(&visitor, &details, TAB, content))
}

/// The dialog that names what will be made.
pub(super) async fn ask(
    State(control): State<Control>,
    visitor: Visitor,
    Path(segment): Path<String>,
) -> Result<Markup, Failure> {
    let details = shown(&control, &visitor, &segment).await?;
    permitted::service_account_creation(&control, &visitor.actor, &details.channel.name).await?;
    let content = content(&control, &visitor, &details).await?;
    let dialog = making(&control, &visitor, &details, &Filled::default());
    Ok(frame_under(&visitor, &details, TAB, (content, dialog)))
}

pub(super) async fn create(
    State(control): State<Control>,
    Path(segment): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let (visitor, name) = (&posted.visitor, named(&segment)?);
    match service_account::create(&control, &visitor.actor, &name).await {
        Ok(made) => Ok(Redirect::to(&address::account(&made.value.name)).into_response()),
        Err(Error::AlreadyDone { .. }) => {
            Ok(Redirect::to(&address::channel(&name, "service-accounts")).into_response())
        }
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &[])?;
            let details = channel::get(&control, &visitor.actor, &name).await?;
            let content = content(&control, visitor, &details).await?;
            let dialog = making(&control, visitor, &details, &filled);
            let page = frame_under(visitor, &details, TAB, (content, dialog));
            Ok(refused(page))
        }
    }
}

async fn content(
    control: &Control,
    visitor: &Visitor,
    details: &ChannelDetails,
) -> Result<Markup, Failure> {
    if !manages(visitor, details) {
        return Ok(empty(
            "key",
            "Accounts are managed by the channel’s owners",
            html! {
                "A service account holds the tokens of programs. Ask somebody who manages this channel for one."
            },
            cannot_create(ONLY_ADMINS),
        ));
    }
    let name = &details.channel.name;
    let Some((account, used)) = service_account::of_channel(control, &visitor.actor, name).await?
    else {
        let is_full = visitor.is_admin && is_full(user::seats(control, &visitor.actor).await?);
        return Ok(none_yet(visitor, details, is_full));
    };
    let heads = [
        Head::words("Name"),
        Head::words("Seat"),
        Head::number("Active tokens"),
        Head::words("Last used"),
        Head::words("Created"),
    ];
    let rows = html! {
            tr {
                th scope="row" { a href=(address::account(&account.name)) { (account.name) } }
                td data-label="Seat" { "1 seat" }
                td.num data-label="Active tokens" { (used.active) }
                td data-label="Last used" { (last_used(visitor, used)) }
                td data-label="Created" { (moment(visitor.now, account.created_at)) }
            }
    };
    Ok(html! {
        (table("The channel’s service account", &heads, rows))
        (cannot_create("This channel has its service account. Each has at most one."))
    })
}

/// *Create Service Account* with why it can't be pressed (product.md S1).
fn cannot_create(why: &str) -> Markup {
    html! {
        div.foot { div {
            button.btn disabled aria-describedby="why-not" title=(why) { "Create Service Account" }
            p.small id="why-not" { (why) }
        } }
    }
}

/// When one of an account's tokens was last used.
pub(in crate::web) fn last_used(visitor: &Visitor, used: TokenUse) -> Markup {
    html! {
        @match used.last_used_at {
            Some(at) => (moment(visitor.now, at)),
            None => span.dim { "Never" },
        }
    }
}

fn none_yet(visitor: &Visitor, details: &ChannelDetails, is_full: bool) -> Markup {
    let why_not = why_not(visitor, details, is_full);
    let action = format!("{}/new", address::channel(&details.channel.name, "service-accounts"));
    empty(
        "key",
        "No service account yet",
        html! {
            "It holds the tokens of programs: CI jobs, servers, customers. They go on working when the person who made them leaves."
        },
        html! {
            @match why_not {
                None => a.btn.primary href=(action) { (icon("plus")) "Create Service Account" },
                Some(why) => (cannot_create(why)),
            }
        },
    )
}

/// Why the visitor can't create an account (product.md S1); said before they try.
fn why_not(visitor: &Visitor, details: &ChannelDetails, is_full: bool) -> Option<&'static str> {
    match (visitor.is_admin, details.permission) {
        (false, _) => Some(ONLY_ADMINS),
        (true, Some(access::Permission::Manage)) => is_full.then_some(NO_SEAT),
        (true, _) => Some(
            "You don’t manage this channel. Under Members you can add yourself to its owners; they see it there, and it is in the audit log.",
        ),
    }
}

fn making(
    control: &Control,
    visitor: &Visitor,
    details: &ChannelDetails,
    filled: &Filled,
) -> Markup {
    let back = address::channel(&details.channel.name, "service-accounts");
    let name = format!("service-account-channel-{}", details.channel.name.with_colons());
    dialog(
        "Create Service Account",
        form::post(
            visitor,
            filled,
            &format!("{back}/new"),
            html! {
                dl.kv {
                    dt { "Account" } dd { b { (name) } }
                    dt { "Channel" } dd { (details.channel.name) }
                    dt { "Seat" }
                    dd {
                        "Takes 1 seat"
                        @if let Some(seats) = control.settings().seats { " of " (seats) }
                        ", like a user"
                    }
                }
                (dialog::make("Create", &back))
            },
        ),
    )
}
