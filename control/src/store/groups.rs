//! Groups, their members and their permissions as they are stored.

use access::{ChannelId, ChannelName, Permission, PrincipalId, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::channels::held_channels;
use super::look::{Column, Order, looked_at, order};
use super::memberships::held_in_list;
use super::principals::{Principal, read as read_principal};
use super::rows::{permission_from_column, permission_to_column, time, word};
use super::{ChannelView, Connection, Look, LookedAt, NameRange, StoreError};

/// A group's identity in the database; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GroupId(pub(crate) i64);

/// A set of principals that may do something on channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub(crate) id: GroupId,
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// The channel whose owners it holds: made and deleted only with it.
    pub(crate) owners_of: Option<ChannelId>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A group with who is in it, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDetails {
    /// The group.
    pub group: Group,
    /// How many members it has.
    pub member_count: i64,
    /// The first of them, by name.
    pub members: Vec<Principal>,
    /// What they may do on which channel, by channel.
    pub permissions: Vec<(ChannelName, Permission)>,
}

/// The name of a channel's group of owners (product.md, "group").
pub(crate) fn owners_name(channel: &ChannelName) -> String {
    format!("{}{OWNERS_SUFFIX}", channel.with_colons())
}

/// How the names of channels' groups of owners end; no other group has such a name.
pub(crate) const OWNERS_SUFFIX: &str = "_owners";

const INSERT: &str = "INSERT INTO groups (name, description, owners_of, created_at) \
     VALUES ($1, $2, $3, $4) RETURNING id";
const UPDATE: &str = "UPDATE groups SET name = $2, description = $3 WHERE id = $1";
const DELETE: &str = "DELETE FROM groups WHERE id = $1";
pub(super) const FIND: &str = "SELECT id, name, description, owners_of, created_at FROM groups \
     WHERE name = $1";
/// Those that `$4` is in, and those that may do something on a channel which `$4` manages, as far
/// as the token `$5` reaches (0: everywhere). The set is read once.
macro_rules! is_seen {
    () => {
        concat!(
            "($6 = 1 OR g.id IN (SELECT m.group_id \
             FROM group_members m WHERE m.principal_id = $4 AND $5 = 0 UNION SELECT p.group_id \
             FROM group_permissions p WHERE p.channel_id IN ",
            held_channels!("gp.permission = 3"),
            " AND ($5 = 0 OR p.channel_id IN (SELECT tc.channel_id FROM token_channels tc \
             JOIN tokens t ON t.id = tc.token_id AND t.permission = 3 WHERE tc.token_id = $5))))"
        )
    };
}
pub(super) const LIST_SEEN: &str = concat!(
    "SELECT g.id, g.name, g.description, g.owners_of, g.created_at FROM groups g \
     WHERE g.name >= $1 AND g.name < $2 AND ",
    is_seen!(),
    " ORDER BY g.name LIMIT $3"
);

/// A column by which groups are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupColumn {
    /// Their name.
    Name,
    /// When they were made.
    Created,
}

/// Those that are seen, at most `$7`.
macro_rules! seen {
    ($key:expr, $after:literal, $down:literal) => {
        concat!(
            "SELECT g.id, g.name, g.description, g.owners_of, g.created_at, ",
            $key,
            " AS sort_key FROM groups g WHERE ",
            looked_at!("g.name", "g.id", $key, $after),
            " AND ",
            is_seen!(),
            " ORDER BY ",
            $key,
            $down,
            ", g.id",
            $down,
            " LIMIT $7"
        )
    };
}
#[cfg(test)]
pub(super) const LOOK_BY_NAME: &str = seen!("g.name", ">", "");

impl Column for GroupColumn {
    fn order(self) -> Order {
        match self {
            Self::Name => const { order!(seen, "g.name", true) },
            Self::Created => const { order!(seen, "g.created_at", false) },
        }
    }
}

