//! The gateways' leases as they are written, a row for each life of a gateway (sync.md L1, L5).

use std::time::Duration;

use access::Timestamp;
use access::lease::{Instance, Registration};
use access::source::Applied;

use super::signals::{self, News};
use super::{Connection, Store, StoreError, Write};

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
    /// Ends a row that an observer saw without a renewal, if its number is still `renewal`.
    pub(crate) async fn end_gateway(
        &self,
        instance: &Instance,
        renewal: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut write = self.write(now).await?;
        let ended = self.end_unrenewed(&mut write, (instance, renewal), true).await?;
        write.commit().await?;
        Ok(ended)
    }

    /// Ends a row in its place if its renewal number is still that, and tells whoever waits for it.
    pub(crate) async fn end_unrenewed(
        &self,
        write: &mut Write,
        (instance, renewal): (&Instance, i64),
        by_observer: bool,
    ) -> Result<bool, StoreError> {
        let now = write.now().as_millis();
        let done = sqlx::query(END_UNRENEWED)
            .bind(instance.0.as_str())
            .bind(renewal)
            .bind(now)
            .bind(i64::from(by_observer))
            .execute(write.connection())
            .await?;
        signals::tell(write.connection(), self.dialect, News::Acknowledgement).await?;
        Ok(done.rows_affected() > 0)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
