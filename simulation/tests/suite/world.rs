//! A history: everything that happens, in the order that the dice say.

mod failing;
mod serving;

use std::time::Duration;

use access::lease::{Instance, LeaseTerms};
use access::source::Stamp;
use access::{Denied, Privacy, Timestamp};

use crate::control::{Control, Done, Now, Told};
use crate::counts::Counts;
use crate::database::Database;
use crate::dice::Dice;
use crate::facts::{CHANNELS, DIGESTS, Deed, Facts, NAMES, NEVER, TOKENS};
use crate::faults::{Faults, Pace};
use crate::network::{Exchange, Late};
use crate::process::{Heard, Process, Request, Seen, Sending, Sight};
use crate::promises::{Broken, Place, Promises};
use crate::rules::Rule;
use crate::wire::{Ask, Call, Reply, lost};

pub(crate) const GATEWAYS: usize = 2;
/// When the wall clocks began, so that no time is near zero.
const EPOCH: i64 = 1_000_000_000;
/// When a history begins and when its faults end, in milliseconds.
const BEGINNING: u64 = 1_000;
const FAULTS_END: u64 = 12_000;
/// How long everything has to come right after that: a lease, what may be served after it, and
/// the observer's looks.
const HEALING: u64 = 8_000;
/// How long a gateway may serve private content after its last renewal, and a moment.
const LEASE_AND_MORE: u64 = 5_500;
/// What a proof allows control planes' clocks to be apart, in milliseconds.
const CLOCKS_APART: u64 = 30_000;
/// How far the control plane's clock is off at most, in milliseconds.
const CONTROL_SKEW_MAX: i64 = 12_000;

/// One gateway's place: its process, while there is one.
pub(crate) struct Slot {
    pub(crate) process: Option<Process>,
    terms: LeaseTerms,
    instance: Option<Instance>,
    starts_at: u64,
    /// How far its wall clock is off, in milliseconds.
    skew: i64,
}

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) rule: Option<Rule>,
    pub(crate) faults: Faults,
    pub(crate) pace: Pace,
    pub(crate) now: u64,
    pub(crate) database: Database,
    pub(crate) control: Control,
    pub(crate) slots: Vec<Slot>,
    pub(crate) promises: Promises,
    pub(crate) counts: Counts,
    pub(crate) trace: Option<Vec<String>>,
    database_skew: i64,
    control_skew: i64,
    backups: Vec<Database>,
    identities: i64,
    stalled_until: u64,
    /// Whether it is seen to its end, and whether the faults are over.
    heals: bool,
    healing: bool,
    /// Until when nobody is told anything: an older copy was restored.
    silent_until: u64,
    late: Vec<Late>,
    /// Calls of processes that are no more.
    adrift: Vec<(usize, Call)>,
    plan: Vec<(u64, Deed)>,
    requests: u64,
    /// Every instance that was registered.
    registered: Vec<Instance>,
}

impl World {
    /// A world in which nothing has happened yet.
    pub(crate) fn new(seed: u64, rule: Option<Rule>) -> Self {
        gateway::simulation::take_out(rule.and_then(Rule::inside));
        let mut dice = Dice::new(seed);
        let (faults, pace) = (Faults::draw(&mut dice), Pace::draw(&mut dice));
        let (facts, stamp) = (Facts::beginning(), Stamp(dice.next() as i64));
        let plan = plan(&mut dice);
        let slots = (0..GATEWAYS).map(|_| Slot::draw(&mut dice)).collect();
        Self {
            dice,
            rule,
            faults,
            pace,
            now: BEGINNING,
            promises: Promises::new(&facts, stamp),
            database: Database::new(facts, stamp),
            control: Control::default(),
            slots,
            counts: Counts::default(),
            trace: None,
            database_skew: 0,
            control_skew: 0,
            backups: vec![],
            identities: 0,
            stalled_until: 0,
            heals: seed.is_multiple_of(4) && rule.is_none(),
            healing: false,
            silent_until: 0,
            late: vec![],
            adrift: vec![],
            plan,
            requests: 0,
            registered: vec![],
        }
    }

