//! Step 4: from a token to what it may do now, without asking the control database each time.
//!
//! The table holds grants as the database had them at a revision between the last one applied and
//! now. A change arrives through the feed ([`Table::catch_up`]); a token that isn't in memory is
//! read ([`Era::load`]); the two meet in [`stripes`], so that what was read before a change can
//! never be kept, or answered, after it (sync.md T1, T2, F3, F4).
//!
//! *Architecture invariant:* a lookup that hits takes no lock and asks nobody.

mod era;
mod misses;
mod stripes;
mod time;

use std::net::IpAddr;
use std::sync::Arc;

use access::source::{Applied, Beginning, FeedRead, Revision, SourceError};
use access::{
    Allowed, Caller, ChannelName, ChannelRegistry, Clock, Denied, Grant, GrantSource, Permission,
    Privacy, Timestamp, TokenDigest, TokenSecret, decide,
};
use arc_swap::{ArcSwap, Guard};
use prometheus_client::metrics::counter::Counter;
use tokio::runtime::Handle;

use self::era::{Era, Outcome};
use self::misses::Misses;
use self::time::DatabaseTime;
use crate::credential::Credential;

/// How many of the most recently used tokens are read before the listener opens (sync.md T6).
const RECENTLY_USED: usize = 10_000;
/// How often a decision is begun anew because the database moved on under it.
const ATTEMPTS: usize = 3;

/// The bounds of a table, from `gateway.limits`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableLimits {
    /// Memory for grants, in bytes.
    pub size_bytes: u64,
    /// Lookups of tokens that are not in memory, per second.
    pub misses_per_second: u32,
    /// The same for one source address.
    pub misses_per_second_per_address: u32,
}

/// Why a request can't be decided now; none of it is the client's fault or tells of its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Undecided {
    /// The control plane's answer says no.
    Denied(Denied),
    /// Too many lookups of tokens that are not in memory.
    Busy,
    /// The control database doesn't answer, and the token isn't in memory.
    Unreachable,
}

impl From<Denied> for Undecided {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

/// A token as a request presents it, digested once.
struct Presented<'r> {
    digest: TokenDigest,
    token: &'r TokenSecret,
}

/// What a gateway knows of tokens and channels.
pub(crate) struct Table {
    source: Arc<dyn GrantSource>,
    clock: Arc<dyn Clock>,
    limits: TableLimits,
    /// Where reads of the control database run: never on a thread that serves requests.
    control: Handle,
    current: ArcSwap<Era>,
    time: DatabaseTime,
    misses: Misses,
    counts: Counts,
}

/// What a table has done since the start, for metrics.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    hits: Counter,
    misses: Counter,
    misses_refused: Counter,
    begun_anew: Counter,
    feed_failures: Counter,
}

impl Counts {
    /// Each count with its metric's name and meaning.
    pub(crate) fn all(&self) -> [(&'static str, &'static str, &Counter); 5] {
        [
            ("table_hits", "Tokens found in memory", &self.hits),
            ("table_misses", "Tokens looked up in the control database", &self.misses),
            ("table_misses_refused", "Lookups refused by the limits on them", &self.misses_refused),
            (
                "table_begun_anew",
                "Times the change feed did not continue and the table was begun anew",
                &self.begun_anew,
            ),
            ("feed_failures", "Reads of the change feed that failed", &self.feed_failures),
        ]
    }
}

impl Table {
    /// Reads the first snapshot.
    ///
    /// # Errors
    /// When the control database doesn't answer.
    pub(crate) async fn begin(
        source: Arc<dyn GrantSource>,
        clock: Arc<dyn Clock>,
        limits: TableLimits,
    ) -> Result<Self, SourceError> {
        let beginning = source.begin(RECENTLY_USED).await?;
        let time = DatabaseTime::new(beginning.now, clock.moment());
        Ok(Self {
            control: Handle::current(),
            current: ArcSwap::from_pointee(Era::new(beginning, limits.size_bytes)),
            time,
            misses: Misses::new(limits),
            counts: Counts::default(),
            source,
            clock,
            limits,
        })
    }

