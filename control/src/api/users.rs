//! `/users`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{self, Changed, Created, List};
use super::credential::SignedIn;
use super::problem::Problem;
use super::proofs::{self, ProofAnswer, Proven};
use super::request::{Body, NamesQuery, Query, Segment, WaitQuery};
use super::words::{RoleWord, Time};
use crate::usecases::password;
use crate::usecases::user::{self, NewUser, UserEdit};
use crate::{Control, Role};

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct User {
    name: String,
    /// Their name as people write it.
    display_name: String,
    /// Empty when not known.
    email: String,
    role: Option<RoleWord>,
    /// Whether they may do anything at all, and take a seat.
    active: bool,
    created_at: Time,
}

impl From<crate::User> for User {
    fn from(user: crate::User) -> Self {
        Self {
            name: user.principal.name,
            display_name: user.display_name,
            email: user.email,
            role: user.principal.role.map(RoleWord::from),
            active: user.principal.active,
            created_at: user.created_at.into(),
        }
    }
}

/// A user to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser)]
pub(super) struct Create {
    /// Unique among users and service accounts.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$")]
    name: String,
    /// Their name as people write it; `name` when not said.
    #[schema(max_length = 1000)]
    display_name: Option<String>,
    #[serde(default)]
    email: String,
    /// `user` when not said.
    role: Option<RoleWord>,
    #[schema(format = Password, min_length = 8, max_length = 1024)]
    password: String,
}

impl Create {
    fn parse(self) -> NewUser {
        NewUser {
            display_name: self.display_name.unwrap_or_else(|| self.name.clone()),
            name: self.name,
            email: self.email,
            role: self.role.map_or(Role::User, Role::from),
            password: self.password,
        }
    }
}

/// What to change of a user; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserEdit)]
pub(super) struct Edit {
    display_name: Option<String>,
    email: Option<String>,
    role: Option<RoleWord>,
    /// `false` ends their sessions, revokes their tokens for good and frees their seat; `true`
    /// takes a seat again.
    active: Option<bool>,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPassword)]
pub(super) struct Password {
    #[schema(format = Password, min_length = 8, max_length = 1024)]
    password: String,
    /// The present one, when it is the caller's own.
    #[schema(format = Password)]
    old_password: Option<String>,
}

/// Lists the users by name. For admins.
#[utoipa::path(
    get,
    path = "/users",
    tag = "users",
    params(NamesQuery),
    responses((status = OK, description = "A page of users", body = List<User>))
)]
pub(super) async fn list(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Query(query): Query<NamesQuery>,
) -> Result<Json<List<User>>, Problem> {
    let found = user::list(&control, &actor, &query.page()?).await?;
    Ok(List::of(found, User::from))
}

/// Makes a user, who takes a seat. For admins.
#[utoipa::path(
    post,
    path = "/users",
    tag = "users",
    params(WaitQuery),
    request_body = Create,
    responses((status = CREATED, description = "The user", body = Changed<User>))
)]
pub(super) async fn create(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Query(query): Query<WaitQuery>,
    Body(body): Body<Create>,
) -> Result<Created<User>, Problem> {
    let wait = query.wait()?;
    let made = user::create(&control, &actor, body.parse()).await?;
    Ok(answer::created(&control, made, wait).await)
}

/// Shows a user: to admins, and to themselves.
#[utoipa::path(
    get,
    path = "/users/{name}",
    tag = "users",
    params(("name" = String, Path, description = "Their name")),
    responses((status = OK, description = "The user", body = User))
)]
pub(super) async fn get(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
) -> Result<Json<User>, Problem> {
    Ok(Json(user::get(&control, &actor, &name).await?.into()))
}

/// Changes a user, deactivates them or lets them in again. For admins.
#[utoipa::path(
    patch,
    path = "/users/{name}",
    tag = "users",
    params(("name" = String, Path, description = "Their name"), WaitQuery),
    request_body = Edit,
    responses((status = OK, description = "The user", body = Changed<User>))
)]
pub(super) async fn edit(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
    Query(query): Query<WaitQuery>,
    Body(body): Body<Edit>,
) -> Result<Json<Changed<User>>, Problem> {
    let wait = query.wait()?;
    let edit = UserEdit {
        display_name: body.display_name,
        email: body.email,
        role: body.role.map(Role::from),
        active: body.active,
        seen: None,
    };
    let done = user::edit(&control, &actor, &name, edit).await?;
    Ok(answer::changed(&control, done, wait).await)
}

/// Deletes a user, ends their sessions and revokes their tokens. For admins.
#[utoipa::path(
    delete,
    path = "/users/{name}",
    tag = "users",
    params(("name" = String, Path, description = "Their name"), WaitQuery),
    responses(ProofAnswer)
)]
pub(super) async fn delete(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
    Query(query): Query<WaitQuery>,
) -> Result<Proven, Problem> {
    let wait = query.wait()?;
    let done = user::delete(&control, &actor, &name).await?;
    proofs::proven(&control, done.revision, wait).await
}

/// Sets a user's password and ends their other sessions. One's own needs the old one; an admin
/// sets anybody else's.
#[utoipa::path(
    post,
    path = "/users/{name}/password",
    tag = "users",
    params(("name" = String, Path, description = "Whose")),
    request_body = Password,
    responses(
        (status = NO_CONTENT, description = "Set"),
        (status = TOO_MANY_REQUESTS, description = "Too many failed attempts",
            body = super::problem::Details, content_type = super::problem::PROBLEM),
    )
)]
pub(super) async fn set_password(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
    Body(body): Body<Password>,
) -> Result<StatusCode, Problem> {
    let old = body.old_password.as_deref();
    password::set(&control, &actor, &name, old, &body.password).await?;
    Ok(StatusCode::NO_CONTENT)
}
