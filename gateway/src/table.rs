//! Step 4: from a token to what it may do now, without asking the control database each time.
//!
//! The table holds grants and channels as the database had them at the last revision applied. A
//! change arrives through the feed ([`Table::catch_up`]); a token that isn't in memory is read
//! ([`Era::load`]), and waits for the feed to come to where it was read; the two meet in
//! [`stripes`], so that what was read before a change can never be kept, or answered, after it
//! (sync.md T1, T2, F3, F4).
//!
//! *Architecture invariant:* a lookup that hits takes no lock and asks nobody.

mod decision;
mod era;
mod history;
mod lease;
mod live_grants;
mod misses;
mod places;
mod stripes;
mod time;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use access::lease::LeaseTerms;
use access::source::{Applied, SourceError};
use access::{Allowed, ChannelRegistry, Clock, Denied, GrantSource, Moment, Privacy, Timestamp};
use arc_swap::{ArcSwap, Guard};
use prometheus_client::metrics::counter::Counter;
use tokio::runtime::Handle;
use tokio::sync::watch;

use self::era::Era;
use self::lease::nanos;
use self::misses::Misses;
use self::time::DatabaseTime;

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
    /// There was no news from the control database for too long (sync.md L6).
    LeaseEnded,
}

impl From<Denied> for Undecided {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

/// What a gateway knows of tokens and channels.
pub(crate) struct Table {
    source: Arc<dyn GrantSource>,
    clock: Arc<dyn Clock>,
    limits: TableLimits,
    /// Where reads of the control database run: never on a thread that serves requests.
    control: Handle,
    current: ArcSwap<Era>,
    terms: LeaseTerms,
    /// Told after each change that is applied: what is being sent may have to end (sync.md T3).
    flips: watch::Sender<()>,
    time: DatabaseTime,
    /// When what is applied was asked for, in nanoseconds on the lease clock.
    caught_up: AtomicU64,
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
    /// Reads the first snapshot. Nothing private is served by it until there is a lease
    /// ([`Table::extend_lease`]).
    ///
    /// # Errors
    /// When the control database doesn't answer.
    pub(crate) async fn begin(
        source: Arc<dyn GrantSource>,
        clock: Arc<dyn Clock>,
        limits: TableLimits,
        terms: LeaseTerms,
    ) -> Result<Self, SourceError> {
        let asked = clock.moment();
        let beginning = source.begin(RECENTLY_USED).await?;
        let time = DatabaseTime::new(beginning.now, asked);
        Ok(Self {
            control: Handle::current(),
            current: ArcSwap::from_pointee(Era::new(beginning, limits.size_bytes, terms)),
            terms,
            flips: watch::channel(()).0,
            time,
            caught_up: AtomicU64::new(nanos(asked)),
            misses: Misses::new(limits),
            counts: Counts::default(),
            source,
            clock,
            limits,
        })
    }

    /// Reads the feed once and applies what it says. Says `false` when it doesn't continue what
    /// was applied: then nothing is decided by this table until it is begun anew (sync.md F4).
    ///
    /// # Errors
    /// When the control database doesn't answer; the table stays as it is.
    pub(crate) async fn catch_up(&self) -> Result<bool, SourceError> {
        let era = self.current.load_full();
        if era.has_ended() {
            return Ok(false);
        }
        let applied = era.applied();
        let asked = self.clock.moment();
        let read = self.source.feed(applied.clone()).await;
        era.away.store(read.is_err(), Ordering::Relaxed);
        let read = read.inspect_err(|_| {
            self.counts.feed_failures.inc();
        })?;
        let changes = read.continuing(&applied);
        let continues = changes.is_some_and(|changes| era.apply(changes, &read.channels));
        if !continues {
            self.end();
        } else if !read.changes.is_empty() {
            self.flips.send_replace(());
        }
        if continues {
            era.is_fed();
            self.caught_up.store(nanos(asked), Ordering::Relaxed);
        }
        self.time.carry_on(read.now, asked, self.clock.moment());
        Ok(continues)
    }

    /// Decides nothing any more, and cuts what is being sent, until it is begun anew.
    pub(crate) fn end(&self) {
        self.current.load().end();
        self.flips.send_replace(());
    }

