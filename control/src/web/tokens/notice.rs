//! The once-only notification: a token's value, which can't be had again. It is in the answer to
//! the form itself: at no address, and kept by no browser.

use maud::{Markup, html};

use crate::usecases::token::Issued;
use crate::web::commands;
use crate::web::icon::icon;
use crate::{ClientCommands, Control};

/// The value with what its holder types; `close` is the page without it.
pub(super) fn notice(control: &Control, issued: &Issued, close: &str) -> Markup {
    let value = issued.secret.reveal();
    let token = &issued.token;
    html! {
        aside.notice role="region" aria-labelledby="notice-heading" {
            h2 id="notice-heading" { "Copy your token now" }
            p { "The value of " b { (token.name) } " is shown this once. It can’t be shown again." }
            div.secret {
                input id="value" aria-label="Token value" readonly autocomplete="off" spellcheck="false" value=(value);
                button.btn.primary type="button" data-copy="value" autofocus { (icon("copy")) "Copy" }
            }
            @if let (Some(gateway_url), false) = (&control.settings().gateway_url, token.channels.is_empty()) {
                @let of = |channel| ClientCommands { gateway_url, channel, token: Some(value) };
                @let channels = token.channels.iter().map(|channel| of(channel.name.as_str()));
                (commands::clients(&channels.collect::<Vec<_>>()))
            }
            div.row {
                // A script knows whether it was copied.
                small id="copied" role="status" { "Copy it before you close this." }
                a.btn href=(close) data-close { "Close" }
            }
        }
    }
}
