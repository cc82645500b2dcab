//! A request to a gateway, as a client makes it, for looking at what it answers.

use access::TokenSecret;
use axum::http::header::{AUTHORIZATION, HOST, USER_AGENT};
use axum::http::{Request, StatusCode};
use config::BaseUrl;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;

use super::http::{RemoteError, TIMEOUT, USER_AGENT_VALUE, bearer, send};

/// The most bytes of a refusal's text.
const REFUSAL_MAX: usize = 64 * 1024;

/// What a gateway answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    /// The stable code of a refusal.
    pub(crate) error: Option<String>,
}

/// Asks `gateway` for the file at `path` with a token; what it sends of the file is not read.
///
/// # Errors
/// [`RemoteError`] when it doesn't answer.
pub(crate) async fn ask_gateway(
    gateway: &BaseUrl,
    path: &str,
    token: &TokenSecret,
) -> Result<Answered, RemoteError> {
    let request = Request::builder()
        .uri(format!("{}/{path}", gateway.path()))
        .header(HOST, gateway.authority())
        .header(USER_AGENT, USER_AGENT_VALUE)
        .header(AUTHORIZATION, bearer(token)?)
        .body(Full::new(Bytes::new()))?;
    let exchange = async {
        let response = send(gateway, request).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(Answered { status, error: None });
        }
        let body = Limited::new(response.into_body(), REFUSAL_MAX).collect().await;
        // What it says beside the status is of use, but not needed.
        let text = body.map(|body| body.to_bytes()).unwrap_or_default();
        let text: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        Ok(Answered { status, error: text["error"].as_str().map(str::to_owned) })
    };
    tokio::time::timeout(TIMEOUT, exchange).await.unwrap_or(Err(RemoteError::TooSlow(TIMEOUT)))
}
