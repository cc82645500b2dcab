//! What the control plane serves: the API, its description and the probes at their addresses, pages
//! at all others.

use axum::Router;
use axum::routing::any_service;

use crate::{Control, api, web};

/// All routes. Served with the peer's address
/// (`into_make_service_with_connect_info::<SocketAddr>()`), that stands in the audit log.
pub fn router(control: Control) -> Router {
    let api = api::router(control.clone());
    let paths = ["/api", "/api/{*rest}", "/healthz", "/readyz"];
    let pages = web::router(control);
    paths.into_iter().fold(pages, |routes, path| routes.route(path, any_service(api.clone())))
}
