//! The header fields of an answer.

use http::{HeaderMap, HeaderName, HeaderValue};

/// How many more fields than it was made with an answer may have without another allocation.
const SPARE: usize = 4;

/// An answer's fields, each name once, in the order in which they are sent. To look through a dozen
/// costs less than to hash one of them.
#[derive(Debug, Default)]
pub(crate) struct AnswerFields(Vec<(HeaderName, HeaderValue)>);

impl AnswerFields {
    /// None yet, with room for so many.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// Sets a field, in place of the one of the same name.
    pub(crate) fn insert(&mut self, name: HeaderName, value: HeaderValue) {
        match self.0.iter_mut().find(|(of, _)| *of == name) {
            Some((_, before)) => *before = value,
            None => self.0.push((name, value)),
        }
    }

    /// Takes a field out.
    pub(crate) fn remove(&mut self, name: &HeaderName) {
        self.0.retain(|(of, _)| of != name);
    }

    /// A field's value.
    pub(crate) fn get(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.iter().find(|(of, _)| *of == name).map(|(_, value)| value)
    }

    /// A field's value, where it is text.
    pub(crate) fn text(&self, name: &HeaderName) -> Option<&str> {
        self.get(name)?.to_str().ok().map(str::trim)
    }

    /// The same with values of their own, which are no parts of a longer text that would be kept with
    /// them.
    pub(crate) fn detached(self) -> Self {
        let own = |value: HeaderValue| HeaderValue::from_bytes(value.as_bytes()).unwrap_or(value);
        Self(self.0.into_iter().map(|(name, value)| (name, own(value))).collect())
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl Clone for AnswerFields {
    fn clone(&self) -> Self {
        let mut fields = Vec::with_capacity(self.0.len() + SPARE);
        fields.extend_from_slice(&self.0);
        Self(fields)
    }
}

impl FromIterator<(HeaderName, HeaderValue)> for AnswerFields {
    fn from_iter<I: IntoIterator<Item = (HeaderName, HeaderValue)>>(fields: I) -> Self {
        let mut all = Self::default();
        fields.into_iter().for_each(|(name, value)| all.insert(name, value));
        all
    }
}

impl From<AnswerFields> for HeaderMap {
    fn from(fields: AnswerFields) -> Self {
        fields.0.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use http::header::{AGE, ETAG};

    use super::*;

    #[test]
    fn each_name_is_there_once() {
        let value = HeaderValue::from_static;
        let mut fields = AnswerFields::from_iter([(ETAG, value("a")), (AGE, value("1"))]);
        fields.insert(ETAG, value("b"));
        assert_eq!((fields.text(&ETAG), fields.iter().count()), (Some("b"), 2));
        fields.remove(&ETAG);
        assert_eq!(fields.get(&ETAG), None);
        let map = HeaderMap::from(fields.clone());
        assert_eq!((map.len(), map[AGE].as_bytes()), (1, &b"1"[..]));
    }
}
