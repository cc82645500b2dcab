//! What was downloaded: written as gateways report it ([`report`]), summed up as it is written, and
//! read from the sums (product.md +3). The sums are described with their table, in the migrations.

mod report;
mod top;

pub(super) use self::report::{OfRows, POSTGRES, SQLITE};
#[cfg(test)]
pub(super) use self::top::{TOP_PACKAGES, TOP_TOKENS};
pub use self::top::{Top, TopOf};

use access::{ChannelId, Day, TokenId};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::word;
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
    /// The subject to begin with, from [`UsageAnswer::next`].
    pub(crate) start: Option<&'q str>,
    /// How many sums at most.
    pub(crate) limit: u32,
}

/// Sums in their subjects' order, perhaps fewer than could be had: what is looked at for one answer
/// is bounded.
#[derive(Clone, Debug)]
pub(crate) struct UsageAnswer {
    pub(crate) sums: Vec<UsageSum>,
    /// Where the rest begins, if there may be more.
    pub(crate) next: Option<String>,
}

/// How many days of how many subjects are added up for one answer: tens of milliseconds.
const DAYS_ADDED_UP: i64 = 18_250;

/// The sums of `$key` for its next `$6` values from `$3` on, each found by one step in an index and
/// added up from its own days, however many others there are. `$others` fixes the rest. The three
/// sums come as one text: a subquery has one column, and a join would let PostgreSQL read all keys,
/// as it may do for a `min` without the `LIMIT`.
/// `$index` names a partial index, last: SQLite seeks by the first bound that it reads.
macro_rules! sums {
    ($key:literal, $others:literal, $index:literal) => {
        concat!(
            "WITH RECURSIVE keys (key, number) AS (SELECT (SELECT u.",
            $key,
            " FROM usage_days u WHERE ",
            $others,
            " AND u.",
            $key,
            " >= $3",
            $index,
            " ORDER BY u.",
            $key,
            " LIMIT 1), 1 UNION ALL SELECT (SELECT u.",
            $key,
            " FROM usage_days u WHERE ",
            $others,
            " AND u.",
            $key,
            " > keys.key",
            $index,
            " ORDER BY u.",
            $key,
            " LIMIT 1), number + 1 FROM keys WHERE keys.key IS NOT NULL AND number < $6), \
             sums AS (SELECT keys.key, (SELECT CAST(sum(u.downloads) AS BIGINT) || ' ' || \
             CAST(sum(u.bytes) AS BIGINT) || ' ' || max(u.addresses) FROM usage_days u WHERE ",
            $others,
            " AND u.",
            $key,
            " = keys.key AND u.day BETWEEN $4 AND $5",
            $index,
            ") AS sums FROM keys WHERE keys.key IS NOT NULL) "
        )
    };
}

pub(super) const BY_DAY: &str = "SELECT day AS key, downloads || ' ' || bytes || ' ' || addresses AS sums \
     FROM usage_days WHERE token_id = $1 AND channel_id = $2 AND package = $3 AND day BETWEEN $4 AND $5 \
     ORDER BY day LIMIT $6";
pub(super) const BY_TOKEN: &str = concat!(
    sums!("token_id", "u.channel_id = $1 AND u.package = $2", " AND u.token_id >= 0"),
    "SELECT sums.*, t.name, p.name AS principal FROM sums LEFT JOIN tokens t ON t.id = sums.key \
     LEFT JOIN principals p ON p.id = t.principal_id ORDER BY sums.key"
);
pub(super) const BY_CHANNEL: &str = concat!(
    sums!("channel_id", "u.token_id = $1 AND u.package = $2", " AND u.channel_id >= 0"),
    "SELECT sums.*, c.name FROM sums LEFT JOIN channels c ON c.id = sums.key ORDER BY sums.key"
);
pub(super) const BY_PACKAGE: &str = concat!(
    sums!("package", "u.token_id = $1 AND u.channel_id = $2", ""),
    "SELECT * FROM sums ORDER BY key"
);

