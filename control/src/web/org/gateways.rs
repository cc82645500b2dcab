//! `/org/gateways`: who serves, how far each is, and until when it may. For admins.

mod forget;
mod list;

use axum::Router;
use axum::routing::get;

use super::Tab;
use crate::Control;

const HERE: Tab = Tab::Gateways;

pub(super) fn router() -> Router<Control> {
    Router::new()
        .route("/org/gateways", get(list::show))
        .route("/org/gateways/{instance}/forget", get(forget::ask).post(forget::forget))
}
