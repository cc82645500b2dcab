//! Commands to copy.

use maud::{Markup, html};

use super::icon::icon;

/// A command with a button that copies it. `name` is unique on the page.
pub(super) fn line(name: &str, command: &str) -> Markup {
    let id = format!("c-{name}");
    html! {
        div.cmd id=(id) {
            pre tabindex="0" { (command) }
            button.btn.icon type="button" data-copy=(id) aria-label={ "Copy " (name) " command" } title="Copy" {
                (icon("copy"))
            }
        }
    }
}
