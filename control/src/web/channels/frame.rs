//! What all tabs of a channel share: its name, what it is, and the tabs.

use access::{ChannelName, Permission};
use maud::{Markup, html};

use super::{name, privacy};
use crate::usecases::channel;
use crate::web::address;
use crate::web::failure::Failure;
use crate::web::page::{self, Place};
use crate::web::visitor::Visitor;
use crate::{ChannelDetails, Control, Error};

/// The tabs with their last part of the address.
const TABS: [(&str, &str); 5] = [
    ("Packages", "packages"),
    ("Service Accounts", "service-accounts"),
    ("Members", "members"),
    ("Usage", "usage"),
    ("Settings", "settings"),
];

/// The channel in a page's address. What can't be a channel's name is answered like one that isn't
/// there.
pub(super) fn named(segment: &str) -> Result<ChannelName, Failure> {
    let name = ChannelName::parse_with_colons(segment);
    name.map_err(|_why| Error::NotFound { kind: "channel", name: segment.replace(':', "/") }.into())
}

/// The channel in a page's address, as its visitor may see it.
pub(super) async fn shown(
    control: &Control,
    visitor: &Visitor,
    segment: &str,
) -> Result<ChannelDetails, Failure> {
    Ok(channel::get(control, &visitor.actor, &named(segment)?).await?)
}

/// A tab's page.
pub(super) fn frame(
    visitor: &Visitor,
    details: &ChannelDetails,
    tab: &str,
    content: Markup,
) -> Markup {
    visitor.page(&title(details, tab), Place::Channels, inside(details, tab, content))
}

/// A tab's page under a dialog.
pub(super) fn frame_under(
    visitor: &Visitor,
    details: &ChannelDetails,
    tab: &str,
    (content, dialog): (Markup, Markup),
) -> Markup {
    let content = inside(details, tab, content);
    visitor.page_under(&title(details, tab), Place::Channels, content, dialog)
}

/// A page's title, most particular first.
pub(super) fn title(details: &ChannelDetails, tab: &str) -> String {
    format!("{tab} · {}", details.channel.name)
}

/// What stands in a tab's page.
pub(super) fn inside(details: &ChannelDetails, tab: &str, content: Markup) -> Markup {
    let channel = &details.channel;
    let tabs =
        TABS.map(|(words, part)| (words, address::channel(&channel.name, part), words == tab));
    html! {
        (page::crumbs(&[("Channels", "/channels")]))
        (page::head(html! { (name(&channel.name)) }, html! {
            @if !details.description.is_empty() { p { (details.description) } }
            div.facts {
                (privacy(channel.privacy))
                span {
                    "Your permission: "
                    @match details.permission { Some(held) => (held), None => "none" }
                }
            }
        }, html! {}))
        (page::tabs("Channel", &tabs))
        (content)
    }
}

/// Whether the visitor can change the channel: decides what is offered, never what is allowed.
pub(super) fn manages(visitor: &Visitor, details: &ChannelDetails) -> bool {
    visitor.is_admin || details.permission == Some(Permission::Manage)
}
