//! A status: an icon and words, and never a colour alone.

use maud::{Markup, html};

use super::icon::icon;

/// How a status is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// It is just so.
    Plain,
    /// It matters little.
    Dim,
    /// As it should be.
    Good,
    /// Needs a look before long.
    Warning,
    /// Wrong, or gone.
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Plain => "st",
            Self::Dim => "st dim",
            Self::Good => "st ok",
            Self::Warning => "st warn",
            Self::Bad => "st bad",
        }
    }
}

/// A status in a line or a cell of a table.
pub(super) fn status(tone: Tone, icon_name: &str, words: &str) -> Markup {
    html! { span class=(tone.class()) { (icon(icon_name)) span { (words) } } }
}

/// A status in small letters under what it is of.
pub(super) fn note(tone: Tone, icon_name: &str, words: &str) -> Markup {
    html! { small class=(tone.class()) { (icon(icon_name)) span { (words) } } }
}
