//! The fields of an upstream's answer.

use ::http::header::{
    ACCEPT_RANGES, AGE, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG, EXPIRES, LAST_MODIFIED, LOCATION, RETRY_AFTER, VARY,
};
use ::http::{HeaderName, HeaderValue};

/// What is read of an answer, or passed on. What else servers send is not kept, so nothing can be
/// made of it by mistake.
static READ: [(&str, HeaderName); 15] = [
    ("accept-ranges", ACCEPT_RANGES),
    ("age", AGE),
    ("cache-control", CACHE_CONTROL),
    ("content-disposition", CONTENT_DISPOSITION),
    ("content-encoding", CONTENT_ENCODING),
    ("content-length", CONTENT_LENGTH),
    ("content-range", CONTENT_RANGE),
    ("content-type", CONTENT_TYPE),
    ("date", DATE),
    ("etag", ETAG),
    ("expires", EXPIRES),
    ("last-modified", LAST_MODIFIED),
    ("location", LOCATION),
    ("retry-after", RETRY_AFTER),
    ("vary", VARY),
];

/// More fields than most answers have that are read.
const USUAL: usize = 12;

/// The fields of an answer that are read or passed on, in the order in which they came.
#[derive(Clone, Debug)]
pub(in super::super) struct UpstreamFields(Vec<(HeaderName, HeaderValue)>);

impl Default for UpstreamFields {
    fn default() -> Self {
        Self(Vec::with_capacity(USUAL))
    }
}

impl UpstreamFields {
    /// The name under which a field is kept; none if it is not read.
    pub(super) fn known(name: &[u8]) -> Option<HeaderName> {
        let is_it = |known: &str| known.as_bytes().eq_ignore_ascii_case(name);
        let known = READ.iter().find(|(known, _)| known.len() == name.len() && is_it(known))?;
        Some(known.1.clone())
    }

    pub(super) fn add(&mut self, name: HeaderName, value: HeaderValue) {
        self.0.push((name, value));
    }

    /// A field's first value.
    pub(in super::super) fn get(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.all(name).next()
    }

    /// All its values.
    pub(in super::super) fn all(&self, name: &HeaderName) -> impl Iterator<Item = &HeaderValue> {
        self.0.iter().filter(move |(of, _)| of == name).map(|(_, value)| value)
    }

    /// A field's first value, where it is text.
    pub(in super::super) fn text(&self, name: &HeaderName) -> Option<&str> {
        self.get(name)?.to_str().ok()
    }
}

#[cfg(test)]
impl FromIterator<(HeaderName, HeaderValue)> for UpstreamFields {
    fn from_iter<I: IntoIterator<Item = (HeaderName, HeaderValue)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_by_their_names_in_any_case() {
        for (text, name) in &READ {
            let known = UpstreamFields::known(text.to_ascii_uppercase().as_bytes());
            assert_eq!((known.as_ref(), name.as_str()), (Some(name), *text));
        }
        for name in ["set-cookie", "connection", "www-authenticate", ""] {
            assert_eq!(UpstreamFields::known(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn values_come_in_their_order() {
        let value = HeaderValue::from_static;
        let fields = UpstreamFields::from_iter([(VARY, value("a")), (ETAG, value("b"))]);
        let mut more = fields.clone();
        more.add(VARY, value("c"));
        assert_eq!(more.all(&VARY).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!((fields.text(&ETAG), fields.text(&AGE)), (Some("b"), None));
    }
}
