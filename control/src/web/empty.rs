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
