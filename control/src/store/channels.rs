//! Channels as they are stored.

mod browse;

use std::sync::Arc;

use access::{Channel, ChannelId, ChannelName, Permission, PrincipalId, Privacy, Timestamp};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, Row as _};

use super::memberships::{held, held_in_list};
use super::rows::{permission_if_any, time, word};
use super::{Connection, NameRange, ServiceAccount, StoreError};
pub use browse::ChannelColumn;
#[cfg(test)]
pub(super) use browse::{MANAGED_BY_NAME, SEEN_BY_NAME};
pub(crate) use browse::{look_at_channels, look_at_managed};

/// A channel as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelDetails {
    /// What gateways decide by.
    pub channel: Channel,
    /// For people.
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What the caller holds on it now.
    pub permission: Option<Permission>,
}

/// Whose channels a list shows, and what of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelView {
    pub(crate) principal: PrincipalId,
    /// The token whose channels alone are shown; none for somebody not limited by a token.
    pub(crate) within: Option<access::TokenId>,
    /// Everything, whatever the principal holds.
    pub(crate) sees_all: bool,
}

impl ChannelView {
    /// Binds the view's three parameters.
    pub(super) fn bind<'q>(
        self,
        query: Query<'q, Any, AnyArguments>,
    ) -> Query<'q, Any, AnyArguments> {
        query
            .bind(self.principal.0)
            .bind(self.within.map_or(0, |token| token.0))
            .bind(i64::from(self.sees_all))
    }
}

/// A channel's columns for gateways.
macro_rules! channel_columns {
    () => {
        "c.id, c.name, c.privacy, c.storage, c.prefix, c.include_subchannels"
    };
}
pub(super) use channel_columns;

const INSERT: &str = "INSERT INTO channels (name, description, privacy, storage, prefix, \
     include_subchannels, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
     RETURNING id";
const UPDATE: &str = "UPDATE channels SET description = $2, privacy = $3, storage = $4, \
     prefix = $5, include_subchannels = $6 WHERE id = $1";
const DELETE: &str = "DELETE FROM channels WHERE id = $1";

/// The channels on which `$4` holds something that meets `$permission`.
macro_rules! held_channels {
    ($permission:literal) => {
        concat!(
            "(SELECT gp.channel_id FROM group_members m JOIN group_permissions gp \
             ON gp.group_id = m.group_id AND ",
            $permission,
            " WHERE m.principal_id = $4)"
        )
    };
}
pub(super) use held_channels;

/// The channel named `$1`, with what `$2` holds on it, and what the token `$3` (0: none) was issued
/// for. It is looked at alone: nothing is read of the other channels and groups of who asks.
pub(super) const FIND: &str = concat!(
    "SELECT ",
    channel_columns!(),
    ", c.description, c.created_at, (",
    held!("$2", "c.id"),
    ") AS held, (SELECT t.permission FROM token_channels tc JOIN tokens t ON t.id = tc.token_id \
     WHERE tc.token_id = $3 AND tc.channel_id = c.id) AS within FROM channels c WHERE c.name = $1"
);

