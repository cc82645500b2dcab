//! What the control plane serves: the API, its description and the probes at their addresses, pages
//! at all others.

use axum::Router;

use crate::{Control, api, web};

/// All routes. Served with the peer's address
/// (`into_make_service_with_connect_info::<SocketAddr>()`), that stands in the audit log.
pub fn router(control: Control) -> Router {
    api::router(control.clone()).merge(web::router(control))
}
