//! *Create Channel*.

use access::{ChannelName, Privacy};
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use crate::usecases::channel::{self, NewChannel};
use crate::usecases::permitted;
use crate::web::failure::Failure;
use crate::web::fields::{Faults, Fields, Filled};
use crate::web::form::{self, Choice, Input};
use crate::web::page::{self, Place};
use crate::web::posted::Posted;
use crate::web::visitor::Visitor;
use crate::{Control, Error};

const PATH: &str = "/channels/new";
const TITLE: &str = "Create Channel";
const FIELDS: [&str; 5] = ["name", "description", "privacy", "storage", "prefix"];

pub(super) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
) -> Result<Markup, Failure> {
    permitted::channel_creation(&control, &visitor.actor).await?;
    let filled = Filled::with(Fields::of([("privacy", Privacy::Private.as_str().to_owned())]));
    Ok(visitor.page(TITLE, Place::Channels, content(&control, &visitor, &filled)))
}

pub(super) async fn create(
    State(control): State<Control>,
    posted: Posted,
) -> Result<Response, Failure> {
    let Posted { visitor, fields } = &posted;
    let address = |name: &str| format!("/channels/{}", name.replace('/', ":"));
    let (new, faults) = order(&control, fields);
    let done = match new {
        Some(new) if faults.is_empty() => channel::create(&control, &visitor.actor, new).await,
        new => {
            let mut filled = Filled { faults, ..posted.filled() };
            // A name can also be taken: whoever chooses another one chooses once.
            if let Some(NewChannel { name, .. }) = new
                && channel::get(&control, &visitor.actor, &name).await.is_ok()
            {
                filled.refuse(
                    Error::NameTaken { kind: "channel", name: name.to_string() },
                    &FIELDS,
                )?;
            }
            let content = content(&control, visitor, &filled);
            return Ok(visitor.page_again(TITLE, Place::Channels, content).into_response());
        }
    };
    match done {
        // Sent twice, it was made once.
        Ok(_) | Err(Error::AlreadyDone { .. }) => {
            Ok(Redirect::to(&address(fields.text("name"))).into_response())
        }
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &FIELDS)?;
            let content = content(&control, visitor, &filled);
            Ok(visitor.page_again(TITLE, Place::Channels, content).into_response())
        }
    }
}

/// The channel that a form asks for, and all that is wrong with it. Where its name or its privacy can't
/// be read, others stand for them, so that the rest is told too.
fn order(control: &Control, fields: &Fields) -> (Option<NewChannel>, Faults) {
    let mut faults = Faults::default();
    let name = fields.text("name").parse::<ChannelName>();
    let name = faults.keep(name.map_err(|why| Error::invalid("name", why)));
    let privacy = fields.text("privacy").parse();
    let privacy = faults.keep(privacy.map_err(|why| Error::invalid("privacy", why)));
    let has_name = name.is_some();
    let new = name.or_else(|| "x".parse().ok()).map(|name| NewChannel {
        name,
        description: fields.text("description").to_owned(),
        privacy: privacy.unwrap_or(Privacy::Private),
        storage: fields.some("storage"),
        prefix: fields.some("prefix"),
        include_subchannels: fields.has("include_subchannels", "yes"),
    });
    for fault in new.iter().flat_map(|new| channel::faults(control, new)) {
        faults.keep::<()>(Err(fault));
    }
    (new.filter(|_| has_name), faults)
}

fn content(control: &Control, visitor: &Visitor, filled: &Filled) -> Markup {
    let storages = &control.settings().storages;
    let storages: Vec<_> =
        storages.iter().map(|s| (&*s.name, format!("{} ({})", s.name, s.kind))).collect();
    let storages: Vec<_> = storages.iter().map(|(name, words)| (*name, words.as_str())).collect();
    html! {
        (page::crumbs(&[("Channels", "/channels")]))
        (page::head(html! { "Create Channel" }, html! {
            p { "A channel puts a name and access rules in front of packages that already lie in a storage." }
        }, html! {}))
        (form::post(visitor, filled, PATH, html! {
            (Input::text("name", "Name").example("analytics or analytics/prod")
                .hint("Small letters, digits, and . _ - between; / begins a subchannel.").focused().of(filled))
            (form::lines(filled, "description", "Description (optional)", None))
            (privacies(filled))
            (form::select(filled, ("storage", "Storage"), Some("Where the files are."), &storages))
            (Input::text("prefix", "Folder in the storage (optional)")
                .hint("The channel’s name where nothing is said.").of(filled))
            (form::tick(filled, "include_subchannels", "Grants cover its subchannels",
                "Whoever may use this channel may use every one below it too."))
            (form::buttons("Create Channel", "/channels"))
        }))
    }
}

/// The choice of a channel's privacy.
pub(super) fn privacies(filled: &Filled) -> Markup {
    let choice = |privacy: Privacy, note: &str| Choice {
        value: privacy.as_str(),
        words: super::privacy(privacy),
        note: html! { (note) },
        is_disabled: false,
    };
    form::choices(
        filled,
        ("privacy", "Privacy"),
        "radio",
        &[
            choice(Privacy::Private, "Only whoever is granted it downloads."),
            choice(Privacy::Authenticated, "Whoever has a valid token downloads."),
            choice(Privacy::Public, "Anyone downloads, without a token."),
        ],
    )
}
