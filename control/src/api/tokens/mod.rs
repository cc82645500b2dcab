//! `/service-accounts/{name}/tokens`, `/users/{name}/tokens` and `/tokens`

mod form;
mod import;

use std::time::Duration;

use access::TokenSecret;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use serde::Deserialize;

use super::answer::{self, Changed, Created, List};
use super::credential::SignedIn;
use super::problem::Problem;
use super::proofs::{self, ProofAnswer, Proven};
use super::request::{Body, Query, Segment, WaitQuery, duration, page, token_in_path, wait};
use super::words::TokenStatusWord;
use crate::store::NAME_PREFIX;
use crate::usecases::token;
use crate::{Actor, Control, Error};
pub(crate) use form::networks;
use form::{Again, Create, Edit, FoundToken, IssuedToken, Token};
pub(super) use import::*;

/// The header with a value to look up: not in the path or query, which stand in logs.
const VALUE_HEADER: &str = "x-condagate-token";

/// An answer with a token's value: nobody on its way keeps it.
type Once<T> = ([(HeaderName, &'static str); 1], T);

fn once<T>(answer: T) -> Once<T> {
    ([(CACHE_CONTROL, "no-store")], answer)
}

/// Which of the tokens to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ListQuery {
    /// How many items at most; 100 when not said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those of this status.
    #[param(inline)]
    status: Option<TokenStatusWord>,
    /// Only what has a name that begins with this.
    q: Option<String>,
}

/// Which tokens end soon.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ExpiringQuery {
    /// How many items at most; 100 when not said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// How soon; `gateway.expiry_warning` when not said.
    #[param(example = "14d", pattern = "^[0-9]{1,9}[smhd]$")]
    expires_within: Option<String>,
}

/// How to revoke.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct RevokeQuery {
    /// How long to wait for proof that every gateway has applied it, at most a minute.
    #[param(example = "10s")]
    wait: Option<String>,
    /// Whether to take the tokens along that were issued with it, and with those.
    #[serde(default)]
    with_issued: bool,
}

/// Lists the tokens of a service account.
#[utoipa::path(
    get,
    path = "/service-accounts/{name}/tokens",
    tag = "tokens",
    params(("name" = String, Path, description = "Whose"), ListQuery),
    responses((status = OK, description = "A page of tokens", body = List<Token>))
)]
pub(super) async fn list(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<Token>>, Problem> {
    page_of(&control, &actor, account(&name)?, query).await
}

/// Lists a user's personal tokens: their own, or any user's for an admin.
#[utoipa::path(
    get,
    path = "/users/{name}/tokens",
    tag = "tokens",
    params(("name" = String, Path, description = "Whose"), ListQuery),
    responses((status = OK, description = "A page of tokens", body = List<Token>))
)]
pub(super) async fn list_personal(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<Token>>, Problem> {
    page_of(&control, &actor, user(&name)?, query).await
}

/// Issues a token to a service account: the one answer with its value (product.md S8).
#[utoipa::path(
    post,
    path = "/service-accounts/{name}/tokens",
    tag = "tokens",
    params(("name" = String, Path, description = "For whom"), WaitQuery),
    request_body = Create,
    responses((status = CREATED, description = "The token", body = Changed<IssuedToken>))
)]
pub(super) async fn create(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
    Query(query): Query<WaitQuery>,
    Body(body): Body<Create>,
) -> Result<Once<Created<IssuedToken>>, Problem> {
    let wait = query.wait()?;
    issue(&control, &actor, account(&name)?, body, wait).await
}

/// Issues a personal token to the calling user: the one answer with its value (product.md S8).
#[utoipa::path(
    post,
    path = "/users/{name}/tokens",
    tag = "tokens",
    params(("name" = String, Path, description = "The calling user"), WaitQuery),
    request_body = Create,
    responses((status = CREATED, description = "The token", body = Changed<IssuedToken>))
)]
pub(super) async fn create_personal(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
    Query(query): Query<WaitQuery>,
    Body(body): Body<Create>,
) -> Result<Once<Created<IssuedToken>>, Problem> {
    let wait = query.wait()?;
    issue(&control, &actor, user(&name)?, body, wait).await
}

/// Lists the tokens that end soon, whoever's, as far as the caller sees them; the first to end
/// first.
#[utoipa::path(
    get,
    path = "/tokens",
    tag = "tokens",
    params(ExpiringQuery),
    responses((status = OK, description = "A page of tokens", body = List<Token>))
)]
pub(super) async fn expiring(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Query(query): Query<ExpiringQuery>,
) -> Result<Json<List<Token>>, Problem> {
    let within = query.expires_within.as_deref();
    let within = within.map(|text| duration("expires_within", text)).transpose()?;
    let page = page(query.limit, query.cursor, None)?;
    let found = token::expiring(&control, &actor, within, &page).await?;
    Ok(List::of(found, Token::from))
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
    Ok(Json(token::get(&control, &actor, token_in_path(&id)?).await?.into()))
}

/// Changes a token; its value stays.
#[utoipa::path(
    patch,
    path = "/tokens/{id}",
    tag = "tokens",
    params(("id" = i64, Path, description = "Its id"), WaitQuery),
    request_body = Edit,
    responses((status = OK, description = "The token", body = Changed<Token>))
)]
pub(super) async fn edit(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(id): Segment,
    Query(query): Query<WaitQuery>,
    Body(body): Body<Edit>,
) -> Result<Json<Changed<Token>>, Problem> {
    let wait = query.wait()?;
    let done = token::edit(&control, &actor, token_in_path(&id)?, body.parse()?).await?;
    Ok(answer::changed(&control, done, wait).await)
}

