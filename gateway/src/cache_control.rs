//! What a storage's `Cache-Control` becomes when a token opened the answer (wire.md W12).

use http::HeaderValue;
use http::header::CACHE_CONTROL;

use crate::answer_fields::AnswerFields;

/// Directives of RFC 9111, section 5.2.2 that stay: how long, and how carefully, the client itself
/// may keep the answer.
const KEPT: [&str; 5] = ["max-age", "immutable", "no-cache", "no-store", "must-revalidate"];

/// `private`, and of the storage's own directives those that speak to the client.
pub(crate) fn private(fields: &AnswerFields) -> HeaderValue {
    let Some(storages) = fields.text(&CACHE_CONTROL) else {
        return HeaderValue::from_static("private");
    };
    let mut value = "private".to_owned();
    for directive in storages.split(',').map(str::trim) {
        let name = directive.split('=').next().unwrap_or_default().trim();
        if KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(name)) {
            value = format!("{value}, {directive}");
        }
    }
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("private"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w12_what_a_token_opened_is_private() {
        for (storage, expected) in [
            (&[][..], "private"),
            (&["public, max-age=30"], "private, max-age=30"),
            (&["max-age=31536000, immutable, s-maxage=9"], "private, max-age=31536000, immutable"),
            (&["private"], "private"),
        ] {
            let fields = storage.iter().map(|field| (CACHE_CONTROL, field.parse().unwrap()));
            assert_eq!(private(&AnswerFields::from_iter(fields)), expected, "{storage:?}");
        }
    }
}
