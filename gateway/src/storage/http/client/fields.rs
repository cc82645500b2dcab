//! The fields of an upstream's answer.

use ::http::header::{
    ACCEPT_RANGES, AGE, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG, EXPIRES, LAST_MODIFIED, LOCATION, RETRY_AFTER, VARY,
};
use ::http::{HeaderName, HeaderValue};
use bytes::Bytes;

use crate::listener::visible;

/// What is read of an answer, or passed on. What else servers send is not kept, so nothing can be
/// made of it by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum UpstreamField {
    AcceptRanges,
    Age,
    CacheControl,
    ContentDisposition,
    ContentEncoding,
    ContentLength,
    ContentRange,
    ContentType,
    Date,
    Etag,
    Expires,
    LastModified,
    Location,
    RetryAfter,
    Vary,
}

/// Each field with its name, in the order of [`UpstreamField`].
static NAMES: [(UpstreamField, HeaderName); 15] = [
    (UpstreamField::AcceptRanges, ACCEPT_RANGES),
    (UpstreamField::Age, AGE),
    (UpstreamField::CacheControl, CACHE_CONTROL),
    (UpstreamField::ContentDisposition, CONTENT_DISPOSITION),
    (UpstreamField::ContentEncoding, CONTENT_ENCODING),
    (UpstreamField::ContentLength, CONTENT_LENGTH),
    (UpstreamField::ContentRange, CONTENT_RANGE),
    (UpstreamField::ContentType, CONTENT_TYPE),
    (UpstreamField::Date, DATE),
    (UpstreamField::Etag, ETAG),
    (UpstreamField::Expires, EXPIRES),
    (UpstreamField::LastModified, LAST_MODIFIED),
    (UpstreamField::Location, LOCATION),
    (UpstreamField::RetryAfter, RETRY_AFTER),
    (UpstreamField::Vary, VARY),
];

impl UpstreamField {
    /// The field of this name, in whatever case; none if it is not read.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        let small = |at: usize| name[at] | 0x20;
        let field = match name.len() {
            3 => Self::Age,
            4 if small(0) == b'd' => Self::Date,
            4 if small(0) == b'e' => Self::Etag,
            4 => Self::Vary,
            7 => Self::Expires,
            8 => Self::Location,
            11 => Self::RetryAfter,
            12 => Self::ContentType,
            13 if small(0) == b'a' => Self::AcceptRanges,
            13 if small(0) == b'l' => Self::LastModified,
            13 if small(1) == b'a' => Self::CacheControl,
            13 => Self::ContentRange,
            14 => Self::ContentLength,
            16 => Self::ContentEncoding,
            19 => Self::ContentDisposition,
            _ => return None,
        };
        name.eq_ignore_ascii_case(field.name().as_str().as_bytes()).then_some(field)
    }

    /// Its name.
    pub(in super::super) fn name(self) -> &'static HeaderName {
        &NAMES[self as usize].1
    }
}

/// Where in the head a value begins and ends; at the same place where there is none.
type Place = (u16, u16);

/// The fields of an answer that are read or passed on. They lie in the head, so nothing is made for
/// those that nobody asks for.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct UpstreamFields {
    head: Bytes,
    first: [Option<Place>; NAMES.len()],
    /// The further values of a field that comes more than once.
    further: Vec<(UpstreamField, Place)>,
}

impl UpstreamFields {
    /// Adds a value that begins and ends there in the head.
    pub(super) fn add(&mut self, field: UpstreamField, place: Place) {
        match &mut self.first[field as usize] {
            Some(_) => self.further.push((field, place)),
            first => *first = Some(place),
        }
    }

    /// Says of which head they are.
    pub(super) fn of(self, head: Bytes) -> Self {
        Self { head, ..self }
    }

    /// A field's first value.
    pub(in super::super) fn get(&self, field: UpstreamField) -> Option<&[u8]> {
        self.first[field as usize].map(|place| self.at(place))
    }

    /// All its values, in the order in which they came.
    pub(in super::super) fn all(&self, field: UpstreamField) -> impl Iterator<Item = &[u8]> {
        let further = self.further.iter().filter(move |(of, _)| *of == field);
        let places = self.first[field as usize].into_iter().chain(further.map(|(_, place)| *place));
        places.map(|place| self.at(place))
    }

    /// Whether it comes more than once.
    pub(in super::super) fn repeats(&self, field: UpstreamField) -> bool {
        self.further.iter().any(|(of, _)| *of == field)
    }

    /// A field's first value, where it is text.
    pub(in super::super) fn text(&self, field: UpstreamField) -> Option<&str> {
        visible(self.get(field)?)
    }

    /// A field's first value, to be passed on. It is a part of the head, and keeps all of it.
    pub(in super::super) fn value(&self, field: UpstreamField) -> Option<HeaderValue> {
        let (start, end) = self.first[field as usize]?;
        let value = self.head.slice(usize::from(start)..usize::from(end));
        HeaderValue::from_maybe_shared(value).ok()
    }

    fn at(&self, (start, end): Place) -> &[u8] {
        &self.head[usize::from(start)..usize::from(end)]
    }
}

#[cfg(test)]
impl<'v> FromIterator<(UpstreamField, &'v str)> for UpstreamFields {
    fn from_iter<I: IntoIterator<Item = (UpstreamField, &'v str)>>(fields: I) -> Self {
        let (mut all, mut head) = (Self::default(), Vec::new());
        let place = |at: usize| u16::try_from(at).unwrap();
        for (field, value) in fields {
            all.add(field, (place(head.len()), place(head.len() + value.len())));
            head.extend_from_slice(value.as_bytes());
        }
        all.of(head.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_by_their_names_in_any_case() {
        for (field, name) in &NAMES {
            let named = UpstreamField::named(name.as_str().to_ascii_uppercase().as_bytes());
            assert_eq!((named, field.name()), (Some(*field), name));
        }
        for name in ["set-cookie", "connection", "www-authenticate", "dat\u{e9}", "x", ""] {
            assert_eq!(UpstreamField::named(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn values_come_in_their_order() {
        use UpstreamField::{Age, Etag, Vary};
        let fields = UpstreamFields::from_iter([(Vary, "a"), (Etag, "b"), (Vary, "c")]);
        assert_eq!(fields.all(Vary).collect::<Vec<_>>(), [b"a", b"c"]);
        assert_eq!((fields.text(Etag), fields.text(Age)), (Some("b"), None));
        assert_eq!(fields.value(Vary), Some(HeaderValue::from_static("a")));
        assert_eq!((fields.repeats(Vary), fields.repeats(Etag)), (true, false));
    }
}
