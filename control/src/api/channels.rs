//! `/channels`

use access::Privacy;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::answer;
use super::credential::SignedIn;
use super::problem::Problem;
use super::request::{
    Body, PageQuery, Query, Segment, WaitQuery, channel_in_field, channel_in_path,
};
use crate::usecases::channel::{self, NewChannel};
use crate::{Control, Error};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    name: String,
    #[serde(default)]
    description: String,
    privacy: Option<String>,
    storage: Option<String>,
    prefix: Option<String>,
    #[serde(default)]
    include_subchannels: bool,
}

impl Create {
    fn parse(self) -> Result<NewChannel, Error> {
        let privacy = self.privacy.as_deref().map_or(Ok(Privacy::Private), str::parse);
        Ok(NewChannel {
            name: channel_in_field("name", &self.name)?,
            description: self.description,
            privacy: privacy.map_err(|why| Error::invalid("privacy", why))?,
            storage: self.storage,
            prefix: self.prefix,
            include_subchannels: self.include_subchannels,
        })
    }
}

/// `GET /channels`
pub(super) async fn list(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Query(query): Query<PageQuery>,
) -> Result<Json<Value>, Problem> {
    let found = channel::list(&control, &actor, &query.page()?).await?;
    Ok(answer::listed(found, answer::channel))
}

/// `POST /channels`
pub(super) async fn create(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Body(body): Body<Create>,
) -> Result<Response, Problem> {
    let made = channel::create(&control, &actor, body.parse()?).await?;
    Ok(answer::created(answer::channel(&made.value), made.revision))
}

/// `GET /channels/{channel}`
pub(super) async fn get(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
) -> Result<Json<Value>, Problem> {
    let found = channel::get(&control, &actor, &channel_in_path(&name)?).await?;
    Ok(Json(answer::channel(&found)))
}

/// `DELETE /channels/{channel}`
pub(super) async fn delete(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
    Query(query): Query<WaitQuery>,
) -> Result<Response, Problem> {
    query.wait()?;
    let done = channel::delete(&control, &actor, &channel_in_path(&name)?).await?;
    Ok(answer::committed(done.revision))
}
