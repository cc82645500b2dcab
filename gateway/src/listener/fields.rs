//! The fields of a request's head, as far as they are read.

use http::HeaderMap;

/// A field that the gateway reads, or passes on to a storage (wire.md W3, W5a, W9, W10, W19). What
/// else clients send is not kept, so nothing can be made of it by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Host,
    UserAgent,
    Accept,
    Authorization,
    XAuth,
    XForwardedFor,
    IfNoneMatch,
    IfModifiedSince,
    IfRange,
    Range,
}

/// Each field with its name, in the order of [`Field`].
const NAMES: [(Field, &str); 10] = [
    (Field::Host, "host"),
    (Field::UserAgent, "user-agent"),
    (Field::Accept, "accept"),
    (Field::Authorization, "authorization"),
    (Field::XAuth, "x-auth"),
    (Field::XForwardedFor, "x-forwarded-for"),
    (Field::IfNoneMatch, "if-none-match"),
    (Field::IfModifiedSince, "if-modified-since"),
    (Field::IfRange, "if-range"),
    (Field::Range, "range"),
];

impl Field {
    /// The field of this name, in whatever case.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        let field = match name.len() {
            4 => Self::Host,
            5 => Self::Range,
            6 if name[0] | 0x20 == b'a' => Self::Accept,
            6 => Self::XAuth,
            8 => Self::IfRange,
            10 => Self::UserAgent,
            13 if name[0] | 0x20 == b'a' => Self::Authorization,
            13 => Self::IfNoneMatch,
            15 => Self::XForwardedFor,
            17 => Self::IfModifiedSince,
            _ => return None,
        };
        name.eq_ignore_ascii_case(field.text().as_bytes()).then_some(field)
    }

    /// Its name, in small letters.
    pub(crate) fn text(self) -> &'static str {
        NAMES[self as usize].1
    }
}

/// A request's fields: values without the space around them.
#[derive(Clone, Default)]
pub(crate) struct Fields<'r> {
    first: [Option<&'r [u8]>; NAMES.len()],
    /// The further values of a field that comes more than once.
    further: Vec<(Field, &'r [u8])>,
}

impl<'r> Fields<'r> {
    /// Of a request that came through the HTTP library.
    pub(super) fn of(headers: &'r HeaderMap) -> Self {
        let mut fields = Self::default();
        for (field, name) in NAMES {
            for value in headers.get_all(name) {
                fields.add(field, value.as_bytes().trim_ascii());
            }
        }
        fields
    }

    pub(super) fn add(&mut self, field: Field, value: &'r [u8]) {
        match &mut self.first[field as usize] {
            Some(_) => self.further.push((field, value)),
            first => *first = Some(value),
        }
    }

    /// A field's first value.
    pub(crate) fn first(&self, field: Field) -> Option<&'r [u8]> {
        self.first[field as usize]
    }

    /// All its values.
    pub(crate) fn all(&self, field: Field) -> impl DoubleEndedIterator<Item = &'r [u8]> {
        let further = self.further.iter().filter(move |(of, _)| *of == field);
        self.first(field).into_iter().chain(further.map(|(_, value)| *value))
    }

    /// The value of a field that comes once.
    pub(crate) fn only(&self, field: Field) -> Option<&'r [u8]> {
        let value = self.first(field)?;
        let is_only = self.further.is_empty() || self.all(field).nth(1).is_none();
        is_only.then_some(value)
    }

    /// A field's first value where it is visible text.
    pub(crate) fn text(&self, field: Field) -> Option<&'r str> {
        visible(self.first(field)?)
    }
}

/// A value as text, if it is of visible ASCII and spaces.
pub(crate) fn visible(value: &[u8]) -> Option<&str> {
    is_visible(value).then(|| str::from_utf8(value).ok()).flatten()
}

/// Whether a value is of visible ASCII and spaces.
pub(crate) fn is_visible(value: &[u8]) -> bool {
    // Without leaving early, so that many bytes are looked at in one step.
    let is_odd = |b: u8| ((b < b' ') & (b != b'\t')) | (b > b'~');
    !value.iter().fold(false, |found, &b| found | is_odd(b))
}

#[cfg(test)]
impl<'r> Fields<'r> {
    /// Of these names and values.
    pub(crate) fn from_pairs(pairs: &[(&str, &'r str)]) -> Self {
        let mut fields = Self::default();
        for (name, value) in pairs {
            fields.add(Field::named(name.as_bytes()).unwrap(), value.as_bytes());
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_known_by_its_name_in_any_case() {
        for (place, (field, name)) in NAMES.into_iter().enumerate() {
            assert_eq!(field as usize, place, "{name}");
            assert_eq!(Field::named(name.as_bytes()), Some(field), "{name}");
            assert_eq!(Field::named(name.to_ascii_uppercase().as_bytes()), Some(field));
            assert_eq!(Field::named(&vec![b'z'; name.len()]), None);
            assert_eq!(field.text(), name);
        }
        assert_eq!(Field::named(b""), None);
    }

    #[test]
    fn values_come_in_their_order() {
        let fields = Fields::from_pairs(&[("range", "a"), ("host", "h"), ("range", "b")]);
        assert_eq!(fields.all(Field::Range).collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!((fields.only(Field::Range), fields.only(Field::Host)), (None, Some(&b"h"[..])));
        assert_eq!(fields.text(Field::Accept), None);
        assert_eq!(visible(b"caf\xe9"), None);
    }
}
