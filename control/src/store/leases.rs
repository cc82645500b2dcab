//! The gateways' leases, a row for each life of a gateway (sync.md L1, L5).

use std::time::Duration;

use access::Timestamp;
use access::lease::{Instance, LeaseTerms, Registration};
use access::source::{Applied, Revision};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::{time, time_if_any};
use super::signals::{self, News};
use super::{Connection, Store, StoreError, Write};

/// A gateway as its row has it. The times are by the clocks of those who wrote them, for people
/// (sync.md L5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRow {
    /// Its identity.
    pub instance: Instance,
    /// Its label.
    pub name: String,
    /// Its version.
    pub version: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The last revision that is in force there.
    pub applied_revision: Revision,
    /// Whether the database still has that revision as the gateway knows it (sync.md F4).
    pub of_this_history: bool,
    /// Counted up by every renewal.
    pub renewal: i64,
    /// When it last renewed.
    pub renewed_at: Timestamp,
    /// What it may do without news.
    pub terms: LeaseTerms,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Whether an observer ended it, that saw no renewal.
    pub ended_by_observer: bool,
}

const REGISTER: &str = "INSERT INTO gateways (instance, name, version, started_at, \
     applied_revision, applied_stamp, renewal, renewed_at, lease_ms, serve_known_ms, \
     public_grace_ms) VALUES ($1, $2, $3, $4, -1, 0, 0, $4, $5, $6, $7)";
const RENEW: &str = "UPDATE gateways SET renewal = renewal + 1, renewed_at = $2 \
     WHERE instance = $1 AND ended_at IS NULL";
const ACKNOWLEDGE: &str = "UPDATE gateways SET applied_revision = $2, applied_stamp = $3 \
     WHERE instance = $1 AND ended_at IS NULL";
const END: &str = "UPDATE gateways SET ended_at = $2 WHERE instance = $1 AND ended_at IS NULL";
/// Only if it hasn't renewed since it was looked at (sync.md L5).
const END_UNRENEWED: &str = "UPDATE gateways SET ended_at = $3, ended_by_observer = $4 \
     WHERE instance = $1 AND renewal = $2 AND ended_at IS NULL";
const LIVE_OR_ENDED_SINCE: &str = "SELECT g.instance, g.name, g.version, g.started_at, \
     g.applied_revision, CASE WHEN r.stamp = g.applied_stamp THEN 1 ELSE 0 END AS known_stamp, \
     g.renewal, g.renewed_at, g.lease_ms, g.serve_known_ms, g.public_grace_ms, g.ended_at, \
     g.ended_by_observer FROM gateways g LEFT JOIN revisions r ON r.revision = g.applied_revision \
     WHERE g.ended_at IS NULL OR g.ended_at >= $1 \
     OR (g.ended_by_observer = 1 AND g.ended_at + g.public_grace_ms >= $2) ORDER BY g.name, g.started_at, g.instance";

/// None of the gateways that have ended.
pub(crate) const NO_MORE: Timestamp = Timestamp::from_millis(i64::MAX);

pub(super) async fn register(
    db: &mut Connection,
    registration: &Registration,
    now: Timestamp,
) -> Result<(), StoreError> {
    let terms = registration.terms;
    sqlx::query(REGISTER)
        .bind(registration.instance.0.as_str())
        .bind(registration.name.as_str())
        .bind(registration.version.as_str())
        .bind(now.as_millis())
        .bind(millis(terms.lease))
        .bind(millis(terms.serve_known))
        .bind(millis(terms.public_grace))
        .execute(db)
        .await?;
    Ok(())
}

/// Renews a row; `false` when it has ended or isn't there.
pub(super) async fn renew(
    db: &mut Connection,
    instance: &Instance,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(RENEW).bind(instance.0.as_str()).bind(now.as_millis()).execute(db);
    Ok(done.await?.rows_affected() > 0)
}

pub(super) async fn acknowledge(
    db: &mut Connection,
    instance: &Instance,
    applied: &Applied,
) -> Result<(), StoreError> {
    sqlx::query(ACKNOWLEDGE)
        .bind(instance.0.as_str())
        .bind(applied.revision.0)
        .bind(applied.stamp.0)
        .execute(db)
        .await?;
    Ok(())
}

pub(super) async fn end(
    db: &mut Connection,
    instance: &Instance,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(END).bind(instance.0.as_str()).bind(now.as_millis()).execute(db).await?;
    Ok(())
}

impl Store {
    /// The gateways that have not ended.
    pub(crate) async fn live_gateways(&self) -> Result<Vec<GatewayRow>, StoreError> {
        gateways_since(&mut *self.reader().await?, NO_MORE, NO_MORE).await
    }

    /// Ends a row that an observer saw without a renewal, if its number is still `renewal`.
    pub(crate) async fn end_gateway(
        &self,
        instance: &Instance,
        renewal: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut write = self.write(now).await?;
        let ended = self.end_unrenewed(&mut write, (&instance.0, renewal), true).await?;
        write.commit().await?;
        Ok(ended)
    }

    /// Ends a row in its place if its renewal number is still that, and tells whoever waits for it.
    pub(crate) async fn end_unrenewed(
        &self,
        write: &mut Write,
        (instance, renewal): (&str, i64),
        by_observer: bool,
    ) -> Result<bool, StoreError> {
        let now = write.now().as_millis();
        let done = sqlx::query(END_UNRENEWED)
            .bind(instance)
            .bind(renewal)
            .bind(now)
            .bind(i64::from(by_observer))
            .execute(write.connection())
            .await?;
        signals::tell(write.connection(), self.dialect, News::Acknowledgement).await?;
        Ok(done.rows_affected() > 0)
    }
}

/// The gateways that have not ended, those that have since `since`, and those that an observer
/// ended but that may have served public channels at `public_since` or later (sync.md L6).
pub(crate) async fn gateways_since(
    db: &mut Connection,
    since: Timestamp,
    public_since: Timestamp,
) -> Result<Vec<GatewayRow>, StoreError> {
    let rows = sqlx::query(LIVE_OR_ENDED_SINCE)
        .bind(since.as_millis())
        .bind(public_since.as_millis())
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<GatewayRow, StoreError> {
    let duration = |column| {
        let millis = row.try_get::<i64, _>(column)?;
        Ok::<_, StoreError>(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
    };
    Ok(GatewayRow {
        instance: Instance(row.try_get("instance")?),
        name: row.try_get("name")?,
        version: row.try_get("version")?,
        started_at: time(row, "started_at")?,
        applied_revision: Revision(row.try_get("applied_revision")?),
        of_this_history: row.try_get::<i64, _>("known_stamp")? != 0,
        renewal: row.try_get("renewal")?,
        renewed_at: time(row, "renewed_at")?,
        terms: LeaseTerms {
            lease: duration("lease_ms")?,
            serve_known: duration("serve_known_ms")?,
            public_grace: duration("public_grace_ms")?,
        },
        ended_at: time_if_any(row, "ended_at")?,
        ended_by_observer: row.try_get::<i64, _>("ended_by_observer")? != 0,
    })
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
