//! The audit log: who did what to what, from where. Written in the transaction of the change, so
//! that neither is there without the other.

use access::source::Revision;
use serde_json::Value;

use super::StoreError;
use super::write::Write;
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

/// Adds an event to the log, in the transaction of what it tells of.
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
    Ok(())
}
