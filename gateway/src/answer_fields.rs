//! The header fields of an answer.

use std::ops::Range;

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, AGE, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_DISPOSITION, CONTENT_ENCODING,
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, EXPIRES, LAST_MODIFIED, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::listener::{is_visible, visible};
use crate::worker::RequestId;

/// A field that an answer may have, but for its length. What else a storage sends isn't passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerField {
    AcceptRanges,
    Age,
    Allow,
    CacheControl,
    Connection,
    ContentDisposition,
    ContentEncoding,
    ContentRange,
    ContentType,
    Etag,
    Expires,
    LastModified,
    RequestId,
    RetryAfter,
    /// When the token that opened the answer ends soon (wire.md W17).
    TokenExpires,
    WwwAuthenticate,
}

/// Each field with its name and what its line begins with, in the order of [`AnswerField`].
static NAMES: [(AnswerField, HeaderName, &str); 16] = [
    (AnswerField::AcceptRanges, ACCEPT_RANGES, "accept-ranges: "),
    (AnswerField::Age, AGE, "age: "),
    (AnswerField::Allow, ALLOW, "allow: "),
    (AnswerField::CacheControl, CACHE_CONTROL, "cache-control: "),
    (AnswerField::Connection, CONNECTION, "connection: "),
    (AnswerField::ContentDisposition, CONTENT_DISPOSITION, "content-disposition: "),
    (AnswerField::ContentEncoding, CONTENT_ENCODING, "content-encoding: "),
    (AnswerField::ContentRange, CONTENT_RANGE, "content-range: "),
    (AnswerField::ContentType, CONTENT_TYPE, "content-type: "),
    (AnswerField::Etag, ETAG, "etag: "),
    (AnswerField::Expires, EXPIRES, "expires: "),
    (AnswerField::LastModified, LAST_MODIFIED, "last-modified: "),
    (AnswerField::RequestId, HeaderName::from_static("x-request-id"), "x-request-id: "),
    (AnswerField::RetryAfter, RETRY_AFTER, "retry-after: "),
    (
        AnswerField::TokenExpires,
        HeaderName::from_static("condagate-token-expires"),
        "condagate-token-expires: ",
    ),
    (AnswerField::WwwAuthenticate, WWW_AUTHENTICATE, "www-authenticate: "),
];

/// How much longer an answer's lines may become than those it is made of without another allocation,
/// in bytes.
const SPARE_BYTES: usize = 192;

impl AnswerField {
    fn bit(self) -> u32 {
        1 << self as u32
    }

    fn begins(self) -> &'static [u8] {
        NAMES[self as usize].2.as_bytes()
    }
}

/// An answer's fields, each once, in the order in which they are sent. They are kept as HTTP/1 sends
/// them, so that there is one text to copy and none to put together.
#[derive(Debug, Default)]
pub(crate) struct AnswerFields {
    /// For each field its name, a colon and a space, its value, CR and LF.
    lines: Vec<u8>,
    /// The bits of those that are there.
    there: u32,
    /// The content's, in bytes, where the head tells it.
    length: Option<u64>,
}

impl AnswerFields {
    /// Sets a field, in place of the one of the same name.
    pub(crate) fn insert(&mut self, field: AnswerField, value: &HeaderValue) {
        self.put(field, value.as_bytes());
    }

    /// The same with a text; one that can't be a value is left out.
    pub(crate) fn insert_text(&mut self, field: AnswerField, text: &str) {
        if is_visible(text.as_bytes()) {
            self.put(field, text.as_bytes());
        }
    }

    /// The same with a number.
    pub(crate) fn insert_number(&mut self, field: AnswerField, number: u64) {
        self.put(field, itoa::Buffer::new().format(number).as_bytes());
    }

    /// Sets the request's id.
    pub(crate) fn insert_request_id(&mut self, id: &RequestId) {
        self.put(AnswerField::RequestId, id.as_bytes());
    }

    /// Takes a field out.
    pub(crate) fn remove(&mut self, field: AnswerField) {
        if let Some(value) = self.place(field) {
            self.lines.drain(value.start - field.begins().len()..value.end + 2);
            self.there &= !field.bit();
        }
    }

    /// Whether a field is there.
    pub(crate) fn has(&self, field: AnswerField) -> bool {
        self.there & field.bit() != 0
    }

    /// A field's value, where it is text.
    pub(crate) fn text(&self, field: AnswerField) -> Option<&str> {
        visible(&self.lines[self.place(field)?]).map(str::trim)
    }

    /// Sets all fields that `other` has, and leaves the length as it is.
    pub(crate) fn update(&mut self, other: &Self) {
        for (field, _, place) in other.places() {
            self.put(field, &other.lines[place]);
        }
    }

