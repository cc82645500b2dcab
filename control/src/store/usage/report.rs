//! Takes in what gateways report, each report in one transaction. It decides nothing, so that it is
//! no change with a revision.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use access::source::Answer;
use access::usage::{UsageKey, UsageReport};
use access::{ChannelId, Day, TokenId, UsageSink};
use serde_json::json;
use sqlx::Row as _;

use super::{ALL, ALL_PACKAGES, NO_TOKEN};
use crate::store::source::unanswered;
use crate::store::{Connection, Store, StoreError};

/// For how long a gateway's last report is remembered, in days; far longer than one is sent again.
const REMEMBERED_DAYS: u32 = 30;

const NUMBER: &str = "INSERT INTO usage_reporters (reporter, last_number, day) VALUES ($1, $2, $3) \
     ON CONFLICT (reporter) DO UPDATE SET last_number = excluded.last_number, day = excluded.day \
     WHERE usage_reporters.last_number < excluded.last_number";
const FORGET_REPORTERS: &str = "DELETE FROM usage_reporters WHERE day < $1";
const FORGET_ADDRESSES: &str = "DELETE FROM usage_addresses WHERE day < $1";

/// Statements that take their rows as a JSON list of lists.
pub(in crate::store) struct OfRows {
    add: &'static str,
    see: &'static str,
    use_last: &'static str,
    bytes: &'static str,
}

macro_rules! of_rows {
    ($rows:literal) => {
        OfRows {
            add: concat!(
                "INSERT INTO usage_days \
                 (token_id, channel_id, package, day, downloads, bytes, addresses) \
                 SELECT CAST(value->>0 AS BIGINT), CAST(value->>1 AS BIGINT), value->>2, \
                 CAST(value->>3 AS BIGINT), CAST(value->>4 AS BIGINT), \
                 CAST(value->>5 AS BIGINT), CAST(value->>6 AS BIGINT) FROM ",
                $rows,
                " WHERE true ON CONFLICT (token_id, channel_id, package, day) DO UPDATE SET \
                 downloads = usage_days.downloads + excluded.downloads, \
                 bytes = usage_days.bytes + excluded.bytes, \
                 addresses = usage_days.addresses + excluded.addresses"
            ),
            see: concat!(
                "INSERT INTO usage_addresses (token_id, channel_id, day, address) \
                 SELECT CAST(value->>0 AS BIGINT), CAST(value->>1 AS BIGINT), \
                 CAST(value->>2 AS BIGINT), value->>3 FROM ",
                $rows,
                " WHERE true ON CONFLICT DO NOTHING RETURNING token_id, channel_id, day"
            ),
            // A restored database may lack a token that was made since.
            use_last: concat!(
                "INSERT INTO token_last_used (token_id, last_used_at, last_used_from) \
                 SELECT t.id, CAST(value->>1 AS BIGINT), value->>2 FROM ",
                $rows,
                " JOIN tokens t ON t.id = CAST(value->>0 AS BIGINT) \
                 WHERE true ORDER BY t.id ON CONFLICT (token_id) DO UPDATE SET \
                 last_used_at = excluded.last_used_at, last_used_from = excluded.last_used_from \
                 WHERE token_last_used.last_used_at < excluded.last_used_at"
            ),
            bytes: concat!(
                "SELECT u.token_id, u.bytes FROM ",
                $rows,
                " JOIN usage_days u ON u.token_id = CAST(value->>0 AS BIGINT) \
                 AND u.channel_id = -1 AND u.package = '*' AND u.day = $2"
            ),
        }
    };
}

pub(in crate::store) const SQLITE: OfRows = of_rows!("json_each($1)");
pub(in crate::store) const POSTGRES: OfRows =
    of_rows!("json_array_elements(CAST($1 AS json)) AS rows (value)");

/// A row of `usage_days`: token, channel, package, day.
type Row<'r> = (i64, i64, &'r str, i64);

/// What is added to a row.
#[derive(Default)]
struct Added {
    downloads: u64,
    bytes: u64,
    addresses: u64,
}

impl UsageSink for Store {
    fn report(&self, report: Arc<UsageReport>) -> Answer<'_, ()> {
        Box::pin(async move { self.take_in(&report).await.map_err(unanswered) })
    }

    fn bytes_of_day(&self, day: Day, tokens: Vec<TokenId>) -> Answer<'_, Vec<(TokenId, u64)>> {
        Box::pin(async move { self.read_bytes(day, &tokens).await.map_err(unanswered) })
    }
}

