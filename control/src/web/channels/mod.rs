//! `/channels`

mod list;

use access::Privacy;
use axum::Router;
use axum::routing::get;
use maud::{Markup, html};

use super::status::{Tone, status};
use crate::Control;

pub(super) fn router() -> Router<Control> {
    Router::new().route("/channels", get(list::show))
}

/// A channel's privacy, as everywhere.
fn privacy(privacy: Privacy) -> Markup {
    let (icon, words) = match privacy {
        Privacy::Public => ("globe", "Public"),
        Privacy::Authenticated => ("badge", "Authenticated"),
        Privacy::Private => ("lock", "Private"),
    };
    status(Tone::Plain, icon, words)
}

/// A channel's name: what is above it stands back.
fn name(name: &access::ChannelName) -> Markup {
    let text = name.as_str();
    html! {
        @match text.rsplit_once('/') {
            Some((above, own)) => { span.dim { (above) "/" } (own) },
            None => (text),
        }
    }
}
