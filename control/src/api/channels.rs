//! `/channels`

use access::Privacy;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{self, Changed, Created, List};
use super::credential::SignedIn;
use super::problem::Problem;
use super::proofs::{self, ProofAnswer, Proven};
use super::request::{
    Body, NamesQuery, Query, Segment, WaitQuery, channel_in_field, channel_in_path,
};
use super::words::{PermissionWord, PrivacyWord, Time};
use crate::usecases::channel::{self, ChannelEdit, NewChannel};
use crate::{ChannelDetails, Control, Error};

/// A channel as the caller sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Channel {
    /// Its name; `/` in a path is written `:`.
    name: String,
    /// For people.
    description: String,
    privacy: PrivacyWord,
    /// The configured storage that holds its files.
    storage: String,
    /// Where in that storage.
    prefix: String,
    /// Whether a grant on it covers the channels below it too.
    include_subchannels: bool,
    created_at: Time,
    /// What the caller holds on it.
    permission: Option<PermissionWord>,
}

impl From<ChannelDetails> for Channel {
    fn from(details: ChannelDetails) -> Self {
        let channel = details.channel;
        Self {
            name: channel.name.to_string(),
            description: details.description,
            privacy: channel.privacy.into(),
            storage: channel.storage.to_string(),
            prefix: channel.prefix.to_string(),
            include_subchannels: channel.include_subchannels,
            created_at: details.created_at.into(),
            permission: details.permission.map(PermissionWord::from),
        }
    }
}

/// A channel to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewChannel)]
pub(super) struct Create {
    /// One to four segments with `/` between them.
    #[schema(
        example = "analytics/prod",
        max_length = 128,
        pattern = "^[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*){0,3}$"
    )]
    name: String,
    /// For people.
    #[schema(max_length = 1000)]
    #[serde(default)]
    description: String,
    /// Who may download from it; `private` when not said.
    privacy: Option<PrivacyWord>,
    /// One of `GET /storages`; may be left out where there is only one.
    storage: Option<String>,
    /// Where in that storage; the channel's name when not said.
    prefix: Option<String>,
    /// Whether a grant on it covers the channels below it too.
    #[serde(default)]
    include_subchannels: bool,
}

impl Create {
    fn parse(self) -> Result<NewChannel, Error> {
        Ok(NewChannel {
            name: channel_in_field("name", &self.name)?,
            description: self.description,
            privacy: self.privacy.map_or(Privacy::Private, Privacy::from),
            storage: self.storage,
            prefix: self.prefix,
            include_subchannels: self.include_subchannels,
        })
    }
}

/// What to change of a channel; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelEdit)]
pub(super) struct Edit {
    description: Option<String>,
    privacy: Option<PrivacyWord>,
    /// One of `GET /storages`. For admins.
    storage: Option<String>,
    /// Where in that storage. For admins.
    prefix: Option<String>,
    include_subchannels: Option<bool>,
}

/// Lists the channels that the caller sees, by name.
#[utoipa::path(
    get,
    path = "/channels",
    tag = "channels",
    params(NamesQuery),
    responses((status = OK, description = "A page of channels", body = List<Channel>))
)]
pub(super) async fn list(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Query(query): Query<NamesQuery>,
) -> Result<Json<List<Channel>>, Problem> {
    let found = channel::list(&control, &actor, &query.page()?).await?;
    Ok(List::of(found, Channel::from))
}

/// Makes a channel; the caller becomes one of its owners.
#[utoipa::path(
    post,
    path = "/channels",
    tag = "channels",
    params(WaitQuery),
    request_body = Create,
    responses((status = CREATED, description = "The channel", body = Changed<Channel>))
)]
pub(super) async fn create(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Query(query): Query<WaitQuery>,
    Body(body): Body<Create>,
) -> Result<Created<Channel>, Problem> {
    let wait = query.wait()?;
    let made = channel::create(&control, &actor, body.parse()?).await?;
    Ok(answer::created(&control, made, wait).await)
}

/// Shows a channel.
#[utoipa::path(
    get,
    path = "/channels/{channel}",
    tag = "channels",
    params(("channel" = String, Path, description = "Its name, with `:` for `/`")),
    responses((status = OK, description = "The channel", body = Channel))
)]
pub(super) async fn get(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
) -> Result<Json<Channel>, Problem> {
    let found = channel::get(&control, &actor, &channel_in_path(&name)?).await?;
    Ok(Json(found.into()))
}

/// Changes a channel. For who manages it; to which files it is bound for admins.
#[utoipa::path(
    patch,
    path = "/channels/{channel}",
    tag = "channels",
    params(("channel" = String, Path, description = "Its name, with `:` for `/`"), WaitQuery),
    request_body = Edit,
    responses((status = OK, description = "The channel", body = Changed<Channel>))
)]
pub(super) async fn edit(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
    Query(query): Query<WaitQuery>,
    Body(body): Body<Edit>,
) -> Result<Json<Changed<Channel>>, Problem> {
    let wait = query.wait()?;
    let edit = ChannelEdit {
        description: body.description,
        privacy: body.privacy.map(Privacy::from),
        storage: body.storage,
        prefix: body.prefix,
        include_subchannels: body.include_subchannels,
        seen: None,
    };
    let done = channel::edit(&control, &actor, &channel_in_path(&name)?, edit).await?;
    Ok(answer::changed(&control, done, wait).await)
}

/// Deletes a channel with its owners' group, its service account and its share in every token.
/// Files stay.
#[utoipa::path(
    delete,
    path = "/channels/{channel}",
    tag = "channels",
    params(("channel" = String, Path, description = "Its name, with `:` for `/`"), WaitQuery),
    responses(ProofAnswer)
)]
pub(super) async fn delete(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
    Query(query): Query<WaitQuery>,
) -> Result<Proven, Problem> {
    let wait = query.wait()?;
    let done = channel::delete(&control, &actor, &channel_in_path(&name)?).await?;
    proofs::proven(&control, done.revision, wait).await
}
