//! Tokens: on the page of whose they are, a service account's or one's own.

mod back;
mod delete;
mod edit;
mod new;
mod notice;
mod offer;
mod old_value;
mod order;
mod owner;
mod proof;
mod reached;
mod table;
mod was;

use axum::Router;
use axum::routing::get;

use crate::Control;

pub(super) fn router() -> Router<Control> {
    Router::new()
        .route("/service-accounts/{name}", get(owner::account))
        .route(
            "/service-accounts/{name}/tokens/new",
            get(new::of_account).post(new::make_of_account),
        )
        .route("/service-accounts/{name}/delete", get(owner::ask_delete).post(owner::delete))
        .route("/service-accounts/{name}/channels", get(reached::show))
        .route("/me/tokens", get(owner::own))
        .route("/me/tokens/new", get(new::of_own).post(new::make_of_own))
        .route("/tokens/{id}/edit", get(edit::show).post(edit::save))
        .route("/tokens/{id}/old-value/end", get(old_value::ask).post(old_value::end))
        .route("/tokens/{id}/delete", get(delete::ask).post(delete::revoke))
        .route("/tokens/{id}/revoked", get(delete::revoked))
        .route("/tokens/{id}/proof", get(proof::part))
}
