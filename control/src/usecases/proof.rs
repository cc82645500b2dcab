//! Where a change is in force (sync.md, "What a revoke promises").

use std::time::Duration;

use access::Timestamp;
use access::lease::Instance;
use access::source::Revision;

pub(crate) use super::gateway::CLOCKS_APART;
use super::{Control, Error};
use crate::store::{self, Connection, GatewayRow, RevisionRow, Store, StoreError};

/// How long a caller may wait for a proof.
pub const MAX_WAIT: Duration = Duration::from_secs(60);
/// How often the rows are read again where no acknowledgement wakes.
const READ_EVERY: Duration = Duration::from_millis(100);
/// How long to rest before reading again, as a part of what was waited so far, and at most. While
/// one gateway is silent the others' acknowledgements wake everybody who waits for it: without
/// rest, their readings keep the database from answering the gateways.
const REST_PART: u32 = 4;
const REST_MAX: Duration = Duration::from_secs(1);
/// How long after its time a change may have been committed, at most. Locks are waited for no
/// longer than ten seconds, and no transaction is left idle.
const COMMITTED_WITHIN: Duration = Duration::from_secs(30);
/// How many changes are looked at in one go where nobody asks.
const CONFIRMED_AT_ONCE: i64 = 1_000;

/// What is known of a change: on which gateways it is in force, and until when it may not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The change.
    pub revision: Revision,
    /// When it was made.
    pub changed_at: Timestamp,
    /// When it was first seen in force on every gateway, of one that was pruned: when it was;
    /// none while it isn't.
    pub confirmed_at: Option<Timestamp>,
    /// From when on no gateway decides by what was before, confirmed or not.
    pub guaranteed_by: Timestamp,
    /// How long it was waited for.
    pub waited: Duration,
    /// Each gateway.
    pub gateways: Vec<Member>,
}

/// One gateway in a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its label.
    pub name: String,
    /// Its identity.
    pub instance: Instance,
    /// Whether the change is in force there.
    pub state: MemberState,
    /// Whether nothing but the end of its lease put the change in force: it ended without a stop, and
    /// had not said that it applied it.
    pub stopped_by_lease: bool,
    /// How far it is.
    pub applied_revision: Revision,
    /// When it stops serving by what was before; none once it doesn't any more.
    pub stops_by: Option<Timestamp>,
}

/// Whether a change is in force on a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberState {
    /// It is.
    Applied,
    /// It has not said so.
    Waiting,
    /// The gateway serves no more.
    Ended,
}

/// What is known of a change that has been committed, after waiting for its proof for at most
/// `wait`.
///
/// # Errors
/// [`Error::NotFound`] when there is no such revision; [`Error::Store`].
pub async fn prove(control: &Control, revision: Revision, wait: Duration) -> Result<Proof, Error> {
    let begun = control.clock.moment();
    let wait = wait.min(MAX_WAIT);
    let mut signals = control.store.signals();
    let database = control.store.opened().await?;
    loop {
        let waited = control.clock.moment().since(begun);
        let proof = read(control, revision, waited).await;
        // In another database the change of that number is another one.
        database.verify()?;
        let proof = proof?;
        let left = wait.saturating_sub(waited);
        if proof.confirmed_at.is_some() || left.is_zero() {
            return Ok(proof);
        }
        tokio::time::sleep(left.min(REST_MAX).min(waited / REST_PART)).await;
        // Woken, or time to look again: either way it is read anew.
        let _ = tokio::time::timeout(left.min(READ_EVERY), signals.acknowledgement()).await;
    }
}

async fn read(control: &Control, revision: Revision, waited: Duration) -> Result<Proof, Error> {
    let mut db = control.store.reader().await?;
    let mut row = find(&mut db, revision).await?;
    let rows = store::gateways_since(&mut db, row.at, public_since(&row)).await?;
    let now = control.now();
    let mut proof = judge(&row, rows.clone(), now);
    match (proof.confirmed_at, row.confirmed_at, row.committed_by) {
        (Some(at), None, _) => {
            drop(db);
            control.store.confirm_revision(&row, at).await?;
        }
        // The bound that is told first stays: it doesn't move away while it is waited for.
        (None, _, None) => {
            drop(db);
            control.store.keep_committed_by(&row, committed_by(&row, now)).await?;
            row = find(&mut *control.store.reader().await?, revision).await?;
            proof = judge(&row, rows, now);
        }
        _ => {}
    }
    proof.waited = waited;
    Ok(proof)
}

