//! `Idempotency-Key`: a `POST` that may be sent again. Every one may: what it makes is recorded
//! with its audit event, what it answered is kept unless it says `no-store`. The other writes are
//! the same however often they are sent.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use super::MAX_BODY_BYTES;
use super::credential::SignedIn;
use super::problem::Problem;
use crate::actor::Repeatable;
use crate::usecases::repeat;
use crate::{Actor, Control, Error};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// In an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// How many bytes a key may have.
pub(super) const MAX_KEY_BYTES: usize = 255;

/// Whether a `POST` of this path may be sent again under a key. An import finds what it has made
/// again by itself, line by line.
pub(super) fn is_offered(path: &str) -> bool {
    !path.ends_with("/tokens/import")
}

/// Answers a `POST` that was sent before as it was answered then.
pub(super) async fn once(State(control): State<Control>, request: Request, next: Next) -> Response {
    let has_key = request.headers().contains_key(KEY);
    if request.method() != Method::POST || !has_key || !is_offered(request.uri().path()) {
        return next.run(request).await;
    }
    match prepare(&control, request).await {
        Ok(Prepared::New(request, by)) => {
            let response = next.run(request).await;
            let (actor, repeatable) = *by;
            keep(&control, &actor, &repeatable, response).await
        }
        Ok(Prepared::Done(response)) => response,
        Ok(Prepared::Anonymous(request)) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// What to do with a request that has a key.
enum Prepared {
    /// To be done: by this actor, with this to be recorded.
    New(Request, Box<(Actor, Repeatable)>),
    /// It was done before.
    Done(Response),
    /// It comes without a credential, and is refused or a sign-in.
    Anonymous(Request),
}

async fn prepare(control: &Control, request: Request) -> Result<Prepared, Problem> {
    let (mut parts, body) = request.into_parts();
    let Ok(SignedIn(actor)) = SignedIn::from_request_parts(&mut parts, control).await else {
        return Ok(Prepared::Anonymous(Request::from_parts(parts, body)));
    };
    let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|_too_large| {
        let detail = format!("a body has at most {MAX_BODY_BYTES} bytes");
        Problem::malformed(StatusCode::PAYLOAD_TOO_LARGE, detail)
    })?;
    let repeatable = repeatable(&parts, &body)?;
    if let Some((status, body)) = repeat::look_up(control, &actor, &repeatable).await? {
        return Ok(Prepared::Done(replay(status, body)));
    }
    parts.extensions.insert(repeatable.clone());
    let request = Request::from_parts(parts, Body::from(body));
    Ok(Prepared::New(request, Box::new((actor, repeatable))))
}

fn repeatable(parts: &Parts, body: &[u8]) -> Result<Repeatable, Problem> {
    let key = key(&parts.headers)?;
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    // No key has a line end, no target has one.
    let mut request = Sha256::new();
    for part in [key, b"\n", target.as_bytes(), b"\n", body] {
        request.update(part);
    }
    Ok(Repeatable {
        key_digest: Sha256::digest(key).into(),
        request_digest: request.finalize().into(),
    })
}

fn key(headers: &HeaderMap) -> Result<&[u8], Problem> {
    let mut keys = headers.get_all(KEY).iter().map(HeaderValue::as_bytes);
    match (keys.next(), keys.next()) {
        (Some(key), None) if (1..=MAX_KEY_BYTES).contains(&key.len()) => Ok(key),
        _ => {
            let message = "send one key of 1 to 255 characters, such as a UUID";
            Err(Error::invalid("Idempotency-Key", message).into())
        }
    }
}

fn replay(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, [(REPLAYED, "true")], body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Keeps the answer of what was done, unless it is a secret. If it can't be kept, the caller has
/// it all the same.
async fn keep(
    control: &Control,
    actor: &Actor,
    repeatable: &Repeatable,
    response: Response,
) -> Response {
    let secret = response.headers().contains_key(CACHE_CONTROL);
    if !response.status().is_success() || secret {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return Problem::unavailable().into_response();
    };
    if let Ok(text) = std::str::from_utf8(&body) {
        let answer = (parts.status.as_u16(), text);
        if let Err(error) = repeat::keep(control, actor, repeatable, answer).await {
            tracing::warn!(%error, "an answer was not kept for its request to be repeated");
        }
    }
    Response::from_parts(parts, Body::from(body))
}
