//! `/service-accounts`

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{self, Changed, Created, List};
use super::credential::SignedIn;
use super::problem::Problem;
use super::proofs::{self, ProofAnswer, Proven};
use super::request::{Body, Query, Segment, WaitQuery, channel_in_field, page};
use super::words::Time;
use crate::Control;
use crate::usecases::service_account;

/// Credentials for programs, of one channel.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ServiceAccount {
    /// `service-account-channel-<CHANNEL>`.
    name: String,
    channel: String,
    created_at: Time,
}

impl From<crate::ServiceAccount> for ServiceAccount {
    fn from(account: crate::ServiceAccount) -> Self {
        Self {
            name: account.name,
            channel: account.channel.to_string(),
            created_at: account.created_at.into(),
        }
    }
}

/// A channel that the caller may manage.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Manageable {
    channel: String,
    /// Its account; null where there is none yet.
    #[schema(required = true)]
    service_account: Option<ServiceAccount>,
}

/// What `GET /service-accounts` shows.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Item {
    /// An account.
    Account(ServiceAccount),
    /// With `?manageable=true`: a channel.
    Manageable(Manageable),
}

/// A service account to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewServiceAccount)]
pub(super) struct Create {
    /// The channel that it is for.
    channel: String,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// How many items at most; 100 when not said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those whose channel's name begins with this.
    q: Option<String>,
    /// Each channel that the caller may manage, with or without an account.
    #[serde(default)]
    manageable: bool,
}

/// Lists the service accounts that the caller may manage, by channel.
///
/// With `manageable=true` it lists each channel that the caller may manage, with or without an
/// account (product.md S3).
#[utoipa::path(
    get,
    path = "/service-accounts",
    tag = "service-accounts",
    params(ListQuery),
    responses((status = OK, description = "A page of accounts", body = List<Item>))
)]
pub(super) async fn list(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<Item>>, Problem> {
    let page = page(query.limit, query.cursor, query.q)?;
    if !query.manageable {
        let found = service_account::list(&control, &actor, &page).await?;
        return Ok(List::of(found, |account| Item::Account(account.into())));
    }
    let found = service_account::list_manageable(&control, &actor, &page).await?;
    Ok(List::of(found, |item| {
        Item::Manageable(Manageable {
            channel: item.channel.channel.name.to_string(),
            service_account: item.account.map(ServiceAccount::from),
        })
    }))
}

/// Makes the service account of a channel, a member of its owners' group.
#[utoipa::path(
    post,
    path = "/service-accounts",
    tag = "service-accounts",
    params(WaitQuery),
    request_body = Create,
    responses((status = CREATED, description = "The account", body = Changed<ServiceAccount>))
)]
pub(super) async fn create(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Query(query): Query<WaitQuery>,
    Body(body): Body<Create>,
) -> Result<Created<ServiceAccount>, Problem> {
    let wait = query.wait()?;
    let channel = channel_in_field("channel", &body.channel)?;
    let made = service_account::create(&control, &actor, &channel).await?;
    Ok(answer::created(&control, made, wait).await)
}

/// Shows a service account.
#[utoipa::path(
    get,
    path = "/service-accounts/{name}",
    tag = "service-accounts",
    params(("name" = String, Path, description = "Its name")),
    responses((status = OK, description = "The account", body = ServiceAccount))
)]
pub(super) async fn get(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
) -> Result<Json<ServiceAccount>, Problem> {
    let found = service_account::get(&control, &actor, &name).await?;
    Ok(Json(found.into()))
}

/// Deletes a service account and revokes its tokens, in one change.
#[utoipa::path(
    delete,
    path = "/service-accounts/{name}",
    tag = "service-accounts",
    params(("name" = String, Path, description = "Its name"), WaitQuery),
    responses(ProofAnswer)
)]
pub(super) async fn delete(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
    Query(query): Query<WaitQuery>,
) -> Result<Proven, Problem> {
    let wait = query.wait()?;
    let done = service_account::delete(&control, &actor, &name).await?;
    proofs::proven(&control, done.revision, wait).await
}
