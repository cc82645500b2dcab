//! What was downloaded: written as gateways report it ([`report`]), summed up as it is written, and
//! read from the sums (product.md +3). The sums are described with their table, in the migrations.

mod report;

pub(super) use self::report::{OfRows, POSTGRES, SQLITE};

use access::{ChannelId, Day, TokenId};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Connection, StoreError};

/// Stands for all tokens or all channels together.
const ALL: i64 = -1;
/// Stands for all packages together.
const ALL_PACKAGES: &str = "*";
/// Stands for what came without a token.
const NO_TOKEN: i64 = 0;

/// What to count; everything together where nothing is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageOf {
    /// Of one token.
    pub token: Option<TokenId>,
    /// Of one channel.
    pub channel: Option<ChannelId>,
    /// Of one package; the empty name is all that is no package.
    pub package: Option<String>,
}

/// What each sum is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageBy {
    /// A day.
    Day,
    /// A token.
    Token,
    /// A channel.
    Channel,
    /// A package.
    Package,
}

/// The one that a sum is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageSubject {
    /// A day.
    Day(Day),
    /// A token, with its name and its principal's; none for what came without a token.
    Token(Option<(TokenId, String, String)>),
    /// A channel, with its name unless it is deleted.
    Channel(ChannelId, Option<String>),
    /// A package; the empty name is all that is no package.
    Package(String),
}

/// One sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageSum {
    /// Of what.
    pub subject: UsageSubject,
    /// Package files that were sent, whole or in part.
    pub downloads: u64,
    /// Bytes of content that were sent.
    pub bytes: u64,
    /// From how many addresses on the day that had most; not told of packages.
    pub addresses: Option<u64>,
}

/// Which sums, of which days.
#[derive(Clone, Debug)]
pub(crate) struct UsageQuestion<'q> {
    pub(crate) of: &'q UsageOf,
    pub(crate) by: UsageBy,
    pub(crate) from: Day,
    pub(crate) to: Day,
    /// The first subject, as [`UsageSum::cursor`] writes it; nothing to begin with.
    pub(crate) start: Option<&'q str>,
    pub(crate) limit: u32,
}

/// The sums of `$key`, in its order; every question reads one stretch of one index.
macro_rules! sums {
    ($key:literal, $condition:literal) => {
        concat!(
            "SELECT ",
            $key,
            " AS key, CAST(sum(downloads) AS BIGINT) AS downloads, \
             CAST(sum(bytes) AS BIGINT) AS bytes, max(addresses) AS addresses \
             FROM usage_days WHERE ",
            $condition,
            " GROUP BY ",
            $key,
            " ORDER BY ",
            $key
        )
    };
}

const BY_DAY: &str = concat!(
    sums!("day", "token_id = $1 AND channel_id = $2 AND package = $3 AND day BETWEEN $4 AND $5"),
    " LIMIT $6"
);
const BY_TOKEN: &str = concat!(
    "SELECT s.*, t.name, p.name AS principal FROM (",
    sums!(
        "token_id",
        "channel_id = $1 AND package = $2 AND token_id >= 0 AND token_id BETWEEN $3 AND $4 \
         AND day BETWEEN $5 AND $6"
    ),
    " LIMIT $7) AS s LEFT JOIN tokens t ON t.id = s.key \
     LEFT JOIN principals p ON p.id = t.principal_id ORDER BY s.key"
);
const BY_CHANNEL: &str = concat!(
    "SELECT s.*, c.name FROM (",
    sums!(
        "channel_id",
        "token_id = $1 AND package = $2 AND channel_id >= 0 AND channel_id BETWEEN $3 AND $4 \
         AND day BETWEEN $5 AND $6"
    ),
    " LIMIT $7) AS s LEFT JOIN channels c ON c.id = s.key ORDER BY s.key"
);
const BY_PACKAGE: &str = concat!(
    sums!(
        "package",
        "token_id = $1 AND channel_id = $2 AND package <> '*' AND package >= $3 \
         AND ($4 = '*' OR package = $4) AND day BETWEEN $5 AND $6"
    ),
    " LIMIT $7"
);

