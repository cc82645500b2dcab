//! Reading requests: bodies, queries and path segments, strictly.

use std::time::Duration;

use access::{ChannelName, TokenId};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query as AxumQuery, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::duration::parse_duration;
use super::problem::Problem;
use crate::usecases::Page;
use crate::{Error, SessionId};

/// A JSON body. Its type says `deny_unknown_fields`; a form of another site can't send it, since
/// it must be declared JSON.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = is_declared(request.headers(), "application/json");
        let bytes = Bytes::from_request(request, state).await.map_err(unreadable)?;
        if !is_json {
            // Where a body is optional, whoever has nothing to say needn't say it in JSON.
            let none = serde_json::from_slice(b"null").ok().filter(|_| bytes.is_empty());
            return none.map(Self).ok_or_else(|| {
                let detail = "send `Content-Type: application/json`".to_owned();
                Problem::malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
            });
        }
        if escapes_nul(&bytes) {
            let detail = "no text may have the character U+0000".to_owned();
            return Err(Problem::malformed(StatusCode::BAD_REQUEST, detail));
        }
        // serde takes a list for a structure too, field by field.
        if bytes.trim_ascii_start().first() == Some(&b'[') {
            return Err(Problem::invalid_field("body", "must be an object"));
        }
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let body = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let field = error.path().to_string();
            let cause = error.into_inner();
            if cause.is_data() {
                what_is_wrong(&field, &cause.to_string())
            } else {
                Problem::malformed(StatusCode::BAD_REQUEST, cause.to_string())
            }
        })?;
        json.end()
            .map_err(|error| Problem::malformed(StatusCode::BAD_REQUEST, error.to_string()))?;
        Ok(Self(body))
    }
}

/// A field that is missing, unknown or of another type. serde's words say where in the text, which
/// helps nobody who wrote no text.
fn what_is_wrong(field: &str, words: &str) -> Problem {
    let words = words.split(" at line ").next().unwrap_or(words);
    let missing = words.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    match (missing, field) {
        (Some(missing), ".") => Problem::invalid_field(missing, "is missing"),
        (Some(missing), field) => {
            Problem::invalid_field(&format!("{field}.{missing}"), "is missing")
        }
        (None, ".") if words.starts_with("invalid type") => {
            Problem::invalid_field("body", "must be an object")
        }
        (None, field) => Problem::invalid_field(field, words),
    }
}

/// Whether a JSON text has the one character that PostgreSQL stores in no text.
fn escapes_nul(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        if rest[at..].starts_with(br"\u0000") {
            return true;
        }
        // What is escaped may be a backslash itself.
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}

/// Whether the body is declared to be of this media type.
pub(super) fn is_declared(headers: &HeaderMap, media_type: &str) -> bool {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let declared = declared.and_then(|value| value.split(';').next()).map(str::trim);
    declared.is_some_and(|declared| declared.eq_ignore_ascii_case(media_type))
}

pub(super) fn unreadable(rejection: BytesRejection) -> Problem {
    Problem::malformed(rejection.status(), rejection.body_text())
}

/// A query; its type says `deny_unknown_fields`.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(Problem::invalid_field("query", "no text may have the character U+0000"));
        }
        let query = AxumQuery::<T>::from_request_parts(parts, state).await;
        let query =
            query.map_err(|rejection| Problem::invalid_field("query", &rejection.body_text()))?;
        Ok(Self(query.0))
    }
}

/// The one variable segment of a path.
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let path = path.map_err(|_not_text| Problem::no_such_resource())?;
        Ok(Self(name(path.0)?))
    }
}

/// The two variable segments of a path.
pub(super) struct Segments(pub(super) String, pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((first, second)) = path.map_err(|_not_text| Problem::no_such_resource())?;
        Ok(Self(name(first)?, name(second)?))
    }
}

/// What isn't UTF-8, or has a control character in it, names nothing.
fn name(segment: String) -> Result<String, Problem> {
    if segment.chars().any(char::is_control) {
        return Err(Problem::no_such_resource());
    }
    Ok(segment)
}

/// The query of a list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// How many items at most; 100 when not said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

impl PageQuery {
    pub(super) fn page(self) -> Result<Page, Problem> {
        page(self.limit, self.cursor, None)
    }
}

/// The query of a list by name.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NamesQuery {
    /// How many items at most; 100 when not said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only what has a name that begins with this.
    q: Option<String>,
}

impl NamesQuery {
    pub(super) fn page(self) -> Result<Page, Problem> {
        page(self.limit, self.cursor, self.q)
    }
}

/// Which page a query asks for.
pub(super) fn page(
    limit: Option<u32>,
    cursor: Option<String>,
    prefix: Option<String>,
) -> Result<Page, Problem> {
    let limit = limit.unwrap_or(Page::DEFAULT_LIMIT);
    if !(1..=Page::MAX_LIMIT).contains(&limit) {
        return Err(Problem::invalid_field("limit", "must be 1 to 1000"));
    }
    Ok(Page { after: cursor, limit, prefix: prefix.unwrap_or_default() })
}

/// The query of a deciding write.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WaitQuery {
    /// How long to wait for proof that every gateway has applied it, at most a minute.
    #[param(example = "10s", pattern = "^[0-9]{1,9}[smhd]$")]
    wait: Option<String>,
}

impl WaitQuery {
    /// How long the caller wants to wait for proof. Read before anything is changed, so that a
    /// typing error changes nothing.
    pub(super) fn wait(&self) -> Result<Option<Duration>, Problem> {
        wait(self.wait.as_deref())
    }
}

/// How long a query says to wait.
pub(super) fn wait(text: Option<&str>) -> Result<Option<Duration>, Problem> {
    text.map(|text| duration("wait", text)).transpose()
}

/// A duration in a field.
pub(super) fn duration(field: &str, text: &str) -> Result<Duration, Problem> {
    parse_duration(text).ok_or_else(|| {
        Problem::invalid_field(field, "write a number with `s`, `m`, `h` or `d`, such as `90d`")
    })
}

/// A channel in a path. What can't be a channel's name is answered like one that isn't there.
pub(super) fn channel_in_path(segment: &str) -> Result<ChannelName, Error> {
    let name = ChannelName::parse_with_colons(segment);
    name.map_err(|_why| Error::NotFound { kind: "channel", name: segment.replace(':', "/") })
}

/// A channel in a body, as clients write it.
pub(super) fn channel_in_field(field: &'static str, text: &str) -> Result<ChannelName, Error> {
    let name = text.parse::<ChannelName>();
    name.map_err(|why| Error::InvalidField { field, message: why.to_string() })
}

/// A session in a path.
pub(super) fn session_in_path(segment: &str) -> Result<SessionId, Error> {
    let id = segment.parse().map(SessionId);
    id.map_err(|_why| Error::NotFound { kind: "session", name: access::redact(segment).into() })
}

/// A token in a path.
pub(super) fn token_in_path(segment: &str) -> Result<TokenId, Error> {
    let id = segment.parse().map(TokenId);
    id.map_err(|_why| Error::NotFound { kind: "token", name: access::redact(segment).into() })
}

#[cfg(test)]
mod tests {
    use super::escapes_nul;

    #[test]
    fn an_escaped_backslash_escapes_nothing_after_it() {
        for text in [r#""\u0000""#.as_bytes(), br#"{"a":"b\\\u0000"}"#] {
            assert!(escapes_nul(text), "{text:?}");
        }
        for text in [r#""\\u0000""#.as_bytes(), br#""\u0001 u0000""#, br#""\"#, b""] {
            assert!(!escapes_nul(text), "{text:?}");
        }
    }
}
