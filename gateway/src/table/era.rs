//! The table's content while the control database goes on without a break. After a break (a
//! restore, a failover that lost changes, a pruned feed) a new era begins from a new snapshot, and
//! nothing of the old one counts (sync.md F4).

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use access::lease::LeaseTerms;
use access::source::{Applied, Beginning, Change, Loaded, Revision, Touched};
use access::{
    Caller, Channel, ChannelId, ChannelRegistry, Grant, GrantSource, LiveGrant, PrincipalId,
    TokenDigest,
};
use arc_swap::{ArcSwap, Guard};
use dashmap::{DashMap, Entry};
use moka::sync::Cache;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::ATTEMPTS;
use super::lease::Lease;
use super::stripes::Stripes;
use crate::follow::within;

/// How long, and for how many digests, it is remembered that the database doesn't know them.
const UNKNOWN_FOR: Duration = Duration::from_secs(5);
const UNKNOWN_MAX: u64 = 100_000;
/// How long the control database may take to look a token up: when it answers otherwise, and when
/// it is known to be away. Clients try again sooner than they wait.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(10);
const LOOK_UP_WITHIN_WHILE_AWAY: Duration = Duration::from_secs(1);
/// What a grant takes in the cache beside itself: key, node and index, in bytes.
const ENTRY_OVERHEAD_BYTES: usize = 256;
/// How far the index may run ahead of the cache before it is swept.
const INDEX_SLACK: usize = 1024;

/// What became of reading one token.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// The database's answer.
    Caller(Caller),
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
    grants: Cache<TokenDigest, Arc<LiveGrant>>,
    unknown: Cache<TokenDigest, ()>,
    /// Which digests in `grants` act for a principal; it may name more than `grants` still has,
    /// never fewer.
    by_principal: DashMap<PrincipalId, HashSet<TokenDigest>>,
    loading: DashMap<TokenDigest, watch::Receiver<Option<Outcome>>>,
    stripes: Stripes,
    pub(super) lease: Lease,
    /// Whether the control database did not answer when it was last asked for changes.
    pub(super) away: AtomicBool,
    /// Taken out in one test only, to show that the rule is needed.
    #[cfg(test)]
    pub(super) rule_t2: AtomicBool,
}

impl Era {
    pub(super) fn new(beginning: Beginning, size_bytes: u64, terms: LeaseTerms) -> Self {
        let weigh = |_: &TokenDigest, live: &Arc<LiveGrant>| {
            let bytes = live.grant().weight_bytes() + ENTRY_OVERHEAD_BYTES;
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let era = Self {
            stripes: Stripes::new(beginning.applied.revision),
            applied: ArcSwap::from_pointee(beginning.applied),
            channels: ArcSwap::from_pointee(ChannelRegistry::new(beginning.channels)),
            grants: Cache::builder().weigher(weigh).max_capacity(size_bytes).build(),
            unknown: Cache::builder().max_capacity(UNKNOWN_MAX).time_to_live(UNKNOWN_FOR).build(),
            by_principal: DashMap::new(),
            loading: DashMap::new(),
            lease: Lease::new(terms),
            away: AtomicBool::new(false),
            #[cfg(test)]
            rule_t2: true.into(),
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

    /// What is in memory about a digest.
    pub(super) fn known(&self, digest: &TokenDigest) -> Option<Caller> {
        match self.grants.get(digest) {
            Some(live) => Some(Caller::Known(live)),
            None => self.unknown.contains_key(digest).then_some(Caller::Unknown),
        }
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
        for _ in 0..ATTEMPTS {
            match within(limit, source.load(digest)).await {
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

    /// Keeps what was read *and answers those who wait*, under the stripe's lock and only if no
    /// later change has been applied to the digest (sync.md T2).
    fn take_in(
        &self,
        digest: TokenDigest,
        loaded: Loaded,
        tell: &watch::Sender<Option<Outcome>>,
    ) -> bool {
        let stripe = self.stripes.lock(&digest);
        if !stripe.admits(loaded.revision) && self.keeps_t2() {
            return false;
        }
        let caller = match loaded.grant {
            Some(grant) => Caller::Known(self.keep(digest, grant)),
            None => {
                self.unknown.insert(digest, ());
                Caller::Unknown
            }
        };
        tell.send_replace(Some(Outcome::Caller(caller)));
        drop(stripe);
        true
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "the test build reads a switch")]
    fn keeps_t2(&self) -> bool {
        true
    }

    #[cfg(test)]
    fn keeps_t2(&self) -> bool {
        self.rule_t2.load(Ordering::SeqCst)
    }

    fn keep(&self, digest: TokenDigest, grant: Grant) -> Arc<LiveGrant> {
        let principal = grant.principal;
        let live = Arc::new(LiveGrant::new(grant));
        // The cache before the index: the sweep drops from the index what the cache lacks.
        self.grants.insert(digest, Arc::clone(&live));
        self.by_principal.entry(principal).or_default().insert(digest);
        live
    }

    /// Applies whole revisions in order. Says `false`, having ended nothing, when a change is too
    /// large to be named and the table has to be begun anew.
    pub(super) fn apply(
        &self,
        changes: &[Change],
        channels: &[(ChannelId, Option<Channel>)],
    ) -> bool {
        if changes.iter().any(|change| change.touched.contains(&Touched::Everything)) {
            return false;
        }
        let Some(last) = changes.last() else {
            return true;
        };
        self.register(channels);
        for change in changes {
            for touched in &change.touched {
                self.touch(*touched, change.revision);
            }
        }
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
        if let Some(live) = self.grants.remove(&digest) {
            live.make_void();
        }
    }

    fn forget_all(&self, revision: Revision) {
        self.stripes.raise_all(revision);
        self.unknown.invalidate_all();
        for (digest, live) in &self.grants {
            live.make_void();
            self.grants.invalidate(&*digest);
        }
        self.by_principal.clear();
    }

    /// Ends the era: no read under way is taken in any more, and no grant decides.
    pub(super) fn end(&self) {
        self.lease.withdraw();
        self.forget_all(Revision(i64::MAX));
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

    /// Drops from the index what the cache has evicted.
    fn sweep_index(&self) {
        let indexed = self.indexed();
        let cached = usize::try_from(self.grants.entry_count()).unwrap_or(usize::MAX);
        if indexed > cached.saturating_mul(2).saturating_add(INDEX_SLACK) {
            self.by_principal.retain(|_, digests| {
                digests.retain(|digest| self.grants.contains_key(digest));
                !digests.is_empty()
            });
        }
    }
}
