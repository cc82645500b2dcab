//! Dialogs: a page of their own address over the page that they belong to, so that they work
//! without JavaScript and can be gone back from. Escape is *Cancel* (`assets/condagate.js`).

use maud::{Markup, html};

use super::form;
use super::posted::{CSRF, ONCE, Posted};

/// The field that says whether a form is meant.
pub(super) const CONFIRM: &str = "confirm";

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

/// Asks whether a form that was sent to `action` is meant; what was typed goes along, and is shown
/// again by *Cancel*. `words` is what the button does.
pub(super) fn confirm(posted: &Posted, action: &str, words: &str) -> Markup {
    let typed = posted.fields.iter().filter(|(name, _)| !matches!(*name, CSRF | ONCE | CONFIRM));
    form::post(
        &posted.visitor,
        &posted.filled(),
        action,
        html! {
            @for (name, value) in typed { input type="hidden" name=(name) value=(value); }
            div.row {
                button.btn.primary name=(CONFIRM) value="no" data-cancel autofocus { "Cancel" }
                button.btn.danger name=(CONFIRM) value="yes" { (words) }
            }
        },
    )
}
