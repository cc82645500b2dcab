//! The forms that answers share (api.md). What is shown of a thing stands with its handlers.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::proofs::{self, Proof};
use crate::Control;
use crate::usecases::{Committed, Listed};

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct List<T> {
    /// The items, in order.
    items: Vec<T>,
    /// What to give as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

impl<T> List<T> {
    pub(super) fn of<U>(listed: Listed<U>, item: impl FnMut(U) -> T) -> Json<Self> {
        let items = listed.items.into_iter().map(item).collect();
        Json(Self { items, next_cursor: listed.next_cursor })
    }
}

/// A thing with the change that made it so, and where that is in force.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Changed<T> {
    #[serde(flatten)]
    thing: T,
    /// The revision from which gateways know it.
    revision: i64,
    /// On which gateways that is. Null when it couldn't be read just now: the change is made all
    /// the same, and `/revisions/{revision}/proof` tells it later.
    proof: Option<Proof>,
}

/// A thing just made.
pub(super) type Created<T> = (StatusCode, Json<Changed<T>>);

pub(super) async fn created<T>(
    control: &Control,
    done: Committed<impl Into<T>>,
    wait: Option<Duration>,
) -> Created<T> {
    (StatusCode::CREATED, changed(control, done, wait).await)
}

/// Waits for the proof, but never takes the thing back for want of it: it may have a token's value.
pub(super) async fn changed<T>(
    control: &Control,
    done: Committed<impl Into<T>>,
    wait: Option<Duration>,
) -> Json<Changed<T>> {
    let proof = proofs::prove(control, done.revision, wait).await.ok();
    Json(Changed { thing: done.value.into(), revision: done.revision.0, proof })
}
