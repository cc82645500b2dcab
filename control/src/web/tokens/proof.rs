//! Where a revoke is in force.

use std::time::Duration;

use access::source::Revision;
use axum::extract::{Path, State};
use maud::Markup;

use super::edit::id_in_path;
use crate::usecases::token;
use crate::web::failure::Failure;
use crate::web::proof::{self, Taken};
use crate::web::visitor::Visitor;
use crate::{Control, Error};

/// The part of the dialog that changes.
pub(super) async fn part(
    State(control): State<Control>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Markup, Failure> {
    let id = id_in_path(&id)?;
    let token = token::get(&control, &visitor.actor, id).await?;
    let Some((_, revision)) = token.revoked else {
        return Err(Error::NotFound { kind: "revoke", name: id.0.to_string() }.into());
    };
    shown_after(&control, (id.0, revision), proof::LIVE_WAIT).await
}

/// The proof after waiting for it this long.
pub(super) async fn shown_after(
    control: &Control,
    (id, revision): (i64, Revision),
    wait: Duration,
) -> Result<Markup, Failure> {
    let (part, page) = (format!("/tokens/{id}/proof"), format!("/tokens/{id}/revoked"));
    let taken = Taken { revision, words: "Revoked", part: &part, page: &page, is_brief: false };
    Ok(proof::shown_after(control, taken, wait).await?)
}