/// The group named `$1` by the same rule. It is looked at alone: who manages a thousand channels sees
/// ten thousand groups.
pub(super) const FIND_SEEN: &str = concat!(
    "SELECT g.id, g.name, g.description, g.owners_of, g.created_at FROM groups g \
     WHERE g.name = $1 AND ($4 = 1 OR ($3 = 0 AND EXISTS (SELECT 1 FROM group_members m \
     WHERE m.group_id = g.id AND m.principal_id = $2)) OR EXISTS (SELECT 1 \
     FROM group_permissions p WHERE p.group_id = g.id AND (",
    held_in_list!("$2", "p.channel_id"),
    ") = 3 AND ($3 = 0 OR p.channel_id IN (SELECT tc.channel_id FROM token_channels tc \
     JOIN tokens t ON t.id = tc.token_id AND t.permission = 3 WHERE tc.token_id = $3))))"
);
pub(super) const MEMBER_COUNT: &str = "SELECT count(*) FROM group_members WHERE group_id = $1";
/// Their names are sought one by one, and the rest for those of the page alone: a join would let
/// PostgreSQL read all principals for every group.
pub(super) const MEMBER_PRINCIPALS: &str = "WITH named AS MATERIALIZED (SELECT m.principal_id, \
     (SELECT p.name FROM principals p WHERE p.id = m.principal_id) AS name FROM group_members m \
     WHERE m.group_id = $1) SELECT p.id, p.name, p.kind, u.role, p.deactivated_at \
     FROM (SELECT named.principal_id FROM named WHERE named.name > $3 \
     AND substr(named.name, 1, length($4)) = $4 ORDER BY named.name LIMIT $2) AS listed \
     JOIN principals p ON p.id = listed.principal_id LEFT JOIN users u ON u.principal_id = p.id \
     ORDER BY p.name";
/// On the channels on which the principal `$3` holds something, as far as the token `$4` reaches.
pub(super) const PERMISSIONS: &str = concat!(
    "SELECT c.name, gp.permission FROM group_permissions gp \
     JOIN channels c ON c.id = gp.channel_id WHERE gp.group_id = $1 AND ($5 = 1 \
     OR ((",
    held_in_list!("$3", "gp.channel_id"),
    ") IS NOT NULL AND ($4 = 0 OR EXISTS (SELECT 1 FROM token_channels tc \
     WHERE tc.token_id = $4 AND tc.channel_id = gp.channel_id)))) \
     AND c.name > $6 AND substr(c.name, 1, length($7)) = $7 ORDER BY c.name LIMIT $2"
);
const PERMISSION: &str =
    "SELECT permission FROM group_permissions WHERE group_id = $1 AND channel_id = $2";
const OWNERS: &str = "SELECT id FROM groups WHERE owners_of = $1";
const ADD_MEMBER: &str = "INSERT INTO group_members (group_id, principal_id, added_at) \
     VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const REMOVE_MEMBER: &str = "DELETE FROM group_members WHERE group_id = $1 AND principal_id = $2";
const LEAVE_ALL: &str = "DELETE FROM group_members WHERE principal_id = $1";
pub(super) const MEMBERS: &str =
    "SELECT principal_id FROM group_members WHERE group_id = $1 LIMIT $2";
pub(super) const USERS_IN: &str = "SELECT count(*) FROM group_members m \
     JOIN principals p ON p.id = m.principal_id AND p.kind = 'user' AND p.deactivated_at IS NULL \
     WHERE m.group_id = $1";
pub(super) const OWNED_ALONE: &str = "SELECT g.name FROM group_members m \
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

/// Writes a group's name and description.
pub(crate) async fn update_group(db: &mut Connection, group: &Group) -> Result<(), StoreError> {
    let query = sqlx::query(UPDATE).bind(group.id.0).bind(&*group.name).bind(&*group.description);
    query.execute(db).await?;
    Ok(())
}

