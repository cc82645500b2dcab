//! The REST API (api.md). Handlers are thin: parse, ask a use case, write JSON; no rule is checked
//! here. Each says in its attributes what it takes and answers: the routes and their description
//! (OpenAPI) are made from the same declaration.

mod answer;
pub(crate) mod audit;
mod channels;
pub(crate) mod credential;
mod docs;
mod duration;
mod gateways;
mod groups;
mod openapi;
pub(crate) mod problem;
mod proofs;
mod repeat;
mod request;
pub(crate) mod request_id;
mod server;
mod service_accounts;
mod sessions;
pub(crate) mod tokens;
mod usage;
mod users;
mod words;

use axum::extract::DefaultBodyLimit;
use axum::routing::any;
use axum::{Router, middleware};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::Control;
use problem::Problem;

/// How many bytes a request's body may have.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The routes of the API, of its description and of the probes. Served with the peer's address
/// (`into_make_service_with_connect_info::<SocketAddr>()`), that stands in the audit log.
pub fn router(control: Control) -> Router {
    let v1 = OpenApiRouter::new()
        .routes(routes!(sessions::create))
        .routes(routes!(sessions::end_current))
        .routes(routes!(sessions::end))
        .routes(routes!(server::me))
        .routes(routes!(server::storages))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::get, users::edit, users::delete))
        .routes(routes!(users::set_password))
        .routes(routes!(sessions::list))
        .routes(routes!(groups::list, groups::create))
        .routes(routes!(groups::get, groups::edit, groups::delete))
        .routes(routes!(groups::add_member, groups::remove_member))
        .routes(routes!(groups::permit, groups::forbid))
        .routes(routes!(channels::list, channels::create))
        .routes(routes!(channels::get, channels::edit, channels::delete))
        .routes(routes!(service_accounts::list, service_accounts::create))
        .routes(routes!(service_accounts::get, service_accounts::delete))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::list_personal, tokens::create_personal))
        .routes(routes!(tokens::expiring))
        .routes(routes!(tokens::get, tokens::edit, tokens::revoke))
        .routes(routes!(tokens::reissue))
        .routes(routes!(tokens::end_old_value))
        .routes(routes!(tokens::lookup))
        .routes(routes!(tokens::import).layer(DefaultBodyLimit::max(tokens::MAX_IMPORT_BYTES)));
    let v1 = v1.routes(routes!(audit::list)).routes(routes!(usage::list));
    let v1 = v1.routes(routes!(gateways::list)).routes(routes!(gateways::forget));
    let v1 = v1.routes(routes!(proofs::get));
    let (routes, description) = OpenApiRouter::with_openapi(openapi::head())
        .nest("/api/v1", v1)
        .routes(routes!(server::healthz))
        .routes(routes!(server::readyz))
        .split_for_parts();
    routes
        .merge(docs::router(&openapi::complete(description)))
        .route("/api", any(async || Problem::no_such_resource()))
        .route("/api/{*rest}", any(async || Problem::no_such_resource()))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(control.clone(), repeat::once))
        .layer(middleware::from_fn(request_id::attach))
        .with_state(control)
}
