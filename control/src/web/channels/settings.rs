//! The *Settings* tab, and the end of a channel.

use access::Privacy;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::create::privacies;
use super::frame::{frame, frame_under, manages, named, shown};
use crate::usecases::channel::{self, ChannelEdit};
use crate::usecases::permitted;
use crate::web::address;
use crate::web::began::{self, About};
use crate::web::dialog::{self, danger, dialog};
use crate::web::empty::empty;
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled};
use crate::web::form::{self, Input};
use crate::web::icon::icon;
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::proof;
use crate::web::visitor::Visitor;
use crate::{ChannelDetails, Control, Error};

const TAB: &str = "Settings";
const FIELDS: [&str; 4] = ["description", "privacy", "storage", "prefix"];
const ABOUT: About = About { kind: "channel", texts: &FIELDS, ticks: &["include_subchannels"] };

pub(super) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Path(segment): Path<String>,
) -> Result<Markup, Failure> {
    let details = shown(&control, &visitor, &segment).await?;
    let content = content(&control, &visitor, &details, &Filled::with(now(&visitor, &details)));
    Ok(frame(&visitor, &details, TAB, content))
}

pub(super) async fn save(
    State(control): State<Control>,
    Path(segment): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let (visitor, name) = (&posted.visitor, named(&segment)?);
    let details = channel::get(&control, &visitor.actor, &name).await?;
    let was = details.channel.privacy;
    let of = (ABOUT.kind, name.as_str());
    let is = channel::fingerprint(&details);
    let fresh = began::check(&control, &posted, &is, (of, &[])).await;
    let done = match fresh.and_then(|()| wanted(&posted.fields)) {
        Ok(edit) => {
            let privacy = edit.privacy.unwrap_or(was);
            match posted.fields.text(dialog::CONFIRM) {
                "" if opens(was, privacy) => {
                    return Ok(asked(&control, &posted, &details, privacy).into_response());
                }
                "no" => {
                    let content = content(&control, visitor, &details, &posted.filled());
                    return Ok(frame(visitor, &details, TAB, content).into_response());
                }
                _ => {}
            }
            channel::edit(&control, &visitor.actor, &name, edit).await
        }
        Err(error) => Err(error),
    };
    let here = address::channel(&name, "settings");
    match done {
        Ok(done) => {
            let closes = opens(done.value.channel.privacy, was);
            Ok(proof::after(&here, closes.then_some(done.revision)).into_response())
        }
        // It was sent twice.
        Err(Error::AlreadyDone { .. }) => Ok(proof::after(&here, None).into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            let details = channel::get(&control, &visitor.actor, &name).await?;
            match error {
                Error::ChangedMeanwhile { .. } => {
                    began::merge(&mut filled, &now(visitor, &details), &ABOUT);
                }
                error => filled.refuse(error, &FIELDS)?,
            }
            let content = content(&control, visitor, &details, &filled);
            Ok(refused(frame(visitor, &details, TAB, content)))
        }
    }
}

/// Whether more people may download with the one than with the other.
fn opens(from: Privacy, to: Privacy) -> bool {
    let reach = |privacy| match privacy {
        Privacy::Private => 0,
        Privacy::Authenticated => 1,
        Privacy::Public => 2,
    };
    reach(to) > reach(from)
}

/// Whether a channel is meant to be opened: what becomes readable by whom.
fn asked(control: &Control, posted: &Posted, details: &ChannelDetails, to: Privacy) -> Markup {
    let (visitor, name) = (&posted.visitor, &details.channel.name);
    let (heading, button, who) = match to {
        Privacy::Public => (
            "Make this channel public?",
            "Make public",
            "anybody who reaches the gateway, without a token",
        ),
        Privacy::Authenticated | Privacy::Private => (
            "Open this channel to every token?",
            "Open to every token",
            "whoever has any valid token, also one for another channel",
        ),
    };
    let here = address::channel(name, "settings");
    let over = dialog(
        heading,
        html! {
            p { "Every package of " b { (name) } ", and the list of them, becomes readable by " (who) "." }
            dl.kv {
                @if let Some(url) = &control.settings().gateway_url { dt { "Address" } dd { (url) "/" (name) } }
                @if visitor.is_admin {
                    dt { "Files" }
                    dd { (details.channel.storage) ": " (if details.channel.prefix.is_empty() { "/" } else { &details.channel.prefix }) }
                }
                dt { "Now" } dd { (super::privacy(details.channel.privacy)) }
                dt { "Then" } dd { (super::privacy(to)) }
            }
            p { "Channels below it keep their own privacy. What is downloaded meanwhile can’t be called back." }
            (dialog::confirm(posted, &here, button))
        },
    );
    let under = content(control, visitor, details, &posted.filled());
    frame_under(visitor, details, TAB, (under, over))
}

