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
use crate::Error;
use crate::usecases::Page;

/// A JSON body. Its type says `deny_unknown_fields`; a form of another site can't send it, since
/// it must be declared JSON.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "send `Content-Type: application/json`".to_owned();
            return Err(Problem::malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(unreadable)?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let body = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let field = error.path().to_string();
            let cause = error.into_inner();
            if cause.is_data() {
                Problem::invalid_field(&field, &cause.to_string())
            } else {
                Problem::malformed(StatusCode::BAD_REQUEST, cause.to_string())
            }
        })?;
        json.end()
            .map_err(|error| Problem::malformed(StatusCode::BAD_REQUEST, error.to_string()))?;
        Ok(Self(body))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = declared.and_then(|value| value.split(';').next()).map(str::trim);
    media_type.is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json"))
}

fn unreadable(rejection: BytesRejection) -> Problem {
    Problem::malformed(rejection.status(), rejection.body_text())
}

/// A query; its type says `deny_unknown_fields`.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
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
        // What isn't UTF-8 names nothing.
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(segment)| Self(segment)).map_err(|_not_text| Problem::no_such_resource())
    }
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
        page(self.limit, self.cursor)
    }
}

/// Which page a query asks for.
pub(super) fn page(limit: Option<u32>, cursor: Option<String>) -> Result<Page, Problem> {
    let limit = limit.unwrap_or(Page::DEFAULT_LIMIT);
    if !(1..=Page::MAX_LIMIT).contains(&limit) {
        return Err(Problem::invalid_field("limit", "must be 1 to 1000"));
    }
    Ok(Page { after: cursor, limit })
}

/// The query of a deciding write.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WaitQuery {
    /// How long to wait for proof that every gateway has applied it.
    #[param(example = "10s")]
    wait: Option<String>,
}

impl WaitQuery {
    /// How long the caller wants to wait for proof. Checked already, so that a typing error is not
    /// taken for consent; proofs themselves come with the lease (sync.md).
    pub(super) fn wait(&self) -> Result<Option<Duration>, Problem> {
        self.wait.as_deref().map(|text| duration("wait", text)).transpose()
    }
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

/// A token in a path.
pub(super) fn token_in_path(segment: &str) -> Result<TokenId, Error> {
    let id = segment.parse().map(TokenId);
    id.map_err(|_why| Error::NotFound { kind: "token", name: access::redact(segment).into() })
}
