//! All events that are asked for, as a file for other systems: as the API writes them.

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};

use super::filter;
use crate::api::audit::{NDJSON, export};
use crate::web::failure::Failure;
use crate::web::fields::Query;
use crate::web::visitor::Visitor;
use crate::{Control, Error};

const FILE: &str = "attachment; filename=\"audit.ndjson\"";

pub(in crate::web::org) async fn download(
    State(control): State<Control>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let (wanted, faults) = filter::read(&fields);
    if let Some((field, why)) = faults.first() {
        return Err(Error::invalid(field, why).into());
    }
    let body = export(control, visitor.actor, wanted, None).await?;
    Ok(([(CONTENT_TYPE, NDJSON), (CONTENT_DISPOSITION, FILE)], body).into_response())
}