impl UsageQuestion<'_> {
    /// Adds up.
    ///
    /// # Errors
    /// [`StoreError::NotACursor`] for a start of another kind.
    pub(crate) async fn ask(&self, db: &mut Connection) -> Result<UsageAnswer, StoreError> {
        let token = self.of.token.map_or(ALL, |id| id.0);
        let channel = self.of.channel.map_or(ALL, |id| id.0);
        let package = self.of.package.as_deref().unwrap_or(ALL_PACKAGES);
        let (from, to) = (self.from.number(), self.to.number());
        let keys = self.keys();
        let rows = match self.by {
            UsageBy::Day => {
                let from = self.number()?.unwrap_or(from).max(from);
                sqlx::query(BY_DAY).bind(token).bind(channel).bind(package).bind(from).bind(to)
            }
            UsageBy::Token => {
                let start = self.of.token.map(|id| id.0).or(self.number()?).unwrap_or(0);
                sqlx::query(BY_TOKEN).bind(channel).bind(package).bind(start).bind(from).bind(to)
            }
            UsageBy::Channel => {
                let start = self.of.channel.map(|id| id.0).or(self.number()?).unwrap_or(0);
                sqlx::query(BY_CHANNEL).bind(token).bind(package).bind(start).bind(from).bind(to)
            }
            UsageBy::Package => {
                let start = self.of.package.as_deref().or(self.start).unwrap_or_default();
                // PostgreSQL has no such text.
                if start.contains('\0') {
                    return Err(StoreError::NotACursor);
                }
                sqlx::query(BY_PACKAGE).bind(token).bind(channel).bind(start).bind(from).bind(to)
            }
        };
        // One more, to see where the rest begins.
        let mut rows = rows.bind(keys + 1).fetch_all(db).await?;
        let more = rows.len() > usize::try_from(keys).unwrap_or(usize::MAX);
        let next = rows.pop_if(|_| more).map(|row| self.cursor(&row)).transpose()?;
        let mut sums = Vec::with_capacity(rows.len());
        let of_all_packages = self.by != UsageBy::Package && self.of.package.is_none();
        for row in &rows {
            sums.extend(read(row, self.by, of_all_packages)?);
        }
        match self.one() {
            Some(one) => {
                sums.retain(|sum| sum.subject.is(one));
                Ok(UsageAnswer { sums, next: None })
            }
            None => Ok(UsageAnswer { sums, next }),
        }
    }

    /// How many subjects are looked at.
    fn keys(&self) -> i64 {
        let days = (self.to.number() - self.from.number() + 1).max(1);
        let limit = i64::from(self.limit);
        match self.by {
            _ if self.one().is_some() => 1,
            UsageBy::Day => limit,
            UsageBy::Token | UsageBy::Channel | UsageBy::Package => {
                limit.min((DAYS_ADDED_UP / days).max(1))
            }
        }
    }

    /// The only subject, where the question names it.
    fn one(&self) -> Option<One<'_>> {
        match self.by {
            UsageBy::Day => None,
            UsageBy::Token => self.of.token.map(One::Token),
            UsageBy::Channel => self.of.channel.map(One::Channel),
            UsageBy::Package => self.of.package.as_deref().map(One::Package),
        }
    }

    /// The start where subjects are numbers.
    fn number(&self) -> Result<Option<i64>, StoreError> {
        self.start.map(|start| start.parse().map_err(|_not| StoreError::NotACursor)).transpose()
    }

    fn cursor(&self, row: &AnyRow) -> Result<String, StoreError> {
        Ok(match self.by {
            UsageBy::Package => row.try_get("key")?,
            _ => row.try_get::<i64, _>("key")?.to_string(),
        })
    }
}

/// A row's sum; none for what was not used in that time. Only `of_all_packages` addresses are told.
fn read(row: &AnyRow, by: UsageBy, of_all_packages: bool) -> Result<Option<UsageSum>, StoreError> {
    let Some(text) = row.try_get::<Option<&str>, _>("sums")? else { return Ok(None) };
    let numbers = text.split(' ').map(|number| word::<u64>("a sum of usage", number));
    let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
    let [downloads, bytes, addresses] = numbers[..] else { return Ok(None) };
    let subject = match by {
        UsageBy::Day => UsageSubject::Day(Day::from_number(row.try_get("key")?)),
        UsageBy::Token => UsageSubject::Token(match row.try_get("key")? {
            NO_TOKEN => None,
            id => Some((TokenId(id), name(row, "name")?, name(row, "principal")?)),
        }),
        UsageBy::Channel => {
            UsageSubject::Channel(ChannelId(row.try_get("key")?), row.try_get("name")?)
        }
        UsageBy::Package => match row.try_get("key")? {
            ALL_PACKAGES => return Ok(None),
            name => UsageSubject::Package(name.to_owned()),
        },
    };
    Ok(Some(UsageSum {
        subject,
        downloads,
        bytes,
        addresses: of_all_packages.then_some(addresses),
    }))
}

/// A subject that a question names.
#[derive(Clone, Copy)]
enum One<'q> {
    Token(TokenId),
    Channel(ChannelId),
    Package(&'q str),
}

impl UsageSubject {
    fn is(&self, one: One<'_>) -> bool {
        match (self, one) {
            (Self::Token(Some((id, ..))), One::Token(one)) => *id == one,
            (Self::Channel(id, _), One::Channel(one)) => *id == one,
            (Self::Package(name), One::Package(one)) => name == one,
            _ => false,
        }
    }
}

/// Empty where there is no such row any more.
fn name(row: &AnyRow, column: &str) -> Result<String, StoreError> {
    Ok(row.try_get::<Option<String>, _>(column)?.unwrap_or_default())
}
