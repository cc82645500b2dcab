//! Forms about what others may change meanwhile: what a form began with goes along, so that it
//! writes only the fields that its visitor changed, and says what somebody else did.

use maud::{Markup, html};

use super::fields::{Fields, Filled};
use super::posted::Posted;
use crate::usecases::{repeat, seen};
use crate::{Actor, Control, Error};

/// The field of the fingerprint of what the visitor saw.
const SEEN: &str = "seen";
/// The field of all that the form began with, encoded as it would have been sent.
const BEGAN: &str = "began";

/// What a form is about, and its fields that others may change.
pub(super) struct About {
    /// What kind of thing.
    pub(super) kind: &'static str,
    /// Its fields with a text or a choice.
    pub(super) texts: &'static [&'static str],
    /// Its boxes to tick.
    pub(super) ticks: &'static [&'static str],
}

/// The hidden fields: of what it is now, since whoever sends the form has seen that.
pub(super) fn hidden(fingerprint: &str, now: &Fields) -> Markup {
    html! {
        input type="hidden" name=(SEEN) value=(fingerprint);
        input type="hidden" name=(BEGAN) value=(now.encode());
    }
}

/// What the visitor saw, for the use case that compares it with what it changes.
pub(super) fn seen(fields: &Fields) -> Option<String> {
    Some(fields.raw(SEEN).to_owned())
}

/// What was typed into a field, or chosen there; nothing if that is what it began with.
pub(super) fn changed(fields: &Fields, name: &str) -> Option<String> {
    let is_there = fields.all(name).next().is_some();
    (is_there && is_changed(fields, &began(fields), name)).then(|| fields.text(name).to_owned())
}

/// Whether a box was ticked or cleared; nothing if it is as it was.
pub(super) fn ticked(fields: &Fields, name: &str) -> Option<bool> {
    is_changed(fields, &began(fields), name).then(|| fields.has(name, "yes"))
}

fn began(fields: &Fields) -> Fields {
    Fields::parse(fields.raw(BEGAN).as_bytes())
}

fn is_changed(typed: &Fields, began: &Fields, name: &str) -> bool {
    // A form that doesn't say what it began with changes all.
    began.is_empty() || typed.text(name) != began.text(name)
}

/// That a form which was sent is about what is there now, before anything is asked about it. `is` is
/// its fingerprint now, `others` the keys under which a part of the form may have been done already.
///
/// # Errors
/// [`Error::ChangedMeanwhile`]; [`Error::AlreadyDone`] if that was by the same form; [`Error::KeyReused`],
/// [`Error::Store`].
pub(super) async fn check(
    control: &Control,
    posted: &Posted,
    is: &str,
    (of, others): ((&'static str, &str), &[Actor]),
) -> Result<(), Error> {
    let changed = match seen::check(Some(posted.fields.raw(SEEN)), is, of) {
        Ok(()) => return Ok(()),
        Err(changed) => changed,
    };
    for actor in std::iter::once(&posted.visitor.actor).chain(others) {
        if let Some(sent) = &actor.repeatable {
            repeat::look_up(control, actor, sent).await?;
        }
    }
    Err(changed)
}

/// Fills the form again where somebody else has changed what it is about: what its visitor left as it
/// was takes the value of now, and beside what both have changed stands what it is now.
pub(super) fn merge(filled: &mut Filled, now: &Fields, about: &About) {
    let began = began(&filled.fields);
    for (name, is_tick) in about
        .texts
        .iter()
        .map(|name| (*name, false))
        .chain(about.ticks.iter().map(|name| (*name, true)))
    {
        let is_there = is_tick || filled.fields.all(name).next().is_some();
        let (was, is) = (began.text(name), now.text(name));
        if !is_there || !is_changed(&filled.fields, &began, name) {
            if is_there && was != is {
                let was = words(was, is_tick);
                filled.notes.insert(name, format!("Changed meanwhile. Before: {was}"));
            }
            filled.fields.set(name, is);
        } else if was != is && filled.fields.text(name) != is {
            filled.notes.insert(name, format!("Now: {}", words(is, is_tick)));
        }
    }
    filled.faults.add(
        "",
        format!(
            "somebody else has changed this {} since you opened it: what you left as it was shows \
             what it is now; save again to have the rest as you typed it",
            about.kind
        ),
    );
}

fn words(value: &str, is_tick: bool) -> &str {
    match (value, is_tick) {
        ("", false) => "empty",
        ("", true) => "not ticked",
        (_, true) => "ticked",
        (text, false) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: About = About { kind: "user", texts: &["a", "b", "c", "d"], ticks: &["t", "u"] };

    #[test]
    fn what_was_left_alone_is_not_written() {
        let typed = Fields::parse(b"a=1&b=+2+&t=yes&began=a%3D1%26b%3D1%26t%3Dyes%26u%3Dyes");
        assert_eq!(changed(&typed, "a"), None);
        assert_eq!(changed(&typed, "b").as_deref(), Some("2"));
        assert_eq!(changed(&typed, "not-there"), None);
        assert_eq!((ticked(&typed, "t"), ticked(&typed, "u")), (None, Some(false)));
        let unknown = Fields::parse(b"a=1");
        assert_eq!(changed(&unknown, "a").as_deref(), Some("1"));
        assert_eq!(ticked(&unknown, "t"), Some(false));
    }

    #[test]
    fn what_somebody_else_changed_is_taken_over_or_told() {
        let began = Fields::parse(b"a=1&b=1&c=1&d=1&t=yes&u=");
        let mut typed = Fields::parse(b"a=1&b=2&c=2&d=1&t=yes&u=yes&reissue=yes");
        typed.set("began", &began.encode());
        let mut filled = Filled::with(typed);
        merge(&mut filled, &Fields::parse(b"a=3&b=&c=2&d=1"), &ABOUT);
        let fields = &filled.fields;
        assert_eq!(["a", "b", "c", "d"].map(|name| fields.text(name)), ["3", "2", "2", "1"]);
        assert_eq!((fields.has("t", "yes"), fields.has("u", "yes")), (false, true));
        assert!(fields.has("reissue", "yes"));
        let notes: Vec<_> = filled.notes.iter().map(|(name, note)| (*name, &**note)).collect();
        assert_eq!(
            notes,
            [
                ("a", "Changed meanwhile. Before: 1"),
                ("b", "Now: empty"),
                ("t", "Changed meanwhile. Before: ticked"),
            ]
        );
        assert!(filled.faults.of("").unwrap().starts_with("somebody else has changed this user"));
    }
}
