//! `/service-accounts/{name}/tokens` and `/tokens`

use access::{ChannelName, Permission, Timestamp};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{self, Changed, Committed, Created, List};
use super::credential::SignedIn;
use super::problem::Problem;
use super::request::{
    Body, PageQuery, Query, Segment, WaitQuery, channel_in_field, duration, token_in_path,
};
use super::words::{PermissionWord, Time};
use crate::usecases::token::{self, Expiry, TokenOrder};
use crate::{Control, Error};

/// A token, without its value.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Token {
    id: i64,
    name: String,
    /// For people.
    description: String,
    /// For whom it acts.
    principal: String,
    /// What may be shown of its value.
    #[schema(example = "cg-AbCd…")]
    hint: String,
    /// What it was issued for, on each of its channels.
    permission: PermissionWord,
    channels: Vec<String>,
    /// Whether it may act with its user's role.
    admin: bool,
    created_at: Time,
    /// Who made it.
    created_by: String,
    /// The token it was made with, if it was made with one.
    created_by_token: Option<i64>,
    expires_at: Time,
    revoked_at: Option<Time>,
    last_used_at: Option<Time>,
    /// The address of its last use.
    last_used_from: Option<String>,
    /// What it grants now, after its principal's own permissions.
    effective: Vec<EffectiveChannel>,
    status: Status,
}

/// What a token grants on a channel now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EffectiveChannel {
    channel: String,
    permission: PermissionWord,
}

/// Whether a token works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TokenStatus)]
pub(super) enum Status {
    Active,
    Expired,
    Revoked,
}

impl Token {
    fn shown(token: crate::Token, now: Timestamp) -> Self {
        let status = if token.revoked.is_some() {
            Status::Revoked
        } else if token.expires_at <= now {
            Status::Expired
        } else {
            Status::Active
        };
        let effective = token.channels.iter().filter_map(|channel| {
            let permission = channel.effective.filter(|_| status == Status::Active)?.into();
            Some(EffectiveChannel { channel: channel.name.to_string(), permission })
        });
        let (last_used_at, last_used_from) = token.last_used.unzip();
        Self {
            effective: effective.collect(),
            status,
            id: token.id.0,
            name: token.name,
            description: token.description,
            principal: token.principal,
            hint: token.hint.to_string(),
            permission: token.permission.into(),
            channels: token.channels.iter().map(|channel| channel.name.to_string()).collect(),
            admin: token.admin,
            created_at: token.created_at.into(),
            created_by: token.created_by,
            created_by_token: token.created_by_token.map(|id| id.0),
            expires_at: token.expires_at.into(),
            revoked_at: token.revoked.map(|(at, _)| at.into()),
            last_used_at: last_used_at.map(Time),
            last_used_from,
        }
    }
}

/// A token with its value, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedToken {
    #[serde(flatten)]
    token: Token,
    value: String,
}

/// Networks, rates and volumes are not taken yet: a limit that no gateway keeps would be a
/// promise broken.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken, description = "A token to be issued")]
pub(super) struct Create {
    /// Unique among its principal's tokens in use.
    name: String,
    /// For people.
    #[serde(default)]
    description: String,
    /// When it ends, at most 365 days from now; either this or `expires_in`.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// How long it lasts.
    #[schema(example = "90d")]
    expires_in: Option<String>,
    /// What it grants on each of its channels.
    permission: PermissionWord,
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
        let channels: Result<Vec<ChannelName>, _> =
            self.channels.iter().map(|name| channel_in_field("channels", name)).collect();
        Ok(TokenOrder {
            name: self.name,
            description: self.description,
            expires,
            permission: Permission::from(self.permission),
            channels: channels?,
            admin: false,
        })
    }
}

/// Lists the tokens of a service account, or of the calling user.
#[utoipa::path(
    get,
    path = "/service-accounts/{name}/tokens",
    tag = "tokens",
    params(("name" = String, Path, description = "Whose"), PageQuery),
    responses((status = OK, description = "A page of tokens", body = List<Token>))
)]
pub(super) async fn list(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(principal): Segment,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<Token>>, Problem> {
    let found = token::list(&control, &actor, &principal, &query.page()?).await?;
    let now = control.now();
    Ok(List::of(found, |token| Token::shown(token, now)))
}

/// Issues a token: the one answer with its value (product.md S8).
#[utoipa::path(
    post,
    path = "/service-accounts/{name}/tokens",
    tag = "tokens",
    params(("name" = String, Path, description = "For whom")),
    request_body = Create,
    responses((status = CREATED, description = "The token", body = Changed<IssuedToken>))
)]
pub(super) async fn create(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(principal): Segment,
    Body(body): Body<Create>,
) -> Result<([(HeaderName, &'static str); 1], Created<IssuedToken>), Problem> {
    let made = token::create(&control, &actor, &principal, body.parse()?).await?;
    let issued = IssuedToken {
        token: Token::shown(made.value.token, control.now()),
        value: made.value.secret.reveal().to_owned(),
    };
    Ok(([(CACHE_CONTROL, "no-store")], answer::created(issued, made.revision)))
}

/// Shows a token.
#[utoipa::path(
    get,
    path = "/tokens/{id}",
    tag = "tokens",
    params(("id" = i64, Path, description = "Its id")),
    responses((status = OK, description = "The token", body = Token))
)]
pub(super) async fn get(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(id): Segment,
) -> Result<Json<Token>, Problem> {
    let found = token::get(&control, &actor, token_in_path(&id)?).await?;
    Ok(Json(Token::shown(found, control.now())))
}

/// Revokes a token.
#[utoipa::path(
    delete,
    path = "/tokens/{id}",
    tag = "tokens",
    params(("id" = i64, Path, description = "Its id"), WaitQuery),
    responses((status = ACCEPTED, description = "Committed", body = Committed))
)]
pub(super) async fn revoke(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(id): Segment,
    Query(query): Query<WaitQuery>,
) -> Result<(StatusCode, Json<Committed>), Problem> {
    query.wait()?;
    let done = token::revoke(&control, &actor, token_in_path(&id)?).await?;
    Ok(answer::committed(done.revision))
}
