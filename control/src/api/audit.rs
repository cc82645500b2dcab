//! `/audit`

use access::Timestamp;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::List;
use super::credential::SignedIn;
use super::problem::Problem;
use super::request::{Query, page};
use super::words::Time;
use crate::usecases::{Listed, Page, audit};
use crate::{Actor, AuditEvent, AuditFilter, Control, Error};

/// The media type of one JSON text a line.
pub(crate) const NDJSON: &str = "application/x-ndjson";

/// Who did what to what, when and from where.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub(super) struct Event {
    id: i64,
    at: Time,
    /// Who did it; their name outlives them.
    actor: String,
    /// By which credential.
    #[schema(example = "session:7")]
    via: String,
    /// From which address; null at the machine itself.
    address: Option<String>,
    /// The `X-Request-Id` of the request that did it.
    request_id: Option<String>,
    /// What was done.
    #[schema(example = "token.create")]
    action: String,
    /// What kind of thing it was done to.
    target_kind: String,
    target_id: i64,
    /// That thing's name.
    target: String,
    /// What it was before, without secrets.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// What it was afterwards, without secrets.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// The change it belongs to, if gateways decide by it.
    revision: Option<i64>,
}

impl From<AuditEvent> for Event {
    fn from(event: AuditEvent) -> Self {
        Self {
            id: event.id,
            at: event.at.into(),
            actor: event.actor,
            via: event.via,
            address: event.address,
            request_id: event.request_id,
            action: event.action,
            target_kind: event.target_kind,
            target_id: event.target_id,
            target: event.target,
            before: event.before,
            after: event.after,
            revision: event.revision.map(|revision| revision.0),
        }
    }
}

/// Which events to show.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// From this time on.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Before this time.
    #[param(format = DateTime)]
    until: Option<String>,
    /// Of this user or service account.
    actor: Option<String>,
    /// Of this action, such as `token.create`.
    action: Option<String>,
    /// On a thing of this name.
    target: Option<String>,
    /// How many at most; when not said, 100 as JSON, all as NDJSON.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists audit events, newest first; as JSON a page of them, as NDJSON all, a line each. For
/// admins.
#[utoipa::path(
    get,
    path = "/audit",
    tag = "audit",
    params(Filter),
    responses((status = OK, description = "Events", content(
        (List<Event> = "application/json"),
        (String = "application/x-ndjson"),
    )))
)]
pub(super) async fn list(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    headers: HeaderMap,
    Query(query): Query<Filter>,
) -> Result<Response, Problem> {
    let time = |field, text: Option<String>| {
        let time = text.map(|text| text.parse::<Timestamp>()).transpose();
        time.map_err(|why| Error::invalid(field, why))
    };
    let filter = AuditFilter {
        since: time("since", query.since)?,
        until: time("until", query.until)?,
        actor: query.actor,
        action: query.action,
        target: query.target,
    };
    let whole = query.limit.is_none();
    let page = page(query.limit, query.cursor, None)?;
    if !accepts_lines(&headers) {
        let found = audit::list(&control, &actor, &filter, &page).await?;
        return Ok(List::of(found, Event::from).into_response());
    }
    let body = match whole {
        true => export(control, actor, filter, page.after).await?,
        false => written(audit::list(&control, &actor, &filter, &page).await?.items)?.into(),
    };
    Ok(([(CONTENT_TYPE, NDJSON)], body).into_response())
}

/// All events after a page's cursor, a line of JSON each.
///
/// # Errors
/// As [`audit::list`]: the first page is read before the answer begins.
pub(crate) async fn export(
    control: Control,
    actor: Actor,
    filter: AuditFilter,
    after: Option<String>,
) -> Result<Body, Error> {
    let page = Page { after, limit: Page::MAX_LIMIT, prefix: String::new() };
    let first = audit::list(&control, &actor, &filter, &page).await?;
    Ok(Body::from_stream(lines(first, Rest { control, actor, filter, page })))
}

fn accepts_lines(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        range.split(';').next().is_some_and(|range| range.trim().eq_ignore_ascii_case(NDJSON))
    })
}

/// What is needed to read the pages after one.
struct Rest {
    control: Control,
    actor: Actor,
    filter: AuditFilter,
    page: Page,
}

/// One page after the other, each read when the client has taken the one before. Whoever stops
/// being an admin meanwhile gets no more.
fn lines(first: Listed<AuditEvent>, rest: Rest) -> impl Stream<Item = Result<Bytes, Error>> {
    stream::try_unfold((Some(first), Some(rest)), |(page, rest)| async move {
        let Some(page) = page else { return Ok(None) };
        let bytes = written(page.items)?;
        let (next, rest) = match (page.next_cursor, rest) {
            (Some(cursor), Some(mut rest)) => {
                rest.page.after = Some(cursor);
                let next = audit::list(&rest.control, &rest.actor, &rest.filter, &rest.page);
                (Some(next.await?), Some(rest))
            }
            _ => (None, None),
        };
        Ok(Some((bytes, (next, rest))))
    })
}

fn written(events: Vec<AuditEvent>) -> Result<Bytes, Error> {
    let mut text = Vec::new();
    for event in events {
        let line = serde_json::to_writer(&mut text, &Event::from(event));
        line.map_err(|error| Error::Internal(format!("writing an audit event: {error}")))?;
        text.push(b'\n');
    }
    Ok(Bytes::from(text))
}
