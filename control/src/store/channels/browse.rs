//! Channels as they are looked through: searched, in the order of a column.

use access::{Day, Timestamp};
use sqlx::Row as _;

use super::{ChannelDetails, ChannelView, channel_columns, details, is_managed, is_seen, managed};
use crate::store::channels::held_channels;
use crate::store::look::{Column, Look, LookedAt, Order, looked_at, order};
use crate::store::memberships::held_in_list;
use crate::store::service_accounts::{TokenUse, read_token_use, token_use};
use crate::store::{Connection, ServiceAccount, StoreError};

/// A column by which channels are sorted. What would have to be added up for each of them is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelColumn {
    /// Their name.
    Name,
    /// Their privacy, private ones first.
    Privacy,
    /// Whether they have a service account; those that have none first.
    Account,
}

/// Channels with `$more` of each, of those that `$which`: the page is found first, and what is told
/// of each channel is read for the page alone.
macro_rules! channels {
    ($held:expr, $which:expr, $more:expr, $joins:literal, ($key:expr, $after:literal, $down:literal)) => {
        concat!(
            "SELECT ",
            channel_columns!(),
            ", c.description, c.created_at, (",
            $held,
            ") AS held, (SELECT t.permission FROM token_channels tc \
             JOIN tokens t ON t.id = tc.token_id WHERE tc.token_id = $5 AND tc.channel_id = c.id) \
             AS within, page.sort_key, ",
            $more,
            " FROM (SELECT c.id, ",
            $key,
            " AS sort_key FROM channels c WHERE ",
            looked_at!("c.name", "c.id", $key, $after),
            " AND ",
            $which,
            " ORDER BY ",
            $key,
            $down,
            ", c.id",
            $down,
            " LIMIT $7) AS page JOIN channels c ON c.id = page.id",
            $joins,
            " ORDER BY page.sort_key",
            $down,
            ", page.id",
            $down
        )
    };
}

/// Those that are seen, with whether they have an account, and the downloads of the days `$8` to `$9`.
macro_rules! seen {
    ($key:expr, $after:literal, $down:literal) => {
        channels!(
            held_in_list!("$4", "c.id"),
            is_seen!(),
            "(SELECT count(*) FROM service_accounts s WHERE s.channel_id = c.id) AS accounts, \
             (SELECT CAST(coalesce(sum(u.downloads), 0) AS BIGINT) FROM usage_days u \
             WHERE u.token_id = -1 AND u.channel_id = c.id AND u.package = '*' \
             AND u.day BETWEEN $8 AND $9) AS downloads",
            "",
            ($key, $after, $down)
        )
    };
}

/// Those that are managed, with their accounts and how their tokens are used at `$8`.
macro_rules! managed {
    ($key:expr, $after:literal, $down:literal) => {
        channels!(
            "SELECT CAST(3 AS BIGINT)",
            is_managed!(),
            concat!(
                "p.id AS account_id, p.name AS account, p.created_at AS account_created_at, ",
                token_use!("p.id", "$8")
            ),
            " LEFT JOIN service_accounts s ON s.channel_id = c.id \
             LEFT JOIN principals p ON p.id = s.principal_id",
            ($key, $after, $down)
        )
    };
}

/// As in [`ChannelColumn`].
macro_rules! orders {
    ($queries:ident, $column:expr) => {
        match $column {
            ChannelColumn::Name => const { order!($queries, "c.name", true) },
            ChannelColumn::Privacy => const {
                order!(
                    $queries,
                    "CAST(CASE c.privacy WHEN 'private' THEN 0 WHEN 'authenticated' THEN 1 ELSE 2 END \
                     AS BIGINT)",
                    false
                )
            },
            ChannelColumn::Account => const {
                order!(
                    $queries,
                    // Those that have one are read once into a set.
                    "CAST(CASE WHEN (c.id IN (SELECT made.channel_id FROM service_accounts made)) \
                     IS TRUE THEN 1 ELSE 0 END AS BIGINT)",
                    false
                )
            },
        }
    };
}

#[cfg(test)]
pub(in crate::store) const SEEN_BY_NAME: &str = seen!("c.name", ">", "");
#[cfg(test)]
pub(in crate::store) const MANAGED_BY_NAME: &str = managed!("c.name", ">", "");

/// Of channels that are seen.
#[derive(Clone, Copy, Debug)]
struct Seen(ChannelColumn);
/// Of channels that are managed.
#[derive(Clone, Copy, Debug)]
struct Managed(ChannelColumn);

impl Column for Seen {
    fn order(self) -> Order {
        orders!(seen, self.0)
    }
}

impl Column for Managed {
    fn order(self) -> Order {
        orders!(managed, self.0)
    }
}

/// A channel in the list of them: whether it has a service account, and how much was downloaded
/// from it.
pub(crate) type ChannelOverview = (ChannelDetails, bool, u64);

/// The channels that the viewer may see, with what was downloaded on these days.
pub(crate) async fn look_at_channels(
    db: &mut Connection,
    view: ChannelView,
    look: &Look<'_, ChannelColumn>,
    (from, to): (Day, Day),
) -> Result<LookedAt<ChannelOverview>, StoreError> {
    let look = look.by(Seen(look.column));
    let query = view.bind(look.query()?).bind(look.probe()).bind(from.number()).bind(to.number());
    let read = look.read(db, query, |row| {
        let has_account = row.try_get::<i64, _>("accounts")? > 0;
        let downloads = u64::try_from(row.try_get::<i64, _>("downloads")?).unwrap_or_default();
        Ok((details(row)?, has_account, downloads))
    });
    read.await
}

/// A channel with its account, if it has one, and how that is used.
pub(crate) type ManagedChannel = (ChannelDetails, Option<(ServiceAccount, TokenUse)>);

/// The channels on which the viewer holds `manage`, each with its account and how its tokens are used
/// at `now`.
pub(crate) async fn look_at_managed(
    db: &mut Connection,
    view: ChannelView,
    look: &Look<'_, ChannelColumn>,
    now: Timestamp,
) -> Result<LookedAt<ManagedChannel>, StoreError> {
    let look = look.by(Managed(look.column));
    let query = view.bind(look.query()?).bind(look.probe()).bind(now.as_millis());
    let read = look.read(db, query, |row| {
        let (channel, account) = managed(row)?;
        let account = account.map(|account| Ok::<_, StoreError>((account, read_token_use(row)?)));
        Ok((channel, account.transpose()?))
    });
    read.await
}
