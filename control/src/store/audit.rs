//! The audit log: who did what to what, from where. Written in the transaction of the change, so
//! that neither is there without the other.

use access::Timestamp;
use access::source::Revision;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::repeats::insert_repeatable;
use super::rows::time;
use super::write::Write;
use super::{Connection, StoreError};
use crate::Actor;

const INSERT: &str = "INSERT INTO audit_events (at, revision, actor_id, actor, via, address, \
     request_id, action, target_kind, target_id, target, before, after) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

/// What an event is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) kind: &'static str,
    pub(crate) id: i64,
    pub(crate) name: &'a str,
}

/// One audit event. `before` and `after` are what may be shown of the target: never a secret.
#[derive(Clone, Debug)]
pub(crate) struct Event<'a> {
    pub(crate) action: &'static str,
    pub(crate) target: Target<'a>,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

/// Adds an event to the log, in the transaction of what it tells of. If the actor's request may be
/// sent again, it is recorded too: as the one that made the event's target.
pub(super) async fn insert_event(
    write: &mut Write,
    revision: Option<Revision>,
    actor: &Actor,
    event: Event<'_>,
) -> Result<(), StoreError> {
    let now = write.now();
    sqlx::query(INSERT)
        .bind(now.as_millis())
        .bind(revision.map(|revision| revision.0))
        .bind(actor.principal.map(|id| id.0))
        .bind(&*actor.name)
        .bind(actor.via.to_string())
        .bind(actor.address.map(|address| address.to_string()))
        .bind(actor.request_id.as_deref())
        .bind(event.action)
        .bind(event.target.kind)
        .bind(event.target.id)
        .bind(event.target.name)
        .bind(event.before.map(|state| state.to_string()))
        .bind(event.after.map(|state| state.to_string()))
        .execute(write.connection())
        .await?;
    if let (Some(principal), Some(request)) = (actor.principal, &actor.repeatable) {
        let db = write.connection();
        insert_repeatable(db, principal, request, event.target, now).await?;
    }
    Ok(())
}

/// An event as it is read back.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// Its identity.
    pub id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// The change it belongs to, if gateways decide by it.
    pub revision: Option<Revision>,
    /// Who did it, by name; the name outlives its bearer.
    pub actor: String,
    /// By which credential: `console`, `password`, `session:7`, `token:12`.
    pub via: String,
    /// From which address.
    pub address: Option<String>,
    /// By which request.
    pub request_id: Option<String>,
    /// What was done: `token.create`.
    pub action: String,
    /// What kind of thing it was done to.
    pub target_kind: String,
    /// That thing's identity; 0 when there is none.
    pub target_id: i64,
    /// That thing's name.
    pub target: String,
    /// What it was before, as far as it may be shown.
    pub before: Option<Value>,
    /// What it was afterwards.
    pub after: Option<Value>,
}

/// Which events to read; nothing said is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// From this time on.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// Of this actor.
    pub actor: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// On a target of this name.
    pub target: Option<String>,
}

/// Where a page of events begins: after this one, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AuditPosition {
    pub(crate) at: Timestamp,
    pub(crate) id: i64,
}

const READ: &str = "SELECT id, at, revision, actor, via, address, request_id, action, target_kind, \
     target_id, target, before, after FROM audit_events WHERE at >= $1 AND (at, id) < ($2, $3)";

/// The events that pass the filter, newest first, after `after`.
pub(crate) async fn list_audit_events(
    db: &mut Connection,
    filter: &AuditFilter,
    after: Option<AuditPosition>,
    limit: u32,
) -> Result<Vec<AuditEvent>, StoreError> {
    let since = filter.since.map_or(i64::MIN, Timestamp::as_millis);
    // No event has the id 0: what comes before it at a time is what came before that time.
    let until = filter.until.map(|at| AuditPosition { at, id: 0 });
    let before = [until, after].into_iter().flatten().min_by_key(|end| (end.at, end.id));
    let (at, id) = before.map_or((i64::MAX, i64::MAX), |end| (end.at.as_millis(), end.id));
    let query = sqlx::query(AssertSqlSafe(filtered(filter))).bind(since).bind(at).bind(id);
    let mut query = query.bind(i64::from(limit));
    for (_, value) in equal(filter) {
        query = query.bind(value);
    }
    query.fetch_all(db).await?.iter().map(read).collect()
}

/// The columns that must equal something.
fn equal(filter: &AuditFilter) -> impl Iterator<Item = (&'static str, &str)> {
    let columns =
        [("actor", &filter.actor), ("action", &filter.action), ("target", &filter.target)];
    columns.into_iter().filter_map(|(column, value)| Some((column, value.as_deref()?)))
}

/// Made of our own words alone: each filter given is one more comparison, so that its index is
/// used.
pub(super) fn filtered(filter: &AuditFilter) -> String {
    let mut sql = READ.to_owned();
    for (number, (column, _)) in (5..).zip(equal(filter)) {
        sql.push_str(&format!(" AND {column} = ${number}"));
    }
    sql.push_str(" ORDER BY at DESC, id DESC LIMIT $4");
    sql
}

fn read(row: &AnyRow) -> Result<AuditEvent, StoreError> {
    let state = |column| {
        let text: Option<&str> = row.try_get(column)?;
        let unreadable = |text: &str| StoreError::Unreadable {
            what: "an audit event's state",
            value: text.to_owned(),
        };
        text.map(|text| serde_json::from_str(text).map_err(|_not_json| unreadable(text)))
            .transpose()
    };
    Ok(AuditEvent {
        id: row.try_get("id")?,
        at: time(row, "at")?,
        revision: row.try_get::<Option<i64>, _>("revision")?.map(Revision),
        actor: row.try_get("actor")?,
        via: row.try_get("via")?,
        address: row.try_get("address")?,
        request_id: row.try_get("request_id")?,
        action: row.try_get("action")?,
        target_kind: row.try_get("target_kind")?,
        target_id: row.try_get("target_id")?,
        target: row.try_get("target")?,
        before: state("before")?,
        after: state("after")?,
    })
}
