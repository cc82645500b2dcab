//! Where a change that takes access away is in force, live until that is everywhere.

use std::time::Duration;

use access::Timestamp;
use access::source::Revision;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::Redirect;
use axum::routing::get;
use maud::{Markup, html};

use super::failure::Failure;
use super::fields::Fields;
use super::icon::shown;
use super::moment::{exact, moment};
use super::visitor::Visitor;
use crate::usecases::proof::{Member, MemberState, Proof, prove};
use crate::{Control, Error};

/// How long a page waits for a proof: mostly it is there by then.
pub(super) const WAIT: Duration = Duration::from_secs(1);
/// How long the live part waits for more: the next question is asked at once.
pub(super) const LIVE_WAIT: Duration = Duration::from_secs(5);
/// What is told as a time and not as "just now".
const MINUTE: Duration = Duration::from_secs(60);
/// What the query of a page calls the change whose proof stands above it.
const CHANGE: &str = "proof";
/// What the query of a page says after a change that has no proof to show.
const SAVED: &str = "saved";

pub(super) fn router() -> Router<Control> {
    Router::new().route("/revisions/{revision}/proof", get(part))
}

/// A change that takes access away.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken<'a> {
    /// The change.
    pub(super) revision: Revision,
    /// What happened, as a sentence without its stop.
    pub(super) words: &'a str,
    /// The address of the part that is live.
    pub(super) part: &'a str,
    /// The address of the page that shows it, for whoever has no scripts.
    pub(super) page: &'a str,
    /// Whether the gateways are named only while one hasn't answered.
    pub(super) is_brief: bool,
}

/// The page that comes after a change was made: `path` with its proof above. One that takes nothing
/// away, or a repeated form, has no proof to show: that it was saved is said.
pub(super) fn after(path: &str, change: Option<Revision>) -> Redirect {
    match change {
        Some(revision) => Redirect::to(&with_proof(path, revision)),
        None => Redirect::to(&with(path, SAVED, "yes")),
    }
}

/// The page at `path` with the proof of a change above it.
fn with_proof(path: &str, Revision(number): Revision) -> String {
    with(path, CHANGE, &number.to_string())
}

/// A path, which may have a query, with another field.
fn with(path: &str, field: &str, value: &str) -> String {
    let and = if path.contains('?') { '&' } else { '?' };
    format!("{path}{and}{field}={value}")
}

/// The proof that the address of a page asks for, or that something was saved, to stand above it.
pub(super) async fn above(control: &Control, parts: &Parts) -> Result<Option<Markup>, Error> {
    let query = Fields::parse(parts.uri.query().unwrap_or_default().as_bytes());
    if query.has(SAVED, "yes") {
        return Ok(Some(html! {
            div.panel.over {
                p.st role="status" { (shown("i ok", "ok")) span { "Saved." } }
                a.btn href=(parts.uri.path()) aria-label="Close the message" { "Close" }
            }
        }));
    }
    let Ok(number) = query.text(CHANGE).parse() else { return Ok(None) };
    match over(control, Revision(number), parts.uri.path()).await {
        Ok(proof) => Ok(Some(proof)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

/// The proof of a change, to stand above the page at `path`.
pub(super) async fn over(
    control: &Control,
    revision: Revision,
    path: &str,
) -> Result<Markup, Error> {
    let proof = of_change(control, revision, &with_proof(path, revision), WAIT).await?;
    Ok(html! {
        div.panel.over {
            (proof)
            a.btn href=(path) aria-label="Close the proof" { "Close" }
        }
    })
}

async fn part(
    State(control): State<Control>,
    _visitor: Visitor,
    Path(revision): Path<String>,
    uri: Uri,
) -> Result<Markup, Failure> {
    let number = revision.parse().map(Revision);
    let number = number.map_err(|_not| Error::NotFound { kind: "revision", name: revision })?;
    let page = uri.path_and_query().map_or("", |page| page.as_str());
    Ok(of_change(&control, number, page, LIVE_WAIT).await?)
}

async fn of_change(
    control: &Control,
    revision: Revision,
    page: &str,
    wait: Duration,
) -> Result<Markup, Error> {
    let part = format!("/revisions/{}/proof", revision.0);
    let taken =
        Taken { revision, words: "Access is taken away", part: &part, page, is_brief: true };
    shown_after(control, taken, wait).await
}

/// The proof after waiting for it this long.
pub(super) async fn shown_after(
    control: &Control,
    taken: Taken<'_>,
    wait: Duration,
) -> Result<Markup, Error> {
    let proof = prove(control, taken.revision, wait).await?;
    let is_done = proof.confirmed_at.is_some();
    let live = (!is_done).then_some(taken.part);
    let named: &[Member] = if is_done && taken.is_brief { &[] } else { &proof.gateways };
    Ok(html! {
        div id="proof" role="status"
            hx-get=[live] hx-trigger=[live.map(|_| "load delay:500ms")] hx-swap=[live.map(|_| "outerHTML")]
        {
            p.st { @if is_done { (shown("i ok", "ok")) } span { (words(taken.words, &proof)) } }
            @if !named.is_empty() {
                ul.list { @for gateway in named { (row(gateway, control.now())) } }
            }
            @if !is_done {
                p.small {
                    "Updates by itself. You can close this: a gateway that doesn’t answer is bound by its lease. "
                    noscript { a href=(taken.page) { "Look again" } }
                }
            }
        }
    })
}

/// "Revoked. Confirmed on 2 of 3 gateways in 9.4 s; 1 was stopped by its lease."
fn words(lead: &str, proof: &Proof) -> Markup {
    let count = |is: fn(&Member) -> bool| proof.gateways.iter().filter(|one| is(one)).count();
    let applied = count(|gateway| gateway.state == MemberState::Applied);
    let by_lease = count(|gateway| gateway.stopped_by_lease);
    let all = by_lease + count(|gateway| gateway.state != MemberState::Ended);
    let stopped = match by_lease {
        0 => String::new(),
        1 => "; 1 was stopped by its lease".to_owned(),
        more => format!("; {more} were stopped by their leases"),
    };
    let s = if all == 1 { "" } else { "s" };
    html! {
        (lead) ". "
        @match proof.confirmed_at {
            Some(_) if all == 0 => "No gateway is running that could grant it.",
            Some(confirmed) => {
                "Confirmed on " (applied) " of " (all) " gateway" (s) " in " (took(confirmed.since(proof.changed_at))) (stopped) "."
            }
            None => {
                "Confirmed on " (applied) " of " (all) " gateway" (s) (stopped) ". None grants it after "
                time datetime=(proof.guaranteed_by) title=(exact(proof.guaranteed_by)) data-clock { (exact(proof.guaranteed_by)) }
                "."
            }
        }
    }
}

fn took(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..1_000 => format!("{millis} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

fn row(gateway: &Member, now: Timestamp) -> Markup {
    let (class, icon, words) = match gateway.state {
        MemberState::Applied => ("i ok", "ok", "Refuses it"),
        MemberState::Ended if gateway.stopped_by_lease => {
            ("i warn", "off", "Did not answer; its lease ran out, so that it serves no more")
        }
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
                    @if let Some(stops) = gateway.stops_by { "; stops by itself "
                        @if stops.since(now) < MINUTE { "within a minute" } @else { (moment(now, stops)) }
                     }
                }
            }
        }
    }
}
