//! Through which groups somebody reaches a channel.

use access::{ChannelId, ChannelName, Permission, PrincipalId, Timestamp};
use sqlx::Row as _;

use super::rows::{permission_from_column, time, word};
use super::{Connection, StoreError};

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

const GROUPS_ON: &str = "SELECT g.name, gp.permission FROM group_permissions gp \
     JOIN groups g ON g.id = gp.group_id WHERE gp.channel_id = $1 \
     ORDER BY gp.permission DESC, g.name LIMIT $2";
const REACHED_BY: &str = "SELECT c.name AS channel, gp.permission, g.name, m.added_at \
     FROM group_members m JOIN group_permissions gp ON gp.group_id = m.group_id \
     JOIN groups g ON g.id = m.group_id JOIN channels c ON c.id = gp.channel_id \
     WHERE m.principal_id = $1 ORDER BY c.name, gp.permission DESC, g.name LIMIT $2";

/// The groups that may do something on a channel, the mightiest first.
pub(crate) async fn groups_on(
    db: &mut Connection,
    channel: ChannelId,
    limit: u32,
) -> Result<Vec<(String, Permission)>, StoreError> {
    let query = sqlx::query(GROUPS_ON).bind(channel.0).bind(i64::from(limit));
    let rows = query.fetch_all(db).await?;
    let read = rows
        .iter()
        .map(|row| Ok((row.try_get("name")?, permission_from_column(row.try_get("permission")?)?)));
    read.collect()
}

/// The channels that a principal reaches, by name.
pub(crate) async fn reached_by(
    db: &mut Connection,
    principal: PrincipalId,
    limit: u32,
) -> Result<Vec<Reach>, StoreError> {
    let query = sqlx::query(REACHED_BY).bind(principal.0).bind(i64::from(limit));
    let rows = query.fetch_all(db).await?;
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
