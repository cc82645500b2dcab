//! `/sessions`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;

use super::credential::{Address, SESSION_COOKIE, SignedIn};
use super::problem::Problem;
use super::request::Body;
use crate::usecases::session;
use crate::{Control, Settings};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    username: String,
    password: String,
}

/// `POST /sessions`: signs in, for programs and browsers alike.
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
    let body = json!({ "session_token": value, "expires_at": session.expires_at.to_string() });
    let headers = [(SET_COOKIE, cookie), (CACHE_CONTROL, "no-store".to_owned())];
    Ok((StatusCode::CREATED, headers, Json(body)).into_response())
}

/// `DELETE /sessions/current`: signs out.
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
