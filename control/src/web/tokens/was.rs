//! What a revoked token was: nothing of it can be changed any more.

use maud::{Markup, html};

use super::owner::Owner;
use crate::Token;
use crate::web::icon::icon;
use crate::web::moment::moment;
use crate::web::page;
use crate::web::status::{Tone, status};
use crate::web::visitor::Visitor;

/// What it was, and what can be done instead.
pub(super) fn content(visitor: &Visitor, owner: &Owner, token: &Token) -> Markup {
    let now = visitor.now;
    html! {
        (owner.crumbs())
        (page::head(html! { (token.name) }, html! {
            p { "A revoked token never comes back: it can’t be edited, and no new value can be issued for it." }
        }, html! {
            a.btn.primary href=(owner.new_token()) { (icon("key")) "Generate another token" }
        }))
        dl.kv {
            dt { "Status" }
            dd {
                (status(Tone::Dim, "off", "Revoked"))
                @if let Some((at, _)) = token.revoked { " " (moment(now, at)) ", " }
                a href={ "/tokens/" (token.id.0) "/revoked" } { "where that is in force" }
            }
            @if !token.description.is_empty() { dt { "Description" } dd { (token.description) } }
            dt { "Permission" } dd { (token.permission) }
            dt { "Channels" } dd { @for channel in &token.channels { div { (channel.name) } } }
            dt { "Created" } dd { (moment(now, token.created_at)) " by " (token.created_by) }
            dt { "Last used" }
            dd { (last_used(visitor, token)) }
        }
    }
}

/// When and from where it was last used.
pub(super) fn last_used(visitor: &Visitor, token: &Token) -> Markup {
    html! {
        @match &token.last_used {
            Some((at, from)) => { (moment(visitor.now, *at)) " from " (from) },
            None => "Never",
        }
    }
}
