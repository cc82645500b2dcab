//! The forms that answers share (api.md). What is shown of a thing stands with its handlers.

use access::source::Revision;
use axum::Json;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::usecases::Listed;

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

/// A thing with the change that made it so.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Changed<T> {
    #[serde(flatten)]
    thing: T,
    /// The revision from which gateways know it.
    revision: i64,
}

/// A thing just made.
pub(super) type Created<T> = (StatusCode, Json<Changed<T>>);

pub(super) fn created<T>(thing: T, revision: Revision) -> Created<T> {
    (StatusCode::CREATED, changed(thing, revision))
}

pub(super) fn changed<T>(thing: T, revision: Revision) -> Json<Changed<T>> {
    Json(Changed { thing, revision: revision.0 })
}
