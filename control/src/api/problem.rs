//! Errors as clients see them (RFC 9457): the one place that gives each reason its status, its
//! type and its words.

use access::{ChannelName, Permission};
use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::words::{PermissionWord, Time};
use crate::{Error, StoreError};

/// The media type of a problem.
pub(super) const PROBLEM: &str = "application/problem+json";

/// A refusal or failure (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Details {
    /// What programs tell problems apart by.
    #[serde(rename = "type")]
    #[schema(example = "/problems/not-found")]
    kind: String,
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened, and what to do about it.
    detail: String,
    #[serde(flatten)]
    more: Members,
}

/// What some types of problem say besides (RFC 9457 section 3.2).
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ProblemMembers)]
pub(super) struct Members {
    /// Which fields can't have their value, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// `not-permitted`: what is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<String>,
    /// `not-permitted`: who can give it.
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<String>,
    /// `permission-not-held`: on which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// `permission-not-held`: which one.
    #[serde(skip_serializing_if = "Option::is_none")]
    permission: Option<PermissionWord>,
    /// `seat-limit`: how many seats are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<i64>,
    /// `seat-limit`: how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    /// `token-already-issued`, `already-done`: the id of what was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    /// `lifespan`: the latest end allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<Time>,
}

/// What is wrong with a field.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FieldError {
    field: String,
    message: String,
}

/// An error on its way to a client.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// The last part of its `type`: what programs tell errors apart by.
    name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) detail: String,
    /// Members of its own. Boxed: most have none, and every handler's answer would be as large.
    more: Box<Members>,
    pub(crate) retry_after_secs: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, name: &'static str, title: &'static str, detail: String) -> Self {
        let more = Box::default();
        Self { status, name, title, detail, more, retry_after_secs: None }
    }

    fn with(self, more: Members) -> Self {
        Self { more: Box::new(more), ..self }
    }

    /// A field that has no place in the request, or not this value.
    pub(super) fn invalid_field(field: &str, message: &str) -> Self {
        let (status, title) = (StatusCode::UNPROCESSABLE_ENTITY, "A field can't have this value");
        Self::new(status, "invalid-field", title, format!("`{field}`: {message}"))
            .with(Members { errors: FieldError::one(field, message), ..Members::default() })
    }

    fn conflict(name: &'static str, title: &'static str, detail: String) -> Self {
        Self::new(StatusCode::CONFLICT, name, title, detail)
    }

    fn not_held(channel: &ChannelName, permission: Permission, detail: String) -> Self {
        let title = "A permission that is not held can't be granted";
        let more = Members {
            channel: Some(channel.to_string()),
            permission: Some(permission.into()),
            ..Members::default()
        };
        Self::new(StatusCode::FORBIDDEN, "permission-not-held", title, detail).with(more)
    }

    /// A repeated request whose answer was not kept.
    fn already_done(kind: &str, id: i64, detail: String) -> Self {
        let name = if kind == "token" { "token-already-issued" } else { "already-done" };
        let more = Members { id: Some(id), ..Members::default() };
        Self::conflict(name, "Done already", detail).with(more)
    }

    /// A request that can't be read at all.
    pub(super) fn malformed(status: StatusCode, detail: String) -> Self {
        Self::new(status, "malformed-request", "The request can't be read", detail)
    }

    pub(crate) fn no_such_resource() -> Self {
        let detail = "there is nothing at this address".to_owned();
        Self::new(StatusCode::NOT_FOUND, "not-found", "No such thing", detail)
    }

    pub(crate) fn method_not_allowed() -> Self {
        let (status, title) = (StatusCode::METHOD_NOT_ALLOWED, "This method is not offered here");
        Self::new(status, "method-not-allowed", title, title.to_owned())
    }

    /// A change asked for by a page of another site, with this browser's cookie.
    pub(crate) fn cross_origin() -> Self {
        let detail = "with the session's cookie only a page of this server may change things; \
            programs send the session token as `Authorization: Bearer`";
        let title = "Another site's page may not do this";
        Self::new(StatusCode::FORBIDDEN, "cross-origin", title, detail.to_owned())
    }

    /// The control plane can't answer, for a reason that is only for the log.
    pub(super) fn unavailable() -> Self {
        let detail = "the control database does not answer; try again later".to_owned();
        let title = "Out of service for the moment";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", title, detail)
    }

    /// The database failed, or another change held it for too long.
    fn of_store(error: &StoreError) -> Self {
        if !error.is_busy() {
            tracing::error!(%error, "the control database failed a request");
            return Self::unavailable();
        }
        tracing::warn!(%error, "a change waited too long for another one");
        let detail = "another change, such as a large import, is under way; try again".to_owned();
        let title = "Out of service for the moment";
        let busy = Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", title, detail);
        Self { retry_after_secs: Some(1), ..busy }
    }

    fn internal() -> Self {
        let detail = "the server's log says what".to_owned();
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something failed here", detail)
    }
}

impl FieldError {
    fn one(field: &str, message: &str) -> Vec<Self> {
        vec![Self { field: field.to_owned(), message: message.to_owned() }]
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
                let more = Members { needs: Some(needs), who: Some(who), ..Members::default() };
                Self::new(S::FORBIDDEN, "not-permitted", "Not permitted", detail).with(more)
            }
            Error::PermissionNotHeld { channel, permission, .. } => {
                Self::not_held(&channel, permission, detail)
            }
            Error::NotFound { .. } => Self::new(S::NOT_FOUND, "not-found", "No such thing", detail),
            Error::NameTaken { .. } => Self::conflict("name-taken", "Name taken", detail),
            Error::SeatLimit { used, limit } => {
                let more = Members { used: Some(used), limit: Some(limit), ..Members::default() };
                Self::conflict("seat-limit", "All seats are taken", detail).with(more)
            }
            Error::LastOwner { .. } => {
                Self::conflict("last-owner", "A channel needs an owner", detail)
            }
            Error::OwnersGroup { .. } => {
                Self::conflict("owners-group", "This group goes with its channel", detail)
            }
            Error::GatewayLive { .. } => {
                Self::conflict("gateway-live", "This gateway may still serve", detail)
            }
            Error::LastAdmin => Self::conflict("last-admin", "There must be an admin", detail),
            Error::Lifespan { latest, reason } => {
                let title = "A token can't end then";
                let message = format!("must lie between now and {latest}: {reason}");
                let more = Members {
                    latest: Some(latest.into()),
                    errors: FieldError::one("expires_at", &message),
                    ..Members::default()
                };
                Self::new(S::UNPROCESSABLE_ENTITY, "lifespan", title, detail).with(more)
            }
            Error::TokenRevoked { .. } => {
                Self::conflict("token-revoked", "A revoked token never comes back", detail)
            }
            Error::ChangedMeanwhile { .. } => {
                Self::conflict("changed-meanwhile", "Changed by somebody else", detail)
            }
            Error::AlreadyDone { kind, id } => Self::already_done(&kind, id, detail),
            Error::KeyReused => {
                let title = "A key belongs to one request";
                Self::new(S::UNPROCESSABLE_ENTITY, "idempotency-key-reused", title, detail)
            }
            Error::Store(StoreError::Repeated) => {
                Self::conflict("already-done", "Done already", detail)
            }
            Error::InvalidField { field, message } => Self::invalid_field(field, &message),
            Error::Store(error) => Self::of_store(&error),
            Error::Internal(error) => {
                tracing::error!(%error, "a request failed");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Details {
            kind: format!("/problems/{}", self.name),
            title: self.title,
            status: self.status.as_u16(),
            detail: self.detail,
            more: *self.more,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
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
