//! Controls of a page, found by what they are and what they are called.

use fantoccini::elements::Element;
use serde_json::{Value, json};

use super::Browser;

/// What a control is for those who use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Link,
    /// Also what unfolds something.
    Button,
    Field,
    Heading,
}

impl Kind {
    fn selector(self) -> &'static str {
        match self {
            Self::Link => "a[href]",
            Self::Button => "button, summary, input[type=submit]",
            Self::Field => "input, select, textarea",
            Self::Heading => "h1, h2, h3, h4",
        }
    }
}

/// The visible elements of a kind with a name: what a label, an attribute or the content says.
const FIND: &str = "
    const [selector, name] = arguments;
    const plain = (text) => (text || '').replace(/\\s+/g, ' ').trim();
    const content = (element) => {
        const copy = element.cloneNode(true);
        copy.querySelectorAll('input, select, textarea, [aria-hidden=true], svg')
            .forEach((part) => part.remove());
        return plain(copy.textContent);
    };
    const nameOf = (element) => {
        const by = element.getAttribute('aria-labelledby');
        if (by) return plain(by.split(' ').map((id) => content(document.getElementById(id))).join(' '));
        if (element.getAttribute('aria-label')) return element.getAttribute('aria-label');
        if (element.labels && element.labels.length) return content(element.labels[0]);
        return content(element) || plain(element.title);
    };
    return [...document.querySelectorAll(selector)].filter(
        (element) => nameOf(element) === name && element.checkVisibility({ visibilityProperty: true }));
";

impl Browser {
    /// Waits for a control.
    #[track_caller]
    pub(crate) fn find(&self, kind: Kind, name: &str) -> Element {
        self.waits(&format!("a {kind:?} `{name}`"), || self.found(kind, name).into_iter().next())
    }

    /// Whether there is such a control now.
    pub(crate) fn has(&self, kind: Kind, name: &str) -> bool {
        !self.found(kind, name).is_empty()
    }

    /// Presses a control, as a mouse would: whatever lies over it gets in the way.
    #[track_caller]
    pub(crate) fn click(&self, kind: Kind, name: &str) {
        // A part of a page that is swapped in that moment is looked for again.
        self.waits(&format!("a {kind:?} `{name}` to press"), || {
            let element = self.found(kind, name).into_iter().next()?;
            match self.runtime.block_on(element.click()) {
                Ok(()) => Some(()),
                Err(why) if why.is_stale_element_reference() => None,
                Err(why) => panic!("`{name}` can't be pressed: {why}"),
            }
        });
    }

    /// Writes into a field in place of what is there, chooses an option of a list by its text, or
    /// ticks a box.
    #[track_caller]
    pub(crate) fn fill(&self, label: &str, value: &str) {
        let field = self.find(Kind::Field, label);
        let shape = "const [field, value] = arguments; \
             if (['date', 'datetime-local'].includes(field.type)) { \
                 field.value = value; \
                 field.dispatchEvent(new Event('input', { bubbles: true })); \
                 field.dispatchEvent(new Event('change', { bubbles: true })); \
                 return 'done'; \
             } \
             return field.tagName";
        let argument = serde_json::to_value(&field).unwrap();
        let shape = self.script(shape, vec![argument, json!(value)]);
        match shape.as_str().unwrap_or_default() {
            "done" => {}
            "SELECT" => self.run(field.select_by_label(value)),
            _ => {
                self.run(field.clear());
                self.run(field.send_keys(value));
            }
        }
    }

    /// What a field holds.
    #[track_caller]
    pub(crate) fn value(&self, label: &str) -> String {
        let field = self.find(Kind::Field, label);
        self.run(field.prop("value")).unwrap_or_default()
    }

    /// Whether a control can be used.
    #[track_caller]
    pub(crate) fn is_enabled(&self, kind: Kind, name: &str) -> bool {
        let element = self.find(kind, name);
        self.run(element.is_enabled())
    }

    fn found(&self, kind: Kind, name: &str) -> Vec<Element> {
        let found = self.script(FIND, vec![json!(kind.selector()), json!(name)]);
        let Value::Array(found) = found else { return Vec::new() };
        let ids = found.iter().filter_map(|element| element.as_object()?.values().next()?.as_str());
        ids.map(|id| self.element(id)).collect()
    }
}
