//! How calls reach the database and answers come back; and what becomes of them when a rule is
//! taken out that a database or a gateway's reading of it keeps.

use access::Timestamp;
use access::lease::{Instance, Renewal};
use access::source::{Applied, Change, FeedRead, Revision, Stamp};

use crate::database::Database;
use crate::rules::Rule;
use crate::wire::{Ask, Call, Reply};

/// A statement that is executed after it was answered: a rule is taken out.
pub(crate) type Late = Ask;

/// What a gateway's answers are made from.
pub(crate) struct Exchange<'w> {
    pub(crate) database: &'w mut Database,
    pub(crate) rule: Option<Rule>,
    /// By the database's clock, and by the gateway's.
    pub(crate) database_now: Timestamp,
    pub(crate) gateway_now: Timestamp,
    pub(crate) late: &'w mut Vec<Late>,
    /// The gateway's last registration.
    pub(crate) instance: &'w mut Option<Instance>,
}

impl Exchange<'_> {
    /// Has the database execute a call; gives it back while it is to be answered.
    pub(crate) fn execute(&mut self, mut call: Call) -> Option<Call> {
        if let Ask::Register(registration) = &call.ask {
            *self.instance = Some(registration.instance.clone());
        }
        let early = match (self.rule, &call.ask) {
            (Some(Rule::L2Committed), Ask::Renew(_)) => Some(Reply::Renewed(Renewal::Committed)),
            (Some(Rule::L2RegisteredFirst), Ask::Register(_)) => Some(Reply::Done),
            _ => None,
        };
        if let Some(early) = early {
            self.late.push(call.ask.clone());
            call.answer(Ok(early));
            return None;
        }
        let ended = matches!(call.reply, Some(Reply::Renewed(Renewal::Ended)));
        debug_assert!(!ended, "executed once");
        if call.half {
            self.complete(&mut call);
            return Some(call);
        }
        let reply = self.database.execute(&call.ask, self.database_now);
        call.half = matches!(
            (self.rule, &call.ask),
            (Some(Rule::F3OneSnapshot), Ask::Feed(_)) | (Some(Rule::T2OneStatement), Ask::Load(_))
        );
        call.reply = Some(self.without_rule(&call.ask, reply));
        Some(call)
    }

    /// The second statement where there should be one.
    fn complete(&mut self, call: &mut Call) {
        call.half = false;
        let counter = self.database.counter();
        match (&mut call.reply, &call.ask) {
            (Some(Reply::Feed(read)), Ask::Feed(applied)) => {
                read.counter = counter;
                self.fill(read, applied);
            }
            (Some(Reply::Loaded(loaded)), _) => {
                loaded.revision = counter;
                loaded.stamp = self.database.stamp(counter).unwrap_or(Stamp(0));
            }
            _ => {}
        }
    }

    fn without_rule(&mut self, ask: &Ask, reply: Reply) -> Reply {
        match (self.rule, ask, reply) {
            (Some(Rule::F3Contiguous), Ask::Feed(applied), Reply::Feed(mut read)) => {
                self.fill(&mut read, applied);
                Reply::Feed(read)
            }
            (Some(Rule::F4Stamps), Ask::Feed(applied), Reply::Feed(read)) => {
                Reply::Feed(as_if_continued(read, applied))
            }
            (Some(Rule::L4InForceFirst), Ask::Feed(_), Reply::Feed(read)) => {
                let stamp = self.database.stamp(read.counter).unwrap_or(Stamp(0));
                let database = read.database.clone();
                let applied = Applied { revision: read.counter, stamp, database };
                if let Some(instance) = &*self.instance {
                    self.database.acknowledge(instance, &applied);
                }
                Reply::Feed(read)
            }
            (Some(Rule::T5DatabaseTime), _, Reply::Feed(read)) => {
                Reply::Feed(FeedRead { now: self.gateway_now, ..read })
            }
            (Some(Rule::T5DatabaseTime), _, Reply::Beginning(mut beginning)) => {
                beginning.now = self.gateway_now;
                Reply::Beginning(beginning)
            }
            (
                Some(Rule::L5EndedStaysEnded | Rule::L2RegisteredFirst),
                _,
                Reply::Renewed(Renewal::Ended),
            ) => Reply::Renewed(Renewal::Committed),
            (_, _, reply) => reply,
        }
    }

    /// Makes a feed look contiguous, with changes that touch nothing in its holes.
    fn fill(&self, read: &mut FeedRead, applied: &Applied) {
        read.stamp_of_asked = Some(applied.stamp);
        for number in applied.revision.0 + 1..=read.counter.0 {
            let revision = Revision(number);
            if !read.changes.iter().any(|change| change.revision == revision) {
                let stamp = self.database.stamp(revision).unwrap_or(Stamp(0));
                read.changes.push(Change { revision, stamp, touched: vec![] });
            }
        }
        read.changes.sort_by_key(|change| change.revision);
    }
}

/// Makes a feed look as if it were of the same history.
fn as_if_continued(mut read: FeedRead, applied: &Applied) -> FeedRead {
    read.database = applied.database.clone();
    read.stamp_of_asked = Some(applied.stamp);
    if read.counter < applied.revision {
        read.counter = applied.revision;
        read.changes.clear();
    }
    read
}
