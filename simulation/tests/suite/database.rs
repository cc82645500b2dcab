//! The database, simulated: what is committed, one statement at a time. Each answer is what the
//! SQL of `control::store` gives, which its own tests show on both databases.

use std::rc::Rc;

use access::lease::{Instance, Registration, Renewal};
use access::source::{
    Applied, Beginning, Change, DatabaseIdentity, FeedRead, Loaded, Revision, Stamp, Touched,
};
use access::{Timestamp, TokenDigest};
use control::GatewayRow;
use control::testing::ChangeRow;

use crate::facts::{DIGESTS, Facts, TOKENS};
use crate::wire::{Ask, Reply};

/// A change that was committed.
#[derive(Clone, Debug)]
struct Committed {
    row: ChangeRow,
    stamp: Stamp,
    touched: Rc<[Touched]>,
}

#[derive(Clone, Debug)]
struct Gateway {
    row: GatewayRow,
    stamp: Stamp,
}

/// All that a backup has.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) identity: i64,
    counter: i64,
    changes: Vec<Committed>,
    gateways: Vec<Gateway>,
    pub(crate) facts: Rc<Facts>,
}

impl Database {
    pub(crate) fn new(facts: Facts, stamp: Stamp) -> Self {
        let zero = Timestamp::from_millis(0);
        let row = ChangeRow {
            revision: Revision(0),
            at: zero,
            ends_public: false,
            confirmed_at: Some(zero),
            committed_by: None,
        };
        let first = Committed { row, stamp, touched: Rc::new([]) };
        Self {
            identity: 0,
            counter: 0,
            changes: vec![first],
            gateways: vec![],
            facts: Rc::new(facts),
        }
    }

    pub(crate) fn counter(&self) -> Revision {
        Revision(self.counter)
    }

    pub(crate) fn identity(&self) -> DatabaseIdentity {
        DatabaseIdentity(self.identity.to_string())
    }

    fn find(&self, revision: Revision) -> Option<&Committed> {
        self.changes.iter().rev().find(|change| change.row.revision == revision)
    }

    pub(crate) fn stamp(&self, revision: Revision) -> Option<Stamp> {
        self.find(revision).map(|change| change.stamp)
    }

    /// Commits a change as the next revision.
    pub(crate) fn commit(
        &mut self,
        (at, ends_public): (Timestamp, bool),
        stamp: Stamp,
        touched: Vec<Touched>,
        facts: Facts,
    ) -> Revision {
        self.counter += 1;
        let revision = Revision(self.counter);
        let row = ChangeRow { revision, at, ends_public, confirmed_at: None, committed_by: None };
        self.changes.push(Committed { row, stamp, touched: touched.into() });
        self.facts = Rc::new(facts);
        revision
    }

    /// Forgets all but the last `kept` changes.
    pub(crate) fn prune(&mut self, kept: usize) {
        let gone = self.changes.len().saturating_sub(kept.max(1));
        self.changes.drain(..gone);
    }

    /// Executes one statement, or one snapshot, at `now` by the database's clock.
    pub(crate) fn execute(&mut self, ask: &Ask, now: Timestamp) -> Reply {
        match ask {
            Ask::Begin => Reply::Beginning(self.begin(now)),
            Ask::Load(digest) => Reply::Loaded(self.load(digest)),
            Ask::Feed(applied) => Reply::Feed(self.feed(applied, now)),
            Ask::Register(registration) => {
                self.register(registration, now);
                Reply::Done
            }
            Ask::Renew(instance) => Reply::Renewed(match self.live(instance) {
                Some(gateway) => {
                    gateway.row.renewal += 1;
                    gateway.row.renewed_at = now;
                    Renewal::Committed
                }
                None => Renewal::Ended,
            }),
            Ask::Acknowledge(instance, applied) => {
                self.acknowledge(instance, applied);
                Reply::Done
            }
            Ask::End(instance) => {
                if let Some(gateway) = self.live(instance) {
                    gateway.row.ended_at = Some(now);
                }
                Reply::Done
            }
        }
    }

    fn begin(&self, now: Timestamp) -> Beginning {
        let revision = self.counter();
        let stamp = self.stamp(revision).unwrap_or(Stamp(0));
        let in_use = |n| Some((DIGESTS[n], self.facts.grant(n)?));
        Beginning {
            applied: Applied { revision, stamp, database: self.identity() },
            channels: self.facts.channels().to_vec(),
            // Not all of them, so that some are read when they are asked for.
            recently_used: (0..TOKENS / 2).filter_map(in_use).collect(),
            now,
        }
    }

