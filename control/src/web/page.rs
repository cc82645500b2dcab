//! The frame around every page.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

use super::assets::{HTMX, MARK, SCRIPT, STYLE};
use super::icon::icon;
use super::visitor::Visitor;
use super::{address, form};

/// Where a page belongs, for the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// *Channels* and all that is reached through them.
    Channels,
    /// *Org Settings*.
    Org,
    /// *My tokens*.
    MyTokens,
    /// Nowhere in particular.
    None,
}

/// A page as it is answered when what was sent to it can't be done: the same page, as an error.
pub(super) type PageAgain = (StatusCode, Markup);

/// A page that says what is wrong with what was sent to it.
pub(super) fn refused(page: Markup) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}

impl Visitor {
    /// A page.
    pub(super) fn page(&self, title: &str, place: Place, content: Markup) -> Markup {
        self.framed(title, place, content, None)
    }

    /// A page whose form is shown again with what is wrong.
    pub(super) fn page_again(&self, title: &str, place: Place, content: Markup) -> PageAgain {
        (StatusCode::UNPROCESSABLE_ENTITY, self.page(title, place, content))
    }

    /// A page with a dialog over it ([`super::dialog`]).
    pub(super) fn page_under(
        &self,
        title: &str,
        place: Place,
        content: Markup,
        dialog: Markup,
    ) -> Markup {
        self.framed(title, place, content, Some(dialog))
    }

    fn framed(&self, title: &str, place: Place, content: Markup, over: Option<Markup>) -> Markup {
        let is_under = over.is_some();
        document(
            title,
            html! {
                a.skip href="#main" { "Skip to content" }
                header.top inert[is_under] {
                    a.brand href="/channels" { (icon("gate")) "condagate" }
                    @if let Some(gateways) = &self.gateways { (gateways) }
                    (self.menu(place))
                }
                div.shell inert[is_under] {
                    nav.rail aria-label="Main" {
                        a href="/channels" aria-current=[current(place == Place::Channels)] {
                            (icon("box")) "Channels"
                        }
                    }
                    main id="main" {
                        @if let Some(above) = &self.above { (above) }
                        (content)
                    }
                }
                @if let Some(over) = over { (over) }
            },
        )
    }

    fn menu(&self, place: Place) -> Markup {
        let name = self.actor.name.as_str();
        let sign_out = html! { button { "Sign out" } };
        html! {
            details.menu {
                summary aria-label={ (name) ", user menu" } {
                    (icon("badge")) span.vh-s { (name) } (icon("down"))
                }
                ul {
                    li { a href="/org/service-accounts" aria-current=[current(place == Place::Org)] { "Org Settings" } }
                    li { a href="/me/tokens" aria-current=[current(place == Place::MyTokens)] { "My tokens" } }
                    li { a href=(address::user(name)) { "My account" } }
                    li.rule { (form::button(self, "/sign-out", sign_out)) }
                }
            }
        }
    }
}

/// What `aria-current` says of the page that one is on.
pub(super) fn current(is_here: bool) -> Option<&'static str> {
    is_here.then_some("page")
}

/// A page for whoever isn't signed in: a column in the middle.
pub(super) fn outside(title: &str, content: Markup) -> Markup {
    document(
        title,
        html! {
            main.signin id="main" {
                p.brand { (icon("gate")) "condagate" }
                (content)
            }
        },
    )
}

/// What htmx may do: nothing that the policy forbids, and no page is kept in the browser's storage.
const HTMX_CONFIG: &str = r#"{"allowEval":false,"allowScriptTags":false,"includeIndicatorStyles":false,"historyEnabled":false,"historyCacheSize":0,"selfRequestsOnly":true}"#;

fn document(title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX_CONFIG);
                title { (title) " · condagate" }
                link rel="icon" type="image/svg+xml" href=(MARK.path);
                link rel="stylesheet" href=(STYLE.path);
                script src=(HTMX.path) defer {}
                script src=(SCRIPT.path) defer {}
            }
            body { (body) }
        }
    }
}

/// Where a page stands below others: their words and addresses, the first the furthest up.
pub(super) fn crumbs(above: &[(&str, &str)]) -> Markup {
    html! {
        nav aria-label="Breadcrumb" {
            ol.crumbs { @for (words, href) in above { li { a href=(href) { (words) } } } }
        }
    }
}

/// Tabs, each a page of its own: its words and address, and whether one is on it.
pub(super) fn tabs(label: &str, tabs: &[(&str, String, bool)]) -> Markup {
    html! {
        nav.tabs aria-label=(label) {
            @for (words, href, is_here) in tabs {
                a href=(href) aria-current=[current(*is_here)] { (words) }
            }
        }
    }
}

/// A page's heading with a line of text under it, and what can be done at the right.
pub(super) fn head(heading: Markup, under: Markup, actions: Markup) -> Markup {
    html! { div.head { div { h1 { (heading) } (under) } (actions) } }
}
