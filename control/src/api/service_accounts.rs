//! `/service-accounts`

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer;
use super::credential::SignedIn;
use super::problem::Problem;
use super::request::{Body, Query, Segment, WaitQuery, channel_in_field, page};
use crate::Control;
use crate::usecases::service_account;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    channel: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    limit: Option<u32>,
    cursor: Option<String>,
    #[serde(default)]
    manageable: bool,
}

/// `GET /service-accounts`; with `?manageable=true` each channel that the caller may manage, with
/// or without an account (product.md S3).
pub(super) async fn list(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let page = page(query.limit, query.cursor)?;
    if !query.manageable {
        let found = service_account::list(&control, &actor, &page).await?;
        return Ok(answer::listed(found, answer::service_account));
    }
    let found = service_account::list_manageable(&control, &actor, &page).await?;
    Ok(answer::listed(found, |item| {
        json!({
            "channel": item.channel.channel.name.as_str(),
            "service_account": item.account.as_ref().map(answer::service_account),
        })
    }))
}

/// `POST /service-accounts`
pub(super) async fn create(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Body(body): Body<Create>,
) -> Result<Response, Problem> {
    let channel = channel_in_field("channel", &body.channel)?;
    let made = service_account::create(&control, &actor, &channel).await?;
    Ok(answer::created(answer::service_account(&made.value), made.revision))
}

/// `GET /service-accounts/{name}`
pub(super) async fn get(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
) -> Result<Json<Value>, Problem> {
    let found = service_account::get(&control, &actor, &name).await?;
    Ok(Json(answer::service_account(&found)))
}

/// `DELETE /service-accounts/{name}`
pub(super) async fn delete(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
    Query(query): Query<WaitQuery>,
) -> Result<Response, Problem> {
    query.wait()?;
    let done = service_account::delete(&control, &actor, &name).await?;
    Ok(answer::committed(done.revision))
}
