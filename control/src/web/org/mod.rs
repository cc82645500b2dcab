//! `/org`: *Org Settings*. Everybody gets there; who is no admin sees the tabs that hold something
//! for them.

mod audit;
pub(super) mod gateways;
pub(super) mod groups;
mod leaked;
mod service_accounts;
mod users;

use access::ChannelName;
use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use maud::{Markup, html};

use super::failure::Failure;
use super::page::{self, Place};
use super::visitor::Visitor;
use crate::{Control, Error};

pub(super) fn router() -> Router<Control> {
    Router::new()
        .route("/org", get(async || Redirect::to(Tab::ServiceAccounts.path())))
        .merge(service_accounts::router())
        .merge(users::router())
        .merge(groups::router())
        .merge(gateways::router())
        .merge(audit::router())
        .merge(leaked::router())
}

/// A tab of *Org Settings*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    ServiceAccounts,
    Users,
    Groups,
    Gateways,
    Audit,
    Leaked,
}

impl Tab {
    const ALL: [Self; 6] = [
        Self::ServiceAccounts,
        Self::Users,
        Self::Groups,
        Self::Gateways,
        Self::Audit,
        Self::Leaked,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::ServiceAccounts => "Service Accounts",
            Self::Users => "Users",
            Self::Groups => "Groups",
            Self::Gateways => "Gateways",
            Self::Audit => "Audit",
            Self::Leaked => "Leaked token",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::ServiceAccounts => "/org/service-accounts",
            Self::Users => "/org/users",
            Self::Groups => "/org/groups",
            Self::Gateways => "/org/gateways",
            Self::Audit => "/org/audit",
            Self::Leaked => "/org/leaked",
        }
    }

    /// Whether its use cases refuse everybody else.
    fn is_for_admins(self) -> bool {
        matches!(self, Self::Users | Self::Gateways | Self::Audit)
    }
}

/// The content of a tab in the frame of *Org Settings*.
fn content(visitor: &Visitor, here: Tab, content: Markup) -> Markup {
    let tabs = Tab::ALL.into_iter().filter(|tab| visitor.is_admin || !tab.is_for_admins());
    let tabs: Vec<_> = tabs.map(|tab| (tab.words(), tab.path().to_owned(), tab == here)).collect();
    html! {
        (page::head(html! { "Org Settings" }, html! {}, html! {}))
        (page::tabs("Org Settings", &tabs))
        section { (content) }
    }
}

/// A tab's page.
fn tab_page(visitor: &Visitor, here: Tab, inner: Markup) -> Markup {
    let title = format!("{} · Org Settings", here.words());
    visitor.page(&title, Place::Org, content(visitor, here, inner))
}

/// A tab's page with a dialog over it.
fn tab_page_under(visitor: &Visitor, here: Tab, inner: Markup, dialog: Markup) -> Markup {
    let title = format!("{} · Org Settings", here.words());
    visitor.page_under(&title, Place::Org, content(visitor, here, inner), dialog)
}

/// What a tab is for, in a line, and what can be done on it at the right.
fn tab_head(here: Tab, about: &str, actions: Markup) -> Markup {
    html! {
        div.head {
            div { h2.vh { (here.words()) } p { (about) } }
            (actions)
        }
    }
}

/// A page below a tab, such as a form: the way back stands above its heading.
fn page_below(
    visitor: &Visitor,
    above: Tab,
    heading: &str,
    about: Markup,
    inner: Markup,
) -> Markup {
    visitor.page(heading, Place::Org, below(above, heading, about, inner))
}

/// Its content alone.
fn below(above: Tab, heading: &str, about: Markup, inner: Markup) -> Markup {
    html! {
        (page::crumbs(&[("Org Settings", Tab::ServiceAccounts.path()), (above.words(), above.path())]))
        (page::head(html! { (heading) }, about, html! {}))
        (inner)
    }
}

/// The channel that an address names. What can't be a channel's name is answered like one that isn't
/// there.
fn channel_of(segment: &str) -> Result<ChannelName, Failure> {
    let name = ChannelName::parse_with_colons(segment);
    name.map_err(|_why| Error::NotFound { kind: "channel", name: segment.replace(':', "/") }.into())
}
