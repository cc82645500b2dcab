//! What the server says of the caller and of itself.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::List;
use super::credential::SignedIn;
use super::problem::Problem;
use super::words::{KindWord, PermissionWord, RoleWord};
use crate::Control;
use crate::usecases::{Held, Listed, me as who};

/// How long the database may take to give a sign of life.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// Who the caller is, and what they hold.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    name: String,
    kind: KindWord,
    /// A user's role; service accounts have none.
    role: Option<RoleWord>,
    /// Whether role `admin` can be used with this credential.
    admin: bool,
    /// The channels on which something is held, at most 1000.
    channels: Vec<HeldChannel>,
    /// How clients reach the gateway: a channel's URL is `<gateway_url>/t/<TOKEN>/<CHANNEL>`.
    /// Null where the control plane isn't told.
    gateway_url: Option<String>,
}

/// A channel with what is held on it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HeldChannel {
    pub(super) name: String,
    pub(super) permission: Option<PermissionWord>,
}

impl Me {
    fn of(held: Held, gateway_url: Option<String>) -> Self {
        let channels = held.channels.into_iter().map(|channel| HeldChannel {
            name: channel.channel.name.to_string(),
            permission: channel.permission.map(PermissionWord::from),
        });
        Self {
            name: held.principal.name,
            kind: held.principal.kind.into(),
            role: held.principal.role.map(RoleWord::from),
            admin: held.is_admin,
            channels: channels.collect(),
            gateway_url,
        }
    }
}

/// A configured storage.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Storage {
    name: String,
    /// `directory`, `http` or `s3`.
    kind: String,
}

/// Shows who the caller is, and on which channels they hold what.
#[utoipa::path(
    get,
    path = "/me",
    tag = "me",
    responses((status = OK, description = "The caller", body = Me))
)]
pub(super) async fn me(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
) -> Result<Json<Me>, Problem> {
    let held = who(&control, &actor).await?;
    Ok(Json(Me::of(held, control.settings().gateway_url.clone())))
}

/// Lists the storages that channels can be bound to: names and kinds only.
#[utoipa::path(
    get,
    path = "/storages",
    tag = "channels",
    responses((status = OK, description = "All storages", body = List<Storage>))
)]
pub(super) async fn storages(
    State(control): State<Control>,
    SignedIn(_): SignedIn,
) -> Json<List<Storage>> {
    let items = control.settings().storages.clone();
    let list = Listed { items, next_cursor: None };
    List::of(list, |storage| Storage { name: storage.name, kind: storage.kind })
}

/// Says that the process answers.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "probes",
    security(()),
    responses((status = OK, description = "It does", body = String))
)]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Says whether the database answers too.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "probes",
    security(()),
    responses((status = OK, description = "It does", body = String))
)]
pub(super) async fn readyz(State(control): State<Control>) -> Response {
    match tokio::time::timeout(PING_TIMEOUT, control.store().ping()).await {
        Ok(Ok(())) => "ready\n".into_response(),
        Ok(Err(_)) | Err(_) => Problem::unavailable().into_response(),
    }
}
