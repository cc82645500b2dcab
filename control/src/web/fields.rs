//! The fields of a form or a query, as they were typed.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::failure::Failure;

/// Fields by name, in the order in which they came. A name may come more than once: a list of boxes
/// that were ticked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The fields of `application/x-www-form-urlencoded`. What can be in no text that we keep is
    /// left out, and browsers' line ends are ours.
    pub(super) fn parse(encoded: &[u8]) -> Self {
        let clean = |text: &str| text.replace("\r\n", "\n").replace('\0', "");
        Self(
            form_urlencoded::parse(encoded)
                .map(|(name, value)| (name.into_owned(), clean(&value)))
                .collect(),
        )
    }

    /// Fields to fill a form with.
    pub(super) fn of<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// What stands in a field; nothing when it isn't there. Without spaces at its ends, which
    /// nobody sees.
    pub(super) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// What stands in a field, as it was typed: a password.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// What stands in a field, if anything does.
    pub(super) fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Every value of a name.
    pub(super) fn all<'n>(&self, name: &'n str) -> impl Iterator<Item = &str> + use<'_, 'n> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box is ticked, or a choice made.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|v| v == value)
    }

    /// Puts one value into a field, instead of what is there.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(n, _)| n != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// Whether nothing was sent.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What may be kept over a sign-in: no password, no token's value, and nothing that belongs to the old session.
    pub(super) fn to_keep(&self) -> Self {
        let kept = |name: &str| {
            !matches!(name, super::posted::CSRF) && !name.contains("password") && name != "secret"
        };
        Self(self.0.iter().filter(|(name, _)| kept(name)).cloned().collect())
    }

    /// As they are sent.
    pub(super) fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(self.iter()).finish()
    }
}

/// The fields of an address's query.
pub(super) struct Query(pub(super) Fields);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(Fields::parse(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}

/// What a use case found wrong with which field; under the empty name what belongs to none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults(BTreeMap<&'static str, String>);

impl Faults {
    /// Says what is wrong with a field.
    pub(super) fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.entry(field).or_insert_with(|| message.into());
    }

    /// What was read of a field, unless it is wrong: then that is said, and the reading of the
    /// others goes on.
    pub(super) fn keep<T>(&mut self, read: Result<T, crate::Error>) -> Option<T> {
        read.map_err(|error| {
            let words = error.to_string();
            let (field, message) = super::failure::in_form(error).unwrap_or(("", words));
            self.add(field, message);
        })
        .ok()
    }

    /// What is wrong with a field.
    pub(super) fn of(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// Whether nothing is wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first field with what is wrong with it.
    pub(super) fn first(&self) -> Option<(&'static str, &str)> {
        self.0.iter().next().map(|(field, message)| (*field, message.as_str()))
    }
}

/// A form as its visitor left it: what was typed, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Filled {
    /// What was typed, or is there to begin with.
    pub(super) fields: Fields,
    /// What is wrong.
    pub(super) faults: Faults,
    /// What somebody else did to which field ([`super::began`]).
    pub(super) notes: BTreeMap<&'static str, String>,
    /// The key of the form that was sent, so that sending it again is still the same.
    pub(super) once: Option<String>,
}

impl Filled {
    /// A form to begin with.
    pub(super) fn with(fields: Fields) -> Self {
        Self { fields, ..Self::default() }
    }

    /// Takes up why a use case refused what was sent. `shown` are the fields that the form has: what
    /// belongs to none of them stands at its top.
    ///
    /// # Errors
    /// What no other input could help against.
    pub(super) fn refuse(
        &mut self,
        error: crate::Error,
        shown: &[&'static str],
    ) -> Result<(), Failure> {
        let (field, message) = super::failure::in_form(error)?;
        match shown.iter().find(|name| **name == field) {
            Some(name) => self.faults.add(name, message),
            None => self.faults.add("", message),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_kept_but_no_password() {
        let fields =
            Fields::parse(b"name=+a+&channel=x&channel=y%2Fz&password=p+&csrf=1&text=a%0D%0Ab%00");
        assert_eq!((fields.text("name"), fields.raw("password")), ("a", "p "));
        assert_eq!(fields.all("channel").collect::<Vec<_>>(), ["x", "y/z"]);
        assert_eq!(fields.text("text"), "a\nb");
        assert!(fields.has("channel", "y/z") && !fields.has("channel", "z"));
        assert_eq!(fields.some("nothing"), None);
        let kept = fields.to_keep().encode();
        assert_eq!(kept, "name=+a+&channel=x&channel=y%2Fz&text=a%0Ab");
        assert_eq!(Fields::parse(kept.as_bytes()), fields.to_keep());
    }
}
