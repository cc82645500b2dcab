//! Through which groups somebody reaches a channel.

use access::{ChannelId, ChannelName, Permission, PrincipalId, Timestamp};
use sqlx::Row as _;

use super::memberships::held_in_list;
use super::rows::{permission_from_column, permission_to_column, time, word};
use super::{Connection, Pattern, StoreError};

/// A channel that a principal reaches through a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The channel.
    pub channel: ChannelName,
    /// What the group gives on it.
    pub permission: Permission,
    /// The group's name.
    pub group: String,
    /// Since when the principal is in it.
    pub added_at: Timestamp,
}

/// A channel for which a token could be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grantable {
    /// The channel.
    pub channel: ChannelName,
    /// The most that a token could grant on it.
    pub most: Permission,
    /// The mightiest group by which the token's principal reaches it.
    pub group: String,
}

/// Those with `$5` in their name, after the one of the permission `$2` and the name `$3`.
pub(super) const GROUPS_ON: &str = "SELECT g.name, gp.permission FROM group_permissions gp \
     JOIN groups g ON g.id = gp.group_id WHERE gp.channel_id = $1 \
     AND (gp.permission < $2 OR (gp.permission = $2 AND g.name > $3)) \
     AND lower(g.name) LIKE $5 ESCAPE '!' \
     ORDER BY gp.permission DESC, g.name LIMIT $4";
/// Those after the channel `$2` and the group `$3`, whose channel's name begins with `$4`. What the
/// principal's groups give is read once, before the channels: PostgreSQL takes few of these to begin
/// so, and would look through the groups of each of them. Of the channels as many are read, by name, as
/// could be wanted: each but the first has something to tell.
pub(super) const REACHED_BY: &str = "WITH reached AS MATERIALIZED (SELECT gp.channel_id, gp.permission, \
     m.group_id, m.added_at FROM group_members m JOIN group_permissions gp ON gp.group_id = m.group_id \
     WHERE m.principal_id = $1), named AS MATERIALIZED (SELECT c.id, c.name \
     FROM channels c WHERE (c.id IN (SELECT reached.channel_id FROM reached)) IS TRUE \
     AND c.name >= $2 AND substr(c.name, 1, length($4)) = $4 ORDER BY c.name LIMIT $5 + 1) \
     SELECT named.name AS channel, reached.permission, g.name, reached.added_at \
     FROM named JOIN reached ON reached.channel_id = named.id JOIN groups g ON g.id = reached.group_id \
     WHERE (named.name, g.name) > ($2, $3) ORDER BY named.name, g.name LIMIT $5";

/// The channels on which a principal holds something.
macro_rules! reached {
    ($principal:literal) => {
        concat!(
            "(SELECT gp.channel_id FROM group_members m JOIN group_permissions gp \
             ON gp.group_id = m.group_id WHERE m.principal_id = ",
            $principal,
            ")"
        )
    };
}
/// Channels with `$1` in their name, after `$2`, that the principal `$3` reaches and the principal
/// `$4` too. What the one of both who is in fewer groups, `$6`, reaches is read once into a set (`IS
/// TRUE` keeps PostgreSQL from joining it anew for each channel), and so are the groups of each;
/// whether the other one, `$7`, reaches them is asked of those channels alone.
pub(super) const GRANTABLE: &str = concat!(
    "SELECT c.name, (",
    held_in_list!("$3", "c.id"),
    ") AS theirs, (",
    held_in_list!("$4", "c.id"),
    ") AS own, (SELECT g.name FROM group_permissions gp JOIN groups g ON g.id = gp.group_id \
     WHERE gp.channel_id = c.id AND (gp.group_id IN (SELECT m.group_id FROM group_members m \
     WHERE m.principal_id = $3)) IS TRUE ORDER BY gp.permission DESC, g.name LIMIT 1) AS through \
     FROM channels c WHERE (c.id IN ",
    reached!("$6"),
    ") IS TRUE AND ($6 = $7 OR (",
    held_in_list!("$7", "c.id"),
    ") IS NOT NULL) AND lower(c.name) LIKE $1 ESCAPE '!' AND c.name > $2 ORDER BY c.name LIMIT $5"
);
pub(super) const IN_FEWER_GROUPS: &str = "SELECT CAST(CASE WHEN (SELECT count(*) FROM group_members m \
     WHERE m.principal_id = $1) < (SELECT count(*) FROM group_members m WHERE m.principal_id = $2) \
     THEN $1 ELSE $2 END AS BIGINT)";