    /// One in which nothing fails, and nothing happens but what a schedule says.
    pub(crate) fn undisturbed(rule: Option<Rule>) -> Self {
        let mut world = Self::new(0, rule);
        (world.healing, world.pace) = (true, Pace::PROMPT);
        world.plan.clear();
        world
    }

    /// Has a gateway's cache drop a token.
    pub(crate) fn evict(&mut self, at: usize, token: usize) {
        if let Some(node) = self.slots[at].process.as_ref().and_then(Process::node) {
            node.evict(&DIGESTS[token]);
        }
    }

    /// Stops a gateway until it goes on.
    pub(crate) fn stop(&mut self, at: usize) {
        if let Some(process) = &mut self.slots[at].process {
            process.stopped_until = u64::MAX;
        }
    }

    pub(crate) fn go_on(&mut self, at: usize) {
        if let Some(process) = &mut self.slots[at].process {
            process.stopped_until = 0;
        }
    }

    /// Cuts a gateway off from the database.
    pub(crate) fn cut_off(&mut self, at: usize, millis: u64) {
        if let Some(process) = &mut self.slots[at].process {
            process.cut_off_until = self.now + millis;
        }
    }

    /// Has every client take its next chunk.
    pub(crate) fn take_all(&mut self) {
        for process in self.slots.iter_mut().filter_map(|slot| slot.process.as_mut()) {
            process.sending().iter().for_each(Sending::take_chunk);
            process.stir();
        }
    }

    /// Lets the transaction that was begun last do its next statement.
    pub(crate) fn write_on_last(&mut self) {
        if let Some(at) = self.control.transactions().checked_sub(1).filter(|at| *at > 0) {
            self.write_on(at);
        }
    }

