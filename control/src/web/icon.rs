//! Icons: never without words beside them, or a name on the control that they stand in.

use maud::{Markup, html};

use super::assets;

/// An icon of `assets/icons.svg`.
pub(super) fn icon(name: &str) -> Markup {
    shown("i", name)
}

/// An icon with more classes, such as a status's colour.
pub(super) fn shown(class: &str, name: &str) -> Markup {
    html! {
        svg class=(class) aria-hidden="true" {
            use href={ (assets::ICONS.path) "#" (name) } {}
        }
    }
}
