//! The fields of an upstream's answer.

use ::http::header::{
    ACCEPT_RANGES, AGE, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG, EXPIRES, LAST_MODIFIED, LOCATION, RETRY_AFTER, VARY,
};
use ::http::{HeaderName, HeaderValue};

/// What is read of an answer, or passed on. What else servers send is not kept, so nothing can be
/// made of it by mistake.
const READ: [HeaderName; 15] = [
    ACCEPT_RANGES,
    AGE,
    CACHE_CONTROL,
    CONTENT_DISPOSITION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    DATE,
    ETAG,
    EXPIRES,
    LAST_MODIFIED,
    LOCATION,
    RETRY_AFTER,
    VARY,
];

/// The fields of an answer that are read or passed on, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct UpstreamFields(Vec<(HeaderName, HeaderValue)>);

impl UpstreamFields {
    /// The name under which a field is kept; none if it is not read.
    pub(super) fn known(name: &[u8]) -> Option<HeaderName> {
        READ.into_iter().find(|known| {
            let known = known.as_str().as_bytes();
            known.len() == name.len() && known.eq_ignore_ascii_case(name)
        })
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
        for name in READ {
            let loud = name.as_str().to_ascii_uppercase();
            assert_eq!(UpstreamFields::known(loud.as_bytes()), Some(name));
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