    /// Reads a snapshot and goes on with it alone.
    ///
    /// # Errors
    /// When the control database doesn't answer.
    pub(crate) async fn begin_anew(&self) -> Result<(), SourceError> {
        let asked = self.clock.moment();
        let beginning = self.source.begin(RECENTLY_USED).await?;
        self.counts.begun_anew.inc();
        self.caught_up.store(nanos(asked), Ordering::Relaxed);
        self.time.carry_on(beginning.now, asked, self.clock.moment());
        let (ended, begun) = (self.applied(), beginning.applied.revision);
        let next = Era::new(beginning, self.limits.size_bytes, self.terms);
        // After the swap, so that nothing decided by the old era can be found again.
        self.current.swap(Arc::new(next)).end();
        self.flips.send_replace(());
        tracing::warn!(
            from = ended.revision.0,
            to = begun.0,
            "the change feed does not continue what was applied; the token table is begun anew"
        );
        Ok(())
    }

    /// Extends the lease by a renewal that was asked for at `asked` and is committed; what the feed
    /// had after that has been applied (sync.md L2).
    pub(crate) fn extend_lease(&self, asked: Moment) {
        self.current.load().lease.extend(asked);
    }

    /// By how many milliseconds the database's clock is ahead of this machine's (T5).
    pub(crate) fn skew_ms(&self) -> i64 {
        self.now().as_millis().saturating_sub(self.clock.now().as_millis())
    }

    /// How long ago everything was applied that the database had.
    pub(crate) fn feed_lag(&self) -> Duration {
        let caught_up = Duration::from_nanos(self.caught_up.load(Ordering::Relaxed));
        self.clock.moment().since(Moment::from_start(caught_up))
    }

    /// How much of the lease is left.
    pub(crate) fn lease_remaining(&self) -> Duration {
        self.current.load().lease.remaining(self.clock.moment())
    }

    /// Whether anything private may be served.
    pub(crate) fn may_serve(&self) -> bool {
        let state = self.current.load().lease.state(self.clock.moment());
        state.valid || state.known
    }

    /// Whether what was allowed still is, as far as that can be told without asking anybody: the
    /// grant's flag, its expiry, the channel as it was registered, and the lease (sync.md T3).
    pub(crate) fn upholds(&self, allowed: &Allowed) -> bool {
        let era = self.current.load();
        let channel = allowed.channel();
        let registered =
            era.channels().find(channel.name.as_str()).is_some_and(|now| **now == *channel);
        let granted =
            allowed.by().is_none_or(|live| !live.is_void() && self.now() < live.grant().expires_at);
        let lease = era.lease.state(self.clock.moment());
        let public = lease.public && channel.privacy == Privacy::Public;
        registered && granted && (lease.valid || public || (lease.known && allowed.by().is_some()))
    }

    /// Waits until something was read that the feed has not come to.
    pub(crate) async fn is_behind(&self) {
        self.current.load_full().ahead.notified().await;
    }

    /// Wakes after each change that was applied.
    pub(crate) fn flips(&self) -> watch::Receiver<()> {
        self.flips.subscribe()
    }

    /// The database's time, carried forward (sync.md T5).
    pub(crate) fn now(&self) -> Timestamp {
        self.time.at(self.clock.moment())
    }

    /// How far the change feed has been applied.
    pub(crate) fn applied(&self) -> Applied {
        self.current.load().applied()
    }

    /// How many grants are in memory, about.
    pub(crate) fn len(&self) -> u64 {
        self.current.load().len()
    }

    /// The channels registered at the last revision applied.
    pub(crate) fn channels(&self) -> Guard<Arc<ChannelRegistry>> {
        self.current.load().channels()
    }

    /// A token's grant, or that the database doesn't know it, if that is in memory.
    #[cfg(feature = "simulation")]
    pub(crate) fn in_memory(
        &self,
        digest: &access::TokenDigest,
    ) -> Option<Option<Arc<access::LiveGrant>>> {
        let era = self.current.load();
        let found = era.hold(digest).grant().cloned();
        era.tell_cache(digest);
        (found.is_some() || era.is_unknown(digest)).then_some(found)
    }

    /// Has the cache drop a token, as it does when it is full.
    #[cfg(feature = "simulation")]
    pub(crate) fn evict(&self, digest: &access::TokenDigest) {
        self.current.load().evict(digest);
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
}

#[cfg(test)]
mod tests;