/// Most who ask hold `manage` somewhere: then it is found in the first groups.
pub(super) const MOST_HELD: &str = "SELECT coalesce((SELECT gp.permission FROM group_members m \
     JOIN group_permissions gp ON gp.group_id = m.group_id AND gp.permission = 3 \
     WHERE m.principal_id = $1 LIMIT 1), (SELECT max(gp.permission) FROM group_members m \
     JOIN group_permissions gp ON gp.group_id = m.group_id WHERE m.principal_id = $1))";

/// A place in the list of a channel's groups.
pub(crate) type GroupPlace = (Permission, String);

/// The groups with that in their name that may do something on a channel, the mightiest first, after
/// that one.
pub(crate) async fn groups_on(
    db: &mut Connection,
    (channel, part): (ChannelId, &Pattern),
    after: Option<&GroupPlace>,
    limit: u32,
) -> Result<Vec<(String, Permission)>, StoreError> {
    let (permission, name) = match after {
        Some((permission, name)) => (permission_to_column(*permission), name.as_str()),
        None => (i64::MAX, ""),
    };
    let query = sqlx::query(GROUPS_ON).bind(channel.0).bind(permission).bind(name);
    let rows = query.bind(i64::from(limit)).bind(part.as_str()).fetch_all(db).await?;
    let read = rows
        .iter()
        .map(|row| Ok((row.try_get("name")?, permission_from_column(row.try_get("permission")?)?)));
    read.collect()
}

/// The channels whose name begins so that a principal reaches, with each group that gives it
/// something there, by name, after that channel and group.
pub(crate) async fn reached_by(
    db: &mut Connection,
    principal: PrincipalId,
    prefix: &str,
    (after, limit): ((&str, &str), u32),
) -> Result<Vec<Reach>, StoreError> {
    let query = sqlx::query(REACHED_BY).bind(principal.0).bind(after.0).bind(after.1);
    let rows = query.bind(prefix).bind(i64::from(limit)).fetch_all(db).await?;
    let read = rows.iter().map(|row| {
        Ok(Reach {
            channel: word("a channel's name", row.try_get("channel")?)?,
            permission: permission_from_column(row.try_get("permission")?)?,
            group: row.try_get("name")?,
            added_at: time(row, "added_at")?,
        })
    });
    read.collect()
}

/// The channels that both reach, by name: what a token of `principal` could be issued for by
/// `issuer`.
pub(crate) async fn grantable_channels(
    db: &mut Connection,
    (principal, issuer): (PrincipalId, PrincipalId),
    pattern: &Pattern,
    (after, limit): (&str, u32),
) -> Result<Vec<Grantable>, StoreError> {
    let query = sqlx::query_scalar(IN_FEWER_GROUPS).bind(principal.0).bind(issuer.0);
    let fewer: i64 = query.fetch_one(&mut *db).await?;
    let other = if fewer == principal.0 { issuer.0 } else { principal.0 };
    let query = sqlx::query(GRANTABLE).bind(pattern.as_str()).bind(after);
    let query = query.bind(principal.0).bind(issuer.0).bind(i64::from(limit));
    let query = query.bind(fewer).bind(other);
    let rows = query.fetch_all(db).await?;
    let read = rows.iter().map(|row| {
        let theirs = permission_from_column(row.try_get("theirs")?)?;
        Ok(Grantable {
            channel: word("a channel's name", row.try_get("name")?)?,
            most: theirs.min(permission_from_column(row.try_get("own")?)?),
            group: row.try_get("through")?,
        })
    });
    read.collect()
}

/// The most that a principal holds anywhere.
pub(crate) async fn most_held(
    db: &mut Connection,
    principal: PrincipalId,
) -> Result<Option<Permission>, StoreError> {
    let most: Option<i64> = sqlx::query_scalar(MOST_HELD).bind(principal.0).fetch_one(db).await?;
    most.map(permission_from_column).transpose()
}
