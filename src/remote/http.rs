//! One request to the control plane, on a connection of its own.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use access::{Clock as _, SystemClock, TokenSecret};
use axum::http::Error as HttpError;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use axum::http::{Request as HttpRequest, Response, StatusCode};
use config::BaseUrl;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Where the API is (api.md).
const BASE: &str = "/api/v1";
/// The media type of JSON lines.
const LINES: &str = "application/x-ndjson";
/// How long a request may take in all.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);
/// What it calls itself.
pub(super) const USER_AGENT_VALUE: &str = concat!("condagate/", env!("CARGO_PKG_VERSION"));
/// The most bytes of an answer.
const ANSWER_MAX: usize = 16 * 1024 * 1024;

/// Why the control plane didn't do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteError {
    /// No connection.
    #[error("can't connect: {0}; does `condagate serve` or `condagate control` run there?")]
    Connect(std::io::Error),
    /// No secure one.
    #[error(transparent)]
    Certificate(#[from] certs::CertError),
    /// The connection broke, or what came is no HTTP.
    #[error("no answer: {0}")]
    Http(#[from] hyper::Error),
    /// It took too long.
    #[error("no answer within {} s", .0.as_secs())]
    TooSlow(Duration),
    /// The answer isn't that of a control plane.
    #[error("the answer (status {0}) is not one of a control plane; is the URL right?")]
    NotOurs(StatusCode),
    /// The credential is no longer good.
    #[error("{0} Use `condagate login`, or another CONDAGATE_TOKEN")]
    NotSignedIn(String),
    /// It refused, and said why.
    #[error("{0}")]
    Refused(String),
    /// The request can't be written; a header or path that isn't one.
    #[error("the request can't be made: {0}")]
    Request(#[from] HttpError),
}

/// A request of the API.
#[derive(Debug, Default)]
pub(crate) struct Request {
    /// The method.
    pub(crate) method: &'static str,
    /// Path and query, below the API's base.
    pub(crate) path: String,
    /// What it carries.
    pub(crate) body: Body,
    /// A token's value and the header field that carries it.
    pub(crate) carries: Option<(&'static str, TokenSecret)>,
    /// How long the control plane was asked to take, beyond what a request takes.
    pub(crate) wait: Duration,
}

/// A request's body.
#[derive(Debug, Default)]
pub(crate) enum Body {
    /// None.
    #[default]
    Empty,
    /// A JSON value.
    Json(Value),
    /// Newline-delimited JSON.
    Lines(String),
}

/// Sends it; the answer's JSON, null for none, an array for lines of JSON.
pub(super) async fn ask(
    url: &BaseUrl,
    token: Option<&TokenSecret>,
    request: Request,
) -> Result<Value, RemoteError> {
    let limit = TIMEOUT + request.wait;
    let request = build(url, token, request)?;
    let exchange = async {
        let response = send(url, request).await?;
        let status = response.status();
        let lines = response.headers().get(CONTENT_TYPE).is_some_and(|form| form == LINES);
        let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await;
        let body = body.map_err(|_too_large_or_cut| RemoteError::NotOurs(status))?.to_bytes();
        if lines { read_lines(status, &body) } else { read(status, &body) }
    };
    tokio::time::timeout(limit, exchange).await.unwrap_or(Err(RemoteError::TooSlow(limit)))
}

fn build(
    url: &BaseUrl,
    token: Option<&TokenSecret>,
    request: Request,
) -> Result<HttpRequest<Full<Bytes>>, RemoteError> {
    let (form, text) = match request.body {
        Body::Empty => (None, String::new()),
        Body::Json(value) => (Some("application/json"), value.to_string()),
        Body::Lines(text) => (Some(LINES), text),
    };
    let mut built = HttpRequest::builder()
        .method(request.method)
        .uri(format!("{}{BASE}{}", url.path(), request.path))
        .header(HOST, url.authority())
        .header(USER_AGENT, USER_AGENT_VALUE)
        .header(ACCEPT, "application/json");
    if let Some(form) = form {
        built = built.header(CONTENT_TYPE, form);
    }
    if let Some(token) = token {
        built = built.header(AUTHORIZATION, bearer(token)?);
    }
    if let Some((name, value)) = &request.carries {
        built = built.header(*name, secret(value.reveal())?);
    }
    Ok(built.body(Full::from(text))?)
}

/// A token as it signs a request.
pub(super) fn bearer(token: &TokenSecret) -> Result<HeaderValue, HttpError> {
    secret(&format!("Bearer {}", token.reveal()))
}

fn secret(text: &str) -> Result<HeaderValue, HttpError> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) async fn send(
    url: &BaseUrl,
    request: HttpRequest<Full<Bytes>>,
) -> Result<Response<Incoming>, RemoteError> {
    let host = url.host().trim_start_matches('[').trim_end_matches(']');
    let socket = TcpStream::connect((host, url.port())).await.map_err(RemoteError::Connect)?;
    if !url.is_https() {
        return exchange(TokioIo::new(socket), request).await;
    }
    let tls = certs::ClientTls::load(None, None, SystemClock.now())?;
    let name = match host.parse::<IpAddr>() {
        Ok(address) => ServerName::IpAddress(address.into()),
        Err(_a_name) => ServerName::try_from(host.to_owned())
            .map_err(|error| RemoteError::Connect(std::io::Error::other(error)))?,
    };
    let connector = TlsConnector::from(Arc::clone(&tls.config()));
    let socket = connector.connect(name, socket).await.map_err(RemoteError::Connect)?;
    exchange(TokioIo::new(socket), request).await
}

async fn exchange<S>(
    socket: S,
    request: HttpRequest<Full<Bytes>>,
) -> Result<Response<Incoming>, RemoteError>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(socket).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

/// What an answer means: its JSON, or the sentence of its problem (RFC 9457).
fn read(status: StatusCode, body: &[u8]) -> Result<Value, RemoteError> {
    if status.is_success() && body.is_empty() {
        return Ok(Value::Null);
    }
    let not_ours = |_not_json| RemoteError::NotOurs(status);
    let answer: Value = serde_json::from_slice(body).map_err(not_ours)?;
    if status.is_success() {
        return Ok(answer);
    }
    let Some(detail) = answer["detail"].as_str() else {
        return Err(RemoteError::NotOurs(status));
    };
    match answer["type"].as_str().and_then(|name| name.rsplit(['/', ':']).next()) {
        Some("not-signed-in") => Err(RemoteError::NotSignedIn(format!("{detail}."))),
        _ => Err(RemoteError::Refused(detail.to_owned())),
    }
}

/// An answer of several JSON values, a line each.
fn read_lines(status: StatusCode, body: &[u8]) -> Result<Value, RemoteError> {
    let lines = serde_json::Deserializer::from_slice(body).into_iter();
    let lines: Result<Vec<Value>, _> = lines.collect();
    lines.map(Value::Array).map_err(|_not_json| RemoteError::NotOurs(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_json_or_its_problems_sentence() {
        assert_eq!(read(StatusCode::NO_CONTENT, b"").unwrap(), Value::Null);
        assert_eq!(read(StatusCode::OK, br#"{"a":1}"#).unwrap()["a"], 1);
        let taken = br#"{"type":"x:name-taken","detail":"there is a channel `a` already"}"#;
        let refused = read(StatusCode::CONFLICT, taken).unwrap_err();
        assert_eq!(refused.to_string(), "there is a channel `a` already");
        let signed_out = br#"{"type":"x/not-signed-in","detail":"sign in first"}"#;
        let refused = read(StatusCode::UNAUTHORIZED, signed_out).unwrap_err();
        assert!(refused.to_string().contains("condagate login"), "{refused}");
    }

    #[test]
    fn another_servers_answer_is_told_as_such() {
        for (status, body) in [
            (StatusCode::OK, &b"<html>"[..]),
            (StatusCode::NOT_FOUND, b"<html>"),
            (StatusCode::NOT_FOUND, br#"{"error":"unknown-channel"}"#),
        ] {
            assert!(matches!(read(status, body), Err(RemoteError::NotOurs(_))), "{status}");
        }
    }
}
