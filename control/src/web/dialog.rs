//! Dialogs: a page of their own address over the page that they belong to, so that they work
//! without JavaScript and can be gone back from. Escape is *Cancel* (`assets/condagate.js`).

use maud::{Markup, html};

/// A dialog. What is under it can't be reached while it stands there.
pub(super) fn dialog(heading: &str, content: Markup) -> Markup {
    html! {
        div.scrim {
            dialog open aria-modal="true" aria-labelledby="dialog-heading" {
                h2 id="dialog-heading" { (heading) }
                (content)
            }
        }
    }
}

/// The buttons of a dialog that does something dangerous: the way out comes first and is what Enter
/// does.
pub(super) fn danger(words: &str, cancel: &str) -> Markup {
    html! {
        div.row {
            a.btn.primary href=(cancel) data-cancel autofocus { "Cancel" }
            button.btn.danger { (words) }
        }
    }
}

/// The buttons of a dialog that makes something.
pub(super) fn make(words: &str, cancel: &str) -> Markup {
    html! {
        div.row {
            a.btn href=(cancel) data-cancel { "Cancel" }
            button.btn.primary autofocus { (words) }
        }
    }
}