impl UsageQuestion<'_> {
    /// The statement. A test reads its plan.
    pub(crate) fn sql(&self) -> &'static str {
        match self.by {
            UsageBy::Day => BY_DAY,
            UsageBy::Token => BY_TOKEN,
            UsageBy::Channel => BY_CHANNEL,
            UsageBy::Package => BY_PACKAGE,
        }
    }

    /// The sums, in their subjects' order.
    ///
    /// # Errors
    /// [`StoreError::NotACursor`] for a start of another kind.
    pub(crate) async fn ask(&self, db: &mut Connection) -> Result<Vec<UsageSum>, StoreError> {
        let number = |start: &str| start.parse::<i64>().map_err(|_not| StoreError::NotACursor);
        let start = || self.start.map(number).transpose();
        let token = self.of.token.map_or(ALL, |id| id.0);
        let channel = self.of.channel.map_or(ALL, |id| id.0);
        let package = self.of.package.as_deref().unwrap_or(ALL_PACKAGES);
        let (from, to) = (self.from.number(), self.to.number());
        let limit = i64::from(self.limit);
        let query = sqlx::query(self.sql());
        let rows = match self.by {
            UsageBy::Day => {
                let from = start()?.map_or(from, |start| start.max(from));
                query.bind(token).bind(channel).bind(package).bind(from).bind(to)
            }
            UsageBy::Token => {
                let (first, last) = within(start()?, self.of.token.map(|id| id.0));
                query.bind(channel).bind(package).bind(first).bind(last).bind(from).bind(to)
            }
            UsageBy::Channel => {
                let (first, last) = within(start()?, self.of.channel.map(|id| id.0));
                query.bind(token).bind(package).bind(first).bind(last).bind(from).bind(to)
            }
            UsageBy::Package => {
                let first = self.start.unwrap_or_default();
                // PostgreSQL has no such text.
                if first.contains('\0') {
                    return Err(StoreError::NotACursor);
                }
                query.bind(token).bind(channel).bind(first).bind(package).bind(from).bind(to)
            }
        };
        let rows = rows.bind(limit).fetch_all(db).await?;
        rows.iter().map(|row| self.read(row)).collect()
    }

    fn read(&self, row: &AnyRow) -> Result<UsageSum, StoreError> {
        let subject = match self.by {
            UsageBy::Day => UsageSubject::Day(Day::from_number(row.try_get("key")?)),
            UsageBy::Token => UsageSubject::Token(match row.try_get("key")? {
                NO_TOKEN => None,
                id => Some((TokenId(id), text(row, "name")?, text(row, "principal")?)),
            }),
            UsageBy::Channel => {
                UsageSubject::Channel(ChannelId(row.try_get("key")?), row.try_get("name")?)
            }
            UsageBy::Package => UsageSubject::Package(row.try_get("key")?),
        };
        let of_packages = self.by == UsageBy::Package || self.of.package.is_some();
        let number = |column| Ok::<_, StoreError>(row.try_get::<i64, _>(column)?.unsigned_abs());
        Ok(UsageSum {
            subject,
            downloads: number("downloads")?,
            bytes: number("bytes")?,
            addresses: if of_packages { None } else { Some(number("addresses")?) },
        })
    }
}

impl UsageSum {
    /// Where a list that begins with this sum begins.
    pub(crate) fn cursor(&self) -> String {
        match &self.subject {
            UsageSubject::Day(day) => day.number().to_string(),
            UsageSubject::Token(None) => NO_TOKEN.to_string(),
            UsageSubject::Token(Some((id, ..))) => id.0.to_string(),
            UsageSubject::Channel(id, _) => id.0.to_string(),
            UsageSubject::Package(name) => name.clone(),
        }
    }
}

/// The first and the last id of a list: all, or one alone.
fn within(start: Option<i64>, one: Option<i64>) -> (i64, i64) {
    let start = start.unwrap_or(0);
    one.map_or((start, i64::MAX), |one| (one.max(start), one))
}

/// Empty where there is no such row any more.
fn text(row: &AnyRow, column: &str) -> Result<String, StoreError> {
    Ok(row.try_get::<Option<String>, _>(column)?.unwrap_or_default())
}
