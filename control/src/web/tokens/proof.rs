//! Where a revoke is in force, live until that is everywhere.

use std::time::Duration;

use access::Timestamp;
use access::source::Revision;
use axum::extract::{Path, State};
use maud::{Markup, html};

use super::edit::id_in_path;
use crate::usecases::proof::{Member, MemberState, Proof, prove};
use crate::usecases::token;
use crate::web::failure::Failure;
use crate::web::icon::shown;
use crate::web::moment::{exact, moment};
use crate::web::visitor::Visitor;
use crate::{Control, Error};

/// How long an answer waits for more: the next question is asked at once.
const LIVE_WAIT: Duration = Duration::from_secs(5);

/// The part of the dialog that changes.
pub(super) async fn part(
    State(control): State<Control>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Markup, Failure> {
    let id = id_in_path(&id)?;
    let token = token::get(&control, &visitor.actor, id).await?;
    let Some((at, revision)) = token.revoked else {
        return Err(Error::NotFound { kind: "revoke", name: id.0.to_string() }.into());
    };
    shown_after(&control, (id.0, at, revision), LIVE_WAIT).await
}

/// The proof after waiting for it this long.
pub(super) async fn shown_after(
    control: &Control,
    (id, at, revision): (i64, Timestamp, Revision),
    wait: Duration,
) -> Result<Markup, Failure> {
    let proof = prove(control, revision, wait).await?;
    let is_done = proof.confirmed_at.is_some();
    let live = (!is_done).then(|| format!("/tokens/{id}/proof"));
    Ok(html! {
        div id="proof" role="status"
            hx-get=[live.as_deref()] hx-trigger=[(!is_done).then_some("load delay:500ms")] hx-swap=[(!is_done).then_some("outerHTML")]
        {
            p { (words(&proof, at)) }
            @if !proof.gateways.is_empty() {
                ul.list { @for gateway in &proof.gateways { (row(gateway, control.now())) } }
            }
            @if !is_done {
                p.small {
                    "Updates by itself. You can close this: a gateway that doesn’t answer is bound by its lease. "
                    a href={ "/tokens/" (id) "/revoked" } { "Look again" }
                }
            }
        }
    })
}

/// "Revoked. Confirmed on 3 of 3 gateways in 38 ms"
fn words(proof: &Proof, at: Timestamp) -> String {
    let serving = proof.gateways.iter().filter(|gateway| gateway.state != MemberState::Ended);
    let (mut all, mut applied) = (0, 0);
    for gateway in serving {
        all += 1;
        applied += usize::from(gateway.state == MemberState::Applied);
    }
    match proof.confirmed_at {
        Some(_) if all == 0 => "Revoked. No gateway is running that could grant it.".to_owned(),
        Some(confirmed) => {
            let took = confirmed.since(at);
            let took = match took.as_millis() {
                millis @ 0..1_000 => format!("{millis} ms"),
                _ => format!("{:.1} s", took.as_secs_f64()),
            };
            format!(
                "Revoked. Confirmed on {applied} of {all} gateway{} in {took}.",
                if all == 1 { "" } else { "s" }
            )
        }
        None => format!(
            "Revoked. Confirmed on {applied} of {all} gateways. None serves it after {}.",
            exact(proof.guaranteed_by)
        ),
    }
}

fn row(gateway: &Member, now: Timestamp) -> Markup {
    let (class, icon, words) = match gateway.state {
        MemberState::Applied => ("i ok", "ok", "Refuses it"),
        MemberState::Ended => ("i dim", "off", "Serves no more"),
        MemberState::Waiting => ("i warn spin", "wait", "Has not answered yet"),
    };
    html! {
        li {
            (shown(class, icon))
            span {
                b { (gateway.name) }
                small {
                    (words)
                    @if let Some(stops) = gateway.stops_by { "; stops by itself " (moment(now, stops)) }
                }
            }
        }
    }
}
