//! Errors as clients see them (RFC 9457): the one place that gives each reason its status, its
//! type and its words.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::Error;

/// An error on its way to a client.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    /// The last part of its `type`: what programs tell errors apart by.
    name: &'static str,
    title: &'static str,
    detail: String,
    /// Members of its own, such as `errors` (RFC 9457 section 3.2).
    more: Map<String, Value>,
    retry_after_secs: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, name: &'static str, title: &'static str, detail: String) -> Self {
        Self { status, name, title, detail, more: Map::new(), retry_after_secs: None }
    }

    fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.more.insert(member.to_owned(), value.into());
        self
    }

    /// A field that has no place in the request, or not this value.
    pub(super) fn invalid_field(field: &str, message: &str) -> Self {
        let (status, title) = (StatusCode::UNPROCESSABLE_ENTITY, "A field can't have this value");
        Self::new(status, "invalid-field", title, format!("`{field}`: {message}"))
            .with("errors", json!([{ "field": field, "message": message }]))
    }

    /// A request that can't be read at all.
    pub(super) fn malformed(status: StatusCode, detail: String) -> Self {
        Self::new(status, "malformed-request", "The request can't be read", detail)
    }

    pub(super) fn no_such_resource() -> Self {
        let detail = "there is nothing at this address".to_owned();
        Self::new(StatusCode::NOT_FOUND, "not-found", "No such thing", detail)
    }

    pub(super) fn method_not_allowed() -> Self {
        let (status, title) = (StatusCode::METHOD_NOT_ALLOWED, "This method is not offered here");
        Self::new(status, "method-not-allowed", title, title.to_owned())
    }

    /// The control plane can't answer, for a reason that is only for the log.
    pub(super) fn unavailable() -> Self {
        let detail = "the control database does not answer; try again later".to_owned();
        let title = "Out of service for the moment";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", title, detail)
    }

    fn internal() -> Self {
        let detail = "the server's log says what".to_owned();
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something failed here", detail)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        use StatusCode as S;
        let detail = error.to_string();
        match error {
            Error::NotSignedIn => {
                Self::new(S::UNAUTHORIZED, "not-signed-in", "Not signed in", detail)
            }
            Error::WrongPassword => {
                Self::new(S::UNAUTHORIZED, "wrong-password", "Wrong name or password", detail)
            }
            Error::TooManyAttempts { retry_after_secs } => Self {
                retry_after_secs: Some(retry_after_secs),
                ..Self::new(S::TOO_MANY_REQUESTS, "too-many-attempts", "Too many attempts", detail)
            },
            Error::NotPermitted { needs, who } => {
                Self::new(S::FORBIDDEN, "not-permitted", "Not permitted", detail)
                    .with("needs", needs)
                    .with("who", who)
            }
            Error::PermissionNotHeld { channel, permission, .. } => {
                let title = "A permission that is not held can't be granted";
                Self::new(S::FORBIDDEN, "permission-not-held", title, detail)
                    .with("channel", channel.as_str())
                    .with("permission", permission.as_str())
            }
            Error::NotFound { .. } => Self::new(S::NOT_FOUND, "not-found", "No such thing", detail),
            Error::NameTaken { .. } => Self::new(S::CONFLICT, "name-taken", "Name taken", detail),
            Error::SeatLimit { used, limit } => {
                Self::new(S::CONFLICT, "seat-limit", "All seats are taken", detail)
                    .with("used", used)
                    .with("limit", limit)
            }
            Error::LastOwner { .. } => {
                Self::new(S::CONFLICT, "last-owner", "A channel needs an owner", detail)
            }
            Error::Lifespan { latest, reason } => {
                let title = "A token can't end then";
                let message = format!("must lie between now and {latest}: {reason}");
                Self::new(S::UNPROCESSABLE_ENTITY, "lifespan", title, detail)
                    .with("latest", latest.to_string())
                    .with("errors", json!([{ "field": "expires_at", "message": message }]))
            }
            Error::InvalidField { field, message } => Self::invalid_field(field, &message),
            Error::Store(error) => {
                tracing::error!(%error, "the control database failed a request");
                Self::unavailable()
            }
            Error::Internal(error) => {
                tracing::error!(%error, "a request failed");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("/problems/{}", self.name),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(members) = body.as_object_mut() {
            members.extend(self.more);
        }
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"condagate\"");
            headers.insert(WWW_AUTHENTICATE, scheme);
        }
        if let Some(secs) = self.retry_after_secs {
            headers.insert(RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}