    pub(crate) fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>6} ms  {}", self.now, what()));
        }
    }

    /// Plays the history to its end.
    pub(crate) fn play(&mut self) -> Result<(), Broken> {
        while self.now < FAULTS_END {
            let step = 1 + self.dice.below(self.pace.step);
            self.step(step)?;
        }
        // Coming right takes as long as everything before it.
        if self.heals { self.heal() } else { Ok(()) }
    }

    /// One step: whoever can does the next thing, or doesn't.
    pub(crate) fn step(&mut self, millis: u64) -> Result<(), Broken> {
        self.now += millis;
        self.fail();
        self.write();
        self.prove();
        self.observe();
        for at in 0..GATEWAYS {
            self.exchange(at);
            self.serve(at)?;
        }
        self.exchange_adrift();
        Ok(())
    }

    fn wall(&self, skew: i64) -> Timestamp {
        Timestamp::from_millis(EPOCH + self.now as i64 + skew)
    }

    pub(crate) fn control_now(&self) -> Now {
        Now { millis: self.now, control: self.wall(self.control_skew) }
    }

    fn stamp(&mut self) -> Stamp {
        Stamp(self.dice.next() as i64)
    }

    fn write(&mut self) {
        while self.plan.first().is_some_and(|(at, _)| *at <= self.now) {
            let (_, deed) = self.plan.remove(0);
            let idle = match self.faults.slow_control && self.dice.percent(20) {
                true => self.dice.below(8_000),
                false => 0,
            };
            self.begin(deed, idle);
        }
        if self.now < self.stalled_until {
            return;
        }
        for at in (0..self.control.transactions()).rev() {
            if self.dice.percent(self.pace.write) {
                self.write_on(at);
            }
        }
    }

    pub(crate) fn begin(&mut self, deed: Deed, idle: u64) {
        let deed = match deed {
            Deed::Expire(token, after) => {
                let now = self.wall(self.database_skew);
                let after = Duration::from_millis(after.as_millis() as u64);
                Deed::Expire(token, now.plus(after))
            }
            other => other,
        };
        let now = self.control_now();
        self.control.begin(deed, now, idle);
        self.note(|| format!("a writer begins: {deed:?}"));
    }

    /// Lets the transaction at this place do its next statement.
    pub(crate) fn write_on(&mut self, at: usize) {
        let stamp = self.stamp();
        let now = self.control_now();
        let done = self.control.write(at, &mut self.database, stamp, (now, self.rule));
        if let Some(done) = done {
            self.committed(&done);
        }
    }

    fn committed(&mut self, done: &Done) {
        let Done { deed, revision, stamp, ends_public } = done;
        let state = self.promises.follow(&self.database.facts, *stamp, *ends_public);
        self.counts.changes += 1;
        self.note(|| format!("revision {} is committed: {deed:?}", revision.0));
        if self.now >= self.silent_until && (self.healing || self.dice.percent(80)) {
            self.control.wait_for(state, done);
        }
        for slot in &mut self.slots {
            if let Some(process) = &mut slot.process
                && self.dice.percent(self.pace.notify)
            {
                process.wire.news.notify_one();
                process.stir();
            }
        }
    }

    fn prove(&mut self) {
        if self.now < self.stalled_until {
            return;
        }
        for at in (0..self.control.proofs()).rev() {
            if self.dice.percent(self.pace.prove) {
                self.prove_on(at);
            }
        }
    }

    /// Lets whoever waits at this place for a proof read the rows, or be told.
    pub(crate) fn prove_on(&mut self, at: usize) {
        let now = self.control_now();
        match self.control.prove(at, &mut self.database, (now, self.rule)) {
            Some(Told::Confirmed { state, revision }) => {
                self.promises.confirmed(state);
                self.counts.confirmed += 1;
                self.note(|| format!("revision {} is confirmed", revision.0));
            }
            Some(Told::Guaranteed { state, by }) => {
                let left = by.as_millis() - now.control.as_millis();
                let by = self.now.saturating_add_signed(left);
                self.promises.guaranteed(state, by);
            }
            None => {}
        }
    }

    fn observe(&mut self) {
        if self.now < self.stalled_until {
            return;
        }
        let (now, slow) = (self.control_now(), self.faults.slow_control && !self.healing);
        let given = (now, self.rule, slow);
        for instance in self.control.observe(&mut self.database, &mut self.dice, given) {
            self.counts.ended_by_observer += 1;
            let life = self.life(&instance);
            self.note(|| format!("the observer ends life {life}"));
        }
    }

    /// Lets a gateway's calls reach the database, and answers come back.
    fn exchange(&mut self, at: usize) {
        let Some(process) = &mut self.slots[at].process else { return };
        if self.now < process.cut_off_until.max(self.stalled_until) {
            return;
        }
        let mut left = Vec::new();
        for call in std::mem::take(&mut process.calls) {
            left.extend(self.carry(at, call));
        }
        if let Some(process) = &mut self.slots[at].process {
            process.calls.extend(left);
        }
        for ask in std::mem::take(&mut self.late) {
            if self.dice.percent(self.pace.execute / 4) {
                self.database.execute(&ask, self.wall(self.database_skew));
            } else {
                self.late.push(ask);
            }
        }
    }

    fn exchange_adrift(&mut self) {
        if self.now < self.stalled_until {
            return;
        }
        for (at, call) in std::mem::take(&mut self.adrift) {
            let left = self.carry(at, call);
            self.adrift.extend(left.filter(|call| call.reply.is_none()).map(|call| (at, call)));
        }
    }

    /// Carries one call on; gives it back while it is not answered.
    fn carry(&mut self, at: usize, call: Call) -> Option<Call> {
        let breaks = self.faults.breaks && !self.healing && self.dice.rarely(60);
        if call.reply.is_none() || call.half {
            if !self.dice.percent(self.pace.execute) {
                return Some(call);
            }
            if breaks {
                let asked = format!("{:?}", call.ask);
                let what = asked.split('(').next().unwrap_or_default();
                self.note(|| format!("gateway {at}: {what} is lost on its way"));
                call.answer(Err(lost()));
                return None;
            }
            let database_now = self.wall(self.database_skew);
            let gateway_now = self.wall(self.slots[at].skew);
            let mut exchange = Exchange {
                database: &mut self.database,
                rule: self.rule,
                database_now,
                gateway_now,
                late: &mut self.late,
                instance: &mut self.slots[at].instance,
            };
            let call = exchange.execute(call)?;
            self.executed(at, &call);
            return Some(call);
        }
        if !self.dice.percent(self.pace.answer) {
            return Some(call);
        }
        if let Some(process) = &mut self.slots[at].process {
            process.stir();
        }
        match call.reply.clone() {
            Some(reply) if !breaks => call.answer(Ok(reply)),
            _ => call.answer(Err(lost())),
        }
        None
    }

    fn heard(&self) -> Heard {
        Heard { skew: self.database_skew, states: self.promises.states() }
    }

    fn executed(&mut self, at: usize, call: &Call) {
        match (&call.ask, &call.reply) {
            (Ask::Register(registration), _) => {
                self.counts.registrations += 1;
                self.registered.push(registration.instance.clone());
                let life = self.registered.len() - 1;
                self.note(|| format!("gateway {at} is registered as life {life}"));
            }
            (Ask::Acknowledge(instance, applied), _) => {
                let (life, revision) = (self.life(instance), applied.revision.0);
                self.note(|| format!("gateway {at}: life {life} has {revision}"));
            }
            (Ask::Feed(_), Some(Reply::Feed(read))) => {
                let heard = self.heard();
                if let Some(process) = &mut self.slots[at].process {
                    process.heard = [process.heard[1], heard];
                }
                let counter = read.counter.0;
                self.note(|| format!("gateway {at} reads the feed to {counter}"));
            }
            (Ask::Load(_), Some(Reply::Loaded(loaded))) => {
                let revision = loaded.revision.0;
                self.note(|| format!("gateway {at} reads a token at {revision}"));
            }
            (Ask::Begin, _) => self.note(|| format!("gateway {at} reads a snapshot")),
            (Ask::Renew(instance), reply) => {
                let life = self.life(instance);
                self.note(|| format!("gateway {at}: life {life} is renewed: {reply:?}"));
            }
            (Ask::End(instance), _) => {
                let life = self.life(instance);
                self.note(|| format!("gateway {at}: life {life} is ended"));
            }
            (Ask::Load(_) | Ask::Feed(_), _) => {}
        }
    }

    /// Instances are random: in what is told, they have numbers.
    fn life(&self, instance: &Instance) -> usize {
        self.registered.iter().position(|one| one == instance).unwrap_or(usize::MAX)
    }
}

