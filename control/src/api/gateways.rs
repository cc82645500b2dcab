//! `/gateways`

use access::Timestamp;
use access::lease::Instance;
use access::source::Revision;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::List;
use super::credential::SignedIn;
use super::problem::{Details, PROBLEM, Problem};
use super::request::{PageQuery, Query, Segment};
use super::words::Time;
use crate::usecases::gateway;
use crate::{Control, GatewayRow};

/// One start of a gateway's process.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Gateway {
    name: String,
    /// Which start of it.
    instance: String,
    version: String,
    started_at: Time,
    /// The last change that it is known to have applied.
    applied_revision: i64,
    /// How many changes it is behind.
    lag: i64,
    /// Until when it serves without hearing from the control plane.
    lease_ends_at: Time,
    state: Standing,
}

/// Whether a gateway is heard from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = GatewayState)]
pub(super) enum Standing {
    /// Its lease holds.
    Live,
    /// Its lease has ended.
    Late,
}

impl Gateway {
    fn shown(gateway: GatewayRow, newest: Revision, now: Timestamp) -> Self {
        let lease_ends_at = gateway.lease_ends_at();
        let holds = now < lease_ends_at;
        Self {
            state: if holds { Standing::Live } else { Standing::Late },
            lag: gateway.lag(newest),
            name: gateway.name,
            instance: gateway.instance.0,
            version: gateway.version,
            started_at: gateway.started_at.into(),
            applied_revision: gateway.applied_revision.0,
            lease_ends_at: lease_ends_at.into(),
        }
    }
}

/// Lists the gateways that are registered and haven't ended. For admins.
#[utoipa::path(
    get,
    path = "/gateways",
    tag = "gateways",
    params(PageQuery),
    responses((status = OK, description = "A page of gateways", body = List<Gateway>))
)]
pub(super) async fn list(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<Gateway>>, Problem> {
    let (found, newest) = gateway::list(&control, &actor, &query.page()?).await?;
    let now = control.now();
    Ok(List::of(found, |gateway| Gateway::shown(gateway, newest, now)))
}

/// Waits no more for a gateway that is gone for good, such as one on a machine that no longer
/// exists: changes are proven without it from now on. Refused while its lease holds. If it is not
/// gone after all, what it may still serve without news is no longer reckoned with. For admins.
#[utoipa::path(
    delete,
    path = "/gateways/{instance}",
    tag = "gateways",
    params(("instance" = String, Path, description = "Which start of a gateway")),
    responses(
        (status = NO_CONTENT, description = "It is waited for no more"),
        (status = CONFLICT, description = "Its lease still holds", body = Details,
            content_type = PROBLEM),
    )
)]
pub(super) async fn forget(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(instance): Segment,
) -> Result<StatusCode, Problem> {
    gateway::forget(&control, &actor, &Instance(instance)).await?;
    Ok(StatusCode::NO_CONTENT)
}
