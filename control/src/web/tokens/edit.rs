//! Editing a token, and giving it a new value.

use std::time::Duration;

use access::{Timestamp, TokenId};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use sha2::{Digest as _, Sha256};

use super::new::already_made;
use super::notice::notice;
use super::order::{self, FIELDS, limit_fields, limits_as_typed};
use super::owner::Owner;
use crate::actor::Repeatable;
use crate::usecases::token::{self, Expiry, MAX_LIFESPAN, Reissue, TokenEdit};
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled};
use crate::web::form::{self, Input};
use crate::web::page;
use crate::web::posted::Posted;
use crate::web::visitor::Visitor;
use crate::{Actor, Control, Error, Token};

/// The field of what the form began with: whoever saves knows what they change.
const BASIS: &str = "basis";
const OVERLAPS: [(&str, &str); 4] =
    [("0", "none"), ("900", "15 minutes"), ("86400", "24 hours"), ("604800", "7 days")];

pub(super) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Markup, Failure> {
    let token = token::get(&control, &visitor.actor, id_in_path(&id)?).await?;
    let owner = Owner::of(&control, &visitor, &token).await?;
    let content = content(&visitor, &owner, &token, &Filled::with(as_typed(&token)));
    Ok(visitor.page(&format!("Edit {}", token.name), owner.place(), content))
}

pub(super) async fn save(
    State(control): State<Control>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let (visitor, fields) = (&posted.visitor, &posted.fields);
    let id = id_in_path(&id)?;
    let before = token::get(&control, &visitor.actor, id).await?;
    let owner = Owner::of(&control, visitor, &before).await?;
    let again = |token: &Token, filled: &Filled| {
        let content = content(visitor, &owner, token, filled);
        visitor.page_again(&format!("Edit {}", token.name), owner.place(), content).into_response()
    };
    let mut filled = posted.filled();
    let is_repeated = basis(&before) != fields.raw(BASIS);
    let done = carry_out(&control, visitor, &before, fields, is_repeated).await;
    match done {
        Ok(Done::Saved) => Ok(Redirect::to(&owner.address()).into_response()),
        Ok(Done::Reissued(issued)) => {
            let page = owner.content(&control, visitor, &Fields::default()).await?;
            let content = html! { (page) (notice(&control, &issued, &owner.address())) };
            Ok((StatusCode::CREATED, visitor.page(&issued.token.name, owner.place(), content))
                .into_response())
        }
        Ok(Done::ChangedMeanwhile) => {
            filled.faults.add("", "somebody else has changed this token since you opened it: what it is now stands beside each field; save again to have it as you typed");
            Ok(again(&before, &filled))
        }
        Err(Error::AlreadyDone { .. }) if !fields.has("reissue", "yes") => {
            Ok(Redirect::to(&owner.address()).into_response())
        }
        Err(Error::AlreadyDone { .. }) => Ok(already_made(visitor, &owner)),
        Err(error) => {
            filled.refuse(error, &FIELDS)?;
            // Of two changes the first may be done: what is sent next is another request.
            filled.once = None;
            Ok(again(&token::get(&control, &visitor.actor, id).await?, &filled))
        }
    }
}

enum Done {
    Saved,
    Reissued(Box<token::Issued>),
    ChangedMeanwhile,
}

async fn carry_out(
    control: &Control,
    visitor: &Visitor,
    before: &Token,
    fields: &Fields,
    changed: bool,
) -> Result<Done, Error> {
    let reissues = fields.has("reissue", "yes");
    let edit = wanted(before, fields, reissues)?;
    // A form that was sent twice finds the token changed by itself.
    let second = Actor {
        repeatable: visitor.actor.repeatable.as_ref().map(second),
        ..visitor.actor.clone()
    };
    if changed {
        let was_sent = match &visitor.actor.repeatable {
            Some(sent) => crate::usecases::repeat::look_up(control, &visitor.actor, sent).await,
            None => Ok(None),
        };
        was_sent?;
        if let Some(sent) = &second.repeatable {
            crate::usecases::repeat::look_up(control, &second, sent).await?;
        }
        return Ok(Done::ChangedMeanwhile);
    }
    // Read before anything is changed.
    let how = reissues.then(|| how(visitor, before, fields)).transpose()?;
    token::edit(control, &visitor.actor, before.id, edit).await?;
    let Some(how) = how else { return Ok(Done::Saved) };
    let issued = token::reissue(control, &second, before.id, how).await?;
    Ok(Done::Reissued(Box::new(issued.value)))
}

/// How a new value is issued.
fn how(visitor: &Visitor, before: &Token, fields: &Fields) -> Result<Reissue, Error> {
    let overlap = fields.text("overlap");
    let overlap = OVERLAPS.iter().find(|(seconds, _)| *seconds == overlap);
    let overlap = overlap.and_then(|(seconds, _)| seconds.parse().ok());
    let overlap = overlap.ok_or_else(|| Error::invalid("overlap", "choose one of the list"))?;
    // A new value begins a new year: a day that was left as it was is no wish.
    let expires =
        chosen_day(before, fields).map(|text| order::day(text, visitor.now)).transpose()?;
    let latest = visitor.now.plus(MAX_LIFESPAN);
    if matches!(expires, Some(Expiry::At(end)) if end > latest) {
        return Err(Error::invalid("expires_at", format!("choose a day up to {}", latest.date())));
    }
    Ok(Reissue { overlap: Duration::from_secs(overlap), expires })
}

