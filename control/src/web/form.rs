//! Forms: fields with a label, what was typed, and what is wrong with it beside them.

use maud::{Markup, html};

use super::failure::sentence;
use super::fields::Filled;
use super::icon::icon;
use super::posted::{CSRF, ONCE, new_key};
use super::visitor::Visitor;

/// A form that changes something: with the token by which it is known to be ours, and the key by
/// which it is done once however often it is sent. What is wrong with no field in particular stands
/// first. The server says what is wrong (`novalidate`): in one place, in the same words. Browsers put
/// nothing back that was chosen before (`autocomplete`): a form says what is so now.
pub(super) fn post(visitor: &Visitor, filled: &Filled, action: &str, content: Markup) -> Markup {
    html! {
        form.form method="post" action=(action) novalidate autocomplete="off" {
            (hidden(visitor, filled))
            @if let Some(message) = filled.faults.of("") {
                p.err role="alert" { (icon("warn")) span { (sentence(message)) } }
            }
            (content)
        }
    }
}

/// A form that is only a button, in a menu or a row.
pub(super) fn button(visitor: &Visitor, action: &str, content: Markup) -> Markup {
    html! {
        form method="post" action=(action) {
            (hidden(visitor, &Filled::default()))
            (content)
        }
    }
}

fn hidden(visitor: &Visitor, filled: &Filled) -> Markup {
    html! {
        input type="hidden" name=(CSRF) value=(visitor.csrf);
        input type="hidden" name=(ONCE) value=(filled.once.clone().unwrap_or_else(new_key));
    }
}

/// What a search by a part of a name says in its empty field.
pub(super) const PART: &str = "Part of a name";

/// What finds the rows of a list by the beginning of their names, with what stands beside it. The
/// label says what is searched; the page is asked for with `q`.
pub(super) fn search(action: &str, label: &str, value: &str, beside: Markup) -> Markup {
    find(action, (label, "Name begins with …"), value, beside)
}

/// The same, of what is found by the text that its placeholder says.
pub(super) fn find(
    action: &str,
    (label, placeholder): (&str, &str),
    value: &str,
    beside: Markup,
) -> Markup {
    find_by("q", action, (label, placeholder), value, beside)
}

/// The same, by another field of the address.
pub(super) fn find_by(
    field: &str,
    action: &str,
    (label, placeholder): (&str, &str),
    value: &str,
    beside: Markup,
) -> Markup {
    html! {
        form.bar role="search" action=(action) {
            div.search {
                (icon("search"))
                input type="search" name=(field) value=(value) aria-label=(label)
                    placeholder=(placeholder) autocomplete="off" spellcheck="false";
            }
            (beside)
        }
    }
}

/// A field of one line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a> {
    name: &'a str,
    label: &'a str,
    kind: &'a str,
    hint: Option<&'a str>,
    autocomplete: &'a str,
    min: Option<&'a str>,
    max: Option<&'a str>,
    placeholder: Option<&'a str>,
    is_narrow: bool,
    has_focus: bool,
}

impl<'a> Input<'a> {
    /// A text.
    pub(super) fn text(name: &'a str, label: &'a str) -> Self {
        Self {
            name,
            label,
            kind: "text",
            hint: None,
            autocomplete: "off",
            min: None,
            max: None,
            placeholder: None,
            is_narrow: false,
            has_focus: false,
        }
    }

    /// A password, which is never filled in again. `use_for` is what password managers call it:
    /// `current-password` or `new-password`.
    pub(super) fn password(name: &'a str, label: &'a str, use_for: &'a str) -> Self {
        Self { kind: "password", autocomplete: use_for, ..Self::text(name, label) }
    }

    /// A day, between two.
    pub(super) fn day(name: &'a str, label: &'a str, (min, max): (&'a str, &'a str)) -> Self {
        let (min, max) = (Some(min), Some(max));
        Self { kind: "date", min, max, is_narrow: true, ..Self::text(name, label) }
    }

    /// What to type, under the field.
    pub(super) fn hint(self, hint: &'a str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// An example in the empty field.
    pub(super) fn example(self, placeholder: &'a str) -> Self {
        Self { placeholder: Some(placeholder), ..self }
    }

    /// What password managers and browsers fill in.
    pub(super) fn autocomplete(self, autocomplete: &'a str) -> Self {
        Self { autocomplete, ..self }
    }

    /// As wide as a number or a day.
    pub(super) fn narrow(self) -> Self {
        Self { is_narrow: true, ..self }
    }

    /// Where one begins to type.
    pub(super) fn focused(self) -> Self {
        Self { has_focus: true, ..self }
    }

    /// The field.
    pub(super) fn of(self, filled: &Filled) -> Markup {
        let value = if self.kind == "password" { "" } else { filled.fields.raw(self.name) };
        let control = html! {
            input
                id=(id(self.name)) name=(self.name) type=(self.kind) value=(value)
                class=[self.is_narrow.then_some("narrow")]
                autocomplete=(self.autocomplete) autocapitalize="none" spellcheck="false"
                min=[self.min] max=[self.max] placeholder=[self.placeholder]
                aria-invalid=[invalid(filled, self.name)]
                aria-describedby=[described_by(filled, self.name, self.hint)]
                autofocus[self.has_focus];
        };
        around(filled, (self.name, self.label), self.hint, control)
    }
}

/// A text of several lines.
pub(super) fn lines(filled: &Filled, name: &str, label: &str, hint: Option<&str>) -> Markup {
    let control = html! {
        textarea
            id=(id(name)) name=(name) rows="2"
            aria-invalid=[invalid(filled, name)]
            aria-describedby=[described_by(filled, name, hint)]
        { (filled.fields.raw(name)) }
    };
    around(filled, (name, label), hint, control)
}

/// One of a list: values with their words. The first one is chosen where none is.
pub(super) fn select(
    filled: &Filled,
    (name, label): (&str, &str),
    hint: Option<&str>,
    options: &[(&str, &str)],
) -> Markup {
    let control = html! {
        select.narrow
            id=(id(name)) name=(name)
            aria-invalid=[invalid(filled, name)]
            aria-describedby=[described_by(filled, name, hint)]
        {
            @for (value, words) in options {
                option value=(value) selected[filled.fields.has(name, value)] { (words) }
            }
        }
    };
    around(filled, (name, label), hint, control)
}

/// A choice in a list of them.
pub(super) struct Choice<'a> {
    pub(super) value: &'a str,
    pub(super) words: Markup,
    /// What it means, or why it can't be taken.
    pub(super) note: Markup,
    pub(super) is_disabled: bool,
}

