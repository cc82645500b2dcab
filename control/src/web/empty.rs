//! Where there is nothing yet: what to do next.

use maud::{Markup, html};

use super::icon::icon;

/// Says what is missing, why one would want it, and offers the next step.
pub(super) fn empty(icon_name: &str, words: &str, why: Markup, next: Markup) -> Markup {
    html! {
        div.empty {
            (icon(icon_name))
            h2 { (words) }
            p { (why) }
            div.row { (next) }
        }
    }
}

/// A list that has nothing more: of `kind`, none whose name has in it what was searched for (`why` says more), or none after the page before. `all` is the list's beginning.
pub(super) fn none_found(kind: &str, search: &str, why: &str, all: &str) -> Markup {
    let show_all = html! { a.btn href=(all) { "Show all " (kind) "s" } };
    if search.is_empty() {
        let why = html! { "This page began after the last " (kind) "." };
        return empty("search", &format!("No more {kind}s"), why, show_all);
    }
    let why = html! { "There is no " (kind) " with " b { (search) } " in its name" (why) "." };
    empty("search", &format!("No such {kind}"), why, show_all)
}
