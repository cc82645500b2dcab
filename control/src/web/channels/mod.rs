//! `/channels`

mod accounts;
mod create;
mod frame;
mod list;
mod members;
mod packages;
mod settings;
mod usage;

use access::Privacy;
use axum::Router;
use axum::routing::get;
use maud::{Markup, html};

pub(super) use accounts::last_used;
pub(super) use list::COLUMNS;

use super::status::{Tone, status};
use crate::Control;

pub(super) fn router() -> Router<Control> {
    Router::new()
        .route("/channels", get(list::show))
        .route("/channels/new", get(create::show).post(create::create))
        .route("/channels/{channel}", get(packages::show))
        .route("/channels/{channel}/packages", get(packages::show))
        .route("/channels/{channel}/service-accounts", get(accounts::show))
        .route(
            "/channels/{channel}/service-accounts/new",
            get(accounts::ask).post(accounts::create),
        )
        .route("/channels/{channel}/members", get(members::show).post(members::change))
        .route("/channels/{channel}/usage", get(usage::show))
        .route("/channels/{channel}/settings", get(settings::show).post(settings::save))
        .route(
            "/channels/{channel}/settings/delete",
            get(settings::ask_delete).post(settings::delete),
        )
}

/// A channel's privacy, as everywhere.
pub(super) fn privacy(privacy: Privacy) -> Markup {
    let (icon, words) = match privacy {
        Privacy::Public => ("globe", "Public"),
        Privacy::Authenticated => ("badge", "Authenticated"),
        Privacy::Private => ("lock", "Private"),
    };
    status(Tone::Plain, icon, words)
}

/// A channel's name: what is above it stands back.
pub(super) fn name(name: &access::ChannelName) -> Markup {
    let text = name.as_str();
    html! {
        @match text.rsplit_once('/') {
            Some((above, own)) => { span.dim { (above) "/" } (own) },
            None => (text),
        }
    }
}