/// The second change of one form: its key is its own.
fn second(first: &Repeatable) -> Repeatable {
    let digest =
        |part: &[u8]| Sha256::new_with_prefix(b"reissue\n").chain_update(part).finalize().into();
    Repeatable {
        key_digest: digest(&first.key_digest),
        request_digest: digest(&first.request_digest),
    }
}

fn wanted(before: &Token, fields: &Fields, reissues: bool) -> Result<TokenEdit, Error> {
    let limits = order::limits(fields)?;
    let expires = match chosen_day(before, fields) {
        Some(day) if !reissues => Some(order::day(day, before.issued_at)?),
        _ => None,
    };
    let expires = expires.filter(|end| *end != Expiry::At(before.expires_at));
    Ok(TokenEdit {
        name: Some(fields.text("name").to_owned()),
        description: Some(fields.text("description").to_owned()),
        expires,
        permission: None,
        channels: None,
        networks: Some(limits.networks),
        requests_per_second: Some(limits.requests_per_second),
        bytes_per_day: Some(limits.bytes_per_day),
    })
}

/// The day in the form, unless it is the one that stood there.
fn chosen_day<'a>(before: &Token, fields: &'a Fields) -> Option<&'a str> {
    Some(fields.text("expires_at")).filter(|day| *day != last_day(before.expires_at))
}

/// The last day of a token that ends then: what ends at midnight ends with the day before.
fn last_day(end: Timestamp) -> String {
    end.minus(Duration::from_millis(1)).date()
}

fn as_typed(token: &Token) -> Fields {
    let mut fields = vec![
        ("name", token.name.clone()),
        ("description", token.description.clone()),
        ("expires_at", last_day(token.expires_at)),
        ("overlap", "86400".to_owned()),
        (BASIS, basis(token)),
    ];
    fields.extend(limits_as_typed(&token.limits));
    Fields::of(fields)
}

/// What of a token its form can change, and its value, as one word.
fn basis(token: &Token) -> String {
    let mut text = Sha256::new();
    for part in [&token.name, &token.description, &token.hint.to_string()] {
        text.update(part);
        text.update(b"\0");
    }
    text.update(token.expires_at.as_millis().to_be_bytes());
    for (_, typed) in limits_as_typed(&token.limits) {
        text.update(typed);
        text.update(b"\0");
    }
    text.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn id_in_path(segment: &str) -> Result<TokenId, Failure> {
    let id = segment.parse().map(TokenId);
    id.map_err(|_why| {
        Error::NotFound { kind: "token", name: access::redact(segment).into() }.into()
    })
}

fn content(visitor: &Visitor, owner: &Owner, token: &Token, filled: &Filled) -> Markup {
    let latest = token.issued_at.plus(MAX_LIFESPAN).date();
    let today = visitor.now.date();
    let channels: Vec<_> = token.channels.iter().map(|channel| channel.name.to_string()).collect();
    let now = |name: &str, is: String| {
        let typed = filled.fields.text(name);
        (!filled.faults.is_empty() && typed != is).then(|| format!("Now: {is}"))
    };
    let (name_now, description_now, end_now) = (
        now("name", token.name.clone()),
        now("description", token.description.clone()),
        now("expires_at", last_day(token.expires_at)),
    );
    html! {
        (owner.crumbs())
        (page::head(html! { "Edit " (token.name) }, html! {
            p { (token.permission) " on " (channels.join(", ")) ". Its value stays unless you issue a new one." }
        }, html! {}))
        (form::post(visitor, filled, &format!("/tokens/{}/edit", token.id.0), html! {
            // What it is now: whoever sends it again has seen it.
            input type="hidden" name=(BASIS) value=(basis(token));
            (hinted(Input::text("name", "Name"), name_now.as_deref()).of(filled))
            (hinted(Input::text("description", "Description (optional)"), description_now.as_deref()).of(filled))
            (Input::day("expires_at", "Expires", (&today, &latest))
                .hint(end_now.as_deref().unwrap_or("At the end of this day in UTC, at most 365 days from its issue.")).of(filled))
            (limit_fields(filled))
            div.list {
                div.reissue {
                    (form::unfolding_tick(filled, "reissue", "Issue a new token",
                        "A new value, shown once, and a new year. The value that is in use now ends."))
                    div.unfold {
                        (form::select(filled, ("overlap", "Keep the old value working for"), Some("Time to put the new value everywhere."), &OVERLAPS))
                    }
                }
            }
            (form::buttons("Save", &owner.address()))
        }))
    }
}

fn hinted<'a>(input: Input<'a>, hint: Option<&'a str>) -> Input<'a> {
    match hint {
        Some(hint) => input.hint(hint),
        None => input,
    }
}