/// What writers will do, and when.
fn plan(dice: &mut Dice) -> Vec<(u64, Deed)> {
    let mut plan = Vec::new();
    let span = FAULTS_END - BEGINNING - 1_000;
    for _ in 0..4 + dice.below(6) {
        let at = BEGINNING + 500 + dice.below(span);
        plan.push((at, deed(dice)));
    }
    if dice.percent(30) {
        // Somebody joins the team while it loses its channel.
        let at = BEGINNING + 500 + dice.below(span - 500);
        plan.push((at, Deed::TeamReads(false)));
        plan.push((at + dice.below(150), Deed::Join(1)));
    }
    plan.sort_by_key(|(at, _)| *at);
    plan
}

fn deed(dice: &mut Dice) -> Deed {
    let token = dice.index(TOKENS);
    match dice.below(16) {
        0..=3 => Deed::Revoke(token),
        4 => Deed::Issue(TOKENS - 1),
        5 => Deed::Expire(token, Timestamp::from_millis(dice.below(3_000) as i64)),
        6 => Deed::Join(token),
        7 => Deed::Leave(token),
        8 => Deed::TeamReads(false),
        9 => Deed::TeamReads(true),
        10 => Deed::Activate(token, dice.percent(50)),
        11 => Deed::Privacy(Privacy::Private),
        12 => Deed::Privacy(dice.pick(&[Privacy::Public, Privacy::Authenticated])),
        13 => Deed::Recreate,
        14 => Deed::Other,
        _ => Deed::Much,
    }
}