async fn find(db: &mut Connection, revision: Revision) -> Result<RevisionRow, Error> {
    let row = store::find_revision(db, revision).await?;
    row.ok_or_else(|| Error::not_found("revision", revision.0))
}

/// Keeps of each change when it came into force everywhere, also where nobody asks: a proof that
/// is asked for later tells that time.
///
/// # Errors
/// When the database doesn't answer.
pub(crate) async fn confirm(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let mut db = store.reader().await?;
    let changes = store::unconfirmed_revisions(&mut db, CONFIRMED_AT_ONCE).await?;
    let Some(public_since) = changes.iter().map(public_since).min() else { return Ok(()) };
    let rows = store::gateways_since(&mut db, store::NO_MORE, public_since).await?;
    drop(db);
    let in_force = |change: &&RevisionRow| judge(change, rows.clone(), now).confirmed_at.is_some();
    let (public, rest): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.ends_public);
    if let Some(last) = rest.into_iter().rev().find(in_force) {
        store.confirm_revisions_up_to(last, now).await?;
    }
    for change in public.into_iter().filter(in_force) {
        store.confirm_revision(change, now).await?;
    }
    Ok(())
}

/// Whether neither this change nor any before it is waited for by anybody: nothing that still serves
/// lacks them.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Store`].
pub(crate) async fn has_settled(control: &Control, revision: Revision) -> Result<bool, Error> {
    let proof = read(control, revision, Duration::ZERO).await?;
    let now = control.now();
    let mut db = control.store.reader().await?;
    let rows = store::gateways_since(&mut db, store::NO_MORE, now.minus(CLOCKS_APART)).await?;
    let is_public = |row: &GatewayRow| public_until(row).is_some_and(|until| until > now);
    Ok(proof.confirmed_at.is_some() && !rows.iter().any(is_public))
}

/// Until when a gateway that an observer ended may go on with public channels (L6).
fn public_until(row: &GatewayRow) -> Option<Timestamp> {
    let ended_at = row.ended_at.filter(|_| row.ended_by_observer)?;
    Some(ended_at.plus(row.terms.public_grace + CLOCKS_APART))
}

/// From when on public channels matter that gateways serve after their lease.
pub(crate) fn public_since(revision: &RevisionRow) -> Timestamp {
    match revision.ends_public {
        true => revision.at.minus(CLOCKS_APART),
        false => store::NO_MORE,
    }
}

/// A time by which the change was committed, for who sees it so at `now`.
fn committed_by(revision: &RevisionRow, now: Timestamp) -> Timestamp {
    revision.committed_by.unwrap_or_else(|| now.min(revision.at.plus(COMMITTED_WITHIN)))
}

/// What the rows of a change and of the gateways say of it at `now`.
pub(crate) fn judge(revision: &RevisionRow, rows: Vec<GatewayRow>, now: Timestamp) -> Proof {
    let gateways: Vec<_> = rows.into_iter().map(|row| member(revision, row, now)).collect();
    let guaranteed_by = gateways.iter().filter_map(|member| member.stops_by).max();
    let confirmed_at = match guaranteed_by {
        // What was in force everywhere once is so for good: a gateway begins with what is.
        _ if revision.confirmed_at.is_some() => revision.confirmed_at,
        None => Some(now),
        Some(_) => None,
    };
    Proof {
        revision: revision.revision,
        changed_at: revision.at,
        confirmed_at,
        guaranteed_by: confirmed_at.or(guaranteed_by).unwrap_or(now),
        waited: Duration::ZERO,
        gateways,
    }
}

fn member(revision: &RevisionRow, row: GatewayRow, now: Timestamp) -> Member {
    let terms = row.terms;
    let grace = if revision.ends_public { terms.public_grace } else { Duration::ZERO };
    // Its lease was over when the observer ended it.
    let public_until = public_until(&row).filter(|&until| !grace.is_zero() && until > now);
    let applied = row.of_this_history && row.applied_revision >= revision.revision;
    // A renewal that is followed by a read before the commit is the last that can give anything
    // without the change (L2).
    let without_news = terms.lease + terms.serve_known + grace;
    let by = committed_by(revision, now).plus(without_news);
    let (state, stops_by) = match (row.ended_at, public_until) {
        (None, _) if applied => (MemberState::Applied, None),
        (None, _) => (MemberState::Waiting, Some(by)),
        // What was told while it had not ended stays; what it has applied it serves by.
        (Some(_), Some(until)) if !applied => (MemberState::Waiting, Some(until.min(by))),
        (Some(_), _) => (MemberState::Ended, None),
    };
    let stopped_by_lease = state == MemberState::Ended && row.ended_by_observer && !applied;
    Member {
        stopped_by_lease,
        name: row.name,
        instance: row.instance,
        state,
        applied_revision: row.applied_revision,
        stops_by,
    }
}

