//! The *Settings* tab, and the end of a channel.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::create::{after, privacies};
use super::frame::{frame, frame_under, manages, named, shown};
use crate::usecases::channel::{self, ChannelEdit};
use crate::web::address;
use crate::web::dialog::{danger, dialog};
use crate::web::empty::empty;
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled};
use crate::web::form::{self, Input};
use crate::web::icon::icon;
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::visitor::Visitor;
use crate::{ChannelDetails, Control, Error};

const TAB: &str = "Settings";
const FIELDS: [&str; 4] = ["description", "privacy", "storage", "prefix"];

pub(super) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Path(segment): Path<String>,
) -> Result<Markup, Failure> {
    let details = shown(&control, &visitor, &segment).await?;
    let content = content(&control, &visitor, &details, &Filled::with(now(&details)));
    Ok(frame(&visitor, &details, TAB, content))
}

pub(super) async fn save(
    State(control): State<Control>,
    Path(segment): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let (visitor, name) = (&posted.visitor, named(&segment)?);
    let done = match wanted(&posted.fields) {
        Ok(edit) => channel::edit(&control, &visitor.actor, &name, edit).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(_) | Err(Error::AlreadyDone { .. }) => Ok(after(&name, "settings").into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &FIELDS)?;
            let details = channel::get(&control, &visitor.actor, &name).await?;
            let content = content(&control, visitor, &details, &filled);
            let page = frame(visitor, &details, TAB, content);
            Ok(refused(page))
        }
    }
}

pub(super) async fn ask_delete(
    State(control): State<Control>,
    visitor: Visitor,
    Path(segment): Path<String>,
) -> Result<Markup, Failure> {
    let details = shown(&control, &visitor, &segment).await?;
    Ok(under_dialog(&control, &visitor, &details, &Filled::default()))
}

pub(super) async fn delete(
    State(control): State<Control>,
    Path(segment): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let (visitor, name) = (&posted.visitor, named(&segment)?);
    match channel::delete(&control, &visitor.actor, &name).await {
        Ok(_) | Err(Error::AlreadyDone { .. }) => Ok(Redirect::to("/channels").into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &[])?;
            let details = channel::get(&control, &visitor.actor, &name).await?;
            let page = under_dialog(&control, visitor, &details, &filled);
            Ok(refused(page))
        }
    }
}

fn now(details: &ChannelDetails) -> Fields {
    let channel = &details.channel;
    let mut fields = vec![
        ("description", details.description.clone()),
        ("privacy", channel.privacy.as_str().to_owned()),
        ("storage", channel.storage.to_string()),
        ("prefix", channel.prefix.to_string()),
    ];
    if channel.include_subchannels {
        fields.push(("include_subchannels", "yes".to_owned()));
    }
    Fields::of(fields)
}

fn wanted(fields: &Fields) -> Result<ChannelEdit, Error> {
    let privacy = fields.text("privacy").parse();
    Ok(ChannelEdit {
        description: Some(fields.text("description").to_owned()),
        privacy: Some(privacy.map_err(|why| Error::invalid("privacy", why))?),
        storage: fields.some("storage"),
        prefix: fields.some("prefix"),
        include_subchannels: Some(fields.has("include_subchannels", "yes")),
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
    let content = content(control, visitor, details, &Filled::with(now(details)));
    frame_under(visitor, details, TAB, (content, dialog))
}
