//! `/groups`

use access::Permission;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{self, Changed, Created, List};
use super::credential::SignedIn;
use super::problem::Problem;
use super::proofs::{self, ProofAnswer, Proven};
use super::request::{Body, NamesQuery, Query, Segment, Segments, WaitQuery, channel_in_path};
use super::words::{KindWord, PermissionWord, Time};
use crate::usecases::group::{self, GroupEdit};
use crate::{Control, GroupDetails};

/// A set of users and service accounts that may do something on channels.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Group {
    name: String,
    /// For people.
    description: String,
    created_at: Time,
}

/// A group with its members and permissions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GroupWithMembers {
    #[serde(flatten)]
    group: Group,
    member_count: i64,
    /// The first 1000 by name.
    members: Vec<Member>,
    /// What they may do on the channels that the caller may see; at most 1000.
    permissions: Vec<GroupPermission>,
}

/// Who is in a group.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Member {
    name: String,
    kind: KindWord,
}

/// What a group's members may do on a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GroupPermission {
    channel: String,
    permission: PermissionWord,
}

impl From<crate::Group> for Group {
    fn from(group: crate::Group) -> Self {
        Self {
            name: group.name,
            description: group.description,
            created_at: group.created_at.into(),
        }
    }
}

impl From<GroupDetails> for GroupWithMembers {
    fn from(details: GroupDetails) -> Self {
        let members = details.members.into_iter();
        let permissions = details.permissions.into_iter();
        Self {
            group: details.group.into(),
            member_count: details.member_count,
            members: members.map(|m| Member { name: m.name, kind: m.kind.into() }).collect(),
            permissions: permissions
                .map(|(channel, permission)| GroupPermission {
                    channel: channel.to_string(),
                    permission: permission.into(),
                })
                .collect(),
        }
    }
}

/// A group to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewGroup)]
pub(super) struct Create {
    /// Unique; must not end in `_owners`.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$")]
    name: String,
    /// For people.
    #[schema(max_length = 1000)]
    #[serde(default)]
    description: String,
}

/// What to change of a group; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GroupEdit)]
pub(super) struct Edit {
    name: Option<String>,
    description: Option<String>,
}

/// What a group's members may do.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewGroupPermission)]
pub(super) struct Permit {
    permission: PermissionWord,
}

/// Lists the groups that the caller sees, by name.
///
/// Those they are in, and those that may do something on a channel they manage; admins see all.
#[utoipa::path(
    get,
    path = "/groups",
    tag = "groups",
    params(NamesQuery),
    responses((status = OK, description = "A page of groups", body = List<Group>))
)]
pub(super) async fn list(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Query(query): Query<NamesQuery>,
) -> Result<Json<List<Group>>, Problem> {
    let found = group::list(&control, &actor, &query.page()?).await?;
    Ok(List::of(found, Group::from))
}

/// Makes a group without members or permissions. For admins.
#[utoipa::path(
    post,
    path = "/groups",
    tag = "groups",
    params(WaitQuery),
    request_body = Create,
    responses((status = CREATED, description = "The group", body = Changed<Group>))
)]
pub(super) async fn create(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Query(query): Query<WaitQuery>,
    Body(body): Body<Create>,
) -> Result<Created<Group>, Problem> {
    let wait = query.wait()?;
    let made = group::create(&control, &actor, &body.name, &body.description).await?;
    Ok(answer::created(&control, made, wait).await)
}

/// Shows a group with its members and permissions.
#[utoipa::path(
    get,
    path = "/groups/{name}",
    tag = "groups",
    params(("name" = String, Path, description = "Its name")),
    responses((status = OK, description = "The group", body = GroupWithMembers))
)]
pub(super) async fn get(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
) -> Result<Json<GroupWithMembers>, Problem> {
    Ok(Json(group::get(&control, &actor, &name).await?.into()))
}