/// Channels with what `$4` holds on each, and what the token `$5` (0: none) was issued for. The
/// sets in the conditions are read once (`IS TRUE` keeps PostgreSQL from seeking each channel in them
/// instead), what is held for each channel that is shown alone.
macro_rules! channels_where {
    ($held:expr, $($condition:expr),+) => {
        concat!(
            "SELECT ",
            channel_columns!(),
            ", c.description, c.created_at, (",
            $held,
            ") AS held, (SELECT t.permission FROM token_channels tc \
             JOIN tokens t ON t.id = tc.token_id WHERE tc.token_id = $5 AND tc.channel_id = c.id) \
             AS within FROM channels c WHERE c.name >= $1 AND c.name < $2 AND ",
            $($condition),+,
            " ORDER BY c.name LIMIT $3"
        )
    };
}
macro_rules! is_seen {
    () => {
        concat!(
            "($6 = 1 OR ($5 = 0 AND c.privacy <> 'private') OR (c.id IN ",
            held_channels!("gp.permission > 0"),
            " AND ($5 = 0 OR c.id IN (SELECT channel_id FROM token_channels WHERE token_id = $5))))"
        )
    };
}
pub(super) use is_seen;
pub(super) const LIST_SEEN: &str = channels_where!(held_in_list!("$4", "c.id"), is_seen!());
pub(super) const LIST_HELD: &str = channels_where!(
    held_in_list!("$4", "c.id"),
    "(c.id IN ",
    held_channels!("gp.permission > 0"),
    ") IS TRUE AND ($6 = 1 OR $5 = 0 OR c.id IN (SELECT channel_id FROM token_channels \
     WHERE token_id = $5))"
);
/// Those that `$4` manages, as far as the token `$5` reaches.
macro_rules! is_managed {
    () => {
        concat!(
            "(c.id IN ",
            held_channels!("gp.permission = 3"),
            ") IS TRUE AND ($6 = 1 OR $5 = 0 OR c.id IN (SELECT tc.channel_id \
             FROM token_channels tc JOIN tokens t ON t.id = tc.token_id AND t.permission = 3 \
             WHERE tc.token_id = $5))"
        )
    };
}
pub(super) use is_managed;
/// With their accounts.
pub(super) const LIST_MANAGED: &str = concat!(
    "SELECT managed.*, p.id AS account_id, p.name AS account, p.created_at AS account_created_at \
     FROM (",
    channels_where!("SELECT CAST(3 AS BIGINT)", is_managed!()),
    ") AS managed LEFT JOIN service_accounts s ON s.channel_id = managed.id \
     LEFT JOIN principals p ON p.id = s.principal_id ORDER BY managed.name"
);

pub(super) const ID_BY_NAME: &str = "SELECT id FROM channels WHERE name = $1";
/// `0` follows `/`, so that the range is what begins with `name/`.
pub(super) const BELOW: &str =
    "SELECT id FROM channels WHERE name > $1 || '/' AND name < $1 || '0'";

const BOUND_TO: &str = "SELECT id FROM channels WHERE storage = $1 AND prefix = $2";

pub(crate) async fn insert_channel(
    db: &mut Connection,
    new: &ChannelDetails,
    by: PrincipalId,
) -> Result<ChannelId, StoreError> {
    let id = sqlx::query_scalar(INSERT)
        .bind(new.channel.name.as_str())
        .bind(&*new.description)
        .bind(new.channel.privacy.as_str())
        .bind(&*new.channel.storage)
        .bind(&*new.channel.prefix)
        .bind(i64::from(new.channel.include_subchannels))
        .bind(new.created_at.as_millis())
        .bind(by.0)
        .fetch_one(db)
        .await?;
    Ok(ChannelId(id))
}

/// Writes what can be changed of a channel.
pub(crate) async fn update_channel(
    db: &mut Connection,
    details: &ChannelDetails,
) -> Result<(), StoreError> {
    sqlx::query(UPDATE)
        .bind(details.channel.id.0)
        .bind(&*details.description)
        .bind(details.channel.privacy.as_str())
        .bind(&*details.channel.storage)
        .bind(&*details.channel.prefix)
        .bind(i64::from(details.channel.include_subchannels))
        .execute(db)
        .await?;
    Ok(())
}

/// Takes the channel out, with its owners' group, its account's binding, and every permission and
/// token's share on it.
pub(crate) async fn delete_channel(db: &mut Connection, id: ChannelId) -> Result<(), StoreError> {
    sqlx::query(DELETE).bind(id.0).execute(db).await?;
    Ok(())
}

/// The channel of that name, if there is one that the viewer may see, with what they hold on it.
pub(crate) async fn find_channel(
    db: &mut Connection,
    view: ChannelView,
    name: &ChannelName,
) -> Result<Option<ChannelDetails>, StoreError> {
    let query = sqlx::query(FIND).bind(name.as_str()).bind(view.principal.0);
    let row = query.bind(view.within.map_or(0, |token| token.0)).fetch_optional(db).await?;
    let Some(row) = row else { return Ok(None) };
    let mut found = details(&row)?;
    // By a token that wasn't issued for it, nothing is held on it.
    let is_outside = view.within.is_some() && permission_if_any(&row, "within")?.is_none();
    found.permission = found.permission.filter(|_| !is_outside);
    let is_open = view.within.is_none() && found.channel.privacy != Privacy::Private;
    let is_seen = view.sees_all || is_open || found.permission.is_some();
    Ok(Some(found).filter(|_| is_seen))
}

