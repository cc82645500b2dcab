//! The control plane of a history: writers whose changes go statement by statement, whoever waits
//! for their proof, and the observer. What they make of the rows is the project's own code.

use access::lease::Instance;
use access::source::{Revision, Stamp, Touched};
use access::{Moment, Timestamp};
use control::GatewayRow;
use control::testing::{ChangeRow, Silence};
use std::time::Duration;

use crate::database::Database;
use crate::dice::Dice;
use crate::facts::{Deed, Facts};
use crate::rules::Rule;

/// How long a transaction may be idle (sync.md F1), and a proof is asked for, in milliseconds.
const IDLE_MAX: u64 = 5_000;
const OBSERVE_EVERY: u64 = 1_000;

/// A change under way.
struct Transaction {
    deed: Deed,
    /// By the writer's clock.
    at: Timestamp,
    /// What it touches, once that is read.
    touched: Option<Vec<Touched>>,
    holds_counter: bool,
    /// When it last did something.
    since: u64,
    /// Its process is stopped until then.
    idle_until: u64,
}

/// A change that was committed, with what was touched.
pub(crate) struct Done {
    pub(crate) deed: Deed,
    pub(crate) revision: Revision,
    pub(crate) stamp: Stamp,
    pub(crate) ends_public: bool,
}

/// Somebody who waits for a proof.
struct Waiting {
    state: usize,
    revision: Revision,
    stamp: Stamp,
    read: Option<(ChangeRow, Vec<GatewayRow>)>,
}

/// What somebody was told of a change.
pub(crate) enum Told {
    Confirmed {
        state: usize,
        revision: Revision,
    },
    /// It is by then, in the control plane's time.
    Guaranteed {
        state: usize,
        by: Timestamp,
    },
}

#[derive(Default)]
pub(crate) struct Control {
    transactions: Vec<Transaction>,
    waiting: Vec<Waiting>,
    silence: Silence,
    observed: u64,
    /// Rows that the observer is about to end, and when.
    ending: Vec<(GatewayRow, u64)>,
    /// How long it takes from seeing that to doing it, in milliseconds.
    pub(crate) ending_takes: u64,
    pub(crate) ended: u64,
}

/// The time, as the world and as the control plane has it.
#[derive(Clone, Copy)]
pub(crate) struct Now {
    pub(crate) millis: u64,
    pub(crate) control: Timestamp,
}

impl Control {
    pub(crate) fn begin(&mut self, deed: Deed, now: Now, idle: u64) {
        self.transactions.push(Transaction {
            deed,
            at: now.control,
            touched: None,
            holds_counter: false,
            since: now.millis,
            idle_until: now.millis + idle,
        });
    }

    /// The connections broke: what was not committed is undone, and nobody waits any more for
    /// what may not be there.
    pub(crate) fn lose_transactions(&mut self) {
        self.transactions.clear();
    }

