//! Gateways as they registered themselves (sync.md L1).

use std::time::Duration;

use access::Timestamp;
use access::source::Revision;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::time;
use super::{Connection, StoreError};

/// One start of a gateway's process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayInstance {
    /// Which start.
    pub instance: String,
    /// Its name in its configuration.
    pub name: String,
    /// Its version of condagate.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// The last change it is known to have applied.
    pub applied_revision: Revision,
    /// How many changes it is behind.
    pub lag: i64,
    /// Until when it serves without hearing from the control plane.
    pub lease_ends_at: Timestamp,
}

const LIST: &str = "SELECT g.instance, g.name, g.version, g.started_at, g.applied_revision, \
     c.revision - g.applied_revision AS lag, g.renewed_at, g.lease_ms \
     FROM gateways g, revision_counter c WHERE g.ended_at IS NULL AND g.instance > $1 \
     ORDER BY g.instance LIMIT $2";

/// Where a gateway's lease stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GatewayLease {
    pub(crate) name: String,
    pub(crate) renewal: i64,
    pub(crate) lease_ends_at: Timestamp,
    pub(crate) has_ended: bool,
}

const FIND: &str = "SELECT name, renewal, renewed_at, lease_ms, \
     CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END AS has_ended FROM gateways WHERE instance = $1";

pub(crate) async fn find_gateway(
    db: &mut Connection,
    instance: &str,
) -> Result<Option<GatewayLease>, StoreError> {
    let row = sqlx::query(FIND).bind(instance).fetch_optional(db).await?;
    let found = |row: AnyRow| {
        Ok(GatewayLease {
            name: row.try_get("name")?,
            renewal: row.try_get("renewal")?,
            lease_ends_at: lease_end(&row)?,
            has_ended: row.try_get::<i32, _>("has_ended")? != 0,
        })
    };
    row.map(found).transpose()
}

/// The gateways that haven't ended, by instance after `after`.
pub(crate) async fn list_gateways(
    db: &mut Connection,
    after: &str,
    limit: u32,
) -> Result<Vec<GatewayInstance>, StoreError> {
    let rows = sqlx::query(LIST).bind(after).bind(i64::from(limit)).fetch_all(db).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<GatewayInstance, StoreError> {
    Ok(GatewayInstance {
        instance: row.try_get("instance")?,
        name: row.try_get("name")?,
        version: row.try_get("version")?,
        started_at: time(row, "started_at")?,
        applied_revision: Revision(row.try_get("applied_revision")?),
        lag: row.try_get::<i64, _>("lag")?.max(0),
        lease_ends_at: lease_end(row)?,
    })
}

fn lease_end(row: &AnyRow) -> Result<Timestamp, StoreError> {
    let lease = u64::try_from(row.try_get::<i64, _>("lease_ms")?).unwrap_or_default();
    Ok(time(row, "renewed_at")?.plus(Duration::from_millis(lease)))
}