/// Gives a token a new value and a new year, and ends the old value.
#[utoipa::path(
    post,
    path = "/tokens/{id}/reissue",
    tag = "tokens",
    params(("id" = i64, Path, description = "Its id"), WaitQuery),
    request_body = Option<Again>,
    responses((status = OK, description = "The token", body = Changed<IssuedToken>))
)]
pub(super) async fn reissue(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(id): Segment,
    Query(query): Query<WaitQuery>,
    Body(body): Body<Option<Again>>,
) -> Result<Once<Json<Changed<IssuedToken>>>, Problem> {
    let wait = query.wait()?;
    let done =
        token::reissue(&control, &actor, token_in_path(&id)?, body.unwrap_or_default().parse()?)
            .await?;
    Ok(once(answer::changed(&control, done, wait).await))
}

/// Revokes a token for good.
#[utoipa::path(
    delete,
    path = "/tokens/{id}",
    tag = "tokens",
    params(("id" = i64, Path, description = "Its id"), RevokeQuery),
    responses(ProofAnswer)
)]
pub(super) async fn revoke(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(id): Segment,
    Query(query): Query<RevokeQuery>,
) -> Result<Proven, Problem> {
    let wait = wait(query.wait.as_deref())?;
    let id = token_in_path(&id)?;
    let done = if query.with_issued {
        token::revoke_with_issued(&control, &actor, id).await?
    } else {
        token::revoke(&control, &actor, id).await?
    };
    proofs::proven(&control, done.revision, wait).await
}

/// Which old value is to end.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OldValueQuery {
    /// What `old_value_hint` said; none for whichever it is. Another reissue makes the present value
    /// the old one.
    #[param(example = "cg-AbCd…")]
    hint: Option<String>,
    /// How long to wait for proof that every gateway has applied it, at most a minute.
    #[param(example = "10s", pattern = "^[0-9]{1,9}[smhd]$")]
    wait: Option<String>,
}

/// Ends the old value of a token that works on since its reissue; the present one stays. With `hint` only
/// if that value is still the old one.
#[utoipa::path(
    delete,
    path = "/tokens/{id}/old-value",
    tag = "tokens",
    params(("id" = i64, Path, description = "Its id"), OldValueQuery),
    responses(ProofAnswer)
)]
pub(super) async fn end_old_value(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(id): Segment,
    Query(query): Query<OldValueQuery>,
) -> Result<Proven, Problem> {
    let wait = wait(query.wait.as_deref())?;
    let done =
        token::end_old_value(&control, &actor, token_in_path(&id)?, query.hint.as_deref()).await?;
    proofs::proven(&control, done.revision, wait).await
}

/// Tells which token a value belongs to, also one that ended: for a value found somewhere.
#[utoipa::path(
    get,
    path = "/tokens/lookup",
    tag = "tokens",
    params(("x-condagate-token" = String, Header, description = "The value")),
    responses(
        (status = OK, description = "The token, never its value", body = FoundToken),
        (status = NOT_FOUND, description = "Nobody's, or not visible to the caller",
            body = super::problem::Details, content_type = super::problem::PROBLEM),
        (status = UNPROCESSABLE_ENTITY, description = "Not the form of a token",
            body = super::problem::Details, content_type = super::problem::PROBLEM),
    )
)]
pub(super) async fn lookup(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    headers: HeaderMap,
) -> Result<Json<FoundToken>, Problem> {
    let value = headers.get(VALUE_HEADER).map(|value| value.to_str().unwrap_or_default());
    let value = value.ok_or_else(|| Error::invalid(VALUE_HEADER, "send the value in this header"));
    let value = TokenSecret::parse(value?).map_err(|why| Error::invalid(VALUE_HEADER, why))?;
    Ok(Json(token::lookup(&control, &actor, &value).await?.into()))
}

async fn page_of(
    control: &Control,
    actor: &Actor,
    principal: &str,
    query: ListQuery,
) -> Result<Json<List<Token>>, Problem> {
    let page = page(query.limit, query.cursor, query.q)?;
    let status = query.status.map(Into::into);
    let found = token::list(control, actor, principal, status, &page).await?;
    Ok(List::of(found, Token::from))
}

async fn issue(
    control: &Control,
    actor: &Actor,
    principal: &str,
    body: Create,
    wait: Option<Duration>,
) -> Result<Once<Created<IssuedToken>>, Problem> {
    let made = token::create(control, actor, principal, body.parse()?).await?;
    Ok(once(answer::created(control, made, wait).await))
}

/// A service account in a path: users can't have such a name.
fn account(name: &str) -> Result<&str, Error> {
    if name.starts_with(NAME_PREFIX) { Ok(name) } else { Err(no_principal(name)) }
}

/// A user in a path.
fn user(name: &str) -> Result<&str, Error> {
    if name.starts_with(NAME_PREFIX) { Err(no_principal(name)) } else { Ok(name) }
}

fn no_principal(name: &str) -> Error {
    Error::NotFound { kind: "principal", name: name.to_owned() }
}