/// Takes a group out, with its memberships and permissions.
pub(crate) async fn delete_group(db: &mut Connection, id: GroupId) -> Result<(), StoreError> {
    sqlx::query(DELETE).bind(id.0).execute(db).await?;
    Ok(())
}

/// The group of that name, whoever asks.
pub(crate) async fn find_group(
    db: &mut Connection,
    name: &str,
) -> Result<Option<Group>, StoreError> {
    let row = sqlx::query(FIND).bind(name).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// The group of that name, if the viewer sees it.
pub(crate) async fn find_seen_group(
    db: &mut Connection,
    view: ChannelView,
    name: &str,
) -> Result<Option<Group>, StoreError> {
    let row = view.bind(sqlx::query(FIND_SEEN).bind(name)).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// The groups that the viewer sees, by name.
pub(crate) async fn list_groups(
    db: &mut Connection,
    view: ChannelView,
    range: &NameRange,
) -> Result<Vec<Group>, StoreError> {
    range.read_seen(db, LIST_SEEN, view, read).await
}

/// The groups that the viewer sees, as they are looked through.
pub(crate) async fn look_at_groups(
    db: &mut Connection,
    view: ChannelView,
    look: &Look<'_, GroupColumn>,
) -> Result<LookedAt<Group>, StoreError> {
    let query = view.bind(look.query()?).bind(look.probe());
    look.read(db, query, read).await
}

/// A part of a list by name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamePart<'p> {
    /// The name after which it begins; all come after the empty one.
    pub(crate) after: &'p str,
    /// What its names begin with.
    pub(crate) prefix: &'p str,
    /// How many it has at most.
    pub(crate) limit: u32,
}

/// These members and permissions of a group, as the viewer sees them.
pub(crate) async fn group_details(
    db: &mut Connection,
    view: ChannelView,
    group: Group,
    (members, permissions): (NamePart<'_>, NamePart<'_>),
) -> Result<GroupDetails, StoreError> {
    let id = group.id.0;
    let member_count = sqlx::query_scalar(MEMBER_COUNT).bind(id).fetch_one(&mut *db).await?;
    let query = sqlx::query(MEMBER_PRINCIPALS).bind(id).bind(i64::from(members.limit));
    let members = query.bind(members.after).bind(members.prefix).fetch_all(&mut *db).await?;
    let members: Result<_, _> = members.iter().map(read_principal).collect();
    let permissions = match permissions.limit {
        0 => Vec::new(),
        _ => group_permissions(db, view, group.id, permissions).await?,
    };
    Ok(GroupDetails { group, member_count, members: members?, permissions })
}

async fn group_permissions(
    db: &mut Connection,
    view: ChannelView,
    group: GroupId,
    part: NamePart<'_>,
) -> Result<Vec<(ChannelName, Permission)>, StoreError> {
    let query = sqlx::query(PERMISSIONS).bind(group.0).bind(i64::from(part.limit));
    let query = view.bind(query).bind(part.after).bind(part.prefix);
    let rows = query.fetch_all(db).await?;
    let read = rows.iter().map(|row| {
        let name = word("a channel's name", row.try_get("name")?)?;
        Ok((name, permission_from_column(row.try_get("permission")?)?))
    });
    read.collect()
}

/// What the group's members may do on the channel.
pub(crate) async fn group_permission(
    db: &mut Connection,
    group: GroupId,
    channel: ChannelId,
) -> Result<Option<Permission>, StoreError> {
    let query = sqlx::query_scalar(PERMISSION).bind(group.0).bind(channel.0);
    let permission: Option<i64> = query.fetch_optional(db).await?;
    permission.map(permission_from_column).transpose()
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

fn read(row: &AnyRow) -> Result<Group, StoreError> {
    Ok(Group {
        id: GroupId(row.try_get("id")?),
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        owners_of: row.try_get::<Option<i64>, _>("owners_of")?.map(ChannelId),
        created_at: time(row, "created_at")?,
    })
}
