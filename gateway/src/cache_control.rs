//! What a storage's `Cache-Control` becomes when a token opened the answer (wire.md W12).

use std::borrow::Cow;

use crate::answer_fields::{AnswerField, AnswerFields};

/// Directives of RFC 9111, section 5.2.2 that stay: how long, and how carefully, the client itself
/// may keep the answer.
const KEPT: [&str; 5] = ["max-age", "immutable", "no-cache", "no-store", "must-revalidate"];

/// `private`, and of the storage's own directives those that speak to the client.
pub(crate) fn private(fields: &AnswerFields) -> Cow<'static, str> {
    let Some(storages) = fields.text(AnswerField::CacheControl) else {
        return "private".into();
    };
    let mut value = "private".to_owned();
    for directive in storages.split(',').map(str::trim) {
        let name = directive.split('=').next().unwrap_or_default().trim();
        if KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(name)) {
            value = format!("{value}, {directive}");
        }
    }
    value.into()
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
            let mut fields = AnswerFields::default();
            for text in storage {
                fields.insert_text(AnswerField::CacheControl, text);
            }
            assert_eq!(private(&fields), expected, "{storage:?}");
        }
    }
}