    fn load(&self, digest: &TokenDigest) -> Loaded {
        let token = DIGESTS.iter().position(|one| one == digest);
        let grant = token.and_then(|token| self.facts.grant(token));
        let revision = self.counter();
        let stamp = self.stamp(revision).unwrap_or(Stamp(0));
        Loaded { revision, stamp, grant }
    }

    fn feed(&self, applied: &Applied, now: Timestamp) -> FeedRead {
        let above = self.changes.iter().filter(|change| change.row.revision > applied.revision);
        let changes: Vec<_> = above
            .map(|change| Change {
                revision: change.row.revision,
                stamp: change.stamp,
                touched: change.touched.to_vec(),
            })
            .collect();
        let touched = changes.iter().flat_map(|change| &change.touched);
        let channels = touched.filter_map(|touched| match touched {
            Touched::Channel(id) => Some((*id, self.facts.channel(*id).cloned())),
            _ => None,
        });
        FeedRead {
            database: self.identity(),
            counter: self.counter(),
            stamp_of_asked: self.stamp(applied.revision),
            channels: channels.collect(),
            changes,
            now,
        }
    }

    fn register(&mut self, registration: &Registration, now: Timestamp) {
        let row = GatewayRow {
            instance: registration.instance.clone(),
            name: registration.name.clone(),
            version: registration.version.clone(),
            started_at: now,
            applied_revision: Revision(-1),
            of_this_history: false,
            renewal: 0,
            renewed_at: now,
            terms: registration.terms,
            ended_at: None,
            ended_by_observer: false,
        };
        self.gateways.push(Gateway { row, stamp: Stamp(0) });
    }

    /// Whether a gateway is waited for.
    pub(crate) fn knows(&self, instance: &Instance) -> bool {
        let mut live = self.gateways.iter().filter(|one| one.row.ended_at.is_none());
        live.any(|one| one.row.instance == *instance)
    }

    fn live(&mut self, instance: &Instance) -> Option<&mut Gateway> {
        let mut gateways = self.gateways.iter_mut();
        gateways.find(|one| one.row.instance == *instance && one.row.ended_at.is_none())
    }

    pub(crate) fn acknowledge(&mut self, instance: &Instance, applied: &Applied) {
        if let Some(gateway) = self.live(instance) {
            gateway.row.applied_revision = applied.revision;
            gateway.stamp = applied.stamp;
        }
    }

    /// Ends a row; only if its renewal number is still `renewal`, where one is given.
    pub(crate) fn end_unrenewed(
        &mut self,
        instance: &Instance,
        renewal: Option<i64>,
        now: Timestamp,
    ) -> bool {
        let gateway = self.live(instance);
        let unrenewed = gateway.filter(|one| renewal.is_none_or(|seen| seen == one.row.renewal));
        let ended = unrenewed.is_some();
        if let Some(gateway) = unrenewed {
            gateway.row.ended_at = Some(now);
            gateway.row.ended_by_observer = true;
        }
        ended
    }

    /// A change's row, while the database has it under this stamp.
    pub(crate) fn change(&self, revision: Revision, stamp: Stamp) -> Option<ChangeRow> {
        self.find(revision).filter(|change| change.stamp == stamp).map(|change| change.row)
    }

    pub(crate) fn confirm(&mut self, revision: Revision, at: Timestamp) {
        for change in &mut self.changes {
            if change.row.revision == revision {
                change.row.confirmed_at.get_or_insert(at);
            }
        }
    }

    /// The gateways that have not ended, those that have since `since`, and those that an observer
    /// ended but that may have served public channels at `public_since` or later.
    pub(crate) fn gateways_since(
        &self,
        since: Timestamp,
        public_since: Timestamp,
    ) -> Vec<GatewayRow> {
        let listed = self.gateways.iter().filter(|Gateway { row, .. }| {
            let public = row.ended_by_observer.then_some(row.terms.public_grace);
            row.ended_at.is_none_or(|at| {
                at >= since || public.is_some_and(|grace| at.plus(grace) >= public_since)
            })
        });
        let read = |one: &Gateway| {
            let of_this_history = self.stamp(one.row.applied_revision) == Some(one.stamp);
            GatewayRow { of_this_history, ..one.row.clone() }
        };
        listed.map(read).collect()
    }
}