#[cfg(test)]
mod tests {
    use access::lease::LeaseTerms;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(10_000_000);
    const LEASE: Duration = Duration::from_secs(180);
    const GRACE: Duration = Duration::from_secs(3600);

    fn change(ends_public: bool) -> RevisionRow {
        RevisionRow {
            revision: Revision(7),
            at: NOW,
            ends_public,
            confirmed_at: None,
            committed_by: None,
        }
    }

    fn gateway(applied: i64) -> GatewayRow {
        GatewayRow {
            instance: Instance(format!("i{applied}")),
            name: "gw".into(),
            version: "1".into(),
            started_at: NOW,
            applied_revision: Revision(applied),
            of_this_history: true,
            renewal: 1,
            renewed_at: NOW,
            terms: LeaseTerms { lease: LEASE, serve_known: Duration::ZERO, public_grace: GRACE },
            ended_at: None,
            ended_by_observer: false,
        }
    }

    fn ended(by_observer: bool) -> GatewayRow {
        GatewayRow { ended_at: Some(NOW), ended_by_observer: by_observer, ..gateway(6) }
    }

    #[test]
    fn l5_every_row_that_has_not_ended_is_waited_for() {
        let proof = judge(&change(false), vec![gateway(7), gateway(8), ended(false)], NOW);
        assert_eq!((proof.confirmed_at, proof.guaranteed_by), (Some(NOW), NOW));
        let proof = judge(&change(false), vec![gateway(7), gateway(6)], NOW);
        assert_eq!((proof.confirmed_at, proof.guaranteed_by), (None, NOW.plus(LEASE)));
        assert_eq!(proof.gateways[1].stops_by, Some(NOW.plus(LEASE)));
    }

    #[test]
    fn f4_an_acknowledgement_of_another_history_is_none() {
        let stranger = GatewayRow { of_this_history: false, ..gateway(9) };
        assert_eq!(judge(&change(false), vec![stranger], NOW).confirmed_at, None);
    }

    #[test]
    fn l6_known_tokens_and_public_channels_may_go_on() {
        let known = Duration::from_secs(60);
        let terms = LeaseTerms { serve_known: known, ..gateway(6).terms };
        let proof = judge(&change(false), vec![GatewayRow { terms, ..gateway(6) }], NOW);
        assert_eq!(proof.guaranteed_by, NOW.plus(LEASE + known));
        let proof = judge(&change(true), vec![ended(true)], NOW);
        let over = NOW.plus(GRACE + CLOCKS_APART);
        assert_eq!((proof.confirmed_at, proof.guaranteed_by), (None, over));
        assert!(judge(&change(true), vec![ended(true)], over).confirmed_at.is_some());
        let stopped = judge(&change(false), vec![ended(true), ended(false)], NOW);
        assert!(stopped.confirmed_at.is_some());
        let by_lease: Vec<_> = stopped.gateways.iter().map(|one| one.stopped_by_lease).collect();
        assert_eq!(by_lease, [true, false]);
        let knew = GatewayRow { applied_revision: Revision(7), ..ended(true) };
        let proof = judge(&change(true), vec![knew], NOW);
        assert!(proof.confirmed_at.is_some(), "it serves by it");
        assert!(!proof.gateways[0].stopped_by_lease);
        let later = GatewayRow { ended_at: Some(NOW.plus(LEASE)), ..ended(true) };
        let told = RevisionRow { committed_by: Some(NOW), ..change(true) };
        let proof = judge(&told, vec![later], NOW.plus(LEASE));
        assert_eq!(proof.guaranteed_by, NOW.plus(LEASE + GRACE), "as it was told");
        assert!(judge(&change(true), vec![ended(false)], NOW).confirmed_at.is_some());
    }

    #[test]
    fn what_was_confirmed_stays_so() {
        let confirmed = RevisionRow { confirmed_at: Some(NOW), ..change(false) };
        let later = NOW.plus(LEASE);
        assert_eq!(judge(&confirmed, vec![gateway(-1)], later).confirmed_at, Some(NOW));
    }
}
