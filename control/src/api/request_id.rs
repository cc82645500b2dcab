//! The name of a request, by which its answer, its log lines and its audit events are found.

use std::fmt::Write as _;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

/// Where it stands in requests and answers.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const MAX_BYTES: usize = 128;

/// A request's name, for its handler.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// Gives the request the name that it came with, or one of ours, and answers with it.
pub(crate) async fn attach(mut request: Request, next: Next) -> Response {
    let Some(id) = given(request.headers()).or_else(random) else {
        return next.run(request).await;
    };
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::error_span!("request", request_id = %id);
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// What a proxy or client calls it, if that can stand in a log.
fn given(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(HEADER)?.to_str().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    let sane = (1..=MAX_BYTES).contains(&id.len()) && id.bytes().all(plain);
    sane.then(|| id.to_owned())
}

/// 64 random bits; none where the system has no randomness, which only costs the name.
fn random() -> Option<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).ok()?;
    let mut id = String::with_capacity(16);
    for byte in bytes {
        write!(id, "{byte:02x}").ok()?;
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_stand_in_a_log_is_taken_over() {
        let read = |value: &str| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            given(&HeaderMap::from_iter([(HEADER, value)]))
        };
        assert_eq!(read("0a1b-2c.d_e:f"), Some("0a1b-2c.d_e:f".to_owned()));
        for value in ["", "a b", "a\"b", "ä", &"a".repeat(129)] {
            assert_eq!(read(value), None, "{value}");
        }
        assert_eq!(random().unwrap().len(), 16);
        assert_ne!(random(), random());
    }
}