/// The channels that the viewer may see, by name.
pub(crate) async fn list_channels(
    db: &mut Connection,
    view: ChannelView,
    range: &NameRange,
) -> Result<Vec<ChannelDetails>, StoreError> {
    range.read_seen(db, LIST_SEEN, view, details).await
}

/// The channels on which the viewer holds something, by name.
pub(crate) async fn list_held_channels(
    db: &mut Connection,
    view: ChannelView,
    range: &NameRange,
) -> Result<Vec<ChannelDetails>, StoreError> {
    range.read_seen(db, LIST_HELD, view, details).await
}

/// The channels on which the viewer holds `manage`, by name, each with its account if it has one.
pub(crate) async fn list_managed_channels(
    db: &mut Connection,
    view: ChannelView,
    range: &NameRange,
) -> Result<Vec<(ChannelDetails, Option<ServiceAccount>)>, StoreError> {
    range.read_seen(db, LIST_MANAGED, view, managed).await
}

/// The channel of that name, whoever asks.
pub(crate) async fn channel_named(
    db: &mut Connection,
    name: &str,
) -> Result<Option<ChannelId>, StoreError> {
    let id: Option<i64> = sqlx::query_scalar(ID_BY_NAME).bind(name).fetch_optional(db).await?;
    Ok(id.map(ChannelId))
}

/// The channels below `name`: `a/b` and `a/b/c` for `a`.
pub(crate) async fn channels_below(
    db: &mut Connection,
    name: &ChannelName,
) -> Result<Vec<ChannelId>, StoreError> {
    let ids: Vec<i64> = sqlx::query_scalar(BELOW).bind(name.as_str()).fetch_all(db).await?;
    Ok(ids.into_iter().map(ChannelId).collect())
}

/// The channels bound to this place. Reads them all: it is asked for people who are no admins, and
/// only when they make a channel.
pub(crate) async fn channels_bound_to(
    db: &mut Connection,
    storage: &str,
    prefix: &str,
) -> Result<Vec<ChannelId>, StoreError> {
    let query = sqlx::query_scalar(BOUND_TO).bind(storage).bind(prefix);
    let ids: Vec<i64> = query.fetch_all(db).await?;
    Ok(ids.into_iter().map(ChannelId).collect())
}

pub(super) fn managed(
    row: &AnyRow,
) -> Result<(ChannelDetails, Option<ServiceAccount>), StoreError> {
    let channel = details(row)?;
    let id = row.try_get::<Option<i64>, _>("account_id")?;
    let account = id.map(|id| {
        Ok::<_, StoreError>(ServiceAccount {
            id: PrincipalId(id),
            name: row.try_get("account")?,
            channel_id: channel.channel.id,
            channel: channel.channel.name.clone(),
            created_at: time(row, "account_created_at")?,
        })
    });
    let account = account.transpose()?;
    Ok((channel, account))
}

pub(super) fn details(row: &AnyRow) -> Result<ChannelDetails, StoreError> {
    let held = permission_if_any(row, "held")?;
    let within = permission_if_any(row, "within")?;
    Ok(ChannelDetails {
        channel: channel(row)?,
        description: row.try_get("description")?,
        created_at: time(row, "created_at")?,
        permission: match within {
            Some(within) => held.map(|held| held.min(within)),
            None => held,
        },
    })
}

/// A channel from a row with the [`channel_columns`].
pub(super) fn channel(row: &AnyRow) -> Result<Channel, StoreError> {
    let text = |column| row.try_get::<&str, _>(column);
    Ok(Channel {
        id: ChannelId(row.try_get("id")?),
        name: word("a channel's name", text("name")?)?,
        privacy: word("a privacy", text("privacy")?)?,
        storage: Arc::from(text("storage")?),
        prefix: Arc::from(text("prefix")?),
        include_subchannels: row.try_get::<i64, _>("include_subchannels")? != 0,
    })
}