impl Store {
    async fn take_in(&self, report: &UsageReport) -> Result<(), StoreError> {
        let (number, today) = (to_column(report.number), report.made_at.day());
        let mut write = self.write(report.made_at).await?;
        let db = write.connection();
        let counted = sqlx::query(NUMBER)
            .bind(report.reporter.to_string())
            .bind(number)
            .bind(today.number())
            .execute(&mut *db)
            .await?;
        if counted.rows_affected() == 0 {
            return Ok(());
        }
        let oldest = today.minus(REMEMBERED_DAYS).number();
        sqlx::query(FORGET_REPORTERS).bind(oldest).execute(&mut *db).await?;
        // Reports that were held up may still be of yesterday.
        let yesterday = today.minus(1).number();
        sqlx::query(FORGET_ADDRESSES).bind(yesterday).execute(&mut *db).await?;
        let sql = self.dialect.of_rows();
        let mut sums = sums(report);
        add_addresses(db, &sql, &report.addresses, &mut sums).await?;
        let rows: Vec<_> = sums
            .iter()
            .map(|((token, channel, package, day), added)| {
                json!([token, channel, package, day, added.downloads, added.bytes, added.addresses])
            })
            .collect();
        execute(db, sql.add, &rows).await?;
        let last_uses = report.last_uses.iter();
        let last_uses =
            last_uses.map(|last| json!([last.token.0, last.at.as_millis(), last.from.to_string()]));
        execute(db, sql.use_last, &last_uses.collect::<Vec<_>>()).await?;
        write.commit().await
    }

    async fn read_bytes(
        &self,
        day: Day,
        tokens: &[TokenId],
    ) -> Result<Vec<(TokenId, u64)>, StoreError> {
        let tokens: Vec<_> = tokens.iter().map(|token| json!([token.0])).collect();
        let rows = sqlx::query(self.dialect.of_rows().bytes)
            .bind(serde_json::Value::from(tokens).to_string())
            .bind(day.number())
            .fetch_all(&mut *self.reader().await?)
            .await?;
        let bytes = |row: &sqlx::any::AnyRow| {
            let bytes: i64 = row.try_get("bytes")?;
            Ok((TokenId(row.try_get("token_id")?), bytes.unsigned_abs()))
        };
        rows.iter().map(bytes).collect()
    }
}

/// What the counts add to each row: to their own, and to those that stand for all tokens, channels
/// or packages. In the order of the table's key, so that gateways that report at once don't wait
/// for each other in a circle.
fn sums(report: &UsageReport) -> BTreeMap<Row<'_>, Added> {
    let mut sums = BTreeMap::<Row<'_>, Added>::new();
    for count in &report.counts {
        for (token, channel) in with_all(&count.key) {
            for package in [&*count.package, ALL_PACKAGES] {
                let added =
                    sums.entry((token, channel, package, count.key.day.number())).or_default();
                added.downloads += count.downloads;
                added.bytes += count.bytes;
            }
        }
    }
    sums
}

/// Counts the addresses that are new to each row of all packages.
async fn add_addresses(
    db: &mut Connection,
    sql: &OfRows,
    addresses: &[(UsageKey, IpAddr)],
    sums: &mut BTreeMap<Row<'_>, Added>,
) -> Result<(), StoreError> {
    let mut seen = BTreeSet::new();
    for (key, address) in addresses {
        for (token, channel) in with_all(key) {
            seen.insert((key.day.number(), token, channel, address.to_string()));
        }
    }
    let rows: Vec<_> =
        seen.iter().map(|(day, token, channel, text)| json!([token, channel, day, text])).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let text = serde_json::Value::from(rows).to_string();
    for row in sqlx::query(sql.see).bind(text).fetch_all(db).await? {
        let (token, channel) = (row.try_get("token_id")?, row.try_get("channel_id")?);
        sums.entry((token, channel, ALL_PACKAGES, row.try_get("day")?)).or_default().addresses += 1;
    }
    Ok(())
}

/// One token and channel, and what stands for all of either.
fn with_all(key: &UsageKey) -> [(i64, i64); 4] {
    let token = key.token.map_or(NO_TOKEN, |id| id.0);
    let ChannelId(channel) = key.channel;
    [(token, channel), (token, ALL), (ALL, channel), (ALL, ALL)]
}

async fn execute(
    db: &mut Connection,
    sql: &'static str,
    rows: &[serde_json::Value],
) -> Result<(), StoreError> {
    if !rows.is_empty() {
        let text = serde_json::Value::from(rows.to_vec()).to_string();
        sqlx::query(sql).bind(text).execute(db).await?;
    }
    Ok(())
}

fn to_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
