//! The table's content while the control database goes on without a break. After a break (a
//! restore, a failover that lost changes, a pruned feed) a new era begins from a new snapshot, and
//! nothing of the old one counts (sync.md F4).

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use access::lease::LeaseTerms;
use access::source::{Applied, Beginning, Change, Loaded, Revision, SourceError, Touched};
use access::{
    Channel, ChannelId, ChannelRegistry, Grant, GrantSource, LiveGrant, PrincipalId, TokenDigest,
};
use arc_swap::{ArcSwap, Guard};
use dashmap::{DashMap, Entry};
use moka::sync::Cache;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};

use super::ATTEMPTS;
use super::history::History;
use super::lease::Lease;
use super::live_grants::{Held, LiveGrants};
use super::stripes::Stripes;
use crate::follow::within;
use crate::rules::{Rule, keeps};

/// How long, and for how many digests, it is remembered that the database doesn't know them.
const UNKNOWN_FOR: Duration = Duration::from_secs(5);
const UNKNOWN_MAX: u64 = 100_000;
/// How long the control database may take to look a token up: when it answers otherwise, and when
/// it is known to be away. Clients try again sooner than they wait.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(10);
const LOOK_UP_WITHIN_WHILE_AWAY: Duration = Duration::from_secs(1);
/// What a grant takes beside itself: key, node, index and registry, in bytes.
const ENTRY_OVERHEAD_BYTES: usize = 352;
/// How far index and registry may run ahead of the cache before they are swept.
const INDEX_SLACK: usize = 1024;

/// What became of reading one token.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// The database's answer: the token's grant, where it knows the token.
    Read(Option<Arc<LiveGrant>>),
    /// Changes were applied faster than the token could be read.
    Outrun,
    /// The database didn't answer.
    Failed,
}

/// Ends the joining of one read, however the read ends.
struct Done<'e> {
    era: &'e Era,
    digest: TokenDigest,
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.era.loading.remove(&self.digest);
    }
}

pub(super) struct Era {
    applied: ArcSwap<Applied>,
    channels: ArcSwap<ChannelRegistry>,
    grants: Cache<TokenDigest, Arc<LiveGrant>, foldhash::fast::RandomState>,
    unknown: Cache<TokenDigest, ()>,
    live: Arc<LiveGrants>,
    /// Which digests in `live` act for a principal; it may name more than there are, never fewer.
    by_principal: DashMap<PrincipalId, HashSet<TokenDigest>>,
    loading: DashMap<TokenDigest, watch::Receiver<Option<Outcome>>>,
    stripes: Stripes,
    history: History,
    /// How often the feed was read, and who waits for the next time or for the end.
    feeds: AtomicU64,
    fed: Notify,
    /// Told when something was read that the feed has not come to.
    pub(super) ahead: Notify,
    pub(super) lease: Lease,
    ended: AtomicBool,
    /// Whether the control database did not answer when it was last asked for changes.
    pub(super) away: AtomicBool,
}