/// One of a few, each with what it means (`kind` is `radio`), or any of them (`checkbox`).
pub(super) fn choices(
    filled: &Filled,
    (name, label): (&str, &str),
    kind: &str,
    options: &[Choice<'_>],
) -> Markup {
    choices_below(filled, (name, label), kind, (html! {}, options))
}

/// The same below something else that belongs to the field.
pub(super) fn choices_below(
    filled: &Filled,
    (name, label): (&str, &str),
    kind: &str,
    (above, options): (Markup, &[Choice<'_>]),
) -> Markup {
    let described = described_by(filled, name, None);
    html! {
        fieldset.field aria-describedby=[described] {
            legend { (label) }
            (above)
            @if !options.is_empty() { div.list {
                @for option in options {
                    @let (words, note) = names(name, option.value);
                    label {
                        input
                            type=(kind) name=(name) value=(option.value)
                            checked[filled.fields.has(name, option.value)]
                            disabled[option.is_disabled]
                            aria-labelledby=(words) aria-describedby=(note)
                            aria-invalid=[invalid(filled, name)];
                        span { span id=(words) { (option.words) } small id=(note) { (option.note) } }
                    }
                }
            } }
            (note(filled, name))
            (fault(filled, name))
        }
    }
}

/// A box to tick, with what that does.
pub(super) fn tick(filled: &Filled, name: &str, words: &str, note: &str) -> Markup {
    ticking(filled, name, (words, note), None)
}

/// A box to tick that unfolds what stands beside it in an `.unfold`.
pub(super) fn unfolding_tick(filled: &Filled, name: &str, words: &str, note: &str) -> Markup {
    ticking(filled, name, (words, note), Some("unfolds"))
}

fn ticking(
    filled: &Filled,
    name: &str,
    (words, note): (&str, &str),
    class: Option<&str>,
) -> Markup {
    let (named, described) = names(name, "yes");
    html! {
        label.tick {
            input
                class=[class] type="checkbox" name=(name) value="yes"
                checked[filled.fields.has(name, "yes")]
                aria-labelledby=(named) aria-describedby=(described);
            span {
                span id=(named) { (words) }
                span id=(described) { small { (note) } (self::note(filled, name)) }
            }
        }
    }
}

/// Where the words of a choice stand, which are its name, and the note that describes it.
fn names(name: &str, value: &str) -> (String, String) {
    (format!("w-{name}-{value}"), format!("d-{name}-{value}"))
}

/// The row of buttons under a form: what it does, and the way out of it.
pub(super) fn buttons(words: &str, cancel: &str) -> Markup {
    html! {
        div.row.end-row {
            button.btn.primary { (words) }
            a.btn href=(cancel) { "Cancel" }
        }
    }
}

/// A label, a control, and under it the hint and what is wrong.
fn around(
    filled: &Filled,
    (name, label): (&str, &str),
    hint: Option<&str>,
    control: Markup,
) -> Markup {
    html! {
        div.field {
            label for=(id(name)) { (label) }
            (control)
            @if let Some(hint) = hint { small id=(hint_id(name)) { (hint) } }
            (note(filled, name))
            (fault(filled, name))
        }
    }
}

fn fault(filled: &Filled, name: &str) -> Markup {
    html! {
        @if let Some(message) = filled.faults.of(name) {
            p.err id=(fault_id(name)) { (icon("warn")) span { (sentence(message)) } }
        }
    }
}

/// What somebody else did to a field.
fn note(filled: &Filled, name: &str) -> Markup {
    html! {
        @if let Some(words) = filled.notes.get(name) {
            small.st.warn id=(note_id(name)) { (icon("warn")) span { (words) } }
        }
    }
}

fn id(name: &str) -> String {
    format!("f-{name}")
}

fn hint_id(name: &str) -> String {
    format!("h-{name}")
}

fn note_id(name: &str) -> String {
    format!("n-{name}")
}

fn fault_id(name: &str) -> String {
    format!("e-{name}")
}

fn invalid(filled: &Filled, name: &str) -> Option<&'static str> {
    filled.faults.of(name).map(|_| "true")
}

fn described_by(filled: &Filled, name: &str, hint: Option<&str>) -> Option<String> {
    let parts = [
        filled.faults.of(name).map(|_| fault_id(name)),
        filled.notes.get(name).map(|_| note_id(name)),
        hint.map(|_| hint_id(name)),
    ];
    let ids: Vec<_> = parts.into_iter().flatten().collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}
