//! The header fields that every page has.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};

/// Our own files and nothing else; forms go nowhere else, and no site shows us in a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// With `no-referrer` browsers would send `Origin: null` with a form, by which it is told from
/// another site's.
const REFERRERS: &str = "same-origin";

const OPENERS: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Writes them.
pub(super) fn write(headers: &mut HeaderMap) {
    let fields = [
        (CONTENT_SECURITY_POLICY, POLICY),
        // A page may hold a token's value: nothing of it is kept, nor shown again by going back.
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, REFERRERS),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (OPENERS, "same-origin"),
    ];
    for (name, value) in fields {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
