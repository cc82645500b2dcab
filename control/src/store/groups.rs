//! Groups, their members and their permissions as they are stored.

use access::{ChannelId, ChannelName, Permission, PrincipalId, Timestamp};
use sqlx::Row as _;

use super::rows::permission_to_column;
use super::{Connection, StoreError};

/// A group's identity in the database; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GroupId(pub(crate) i64);

/// A group, and the channel whose owners it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) id: GroupId,
    pub(crate) owners_of: Option<ChannelId>,
}

/// The name of a channel's group of owners (product.md, "group").
pub(crate) fn owners_name(channel: &ChannelName) -> String {
    format!("{}_owners", channel.with_colons())
}

const INSERT: &str = "INSERT INTO groups (name, description, owners_of, created_at) \
     VALUES ($1, $2, $3, $4) RETURNING id";
const FIND: &str = "SELECT id, owners_of FROM groups WHERE name = $1";
const OWNERS: &str = "SELECT id FROM groups WHERE owners_of = $1";
const ADD_MEMBER: &str = "INSERT INTO group_members (group_id, principal_id, added_at) \
     VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const REMOVE_MEMBER: &str = "DELETE FROM group_members WHERE group_id = $1 AND principal_id = $2";
const LEAVE_ALL: &str = "DELETE FROM group_members WHERE principal_id = $1";
const MEMBERS: &str = "SELECT principal_id FROM group_members WHERE group_id = $1 LIMIT $2";
const USERS_IN: &str = "SELECT count(*) FROM group_members m \
     JOIN principals p ON p.id = m.principal_id AND p.kind = 'user' AND p.deactivated_at IS NULL \
     WHERE m.group_id = $1";
const OWNED_ALONE: &str = "SELECT g.name FROM group_members m \
     JOIN groups g ON g.id = m.group_id AND g.owners_of IS NOT NULL \
     WHERE m.principal_id = $1 AND NOT EXISTS (SELECT 1 FROM group_members o \
     JOIN principals p ON p.id = o.principal_id AND p.kind = 'user' AND p.deactivated_at IS NULL \
     WHERE o.group_id = m.group_id AND o.principal_id <> $1) ORDER BY g.name LIMIT 1";
const SET_PERMISSION: &str = "INSERT INTO group_permissions (group_id, channel_id, permission) \
     VALUES ($1, $2, $3) ON CONFLICT (group_id, channel_id) \
     DO UPDATE SET permission = excluded.permission";
const REMOVE_PERMISSION: &str =
    "DELETE FROM group_permissions WHERE group_id = $1 AND channel_id = $2";

pub(crate) async fn insert_group(
    db: &mut Connection,
    name: &str,
    description: &str,
    owners_of: Option<ChannelId>,
    now: Timestamp,
) -> Result<GroupId, StoreError> {
    let id = sqlx::query_scalar(INSERT)
        .bind(name)
        .bind(description)
        .bind(owners_of.map(|id| id.0))
        .bind(now.as_millis())
        .fetch_one(db)
        .await?;
    Ok(GroupId(id))
}

pub(crate) async fn find_group(
    db: &mut Connection,
    name: &str,
) -> Result<Option<Group>, StoreError> {
    let Some(row) = sqlx::query(FIND).bind(name).fetch_optional(db).await? else {
        return Ok(None);
    };
    let owners_of = row.try_get::<Option<i64>, _>("owners_of")?.map(ChannelId);
    Ok(Some(Group { id: GroupId(row.try_get("id")?), owners_of }))
}

/// The group of a channel's owners, which every channel has.
pub(crate) async fn owners_group(
    db: &mut Connection,
    channel: ChannelId,
) -> Result<GroupId, StoreError> {
    Ok(GroupId(sqlx::query_scalar(OWNERS).bind(channel.0).fetch_one(db).await?))
}

/// Adds a member; whether it wasn't one before.
pub(crate) async fn add_member(
    db: &mut Connection,
    group: GroupId,
    member: PrincipalId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(ADD_MEMBER)
        .bind(group.0)
        .bind(member.0)
        .bind(now.as_millis())
        .execute(db)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Takes a member out; whether it was one.
pub(crate) async fn remove_member(
    db: &mut Connection,
    group: GroupId,
    member: PrincipalId,
) -> Result<bool, StoreError> {
    let done = sqlx::query(REMOVE_MEMBER).bind(group.0).bind(member.0).execute(db).await?;
    Ok(done.rows_affected() > 0)
}

/// Takes a principal out of every group.
pub(crate) async fn leave_all_groups(
    db: &mut Connection,
    member: PrincipalId,
) -> Result<(), StoreError> {
    sqlx::query(LEAVE_ALL).bind(member.0).execute(db).await?;
    Ok(())
}

/// At most `limit` of the group's members.
pub(crate) async fn members(
    db: &mut Connection,
    group: GroupId,
    limit: usize,
) -> Result<Vec<PrincipalId>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let ids: Vec<i64> = sqlx::query_scalar(MEMBERS).bind(group.0).bind(limit).fetch_all(db).await?;
    Ok(ids.into_iter().map(PrincipalId).collect())
}

/// How many active users are in the group.
pub(crate) async fn count_users_in(db: &mut Connection, group: GroupId) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(USERS_IN).bind(group.0).fetch_one(db).await?)
}

/// The first group of a channel's owners that has no active user but this one.
pub(crate) async fn owned_alone(
    db: &mut Connection,
    user: PrincipalId,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(OWNED_ALONE).bind(user.0).fetch_optional(db).await?)
}

/// What the group's members may do on the channel; nothing when none.
pub(crate) async fn set_group_permission(
    db: &mut Connection,
    group: GroupId,
    channel: ChannelId,
    permission: Option<Permission>,
) -> Result<(), StoreError> {
    let query = match permission {
        Some(permission) => sqlx::query(SET_PERMISSION)
            .bind(group.0)
            .bind(channel.0)
            .bind(permission_to_column(permission)),
        None => sqlx::query(REMOVE_PERMISSION).bind(group.0).bind(channel.0),
    };
    query.execute(db).await?;
    Ok(())
}
