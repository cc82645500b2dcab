//! Gateways as their rows have them (sync.md L1, L5).

use std::time::Duration;

use access::Timestamp;
use access::lease::{Instance, LeaseTerms};
use access::source::Revision;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::{time, time_if_any};
use super::{Connection, StoreError};

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

impl GatewayRow {
    /// How many changes it is behind, the newest of which is that one.
    pub fn lag(&self, newest: Revision) -> i64 {
        (newest.0 - self.applied_revision.0).max(0)
    }

    /// When its lease ends if it isn't renewed.
    pub fn lease_ends_at(&self) -> Timestamp {
        self.renewed_at.plus(self.terms.lease)
    }
}

/// Rows of gateways under a condition.
macro_rules! gateways_where {
    ($condition:literal) => {
        concat!(
            "SELECT g.instance, g.name, g.version, g.started_at, g.applied_revision, \
             CASE WHEN r.stamp = g.applied_stamp THEN 1 ELSE 0 END AS known_stamp, g.renewal, \
             g.renewed_at, g.lease_ms, g.serve_known_ms, g.public_grace_ms, g.ended_at, \
             g.ended_by_observer FROM gateways g \
             LEFT JOIN revisions r ON r.revision = g.applied_revision WHERE ",
            $condition
        )
    };
}

const FIND: &str = gateways_where!("g.instance = $1");
const LIVE_OR_ENDED_SINCE: &str = gateways_where!(
    "g.ended_at IS NULL OR g.ended_at >= $1 \
     OR (g.ended_by_observer = 1 AND g.ended_at + g.public_grace_ms >= $2) \
     ORDER BY g.name, g.started_at, g.instance"
);

/// Those that an observer ended since `$1` and that haven't come back under their name.
const LOST: &str = gateways_where!(
    "g.ended_by_observer = 1 AND g.ended_at >= $1 AND NOT EXISTS (SELECT 1 FROM gateways o \
     WHERE o.name = g.name AND o.instance <> g.instance AND o.started_at >= g.renewed_at) \
     ORDER BY g.name, g.instance"
);

/// What it may have served since without news is reckoned with no more.
const FORGET_ENDED: &str = "UPDATE gateways SET ended_by_observer = 0 \
     WHERE instance = $1 AND ended_by_observer = 1";

/// None of the gateways that have ended.
pub(crate) const NO_MORE: Timestamp = Timestamp::from_millis(i64::MAX);

pub(crate) async fn find_gateway(
    db: &mut Connection,
    instance: &Instance,
) -> Result<Option<GatewayRow>, StoreError> {
    let row = sqlx::query(FIND).bind(instance.0.as_str()).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// The gateways that have not ended.
pub(crate) async fn live_gateways(db: &mut Connection) -> Result<Vec<GatewayRow>, StoreError> {
    gateways_since(db, NO_MORE, NO_MORE).await
}

/// The gateways whose lease has run out since then without a stop, and that haven't come back.
pub(crate) async fn lost_gateways(
    db: &mut Connection,
    since: Timestamp,
) -> Result<Vec<GatewayRow>, StoreError> {
    let rows = sqlx::query(LOST).bind(since.as_millis()).fetch_all(db).await?;
    rows.iter().map(read).collect()
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

/// Forgets that a gateway ended without a stop; `false` when it had one, or is forgotten already.
pub(crate) async fn forget_ended(
    db: &mut Connection,
    instance: &Instance,
) -> Result<bool, StoreError> {
    let done = sqlx::query(FORGET_ENDED).bind(instance.0.as_str()).execute(db).await?;
    Ok(done.rows_affected() > 0)
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