pub(super) async fn ask_delete(
    State(control): State<Control>,
    visitor: Visitor,
    Path(segment): Path<String>,
) -> Result<Markup, Failure> {
    let details = shown(&control, &visitor, &segment).await?;
    permitted::channel_change(&control, &visitor.actor, &details.channel.name).await?;
    Ok(under_dialog(&control, &visitor, &details, &Filled::default()))
}

pub(super) async fn delete(
    State(control): State<Control>,
    Path(segment): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let (visitor, name) = (&posted.visitor, named(&segment)?);
    match channel::delete(&control, &visitor.actor, &name).await {
        Ok(done) => Ok(proof::after("/channels", Some(done.revision)).into_response()),
        Err(Error::AlreadyDone { .. }) => Ok(proof::after("/channels", None).into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &[])?;
            let details = channel::get(&control, &visitor.actor, &name).await?;
            let page = under_dialog(&control, visitor, &details, &filled);
            Ok(refused(page))
        }
    }
}

/// The fields as they are now; where its files are is for admins.
fn now(visitor: &Visitor, details: &ChannelDetails) -> Fields {
    let channel = &details.channel;
    let mut fields = vec![
        ("description", details.description.clone()),
        ("privacy", channel.privacy.as_str().to_owned()),
    ];
    if visitor.is_admin {
        fields.push(("storage", channel.storage.to_string()));
        fields.push(("prefix", channel.prefix.to_string()));
    }
    if channel.include_subchannels {
        fields.push(("include_subchannels", "yes".to_owned()));
    }
    Fields::of(fields)
}

fn wanted(fields: &Fields) -> Result<ChannelEdit, Error> {
    let privacy = began::changed(fields, "privacy").map(|word| word.parse()).transpose();
    Ok(ChannelEdit {
        description: began::changed(fields, "description"),
        privacy: privacy.map_err(|why| Error::invalid("privacy", why))?,
        storage: began::changed(fields, "storage"),
        prefix: began::changed(fields, "prefix"),
        include_subchannels: began::ticked(fields, "include_subchannels"),
        seen: began::seen(fields),
    })
}

fn content(
    control: &Control,
    visitor: &Visitor,
    details: &ChannelDetails,
    filled: &Filled,
) -> Markup {
    if !manages(visitor, details) {
        return empty(
            "lock",
            "Settings are for the channel’s owners",
            html! {
                "Ask somebody who manages this channel."
            },
            html! {},
        );
    }
    let here = address::channel(&details.channel.name, "settings");
    let storages = &control.settings().storages;
    let storages: Vec<_> =
        storages.iter().map(|storage| (&*storage.name, &*storage.name)).collect();
    html! {
        section {
            (form::post(visitor, filled, &here, html! {
                (began::hidden(&channel::fingerprint(details), &now(visitor, details)))
                (form::lines(filled, "description", "Description (optional)", None))
                (privacies(filled))
                @if visitor.is_admin {
                    (form::select(filled, ("storage", "Storage"), None, &storages))
                    (Input::text("prefix", "Folder in the storage").of(filled))
                }
                (form::tick(filled, "include_subchannels", "Grants cover its subchannels",
                    "Whoever may use this channel may use every one below it too."))
                (form::buttons("Save", &here))
            }))
        }
        section {
            h2 { "Delete this channel" }
            p.dim { "Its files stay where they are; access to them ends." }
            a.btn.danger href={ (here) "/delete" } { (icon("trash")) "Delete channel" }
        }
    }
}

fn under_dialog(
    control: &Control,
    visitor: &Visitor,
    details: &ChannelDetails,
    filled: &Filled,
) -> Markup {
    let here = address::channel(&details.channel.name, "settings");
    let dialog = dialog(
        &format!("Delete {}?", details.channel.name),
        form::post(
            visitor,
            filled,
            &format!("{here}/delete"),
            html! {
                p { "Its service account and group of owners go with it, and tokens that are for this channel alone are revoked at once. Downloads that run are cut. The files in the storage are not touched." }
                (danger("Delete", &here))
            },
        ),
    );
    let content = content(control, visitor, details, &Filled::with(now(visitor, details)));
    frame_under(visitor, details, TAB, (content, dialog))
}
