//! What a deciding write answers: where it is in force (sync.md, "What a revoke promises"), also at
//! `/revisions/{revision}/proof`.

use std::time::Duration;

use access::source::Revision;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::credential::SignedIn;
use super::problem::Problem;
use super::request::{Query, Segment, WaitQuery};
use super::words::Time;
use crate::usecases::proof::{self, Member, MemberState};
use crate::{Control, Error};

/// On which gateways a change is in force, and until when it may not be.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Proof {
    /// The change's number.
    revision: i64,
    /// Whether it is in force on every gateway.
    confirmed: bool,
    /// When it was first seen so; null while it isn't. Of a change that is no longer kept: when
    /// it was deleted, by when it was so.
    confirmed_at: Option<Time>,
    /// From when on no gateway decides by what was before, confirmed or not.
    guaranteed_by: Time,
    /// How long this answer was waited for, in milliseconds.
    waited_ms: u64,
    gateways: Vec<GatewayProof>,
}

/// One gateway of a proof.
#[derive(Debug, Serialize, ToSchema)]
struct GatewayProof {
    name: String,
    /// Which start of it.
    instance: String,
    state: ProofState,
    /// Whether it ended because its lease ran out, without a stop and without having said that the
    /// change is in force there.
    stopped_by_lease: bool,
    /// The last change that is in force there.
    applied_revision: i64,
    /// When it stops serving by what was before, whatever happens; null once it doesn't any more.
    stops_by: Option<Time>,
}

/// Whether a change is in force on a gateway.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ProofState {
    /// It is.
    Applied,
    /// The gateway has not said so.
    Waiting,
    /// The gateway serves no more.
    Ended,
}

/// The two answers of a change that takes or gives access.
#[derive(utoipa::IntoResponses)]
#[allow(dead_code, reason = "describes the answer of `proven`")]
pub(super) enum ProofAnswer {
    /// In force on every gateway
    #[response(status = 200)]
    Confirmed(#[to_schema] Proof),
    /// Committed, not proven yet
    #[response(status = 202)]
    Committed(#[to_schema] Proof),
}

/// 200 with a proof, 202 with what is known as yet.
pub(super) type Proven = (StatusCode, Json<Proof>);

impl From<Member> for GatewayProof {
    fn from(member: Member) -> Self {
        Self {
            name: member.name,
            instance: member.instance.0,
            state: match member.state {
                MemberState::Applied => ProofState::Applied,
                MemberState::Waiting => ProofState::Waiting,
                MemberState::Ended => ProofState::Ended,
            },
            stopped_by_lease: member.stopped_by_lease,
            applied_revision: member.applied_revision.0,
            stops_by: member.stops_by.map(Time::from),
        }
    }
}

/// Waits for the proof of a change that is committed, for as long as the caller wants.
pub(super) async fn prove(
    control: &Control,
    revision: Revision,
    wait: Option<Duration>,
) -> Result<Proof, Error> {
    let found = proof::prove(control, revision, wait.unwrap_or_default()).await?;
    Ok(Proof {
        revision: found.revision.0,
        confirmed: found.confirmed_at.is_some(),
        confirmed_at: found.confirmed_at.map(Time::from),
        guaranteed_by: found.guaranteed_by.into(),
        waited_ms: u64::try_from(found.waited.as_millis()).unwrap_or(u64::MAX),
        gateways: found.gateways.into_iter().map(GatewayProof::from).collect(),
    })
}

/// The same as an answer.
pub(super) async fn proven(
    control: &Control,
    revision: Revision,
    wait: Option<Duration>,
) -> Result<Proven, Problem> {
    let proof = prove(control, revision, wait).await?;
    let status = if proof.confirmed { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(proof)))
}

/// Gives the proof of a change, once more.
#[utoipa::path(
    get,
    path = "/revisions/{revision}/proof",
    tag = "gateways",
    params(("revision" = i64, Path, description = "The change's number"), WaitQuery),
    responses(
        (status = OK, description = "It is in force on every gateway", body = Proof),
        (status = ACCEPTED, description = "It isn't proven yet", body = Proof),
    )
)]
pub(super) async fn get(
    State(control): State<Control>,
    SignedIn(_actor): SignedIn,
    Segment(revision): Segment,
    Query(query): Query<WaitQuery>,
) -> Result<Proven, Problem> {
    let number = revision.parse().map(Revision);
    let number =
        number.map_err(|_not| Error::NotFound { kind: "revision", name: revision.clone() })?;
    proven(&control, number, query.wait()?).await
}