    /// Says how long the content is, in bytes.
    pub(crate) fn set_length(&mut self, length: u64) {
        self.length = Some(length);
    }

    /// How long the content is, in bytes, where the head tells it.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// All of them but the length, as HTTP/1 sends them.
    pub(crate) fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// The same with no more memory than it needs, to be kept.
    pub(crate) fn shrunk(mut self) -> Self {
        self.lines.shrink_to_fit();
        self
    }

    fn put(&mut self, field: AnswerField, value: &[u8]) {
        if let Some(place) = self.place(field) {
            self.lines.splice(place, value.iter().copied());
            return;
        }
        self.there |= field.bit();
        self.lines.extend_from_slice(field.begins());
        self.lines.extend_from_slice(value);
        self.lines.extend_from_slice(b"\r\n");
    }

    /// Each field with its name, and where its value is in the lines.
    fn places(&self) -> impl Iterator<Item = (AnswerField, &'static HeaderName, Range<usize>)> {
        let mut at = 0;
        memchr::memchr_iter(b'\n', &self.lines).filter_map(move |lf| {
            let line = &self.lines[at..lf];
            let known = NAMES.iter().find(|(_, _, begins)| line.starts_with(begins.as_bytes()));
            let begun = std::mem::replace(&mut at, lf + 1);
            known.map(|(field, name, begins)| (*field, name, begun + begins.len()..lf - 1))
        })
    }

    /// Where a field's value is in the lines.
    fn place(&self, field: AnswerField) -> Option<Range<usize>> {
        if !self.has(field) {
            return None;
        }
        let mut at = 0;
        for lf in memchr::memchr_iter(b'\n', &self.lines) {
            if self.lines[at..lf].starts_with(field.begins()) {
                return Some(at + field.begins().len()..lf - 1);
            }
            at = lf + 1;
        }
        None
    }
}

impl Clone for AnswerFields {
    fn clone(&self) -> Self {
        let mut lines = Vec::with_capacity(self.lines.len() + SPARE_BYTES);
        lines.extend_from_slice(&self.lines);
        Self { lines, ..*self }
    }
}

impl From<AnswerFields> for HeaderMap {
    fn from(fields: AnswerFields) -> Self {
        let mut map = Self::with_capacity(NAMES.len() + 2);
        let places: Vec<_> = fields.places().collect();
        let lines = Bytes::from(fields.lines);
        for (_, name, place) in places {
            if let Ok(value) = HeaderValue::from_maybe_shared(lines.slice(place)) {
                map.insert(name, value);
            }
        }
        if let Some(length) = fields.length {
            map.insert(CONTENT_LENGTH, length.into());
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::AnswerField::{Age, Etag, Expires, WwwAuthenticate};
    use super::*;

    #[test]
    fn each_field_is_there_once() {
        let mut fields = AnswerFields::default();
        fields.insert_text(Etag, "a");
        fields.insert_number(Age, 1);
        fields.insert(Etag, &HeaderValue::from_static("bc"));
        assert_eq!(fields.lines(), b"etag: bc\r\nage: 1\r\n");
        assert_eq!((fields.text(Etag), fields.text(Age)), (Some("bc"), Some("1")));
        let mut other = AnswerFields::default();
        other.insert_text(Age, "23");
        other.insert_text(Expires, "0");
        other.set_length(7);
        fields.update(&other);
        assert_eq!(fields.lines(), b"etag: bc\r\nage: 23\r\nexpires: 0\r\n");
        assert_eq!(fields.length(), None);
        fields.remove(Etag);
        fields.remove(Expires);
        assert_eq!((fields.text(Etag), fields.has(Age), fields.has(Etag)), (None, true, false));
        assert_eq!(fields.lines(), b"age: 23\r\n");
    }

    #[test]
    fn no_text_makes_a_line_of_its_own() {
        let mut fields = AnswerFields::default();
        for text in ["a\r\nb: c", "a\n", "\u{7f}", "\u{e9}"] {
            fields.insert_text(Etag, text);
        }
        assert_eq!(fields.lines(), b"");
    }

    #[test]
    fn http2_has_the_same_fields() {
        for (place, (field, name, begins)) in NAMES.iter().enumerate() {
            assert_eq!((*field as usize, begins.strip_suffix(": ")), (place, Some(name.as_str())));
        }
        let mut fields = AnswerFields::default();
        fields.insert_text(WwwAuthenticate, "age: 2");
        fields.insert_number(Age, 1);
        fields.set_length(7);
        let map = HeaderMap::from(fields.clone());
        assert_eq!(
            (map.len(), &map[AGE], &map[CONTENT_LENGTH]),
            (3, &"1".parse().unwrap(), &"7".parse().unwrap())
        );
        assert_eq!(map[WWW_AUTHENTICATE], "age: 2");
    }
}