impl Era {
    pub(super) fn new(beginning: Beginning, size_bytes: u64, terms: LeaseTerms) -> Self {
        let weigh = |_: &TokenDigest, live: &Arc<LiveGrant>| {
            let bytes = live.grant().weight_bytes() + ENTRY_OVERHEAD_BYTES;
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let live = Arc::<LiveGrants>::default();
        let listener = Arc::clone(&live);
        let grants = Cache::builder()
            .weigher(weigh)
            .max_capacity(size_bytes)
            .eviction_listener(move |_digest, grant, _cause| listener.evicted(&grant));
        let era = Self {
            stripes: Stripes::new(beginning.applied.revision),
            history: History::new(beginning.applied.revision, beginning.applied.stamp),
            applied: ArcSwap::from_pointee(beginning.applied),
            channels: ArcSwap::from_pointee(ChannelRegistry::new(beginning.channels)),
            grants: grants.build_with_hasher(Default::default()),
            unknown: Cache::builder().max_capacity(UNKNOWN_MAX).time_to_live(UNKNOWN_FOR).build(),
            live,
            by_principal: DashMap::new(),
            loading: DashMap::new(),
            feeds: AtomicU64::new(0),
            fed: Notify::new(),
            ahead: Notify::new(),
            lease: Lease::new(terms),
            ended: AtomicBool::new(false),
            away: AtomicBool::new(false),
        };
        for (digest, grant) in beginning.recently_used {
            era.keep(digest, grant);
        }
        era
    }

    pub(super) fn applied(&self) -> Applied {
        Applied::clone(&self.applied.load())
    }

    pub(super) fn channels(&self) -> Guard<Arc<ChannelRegistry>> {
        self.channels.load()
    }

    pub(super) fn len(&self) -> u64 {
        self.grants.entry_count()
    }

    /// Holds a token's place among the grants in memory.
    pub(super) fn hold<'e>(&'e self, digest: &'e TokenDigest) -> Held<'e> {
        self.live.hold(digest)
    }

    /// Tells the cache that a token was looked for, so that it keeps what is looked at most. Not
    /// while a place is held.
    pub(super) fn tell_cache(&self, digest: &TokenDigest) {
        self.grants.get(digest);
    }

    /// Whether it is remembered that the database doesn't know a digest.
    pub(super) fn is_unknown(&self, digest: &TokenDigest) -> bool {
        self.unknown.contains_key(digest)
    }

    /// Reads one token. Whoever asks for the same one meanwhile waits for the same read.
    pub(super) async fn load(
        self: &Arc<Self>,
        digest: TokenDigest,
        source: &Arc<dyn GrantSource>,
        control: &Handle,
    ) -> Outcome {
        let mut answer = match self.loading.entry(digest) {
            Entry::Occupied(loading) => loading.get().clone(),
            Entry::Vacant(vacant) => {
                let (tell, answer) = watch::channel(None);
                vacant.insert(answer.clone());
                control.spawn(Arc::clone(self).read(digest, Arc::clone(source), tell));
                answer
            }
        };
        match answer.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Outcome::Failed),
            Err(_reader_gone) => Outcome::Failed,
        }
    }

    async fn read(
        self: Arc<Self>,
        digest: TokenDigest,
        source: Arc<dyn GrantSource>,
        tell: watch::Sender<Option<Outcome>>,
    ) {
        // Also when the read panics: the next request then tries again.
        let limit = match self.away.load(Ordering::Relaxed) {
            true => LOOK_UP_WITHIN_WHILE_AWAY,
            false => LOOK_UP_WITHIN,
        };
        let _done = Done { era: &self, digest };
        for _ in (0..ATTEMPTS).take_while(|_| !self.has_ended()) {
            match within(limit, Box::pin(self.read_once(digest, &source))).await {
                Ok(loaded) => {
                    if self.take_in(digest, loaded, &tell) {
                        return;
                    }
                }
                Err(why) => {
                    tracing::warn!(error = %why, "a token could not be looked up");
                    tell.send_replace(Some(Outcome::Failed));
                    return;
                }
            }
        }
        tell.send_replace(Some(Outcome::Outrun));
    }

    /// Reads the token, and waits until the feed has come to where it was read: what is in memory
    /// is as the database was at the revision applied, and what was read of another history, to
    /// which the feed doesn't come, is never decided by (sync.md F4).
    async fn read_once(
        &self,
        digest: TokenDigest,
        source: &Arc<dyn GrantSource>,
    ) -> Result<Loaded, SourceError> {
        let loaded = source.load(digest).await?;
        // The first may have begun before.
        let enough = self.feeds.load(Ordering::SeqCst) + 2;
        loop {
            let fed = self.fed.notified();
            let is_there = self.applied.load().revision >= loaded.revision;
            if is_there || self.has_ended() || self.feeds.load(Ordering::SeqCst) >= enough {
                return Ok(loaded);
            }
            self.ahead.notify_one();
            fed.await;
        }
    }

    /// The feed was read, and what it had is applied.
    pub(super) fn is_fed(&self) {
        self.feeds.fetch_add(1, Ordering::SeqCst);
        self.fed.notify_waiters();
    }

    /// Keeps what was read *and answers those who wait*, under the stripe's lock and only if no
    /// later change has been applied to the digest, and it is of this era's history (sync.md T2,
    /// F4).
    fn take_in(
        &self,
        digest: TokenDigest,
        loaded: Loaded,
        tell: &watch::Sender<Option<Outcome>>,
    ) -> bool {
        let stripe = self.stripes.lock(&digest);
        let is_current = stripe.admits(loaded.revision) || !keeps(Rule::NoStaleInsert);
        if !is_current || !self.history.admits(loaded.revision, loaded.stamp) {
            return false;
        }
        let read = loaded.grant.map(|grant| self.keep(digest, grant));
        if read.is_none() {
            self.unknown.insert(digest, ());
        }
        tell.send_replace(Some(Outcome::Read(read)));
        drop(stripe);
        true
    }

    fn keep(&self, digest: TokenDigest, grant: Grant) -> Arc<LiveGrant> {
        let principal = grant.principal;
        let live = Arc::new(LiveGrant::new(digest, grant));
        // Whoever goes by an older reading, which the cache had evicted, asks again.
        self.live.put(&live);
        self.by_principal.entry(principal).or_default().insert(digest);
        self.grants.insert(digest, Arc::clone(&live));
        if runs_ahead(self.live.len(), self.cached()) {
            self.live.sweep();
        }
        live
    }

    /// Applies whole revisions in order. Says `false`, having ended nothing, when the table has to
    /// be begun anew: a change is too large to be named.
    pub(super) fn apply(
        &self,
        changes: &[Change],
        channels: &[(ChannelId, Option<Channel>)],
    ) -> bool {
        let everything = |change: &Change| change.touched.contains(&Touched::Everything);
        if changes.iter().any(everything) {
            return false;
        }
        let Some(last) = changes.last() else {
            return true;
        };
        for change in changes {
            for touched in &change.touched {
                self.touch(*touched, change.revision);
            }
        }
        // After the flips: whoever sees a channel as it is now sees the flags of what changed with
        // it, and what was flipped is read again only at the end.
        self.register(channels);
        self.history.go_on(changes);
        let applied = Applied { revision: last.revision, stamp: last.stamp, ..self.applied() };
        self.applied.store(Arc::new(applied));
        self.sweep_index();
        true
    }

    fn register(&self, channels: &[(ChannelId, Option<Channel>)]) {
        if channels.is_empty() {
            return;
        }
        let mut registry = ChannelRegistry::clone(&self.channels.load());
        for (id, _) in channels {
            registry.remove(*id);
        }
        for channel in channels.iter().filter_map(|(_, channel)| channel.clone()) {
            registry.put(channel);
        }
        self.channels.store(Arc::new(registry));
    }

    fn touch(&self, touched: Touched, revision: Revision) {
        match touched {
            Touched::Token { digest, .. } => self.forget(digest, revision),
            Touched::Principal(principal) => {
                // Reads under way may be for digests that the index doesn't have yet.
                self.stripes.raise_all(revision);
                let digests = self.by_principal.remove(&principal);
                for digest in digests.map(|(_, set)| set).unwrap_or_default() {
                    self.forget(digest, revision);
                }
            }
            // A grant names channels by id; whether one is there, and open to whom, is asked of
            // the registry at each decision.
            Touched::Channel(_) => {}
            Touched::Everything => self.forget_all(revision),
        }
    }

    fn forget(&self, digest: TokenDigest, revision: Revision) {
        let mut stripe = self.stripes.lock(&digest);
        stripe.raise(revision);
        self.unknown.invalidate(&digest);
        let cached = self.grants.remove(&digest);
        if keeps(Rule::FlipsReachEvicted) {
            self.live.end(&digest);
        } else if let Some(cached) = cached {
            cached.make_void();
        }
    }

    fn forget_all(&self, revision: Revision) {
        self.stripes.raise_all(revision);
        self.unknown.invalidate_all();
        for (digest, _) in &self.grants {
            self.grants.invalidate(&*digest);
        }
        self.live.end_all();
        self.by_principal.clear();
    }

    /// Ends the era: no read under way is taken in any more, and no grant decides.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.lease.withdraw();
        self.forget_all(Revision(i64::MAX));
        self.fed.notify_waiters();
    }

    /// Whether it has ended. Then it isn't gone on with, even where the feed would continue it: it
    /// takes nothing in.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Has the cache drop a digest, as it does when it is full.
    #[cfg(feature = "simulation")]
    pub(super) fn evict(&self, digest: &TokenDigest) {
        self.grants.invalidate(digest);
    }

    /// As if changes were applied that no read has seen.
    #[cfg(test)]
    pub(super) fn outrun(&self) {
        self.forget_all(Revision(i64::MAX));
    }

    /// How many digests the index names.
    pub(super) fn indexed(&self) -> usize {
        self.by_principal.iter().map(|digests| digests.len()).sum()
    }

    fn cached(&self) -> usize {
        usize::try_from(self.grants.entry_count()).unwrap_or(usize::MAX)
    }

    /// Drops from the index what nobody goes by any more.
    fn sweep_index(&self) {
        if runs_ahead(self.indexed(), self.cached()) {
            self.by_principal.retain(|_, digests| {
                digests.retain(|digest| self.live.has(digest));
                !digests.is_empty()
            });
        }
    }
}

fn runs_ahead(len: usize, cached: usize) -> bool {
    len > cached.saturating_mul(2).saturating_add(INDEX_SLACK)
}