    /// Decides whether the holder of `credential` may read the channel `name`, now. `tell` is
    /// told whose token it is, however it is decided.
    pub(crate) async fn decide(
        &self,
        name: Option<&ChannelName>,
        credential: &Credential,
        address: IpAddr,
        mut tell: impl FnMut(&Grant),
    ) -> Result<Allowed, Undecided> {
        let token = match credential {
            Credential::Token(token) => Some(Presented { digest: token.digest(), token }),
            Credential::None | Credential::Malformed => None,
        };
        for _ in 0..ATTEMPTS {
            let era = self.current.load();
            let mut channels = era.channels();
            let caller = match &token {
                None if *credential == Credential::None => Caller::Anonymous,
                None => Caller::Unknown,
                Some(token) => match self.known(&era, &channels, name, token) {
                    Some(caller) => caller,
                    None => {
                        drop((era, channels));
                        let caller = self.look_up(token, address).await?;
                        channels = self.current.load().channels();
                        caller
                    }
                },
            };
            caller.grant().into_iter().for_each(&mut tell);
            // After the last wait: the flag and the clock are read in here (sync.md T4).
            match decide(&channels, name, &caller, Permission::Read, address, self.now()) {
                Err(Denied::Void) => {}
                decided => return Ok(decided?),
            }
        }
        Err(Undecided::Busy)
    }

    /// Whose token it is, if that can be told without waiting. For a public channel it always can:
    /// it is open whatever the token, also when the control database is away.
    fn known(
        &self,
        era: &Era,
        channels: &ChannelRegistry,
        name: Option<&ChannelName>,
        token: &Presented<'_>,
    ) -> Option<Caller> {
        let known = era.known(&token.digest);
        if known.is_some() {
            self.counts.hits.inc();
            return known;
        }
        let channel = name.and_then(|name| channels.find(name));
        channel.is_some_and(|c| c.privacy == Privacy::Public).then_some(Caller::Unknown)
    }

    async fn look_up(&self, token: &Presented<'_>, address: IpAddr) -> Result<Caller, Undecided> {
        self.admit_miss(token.token, address)?;
        for _ in 0..ATTEMPTS {
            let era = self.current.load_full();
            let loading = era.load(token.digest, &self.source, &self.control);
            match loading.await {
                Outcome::Caller(caller) => return Ok(caller),
                Outcome::Outrun => {}
                Outcome::Failed => return Err(Undecided::Unreachable),
            }
        }
        Err(Undecided::Busy)
    }

    fn admit_miss(&self, token: &TokenSecret, address: IpAddr) -> Result<(), Undecided> {
        if self.misses.admit(address, token.is_ours(), self.clock.moment()) {
            self.counts.misses.inc();
            Ok(())
        } else {
            self.counts.misses_refused.inc();
            Err(Undecided::Busy)
        }
    }

    /// Reads the feed once and applies what it says.
    ///
    /// # Errors
    /// When the control database doesn't answer; the table stays as it is.
    pub(crate) async fn catch_up(&self) -> Result<(), SourceError> {
        let result = self.try_catch_up().await;
        if result.is_err() {
            self.counts.feed_failures.inc();
        }
        result
    }

    async fn try_catch_up(&self) -> Result<(), SourceError> {
        let era = self.current.load_full();
        let applied = era.applied();
        let read = self.source.feed(applied.clone()).await?;
        if self.apply(&era, &applied, &read) {
            self.time.carry_on(read.now, self.clock.moment());
            return Ok(());
        }
        let beginning = self.source.begin(RECENTLY_USED).await?;
        tracing::warn!(
            from = applied.revision.0,
            to = beginning.applied.revision.0,
            "the change feed does not continue what was applied; the token table is begun anew"
        );
        self.begin_anew(&era, beginning);
        Ok(())
    }

    /// Applies a read of the feed, or says that it doesn't continue what was applied.
    fn apply(&self, era: &Era, applied: &Applied, read: &FeedRead) -> bool {
        let Some(changes) = read.continuing(applied) else {
            return false;
        };
        era.apply(changes, &read.channels)
    }

    fn begin_anew(&self, ended: &Era, beginning: Beginning) {
        self.counts.begun_anew.inc();
        self.time.carry_on(beginning.now, self.clock.moment());
        self.current.store(Arc::new(Era::new(beginning, self.limits.size_bytes)));
        // After the swap, so that nothing decided by the old era can be found again.
        ended.end();
    }

    /// The database's time, carried forward (sync.md T5).
    pub(crate) fn now(&self) -> Timestamp {
        self.time.at(self.clock.moment())
    }

    /// The last revision applied.
    pub(crate) fn revision(&self) -> Revision {
        self.current.load().applied().revision
    }

    /// How many grants are in memory, about.
    pub(crate) fn len(&self) -> u64 {
        self.current.load().len()
    }

    /// The channels registered at the last revision applied.
    pub(crate) fn channels(&self) -> Guard<Arc<ChannelRegistry>> {
        self.current.load().channels()
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
}

#[cfg(test)]
mod tests;
