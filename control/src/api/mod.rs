//! The REST API (api.md). Handlers are thin: parse, ask a use case, write JSON; no rule is checked
//! here.

mod answer;
mod channels;
mod credential;
mod duration;
mod problem;
mod request;
mod server;
mod service_accounts;
mod sessions;
mod tokens;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post};

use crate::Control;
use problem::Problem;

/// How many bytes a request's body may have.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The routes of the API and of the probes. Served with the peer's address
/// (`into_make_service_with_connect_info::<SocketAddr>()`), that stands in the audit log.
pub fn router(control: Control) -> Router {
    let v1 = Router::new()
        .route("/sessions", post(sessions::create))
        .route("/sessions/current", delete(sessions::end))
        .route("/me", get(server::me))
        .route("/storages", get(server::storages))
        .route("/channels", get(channels::list).post(channels::create))
        .route("/channels/{channel}", get(channels::get).delete(channels::delete))
        .route("/service-accounts", get(service_accounts::list).post(service_accounts::create))
        .route(
            "/service-accounts/{name}",
            get(service_accounts::get).delete(service_accounts::delete),
        )
        .route("/service-accounts/{name}/tokens", get(tokens::list).post(tokens::create))
        .route("/tokens/{id}", get(tokens::get).delete(tokens::revoke));
    Router::new()
        .nest("/api/v1", v1)
        .route("/healthz", get(server::healthz))
        .route("/readyz", get(server::readyz))
        .fallback(async || Problem::no_such_resource())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(control)
}
