//! What principals hold on channels: the one place that reads it.

use access::{ChannelId, ChannelName, Permission, PrincipalId, TokenId};

use super::rows::{permission_from_column, word};
use super::{Connection, GroupId, StoreError};

/// What a principal holds on a channel, from the few groups that may do something there: some
/// principals are in thousands. A join would let PostgreSQL, which plans for no principal in
/// particular, begin with those for each channel of a list.
macro_rules! held {
    ($principal:literal, $channel:literal) => {
        concat!(
            "SELECT max(held.permission) FROM group_permissions held WHERE held.channel_id = ",
            $channel,
            " AND (SELECT joined.principal_id FROM group_members joined \
             WHERE joined.group_id = held.group_id AND joined.principal_id = ",
            $principal,
            ") IS NOT NULL"
        )
    };
}
pub(super) use held;

/// The same for the channels of a list, all of one principal: its groups are read once into a set,
/// which costs as much as it is in groups, and nothing more for each channel (`IS TRUE` keeps
/// PostgreSQL from joining them anew for each).
macro_rules! held_in_list {
    ($principal:literal, $channel:literal) => {
        concat!(
            "SELECT max(held.permission) FROM group_permissions held WHERE held.channel_id = ",
            $channel,
            " AND (held.group_id IN (SELECT joins.group_id FROM group_members joins \
             WHERE joins.principal_id = ",
            $principal,
            ")) IS TRUE"
        )
    };
}
pub(super) use held_in_list;

pub(super) const HELD: &str = held!("$1", "$2");
pub(super) const HELD_WITHIN_TOKEN: &str = "SELECT t.permission FROM token_channels tc \
     JOIN tokens t ON t.id = tc.token_id WHERE tc.token_id = $1 AND tc.channel_id = $2";

/// Of the channels on which the group `$1` may do something, `gp`, those on which the principal `$2`
/// holds `manage`, as far as the token `$3` reaches (0: everywhere).
macro_rules! is_managed {
    () => {
        concat!(
            "coalesce((",
            held_in_list!("$2", "gp.channel_id"),
            "), 0) = 3 AND ($3 = 0 OR gp.channel_id IN (SELECT tc.channel_id FROM token_channels tc \
             JOIN tokens t ON t.id = tc.token_id AND t.permission = 3 WHERE tc.token_id = $3))"
        )
    };
}
/// Whether that is all of them, of which there must be some; the first that isn't decides.
pub(super) const MANAGES_ALL_OF: &str = concat!(
    "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM group_permissions gp WHERE gp.group_id = $1) \
     AND NOT EXISTS (SELECT 1 FROM group_permissions gp WHERE gp.group_id = $1 AND NOT (",
    is_managed!(),
    ")) THEN 1 ELSE 0 END AS BIGINT)"
);
/// Those from the name `$4` to the name `$5`.
pub(super) const MANAGED_OF: &str = concat!(
    "SELECT c.name FROM group_permissions gp JOIN channels c ON c.id = gp.channel_id \
     WHERE gp.group_id = $1 AND c.name BETWEEN $4 AND $5 AND ",
    is_managed!()
);

/// The highest permission that the principal's groups give it on the channel.
pub(crate) async fn held_by(
    db: &mut Connection,
    principal: PrincipalId,
    channel: ChannelId,
) -> Result<Option<Permission>, StoreError> {
    let held: Option<i64> =
        sqlx::query_scalar(HELD).bind(principal.0).bind(channel.0).fetch_one(db).await?;
    held.map(permission_from_column).transpose()
}

/// What the token was issued for on the channel, if it names it.
pub(crate) async fn issued_for(
    db: &mut Connection,
    token: TokenId,
    channel: ChannelId,
) -> Result<Option<Permission>, StoreError> {
    let permission: Option<i64> = sqlx::query_scalar(HELD_WITHIN_TOKEN)
        .bind(token.0)
        .bind(channel.0)
        .fetch_optional(db)
        .await?;
    permission.map(permission_from_column).transpose()
}

/// Whether the principal, by a token or not, holds `manage` on every channel on which the group may do
/// something, and there is one.
pub(crate) async fn manages_all_of(
    db: &mut Connection,
    (principal, within): (PrincipalId, Option<TokenId>),
    group: GroupId,
) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar::<_, i64>(MANAGES_ALL_OF).bind(group.0).bind(principal.0);
    Ok(query.bind(within.map_or(0, |token| token.0)).fetch_one(db).await? == 1)
}

/// Which of a group's channels from the first to the last name the principal, by a token or not, holds
/// `manage` on.
pub(crate) async fn managed_of(
    db: &mut Connection,
    (principal, within): (PrincipalId, Option<TokenId>),
    group: GroupId,
    (first, last): (&ChannelName, &ChannelName),
) -> Result<Vec<ChannelName>, StoreError> {
    let query = sqlx::query_scalar(MANAGED_OF).bind(group.0).bind(principal.0);
    let query =
        query.bind(within.map_or(0, |token| token.0)).bind(first.as_str()).bind(last.as_str());
    let names: Vec<String> = query.fetch_all(db).await?;
    names.iter().map(|name| word("a channel's name", name)).collect()
}
