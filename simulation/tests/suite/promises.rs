//! What must hold at every step, as sync.md has it, watched from outside: the history of the
//! database, what was told to whoever changed something, and what clients got.

use access::source::Stamp;
use access::{Denied, Timestamp};

use crate::facts::{CHANNELS, Facts, TOKENS, Truth};
use crate::process::{Request, Seen};

/// A state of the database, in the order in which there was one.
struct State {
    stamp: Stamp,
    /// A channel is no longer open to everyone by it: gateways may take longer (sync.md L6).
    ends_public: bool,
    public: [bool; CHANNELS],
    truth: Truth,
    /// The same once every token that expires has.
    truth_expired: Truth,
    expires_at: [Timestamp; TOKENS],
}

pub(crate) struct Promises {
    states: Vec<State>,
    /// Since which state, without a break, a token has had no grant for a channel.
    denied_since: [[Option<usize>; CHANNELS]; TOKENS],
    /// In which state a channel was no longer open to everyone, the last time.
    ended_public: [usize; CHANNELS],
    /// The last state that was told to be in force everywhere; and the last of those that ended
    /// something public. The first one is both.
    confirmed: [usize; 2],
    /// From when on what was before each of these states is over, as it was told.
    guaranteed: Vec<(usize, u64)>,
}

/// What was promised and isn't so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) String);

/// Where and when somebody was served.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) gateway: usize,
    pub(crate) now: u64,
    /// The last revision applied there.
    pub(crate) applied: Stamp,
    /// How many states the database had had when the gateway last heard of it.
    pub(crate) states: usize,
    /// The database's time, as far as it can be known there.
    pub(crate) database_time: Timestamp,
}

impl Promises {
    pub(crate) fn new(facts: &Facts, stamp: Stamp) -> Self {
        let mut promises = Self {
            states: vec![],
            denied_since: [[None; CHANNELS]; TOKENS],
            ended_public: [0; CHANNELS],
            confirmed: [0; 2],
            guaranteed: vec![],
        };
        promises.follow(facts, stamp, true);
        promises
    }

    /// The database has another state; says which one it is.
    pub(crate) fn follow(&mut self, facts: &Facts, stamp: Stamp, ends_public: bool) -> usize {
        let (truth, at) = (facts.truth(false), self.states.len());
        for (token, channels) in truth.iter().enumerate() {
            for (channel, granted) in channels.iter().enumerate() {
                let since = &mut self.denied_since[token][channel];
                *since = if *granted { None } else { since.or(Some(at)) };
            }
        }
        let was_public = self.states.last().map_or(facts.public(), |state| state.public);
        for (channel, is_public) in facts.public().into_iter().enumerate() {
            if was_public[channel] && !is_public {
                self.ended_public[channel] = at;
            }
        }
        let expires_at = std::array::from_fn(|token| facts.expires_at(token));
        let truth_expired = facts.truth(true);
        let public = facts.public();
        self.states.push(State { stamp, ends_public, public, truth, truth_expired, expires_at });
        at
    }

    /// How many states there have been.
    pub(crate) fn states(&self) -> usize {
        self.states.len()
    }

    /// Somebody was told that a change is in force everywhere.
    pub(crate) fn confirmed(&mut self, state: usize) {
        let kinds = if self.states[state].ends_public { 0..2 } else { 0..1 };
        self.confirmed[kinds].iter_mut().for_each(|last| *last = state.max(*last));
    }

    /// Somebody was told that a change is in force everywhere from `by` on.
    pub(crate) fn guaranteed(&mut self, state: usize, by: u64) {
        self.guaranteed.push((state, by));
    }

    /// Whether the database grants it now.
    pub(crate) fn granted(&self, token: usize, channel: usize) -> bool {
        self.denied_since[token][channel].is_none()
    }

    /// Whether a refusal of it has been confirmed.
    pub(crate) fn refusal_is_confirmed(&self, token: usize, channel: usize) -> bool {
        self.denied_since[token][channel].is_some_and(|since| {
            self.is_confirmed(since) && self.is_confirmed(self.ended_public[channel])
        })
    }

    /// Whether this state is in force everywhere, as somebody was told, of it or a later one. What
    /// was public takes longer to end, and only a change of that kind tells when it has.
    fn is_confirmed(&self, state: usize) -> bool {
        state <= self.confirmed[usize::from(self.states[state].ends_public)]
    }

    /// Whether it was guaranteed that by now nobody goes by what was before this state.
    fn is_over(&self, state: usize, now: u64) -> bool {
        let ends_public = self.states[state].ends_public;
        state == 0
            || self.guaranteed.iter().any(|(told, by)| {
                let covers = *told >= state && (self.states[*told].ends_public || !ends_public);
                covers && *by < now
            })
    }

    /// Checks what a client got.
    pub(crate) fn check(&self, place: Place, request: Request, seen: Seen) -> Result<(), Broken> {
        let Request { token, channel, .. } = request;
        match seen {
            Seen::Granted | Seen::Chunk => self.check_served(place, request, seen),
            Seen::Denied(Denied::Expired(_) | Denied::Replaced(_))
            | Seen::TryLater
            | Seen::Cut
            | Seen::Whole => Ok(()),
            Seen::Denied(denied) => self.check_as_applied(place, (token, channel), Err(denied)),
        }
    }

    fn check_served(&self, place: Place, request: Request, seen: Seen) -> Result<(), Broken> {
        let Request { token, channel, number, .. } = request;
        let what = format!("gateway {}, request {number}: {seen:?}", place.gateway);
        if self.refusal_is_confirmed(token, channel) {
            return Err(Broken(format!("{what} after the confirmation")));
        }
        let over = |since| {
            self.is_over(since, place.now) && self.is_over(self.ended_public[channel], place.now)
        };
        if self.denied_since[token][channel].is_some_and(over) {
            return Err(Broken(format!("{what} after it was guaranteed to have ended")));
        }
        if seen == Seen::Granted {
            self.check_as_applied(place, (token, channel), Ok(()))?;
        }
        Ok(())
    }

    /// Checks that a decision is the database's at the revision applied: of that alone, so that
    /// what is told of tokens and what is told of channels are of one moment.
    pub(crate) fn check_as_applied(
        &self,
        place: Place,
        (token, channel): (usize, usize),
        decided: Result<(), Denied>,
    ) -> Result<(), Broken> {
        // After a restore, the same stamp is that of two states: it was heard of the one before.
        let is_applied = |state: &&State| state.stamp == place.applied;
        let heard_of = self.states[..place.states].iter().rfind(is_applied);
        let Place { gateway, .. } = place;
        let Some(state) = heard_of.or(self.states.iter().rfind(is_applied)) else {
            return Err(Broken(format!("gateway {gateway}: applied what never was")));
        };
        let granted = decided.is_ok();
        let expired = state.expires_at[token] <= place.database_time;
        let truth = if granted && expired { &state.truth_expired } else { &state.truth };
        if truth[token][channel] == granted {
            return Ok(());
        }
        Err(Broken(format!(
            "gateway {gateway}: token {token} on channel {channel} is decided as {decided:?}, not as \
             at the revision applied"
        )))
    }
}
