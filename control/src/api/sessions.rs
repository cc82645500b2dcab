//! `/sessions`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::credential::{Address, SESSION_COOKIE, SignedIn};
use super::problem::{Details, PROBLEM, Problem};
use super::request::Body;
use super::words::Time;
use crate::usecases::session;
use crate::{Control, Settings};

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    username: String,
    #[schema(format = Password)]
    password: String,
}

/// A new session.
#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    /// Works as a bearer token; shown this once.
    session_token: String,
    expires_at: Time,
}

/// Signs in; the session is answered as a value and as a cookie.
#[utoipa::path(
    post,
    path = "/sessions",
    tag = "sessions",
    security(()),
    request_body = Credentials,
    responses(
        (status = CREATED, description = "The session", body = Session,
            headers(("Set-Cookie" = String, description = "`condagate_session`, for browsers"))),
        (status = UNAUTHORIZED, description = "Wrong name or password", body = Details,
            content_type = PROBLEM),
        (status = TOO_MANY_REQUESTS, description = "Too many failed attempts", body = Details,
            content_type = PROBLEM, headers(("Retry-After" = u64, description = "Seconds"))),
    )
)]
pub(super) async fn create(
    State(control): State<Control>,
    Address(address): Address,
    Body(credentials): Body<Credentials>,
) -> Result<Response, Problem> {
    let Credentials { username, password } = credentials;
    let session = session::create(&control, &username, &password, address).await?;
    let value = session.secret.reveal();
    let lifetime_secs = control.settings().session_lifetime.as_secs();
    let cookie = cookie(control.settings(), value, lifetime_secs);
    let body = Session { session_token: value.to_owned(), expires_at: session.expires_at.into() };
    let headers = [(SET_COOKIE, cookie), (CACHE_CONTROL, "no-store".to_owned())];
    Ok((StatusCode::CREATED, headers, Json(body)).into_response())
}

/// Signs out: ends the session by which the caller acts.
#[utoipa::path(
    delete,
    path = "/sessions/current",
    tag = "sessions",
    responses(
        (status = NO_CONTENT, description = "Ended"),
        (status = NOT_FOUND, description = "The caller acts by a token", body = Details,
            content_type = PROBLEM),
    )
)]
pub(super) async fn end(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
) -> Result<Response, Problem> {
    session::end_current(&control, &actor).await?;
    let headers = [(SET_COOKIE, cookie(control.settings(), "", 0))];
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

fn cookie(settings: &Settings, value: &str, lifetime_secs: u64) -> String {
    let secure = if settings.secure_cookies { "; Secure" } else { "" };
    format!(
        "{SESSION_COOKIE}={value}; Path=/; Max-Age={lifetime_secs}; HttpOnly; SameSite=Lax{secure}"
    )
}
