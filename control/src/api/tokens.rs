//! `/service-accounts/{name}/tokens` and `/tokens`

use access::{ChannelName, Timestamp};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer;
use super::credential::SignedIn;
use super::problem::Problem;
use super::request::{
    Body, PageQuery, Query, Segment, WaitQuery, channel_in_field, duration, token_in_path,
};
use crate::usecases::token::{self, Expiry, TokenOrder};
use crate::{Control, Error};

/// Networks, rates and volumes are not taken yet: a limit that no gateway keeps would be a
/// promise broken.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    name: String,
    #[serde(default)]
    description: String,
    expires_at: Option<String>,
    expires_in: Option<String>,
    permission: String,
    channels: Vec<String>,
}

impl Create {
    fn parse(self) -> Result<TokenOrder, Problem> {
        let expires = match (self.expires_at, self.expires_in) {
            (Some(at), None) => {
                let at = at.parse::<Timestamp>();
                Expiry::At(at.map_err(|why| Error::invalid("expires_at", why))?)
            }
            (None, Some(lifespan)) => Expiry::In(duration("expires_in", &lifespan)?),
            (Some(_), Some(_)) | (None, None) => {
                let message = "say either `expires_at` or `expires_in`";
                return Err(Problem::invalid_field("expires_at", message));
            }
        };
        let permission = self.permission.parse();
        let channels: Result<Vec<ChannelName>, _> =
            self.channels.iter().map(|name| channel_in_field("channels", name)).collect();
        Ok(TokenOrder {
            name: self.name,
            description: self.description,
            expires,
            permission: permission.map_err(|why| Error::invalid("permission", why))?,
            channels: channels?,
            admin: false,
        })
    }
}

/// `GET /service-accounts/{name}/tokens`
pub(super) async fn list(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(principal): Segment,
    Query(query): Query<PageQuery>,
) -> Result<Json<Value>, Problem> {
    let found = token::list(&control, &actor, &principal, &query.page()?).await?;
    let now = control.now();
    Ok(answer::listed(found, |item| answer::token(item, now)))
}

/// `POST /service-accounts/{name}/tokens`: the one answer with the value (product.md S8).
pub(super) async fn create(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(principal): Segment,
    Body(body): Body<Create>,
) -> Result<Response, Problem> {
    let made = token::create(&control, &actor, &principal, body.parse()?).await?;
    let mut shown = answer::token(&made.value.token, control.now());
    shown["value"] = json!(made.value.secret.reveal());
    let mut response = answer::created(shown, made.revision);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// `GET /tokens/{id}`
pub(super) async fn get(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(id): Segment,
) -> Result<Json<Value>, Problem> {
    let found = token::get(&control, &actor, token_in_path(&id)?).await?;
    Ok(Json(answer::token(&found, control.now())))
}

/// `DELETE /tokens/{id}`
pub(super) async fn revoke(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(id): Segment,
    Query(query): Query<WaitQuery>,
) -> Result<Response, Problem> {
    query.wait()?;
    let done = token::revoke(&control, &actor, token_in_path(&id)?).await?;
    Ok(answer::committed(done.revision))
}
