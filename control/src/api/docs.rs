//! The API's description as JSON, and as a page that needs no other host.

mod page;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::openapi::OpenApi;

/// Nothing but our own style sheet: no script, no frame, no form.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = include_str!("docs/style.css");

/// Routes for what doesn't change while the process runs.
pub(super) fn router<S: Clone + Send + Sync + 'static>(api: &OpenApi) -> Router<S> {
    // The description is made of our own types: it can always be written.
    let json = serde_json::to_value(api).unwrap_or_default();
    let page = page::page(&json);
    let document = |media_type, text: String| {
        let text = Bytes::from(text);
        get(async move || answer(media_type, text))
    };
    Router::new()
        .route("/api/v1/openapi.json", document("application/json", json.to_string()))
        .route("/api/docs", document("text/html; charset=utf-8", page))
        .route("/api/docs/style.css", document("text/css; charset=utf-8", STYLE.to_owned()))
}

fn answer(media_type: &'static str, text: Bytes) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, media_type),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text)
}
