//! Taking somebody out of a group, or a group's permission on a channel: the question that says who
//! loses what, and the change with its proof. A channel's page leads here too, and is come back to.

use access::{ChannelName, Permission};
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::one::{self, Asked, Forms};
use super::{HERE, address};
use crate::usecases::{group, permitted};
use crate::web::dialog::{self, dialog};
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled, Query};
use crate::web::org::channel_of;
use crate::web::page::{Place, refused};
use crate::web::posted::Posted;
use crate::web::visitor::Visitor;
use crate::web::{address as places, form, proof};
use crate::{Control, Error, GroupDetails};

/// Where one comes back to.
const RETURN: &str = "return";

/// The address of the question whether a member leaves a group, asked on the page `back`.
pub(in crate::web) fn member(group: &str, member: &str, back: &str) -> String {
    let query = places::query(&[(RETURN, back)]);
    format!("{}?{query}", address(group, &format!("members/{member}/remove")))
}

/// The address of the question whether a group loses its permission on a channel.
pub(in crate::web) fn permission(group: &str, channel: &ChannelName, back: &str) -> String {
    let query = places::query(&[(RETURN, back)]);
    let verb = format!("permissions/{}/remove", channel.with_colons());
    format!("{}?{query}", address(group, &verb))
}

/// What is to be taken from whom.
enum Loss {
    Member(String),
    Permission(ChannelName),
}

pub(in crate::web::org) async fn ask_member(
    State(control): State<Control>,
    visitor: Visitor,
    Path((group, member)): Path<(String, String)>,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    permitted::membership_change(&control, &visitor.actor, &group).await?;
    asked(&control, &visitor, (&group, &Loss::Member(member)), &Filled::with(fields)).await
}

pub(in crate::web::org) async fn ask_permission(
    State(control): State<Control>,
    visitor: Visitor,
    Path((group, channel)): Path<(String, String)>,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    let channel = channel_of(&channel)?;
    permitted::channel_change(&control, &visitor.actor, &channel).await?;
    let loss = Loss::Permission(channel);
    asked(&control, &visitor, (&group, &loss), &Filled::with(fields)).await
}

pub(in crate::web::org) async fn remove_member(
    State(control): State<Control>,
    Path((group, member)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Failure> {
    take(&control, &posted, (&group, &Loss::Member(member))).await
}

pub(in crate::web::org) async fn remove_permission(
    State(control): State<Control>,
    Path((group, channel)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Failure> {
    take(&control, &posted, (&group, &Loss::Permission(channel_of(&channel)?))).await
}

async fn take(
    control: &Control,
    posted: &Posted,
    (name, loss): (&str, &Loss),
) -> Result<Response, Failure> {
    let (visitor, actor) = (&posted.visitor, &posted.visitor.actor);
    let done = match loss {
        Loss::Member(member) => group::remove_member(control, actor, name, member).await,
        Loss::Permission(channel) => {
            group::set_permission(control, actor, name, channel, None).await
        }
    };
    let back = back(&posted.fields, name);
    match done {
        Ok(done) => Ok(proof::after(&back, Some(done.revision)).into_response()),
        // It was sent twice.
        Err(Error::AlreadyDone { .. }) => Ok(proof::after(&back, None).into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &[])?;
            Ok(refused(asked(control, visitor, (name, loss), &filled).await?))
        }
    }
}

fn back(fields: &Fields, group: &str) -> String {
    fields.some(RETURN).map_or_else(|| address(group, ""), |back| places::local(&back).to_owned())
}

async fn asked(
    control: &Control,
    visitor: &Visitor,
    (name, loss): (&str, &Loss),
    filled: &Filled,
) -> Result<Markup, Failure> {
    let details = group::get(control, &visitor.actor, name).await?;
    let back = back(&filled.fields, name);
    let (words, lost, verb) = match loss {
        Loss::Member(member) => {
            ("Remove member", of_member(&details, member), format!("members/{member}/remove"))
        }
        Loss::Permission(channel) => {
            let verb = format!("permissions/{}/remove", channel.with_colons());
            ("Take access away", of_permission(&details, channel), verb)
        }
    };
    let button = if matches!(loss, Loss::Member(_)) { "Remove" } else { words };
    let over = dialog(
        words,
        html! {
            (lost)
            p { "It holds at once on every gateway: tokens of theirs grant no more than they still hold, and downloads that are granted no more are cut. What other groups give them stays." }
            (form::post(visitor, filled, &address(name, &verb), html! {
                input type="hidden" name=(RETURN) value=(back);
                (dialog::danger(button, &back))
            }))
        },
    );
    let asked = Asked::first();
    let found = asked.find(control, visitor, name).await?;
    let under = one::content(control, visitor, (&asked, &found), &Forms::default()).await?;
    Ok(visitor.page_under(&format!("{words} · {}", HERE.words()), Place::Org, under, over))
}

fn of_member(details: &GroupDetails, member: &str) -> Markup {
    html! {
        p {
            "Take " b { (member) } " out of " b { (details.group.name) } "? "
            @if details.permissions.is_empty() { "The group holds no permission, so nothing is lost by it." }
            @else { "They lose what it gives them:" }
        }
        (permissions(details.permissions.iter().map(|(channel, permission)| (channel, *permission))))
    }
}

fn of_permission(details: &GroupDetails, channel: &ChannelName) -> Markup {
    let members = details.member_count;
    let held = details.permissions.iter().filter(|(name, _)| name == channel);
    html! {
        p {
            "Take away what " b { (details.group.name) } " may do on this channel? Its "
            (members) (if members == 1 { " member loses" } else { " members lose" }) " this:"
        }
        (permissions(held.map(|(channel, permission)| (channel, *permission))))
    }
}

/// What a group gives, a channel each.
fn permissions<'a>(held: impl Iterator<Item = (&'a ChannelName, Permission)>) -> Markup {
    html! { dl.kv { @for (channel, permission) in held { dt { (permission) } dd { (channel) } } } }
}
