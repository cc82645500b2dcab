//! `/org/gateways`: who serves, how far each is, and until when it may. For admins.

mod forget;
mod list;
pub(in crate::web) mod state;

use axum::Router;
use axum::routing::get;

use super::Tab;
use crate::Control;

const HERE: Tab = Tab::Gateways;

pub(super) fn router() -> Router<Control> {
    Router::new()
        .route("/org/gateways", get(list::show))
        .route(state::PATH, get(state::show))
        .route("/org/gateways/{instance}/forget", get(forget::ask).post(forget::forget))
}
