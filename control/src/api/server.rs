//! What the server says of the caller and of itself.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::answer;
use super::credential::SignedIn;
use super::problem::Problem;
use crate::Control;
use crate::usecases::{Listed, me as who};

/// How long the database may take to give a sign of life.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// `GET /me`
pub(super) async fn me(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
) -> Result<Json<Value>, Problem> {
    Ok(Json(answer::me(&who(&control, &actor).await?)))
}

/// `GET /storages`: names and kinds only.
pub(super) async fn storages(State(control): State<Control>, SignedIn(_): SignedIn) -> Json<Value> {
    let items = control.settings().storages.clone();
    let list = Listed { items, next_cursor: None };
    answer::listed(list, |storage| json!({ "name": storage.name, "kind": storage.kind }))
}

/// `GET /healthz`: the process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: its database does too.
pub(super) async fn readyz(State(control): State<Control>) -> Response {
    match tokio::time::timeout(PING_TIMEOUT, control.store().ping()).await {
        Ok(Ok(())) => "ready\n".into_response(),
        Ok(Err(_)) | Err(_) => Problem::unavailable().into_response(),
    }
}
