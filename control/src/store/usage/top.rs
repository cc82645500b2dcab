//! What most of a channel's usage is: the packages and tokens with the most bytes.

use std::cmp::Reverse;

use access::{ChannelId, Day};
use sqlx::Row as _;

use super::{UsageBy, UsageSum, read};
use crate::store::{Connection, StoreError};

/// How many days of subjects are looked at for one answer, the latest: a few milliseconds.
const LOOKED_AT: i64 = 8_000;

/// What the sums are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopOf {
    /// Packages, and all together that is no package.
    Packages,
    /// Tokens, and all together that came without one.
    Tokens,
}

/// The greatest sums of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Top {
    /// By bytes, the most first.
    pub sums: Vec<UsageSum>,
    /// How many there are in all, or were looked at.
    pub of: u64,
    /// From which day on they were compared, where there are too many to compare all. The sums are
    /// of the whole time even so.
    pub since: Option<Day>,
}

/// The subjects with the most bytes in the `$4` latest of their days, along a partial index, and
/// their sums over all days from `$2` to `$3`. Five times as many as are asked for: who has most of
/// the latest days need not have most of all.
macro_rules! top {
    ($key:literal, $of:literal, $one:literal, $also:literal) => {
        concat!(
            "WITH recent AS MATERIALIZED (SELECT u.",
            $key,
            " AS key, u.day, u.bytes FROM usage_days u WHERE ",
            $of,
            " AND u.channel_id = $1 AND u.channel_id >= 0 AND u.day BETWEEN $2 AND $3 \
             ORDER BY u.day DESC LIMIT $4), \
             summed AS MATERIALIZED (SELECT key, sum(bytes) AS bytes FROM recent GROUP BY key), \
             most AS (SELECT key, (SELECT count(*) FROM summed) AS subjects, \
             (SELECT count(*) FROM recent) AS looked_at, (SELECT min(day) FROM recent) AS since \
             FROM summed ORDER BY bytes DESC LIMIT 5 * $5), \
             sums AS (SELECT most.*, (SELECT CAST(sum(u.downloads) AS BIGINT) || ' ' || \
             CAST(sum(u.bytes) AS BIGINT) || ' ' || max(u.addresses) FROM usage_days u WHERE ",
            $one,
            " = most.key AND u.channel_id = $1 AND u.day BETWEEN $2 AND $3) AS sums FROM most) ",
            $also
        )
    };
}

pub(in crate::store) const TOP_PACKAGES: &str = top!(
    "package",
    "u.token_id = -1 AND u.package <> '*'",
    "u.token_id = -1 AND u.package",
    "SELECT * FROM sums"
);
pub(in crate::store) const TOP_TOKENS: &str = top!(
    "token_id",
    "u.token_id >= 0 AND u.package = '*'",
    "u.package = '*' AND u.token_id",
    "SELECT sums.*, t.name, p.name AS principal FROM sums LEFT JOIN tokens t ON t.id = sums.key \
     LEFT JOIN principals p ON p.id = t.principal_id"
);

impl Top {
    /// The `count` greatest of a channel from the first to the second day.
    pub(crate) async fn read(
        db: &mut Connection,
        channel: ChannelId,
        of: TopOf,
        (from, to): (Day, Day),
        count: usize,
    ) -> Result<Self, StoreError> {
        let (sql, by) = match of {
            TopOf::Packages => (TOP_PACKAGES, UsageBy::Package),
            TopOf::Tokens => (TOP_TOKENS, UsageBy::Token),
        };
        let rows = sqlx::query(sql)
            .bind(channel.0)
            .bind(from.number())
            .bind(to.number())
            .bind(LOOKED_AT)
            .bind(i64::try_from(count).unwrap_or(i64::MAX / 5))
            .fetch_all(db)
            .await?;
        let mut top = Self { sums: Vec::with_capacity(rows.len()), of: 0, since: None };
        if let Some(row) = rows.first() {
            top.of = row.try_get::<i64, _>("subjects")?.unsigned_abs();
            let is_cut = row.try_get::<i64, _>("looked_at")? == LOOKED_AT;
            top.since = is_cut.then_some(Day::from_number(row.try_get("since")?));
        }
        for row in &rows {
            top.sums.extend(read(row, by, by == UsageBy::Token)?);
        }
        top.sums.sort_by_key(|sum| Reverse((sum.bytes, sum.downloads)));
        top.sums.truncate(count);
        Ok(top)
    }
}
