//! `/org/audit`: every change, who made it, and from where. For admins.

mod event;
mod export;
mod filter;
mod list;

use axum::Router;
use axum::routing::get;

use super::Tab;
use crate::Control;

const HERE: Tab = Tab::Audit;
const EXPORT: &str = "/org/audit/export";

pub(super) fn router() -> Router<Control> {
    Router::new().route("/org/audit", get(list::show)).route(EXPORT, get(export::download))
}
