//! `/sessions`

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::List;
use super::credential::{From, SignedIn, is_foreign, session_cookie};
use super::problem::{Details, PROBLEM, Problem};
use super::request::{Body, PageQuery, Query, Segment, session_in_path};
use super::words::Time;
use crate::usecases::session;
use crate::{Control, Via};

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    username: String,
    #[schema(format = Password)]
    password: String,
}

/// A new session.
#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    /// Works as a bearer token; shown this once.
    session_token: String,
    expires_at: Time,
}

/// A sign-in that still holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignIn)]
pub(super) struct SignIn {
    id: i64,
    created_at: Time,
    expires_at: Time,
    /// From which address.
    address: Option<String>,
    /// Whether the caller acts by it.
    current: bool,
}

/// Signs in; the session is answered as a value and as a cookie.
#[utoipa::path(
    post,
    path = "/sessions",
    tag = "sessions",
    security(()),
    request_body = Credentials,
    responses(
        (status = CREATED, description = "The session", body = Session,
            headers(("Set-Cookie" = String, description = "`condagate_session`, for browsers"))),
        (status = UNAUTHORIZED, description = "Wrong name or password", body = Details,
            content_type = PROBLEM),
        (status = TOO_MANY_REQUESTS, description = "Too many failed attempts", body = Details,
            content_type = PROBLEM, headers(("Retry-After" = u64, description = "Seconds"))),
    )
)]
pub(super) async fn create(
    State(control): State<Control>,
    From(origin): From,
    headers: HeaderMap,
    Body(credentials): Body<Credentials>,
) -> Result<Response, Problem> {
    // Else a page of another site could have its visitor act as somebody else here.
    if is_foreign(&headers) {
        return Err(Problem::cross_origin());
    }
    let Credentials { username, password } = credentials;
    let session = session::create(&control, &username, &password, origin).await?;
    let value = session.secret.reveal();
    let cookie = session_cookie(control.settings(), value);
    let body = Session { session_token: value.to_owned(), expires_at: session.expires_at.into() };
    let headers = [(SET_COOKIE, cookie), (CACHE_CONTROL, "no-store".to_owned())];
    Ok((StatusCode::CREATED, headers, Json(body)).into_response())
}

/// Signs out: ends the session by which the caller acts.
#[utoipa::path(
    delete,
    path = "/sessions/current",
    tag = "sessions",
    responses(
        (status = NO_CONTENT, description = "Ended"),
        (status = NOT_FOUND, description = "The caller acts by a token", body = Details,
            content_type = PROBLEM),
    )
)]
pub(super) async fn end_current(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
) -> Result<Response, Problem> {
    session::end_current(&control, &actor).await?;
    let headers = [(SET_COOKIE, session_cookie(control.settings(), ""))];
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

/// Lists a user's sessions: to themselves, and to admins.
#[utoipa::path(
    get,
    path = "/users/{name}/sessions",
    tag = "sessions",
    params(("name" = String, Path, description = "Whose"), PageQuery),
    responses((status = OK, description = "A page of sessions", body = List<SignIn>))
)]
pub(super) async fn list(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<SignIn>>, Problem> {
    let found = session::list(&control, &actor, &name, &query.page()?).await?;
    Ok(List::of(found, |session| SignIn {
        current: actor.via == Via::Session(session.id),
        id: session.id.0,
        created_at: session.created_at.into(),
        expires_at: session.expires_at.into(),
        address: session.address,
    }))
}

/// Ends a session: one's own, or as an admin anybody's.
#[utoipa::path(
    delete,
    path = "/sessions/{id}",
    tag = "sessions",
    params(("id" = i64, Path, description = "Its id")),
    responses((status = NO_CONTENT, description = "Ended"))
)]
pub(super) async fn end(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(id): Segment,
) -> Result<StatusCode, Problem> {
    session::end(&control, &actor, session_in_path(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
