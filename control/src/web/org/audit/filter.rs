//! Which events are asked for, as the page's address has it.

use access::{Day, Timestamp};
use maud::{Markup, html};

use super::HERE;
use super::event::ACTIONS;
use crate::AuditFilter;
use crate::web::failure::sentence;
use crate::web::fields::{Faults, Fields};
use crate::web::icon::icon;

/// The names of the filter's fields.
const NAMES: [&str; 5] = ["since", "until", "actor", "action", "target"];

/// What the address says, and what of it can't be read: then nothing is shown that nobody asked for.
pub(super) fn read(fields: &Fields) -> (AuditFilter, Faults) {
    let mut faults = Faults::default();
    let mut day = |name: &'static str| {
        let text = fields.some(name)?;
        let day = text.parse::<Day>();
        day.map_err(|why| faults.add(name, why.to_string())).ok()
    };
    let (since, until) = (day("since"), day("until"));
    if let (Some(first), Some(last)) = (since, until)
        && first > last
    {
        faults.add("until", "choose a day that isn’t before Since");
    }
    let filter = AuditFilter {
        since: since.map(begin),
        until: until.map(Day::end),
        actor: fields.some("actor"),
        action: fields.some("action"),
        target: fields.some("target"),
    };
    (filter, faults)
}

fn begin(day: Day) -> Timestamp {
    day.minus(1).end()
}

/// The fields that are filled in, for other addresses of the same events.
pub(super) fn kept(fields: &Fields) -> Vec<(&'static str, &str)> {
    let all = NAMES.iter().map(|name| (*name, fields.text(name)));
    all.filter(|(_, value)| !value.is_empty()).collect()
}

/// The form above the events.
pub(super) fn form(fields: &Fields, faults: &Faults) -> Markup {
    let field = |name: &str, label: &str, kind: &str, example: Option<&str>| {
        let fault = faults.of(name);
        let fault_id = format!("e-{name}");
        html! {
            label {
                small { (label) }
                input type=(kind) name=(name) value=(fields.text(name)) placeholder=[example]
                    autocomplete="off" spellcheck="false" aria-invalid=[fault.map(|_| "true")]
                    aria-describedby=[fault.map(|_| &fault_id)];
                @if let Some(fault) = fault { span.err id=(fault_id) { (icon("warn")) span { (sentence(fault)) } } }
            }
        }
    };
    html! {
        form.bar action=(HERE.path()) {
            (field("since", "Since", "date", None))
            (field("until", "Until", "date", None))
            (field("actor", "Actor", "text", Some("Anyone")))
            label {
                small { "Action" }
                select name="action" {
                    option value="" { "Any action" }
                    @for (action, words) in ACTIONS {
                        option value=(action) selected[fields.has("action", action)] { (words) }
                    }
                }
            }
            (field("target", "Target", "text", Some("Anything")))
            button.btn { "Filter" }
        }
    }
}