/// Changes a group's name or description. For admins.
#[utoipa::path(
    patch,
    path = "/groups/{name}",
    tag = "groups",
    params(("name" = String, Path, description = "Its name"), WaitQuery),
    request_body = Edit,
    responses((status = OK, description = "The group", body = Changed<Group>))
)]
pub(super) async fn edit(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segment(name): Segment,
    Query(query): Query<WaitQuery>,
    Body(body): Body<Edit>,
) -> Result<Json<Changed<Group>>, Problem> {
    let wait = query.wait()?;
    let edit = GroupEdit { name: body.name, description: body.description };
    let done = group::edit(&control, &actor, &name, edit).await?;
    Ok(answer::changed(&control, done, wait).await)
}

/// Deletes a group; its members lose what it gave them. For admins.
#[utoipa::path(
    delete,
    path = "/groups/{name}",
    tag = "groups",
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
    let done = group::delete(&control, &actor, &name).await?;
    proofs::proven(&control, done.revision, wait).await
}

/// Adds a user or a service account to a group.
#[utoipa::path(
    put,
    path = "/groups/{name}/members/{principal}",
    tag = "groups",
    params(
        ("name" = String, Path, description = "The group"),
        ("principal" = String, Path, description = "A user or a service account"),
        WaitQuery,
    ),
    responses(ProofAnswer)
)]
pub(super) async fn add_member(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segments(name, principal): Segments,
    Query(query): Query<WaitQuery>,
) -> Result<Proven, Problem> {
    let wait = query.wait()?;
    let done = group::add_member(&control, &actor, &name, &principal).await?;
    proofs::proven(&control, done.revision, wait).await
}

/// Takes a user or a service account out of a group.
#[utoipa::path(
    delete,
    path = "/groups/{name}/members/{principal}",
    tag = "groups",
    params(
        ("name" = String, Path, description = "The group"),
        ("principal" = String, Path, description = "A user or a service account"),
        WaitQuery,
    ),
    responses(ProofAnswer)
)]
pub(super) async fn remove_member(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segments(name, principal): Segments,
    Query(query): Query<WaitQuery>,
) -> Result<Proven, Problem> {
    let wait = query.wait()?;
    let done = group::remove_member(&control, &actor, &name, &principal).await?;
    proofs::proven(&control, done.revision, wait).await
}

/// Sets what a group's members may do on a channel. For who manages the channel.
#[utoipa::path(
    put,
    path = "/groups/{name}/permissions/{channel}",
    tag = "groups",
    params(
        ("name" = String, Path, description = "The group"),
        ("channel" = String, Path, description = "The channel, with `:` for `/`"),
        WaitQuery,
    ),
    request_body = Permit,
    responses(ProofAnswer)
)]
pub(super) async fn permit(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segments(name, channel): Segments,
    Query(query): Query<WaitQuery>,
    Body(body): Body<Permit>,
) -> Result<Proven, Problem> {
    let wait = query.wait()?;
    let (channel, permission) = (channel_in_path(&channel)?, Permission::from(body.permission));
    let done = group::set_permission(&control, &actor, &name, &channel, Some(permission)).await?;
    proofs::proven(&control, done.revision, wait).await
}

/// Takes from a group's members what they may do on a channel. For who manages the channel.
#[utoipa::path(
    delete,
    path = "/groups/{name}/permissions/{channel}",
    tag = "groups",
    params(
        ("name" = String, Path, description = "The group"),
        ("channel" = String, Path, description = "The channel, with `:` for `/`"),
        WaitQuery,
    ),
    responses(ProofAnswer)
)]
pub(super) async fn forbid(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Segments(name, channel): Segments,
    Query(query): Query<WaitQuery>,
) -> Result<Proven, Problem> {
    let wait = query.wait()?;
    let channel = channel_in_path(&channel)?;
    let done = group::set_permission(&control, &actor, &name, &channel, None).await?;
    proofs::proven(&control, done.revision, wait).await
}
