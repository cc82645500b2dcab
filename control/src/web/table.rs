//! Tables: the heart of most pages. Below 1120 px each row is a card, whose cells say with
//! `data-label` what they are.

use maud::{Markup, html};

use super::address;
use super::icon::icon;

/// A column's head.
#[derive(Clone, Debug)]
pub(super) struct Head {
    words: &'static str,
    class: Option<&'static str>,
    /// Where a click sorts by it, and whether the rows are sorted by it now, downwards.
    sort: Option<(String, Option<bool>)>,
}

impl Head {
    /// A column of words.
    pub(super) fn words(words: &'static str) -> Self {
        Self { words, class: None, sort: None }
    }

    /// A column of numbers.
    pub(super) fn number(words: &'static str) -> Self {
        Self { class: Some("num"), ..Self::words(words) }
    }

    /// The column of what can be done with a row.
    pub(super) fn actions() -> Self {
        Self { class: Some("acts"), ..Self::words("Actions") }
    }

    /// A column by which rows can be sorted: `key` is its word in the address, `now` the order of
    /// the rows, a key with `-` before it for downwards. `kept` are the address's other fields.
    pub(super) fn sorted(self, key: &str, now: &str, kept: &[(&str, &str)]) -> Self {
        let downwards = now.strip_prefix('-') == Some(key);
        let by_this = (now == key || downwards).then_some(downwards);
        let next = if now == key { format!("-{key}") } else { key.to_owned() };
        let fields = [kept, &[("sort", &next)]].concat();
        Self { sort: Some((format!("?{}", address::query(&fields)), by_this)), ..self }
    }
}

/// A table. The caption says to screen readers what is in it.
pub(super) fn table(caption: &str, heads: &[Head], rows: Markup) -> Markup {
    table_as("cards", caption, heads, rows)
}

/// A table of what happened, whose rows are dense where they are cards.
pub(super) fn log(caption: &str, heads: &[Head], rows: Markup) -> Markup {
    table_as("cards log", caption, heads, rows)
}

fn table_as(class: &str, caption: &str, heads: &[Head], rows: Markup) -> Markup {
    html! {
        div.panel {
            table class=(class) {
                caption.vh { (caption) }
                thead { tr { @for head in heads { (cell(head)) } } }
                tbody { (rows) }
            }
        }
    }
}

fn cell(head: &Head) -> Markup {
    let order = head.sort.as_ref().and_then(|(_, order)| *order);
    let order = order.map(|downwards| if downwards { "descending" } else { "ascending" });
    html! {
        th scope="col" class=[head.class] aria-sort=[order] {
            @match &head.sort {
                Some((href, _)) => a href=(href) {
                    (head.words) @if order.is_some() { (icon("sort")) }
                },
                None => (head.words),
            }
        }
    }
}

/// A description as much of it as a row has room for.
pub(super) fn shortened(text: &str) -> Markup {
    const CHARS: usize = 160;
    let end = text.char_indices().nth(CHARS).map(|(at, _)| at);
    html! { @match end.and_then(|end| text.get(..end)) { Some(begin) => { (begin.trim_end()) "…" }, None => (text) } }
}
