//! What principals hold on channels: the one place that reads it.

use access::{ChannelId, Permission, PrincipalId, TokenId};

use super::rows::permission_from_column;
use super::{Connection, StoreError};

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