    pub(crate) fn lose_proofs(&mut self) {
        self.waiting.clear();
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(crate) fn is_writing(&self) -> bool {
        !self.transactions.is_empty()
    }

    pub(crate) fn wait_for(&mut self, state: usize, done: &Done) {
        let Done { revision, stamp, .. } = *done;
        self.waiting.push(Waiting { state, revision, stamp, read: None });
    }

    /// Lets one transaction, by its place, do its next statement; says what it has committed.
    pub(crate) fn write(
        &mut self,
        at: usize,
        database: &mut Database,
        stamp: Stamp,
        (now, rule): (Now, Option<Rule>),
    ) -> Option<Done> {
        let reuse_ids = rule == Some(Rule::F2IdsNeverReused);
        let locked = self.transactions.iter().any(|one| one.holds_counter);
        let transaction = &mut self.transactions[at];
        if now.millis - transaction.since > IDLE_MAX && transaction.holds_counter {
            self.transactions.remove(at);
            return None;
        }
        if transaction.idle_until > now.millis && transaction.holds_counter {
            return None;
        }
        let counts_last = rule == Some(Rule::F1CounterFirst);
        let reads_first = counts_last && transaction.touched.is_none();
        if !transaction.holds_counter && !reads_first {
            // The statement that takes the counter waits for whoever holds it.
            transaction.holds_counter = !locked;
            transaction.since = now.millis;
            return None;
        }
        let facts = Facts::clone(&database.facts);
        if transaction.touched.is_none() {
            transaction.touched = Some(facts.touched(transaction.deed, reuse_ids));
            transaction.since = now.millis;
            return None;
        }
        let Transaction { deed, at: begun, touched, .. } = self.transactions.remove(at);
        let ends_public = facts.ends_public(deed);
        let mut facts = facts;
        facts.apply(deed, reuse_ids);
        let touched = touched.unwrap_or_default();
        let revision = database.commit((begun, ends_public), stamp, touched, facts);
        Some(Done { deed, revision, stamp, ends_public })
    }

    /// Whether a transaction, by its place, knows what it touches.
    pub(crate) fn has_read(&self, at: usize) -> bool {
        self.transactions[at].touched.is_some()
    }

    pub(crate) fn transactions(&self) -> usize {
        self.transactions.len()
    }

    pub(crate) fn proofs(&self) -> usize {
        self.waiting.len()
    }

    /// Lets one who waits, by its place, read the rows, or tell what they say.
    pub(crate) fn prove(
        &mut self,
        at: usize,
        database: &mut Database,
        (now, rule): (Now, Option<Rule>),
    ) -> Option<Told> {
        let waiting = &mut self.waiting[at];
        let Some((row, mut rows)) = waiting.read.take() else {
            let row = database.change(waiting.revision, waiting.stamp);
            waiting.read =
                row.map(|row| (row, database.gateways_since(row.at, row.public_since())));
            if waiting.read.is_none() {
                // Pruned, or of a history that is no more.
                self.waiting.remove(at);
            }
            return None;
        };
        if rule == Some(Rule::F4StampedAcknowledgement) {
            rows.iter_mut().for_each(|row| row.of_this_history = true);
        }
        let proof = row.judge(rows, now.control);
        let state = waiting.state;
        Some(match proof.confirmed_at {
            Some(confirmed_at) => {
                database.confirm(proof.revision, confirmed_at);
                self.waiting.remove(at);
                Told::Confirmed { state, revision: proof.revision }
            }
            None => Told::Guaranteed { state, by: proof.guaranteed_by },
        })
    }

    /// Whether the observer is about to end a row.
    pub(crate) fn is_ending(&self) -> bool {
        !self.ending.is_empty()
    }

    /// Lets the observer look, and end whom it has seen silent for too long.
    pub(crate) fn observe(
        &mut self,
        database: &mut Database,
        dice: &mut Dice,
        (now, rule, slow): (Now, Option<Rule>, bool),
    ) -> Vec<Instance> {
        if now.millis >= self.observed + OBSERVE_EVERY {
            self.observed = now.millis;
            let none = Timestamp::from_millis(i64::MAX);
            let rows = database.gateways_since(none, none);
            let silent = match rule {
                Some(Rule::L5OwnClock) => expired_by_their_rows(rows, now.control),
                _ => {
                    let moment = Moment::from_start(Duration::from_millis(now.millis));
                    self.silence.of(rows, moment)
                }
            };
            let delay = if slow { dice.below(3_000) } else { self.ending_takes };
            self.ending.extend(silent.into_iter().map(|row| (row, now.millis + delay)));
        }
        let mut ended = vec![];
        self.ending.retain(|(row, at)| {
            if *at > now.millis {
                return true;
            }
            let seen = (rule != Some(Rule::L5Conditional)).then_some(row.renewal);
            if database.end_unrenewed(&row.instance, seen, now.control) {
                ended.push(row.instance.clone());
            }
            false
        });
        self.ended += ended.len() as u64;
        ended
    }
}

/// Rule L5 taken out: the times in the rows are by other clocks.
fn expired_by_their_rows(mut rows: Vec<GatewayRow>, now: Timestamp) -> Vec<GatewayRow> {
    rows.retain(|row| row.renewed_at.plus(row.terms.lease + row.terms.serve_known) < now);
    rows
}
