//! A decision: without waiting where the token is in memory, else once it has been read.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::sync::Arc;

use access::{
    Allowed, Caller, ChannelRegistry, Denied, Grant, LiveGrant, Permission, PresentedToken,
    Privacy, decide,
};

use super::era::{Era, Outcome};
use super::lease::LeaseState;
use super::{ATTEMPTS, Table, Undecided};
use crate::credential::Credential;
use crate::rules::{Rule, keeps};

/// What is to be decided.
struct Question<'q> {
    channel: Option<&'q str>,
    address: IpAddr,
    /// The lease as it was before anything had to be waited for, where that rule is taken out.
    early: Option<LeaseState>,
}

/// How far a decision came without waiting.
enum Step {
    Decided(Result<Allowed, Undecided>),
    /// The database moved on under it.
    Void,
    /// The token isn't in memory.
    NotInMemory,
}

/// Whether the cache is told of the look with this number: of one in 64, for to tell it of each costs
/// more than to look. In no order that the requests could have too (Fibonacci hashing).
fn is_told(look: u64) -> bool {
    look.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58 == 0
}

impl Table {
    /// Decides whether the holder of `credential` may read the channel of this name, now. `tell` is
    /// told whose token it is, however it is decided.
    pub(crate) async fn decide(
        &self,
        channel: Option<&str>,
        credential: &Credential,
        address: IpAddr,
        mut tell: impl FnMut(&Grant),
    ) -> Result<Allowed, Undecided> {
        for _ in 0..ATTEMPTS {
            let question = Question { channel, address, early: self.early_lease() };
            let step = match credential {
                Credential::None => self.settle(&question, Caller::Anonymous, &mut tell),
                Credential::Malformed => self.settle(&question, Caller::Unknown, &mut tell),
                Credential::Token(token) => match self.known(&question, token, &mut tell) {
                    Step::NotInMemory => {
                        let read = Box::pin(self.look_up(token, address)).await?;
                        self.settle(&question, Caller::of(read.as_ref()), &mut tell)
                    }
                    step => step,
                },
            };
            if let Step::Decided(decided) = step {
                return decided;
            }
        }
        Err(Undecided::Busy)
    }

    /// Decides about a token if that can be done without waiting. For a public channel it always
    /// can: it is open whatever the token, also when the control database is away.
    fn known(
        &self,
        question: &Question<'_>,
        token: &PresentedToken,
        tell: impl FnMut(&Grant),
    ) -> Step {
        let (era, digest) = (self.current.load(), &token.digest);
        let is_told = is_told(self.counts.hits.get());
        let held = era.hold(digest);
        // While the grant is held, so that they are as registered no earlier than it was so. And
        // nothing is written from here to the decision: it would wait for memory for the grant, and
        // then again for the channel.
        let channels = era.channels();
        if let Some(live) = held.grant() {
            let step = self.decide_by(&era, &channels, question, Caller::Known(live), tell);
            drop(held);
            if is_told {
                era.tell_cache(digest);
            }
            self.counts.hits.inc();
            return step;
        }
        drop(held);
        // Of what isn't there it has to hear always, or it would never take it in in another's place.
        era.tell_cache(digest);
        let is_unknown = era.is_unknown(digest);
        self.counts.hits.inc_by(is_unknown.into());
        let channel = || question.channel.and_then(|name| channels.find(name));
        let is_public = || channel().is_some_and(|channel| channel.privacy == Privacy::Public);
        match is_unknown || is_public() {
            true => self.decide_by(&era, &channels, question, Caller::Unknown, tell),
            false => Step::NotInMemory,
        }
    }

    /// Decides by what is registered now.
    fn settle(
        &self,
        question: &Question<'_>,
        caller: Caller<'_>,
        tell: impl FnMut(&Grant),
    ) -> Step {
        let era = self.current.load();
        self.decide_by(&era, &era.channels(), question, caller, tell)
    }

    /// After the last wait: the flag is read in here, then the clock, then the lease (sync.md T4).
    fn decide_by(
        &self,
        era: &Era,
        channels: &ChannelRegistry,
        question: &Question<'_>,
        caller: Caller<'_>,
        tell: impl FnMut(&Grant),
    ) -> Step {
        caller.grant().into_iter().for_each(tell);
        let moment = OnceCell::new();
        let moment = || *moment.get_or_init(|| self.clock.moment());
        let now = || self.time.at(moment());
        let &Question { channel, address, early } = question;
        match decide(channels, channel, caller, Permission::Read, address, now) {
            Err(Denied::Void) => Step::Void,
            decided => {
                let lease = early.unwrap_or_else(|| era.lease.state(moment()));
                Step::Decided(lease.uphold(caller, decided))
            }
        }
    }

    fn early_lease(&self) -> Option<LeaseState> {
        (!keeps(Rule::LeaseLast)).then(|| self.current.load().lease.state(self.clock.moment()))
    }

    async fn look_up(
        &self,
        token: &PresentedToken,
        address: IpAddr,
    ) -> Result<Option<Arc<LiveGrant>>, Undecided> {
        if !self.current.load().lease.state(self.clock.moment()).valid {
            return Err(Undecided::LeaseEnded);
        }
        self.admit_miss(token, address)?;
        for _ in 0..ATTEMPTS {
            let era = self.current.load_full();
            let loading = era.load(token.digest, &self.source, &self.control);
            match loading.await {
                Outcome::Read(read) => return Ok(read),
                Outcome::Outrun => {}
                Outcome::Failed => return Err(Undecided::Unreachable),
            }
        }
        Err(Undecided::Busy)
    }

    fn admit_miss(&self, token: &PresentedToken, address: IpAddr) -> Result<(), Undecided> {
        if self.misses.admit(address, token.is_ours, self.clock.moment()) {
            self.counts.misses.inc();
            Ok(())
        } else {
            self.counts.misses_refused.inc();
            Err(Undecided::Busy)
        }
    }
}
