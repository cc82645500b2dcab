//! Every grant that somebody may go by, also when the cache has evicted it: a flip must reach what
//! is being sent (sync.md T3).

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

use access::{LiveGrant, TokenDigest};
use dashmap::DashMap;
use foldhash::fast::RandomState;

use super::places::Places;

/// How many parts the cached grants fall into, each with its lock, as a power of two. Many, so that
/// threads seldom meet.
const SHARDS: usize = 1 << SHARD_BITS;
const SHARD_BITS: u32 = 6;

/// Places are taken in one order, `cached` before `evicted`, so that a grant that goes from one to
/// the other is always found.
pub(super) struct LiveGrants {
    /// What the cache holds.
    cached: Box<[Shard]>,
    /// What it has evicted, as long as somebody goes by it.
    evicted: DashMap<TokenDigest, Weak<LiveGrant>, RandomState>,
}

/// In a line of memory of its own: to take its lock is to write to it.
#[derive(Default)]
#[repr(align(64))]
struct Shard(RwLock<Places<Arc<LiveGrant>>>);

/// A token's place, held: the grant that is in it, or that there is none, stays so.
pub(super) struct Held<'g> {
    shard: RwLockReadGuard<'g, Places<Arc<LiveGrant>>>,
    digest: &'g TokenDigest,
}

impl Held<'_> {
    /// The token's grant in the cache.
    pub(super) fn grant(&self) -> Option<&Arc<LiveGrant>> {
        self.shard.find(hash(self.digest), is_of(self.digest))
    }
}

/// The digest is even itself.
fn hash(digest: &TokenDigest) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *digest.as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn is_of(digest: &TokenDigest) -> impl Fn(&Arc<LiveGrant>) -> bool {
    move |live| live.digest() == digest
}

/// A lock that a panic has poisoned is taken all the same: none comes in the middle of a change.
impl Shard {
    fn read(&self) -> RwLockReadGuard<'_, Places<Arc<LiveGrant>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Places<Arc<LiveGrant>>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for LiveGrants {
    fn default() -> Self {
        let cached = std::iter::repeat_with(Shard::default).take(SHARDS).collect();
        Self { cached, evicted: DashMap::default() }
    }
}

impl LiveGrants {
    /// The shard by the hash's high bits, for its low ones tell the place in it.
    fn shard(&self, digest: &TokenDigest) -> &Shard {
        &self.cached[(hash(digest) >> (u64::BITS - SHARD_BITS)) as usize]
    }

    /// Holds a token's place: for no longer than a decision takes, and without asking the cache,
    /// which may say that something is evicted.
    pub(super) fn hold<'g>(&'g self, digest: &'g TokenDigest) -> Held<'g> {
        Held { shard: self.shard(digest).read(), digest }
    }

    /// Says that the cache has evicted a grant: it isn't found any more.
    pub(super) fn evicted(&self, grant: &Arc<LiveGrant>) {
        let digest = grant.digest();
        // Of an older reading it may say so when there is a newer one.
        let is_it = |live: &Arc<LiveGrant>| Arc::ptr_eq(live, grant);
        let mut shard = self.shard(digest).write();
        if shard.remove(hash(digest), is_it).is_some() {
            self.evicted.insert(*digest, Arc::downgrade(grant));
        }
    }

    /// Puts a grant in the place of an older reading, by which nothing more is decided.
    pub(super) fn put(&self, grant: &Arc<LiveGrant>) {
        let digest = grant.digest();
        let mut shard = self.shard(digest).write();
        if let Some(older) = shard.put(hash(digest), Arc::clone(grant), is_of(digest)) {
            older.make_void();
        }
        drop(shard);
        self.end_evicted(digest);
    }

    /// Takes a grant out: nothing more is decided by it.
    pub(super) fn end(&self, digest: &TokenDigest) {
        if let Some(grant) = self.shard(digest).write().remove(hash(digest), is_of(digest)) {
            grant.make_void();
        }
        self.end_evicted(digest);
    }

    fn end_evicted(&self, digest: &TokenDigest) {
        let evicted = self.evicted.remove(digest);
        if let Some(grant) = evicted.and_then(|(_, grant)| grant.upgrade()) {
            grant.make_void();
        }
    }

    /// Takes all out.
    pub(super) fn end_all(&self) {
        for shard in &self.cached {
            shard.write().drain().for_each(|grant| grant.make_void());
        }
        self.evicted.retain(|_, grant| {
            grant.upgrade().inspect(|grant| grant.make_void());
            false
        });
    }

    /// Whether somebody may go by a grant of this token.
    pub(super) fn has(&self, digest: &TokenDigest) -> bool {
        let is_in_use = |grant: &Weak<LiveGrant>| grant.strong_count() > 0;
        self.hold(digest).grant().is_some()
            || self.evicted.get(digest).is_some_and(|evicted| is_in_use(&evicted))
    }

    /// How many there are, with those evicted that nobody goes by any more.
    pub(super) fn len(&self) -> usize {
        let cached: usize = self.cached.iter().map(|shard| shard.read().len()).sum();
        cached + self.evicted.len()
    }

    /// Drops those that nobody goes by any more.
    pub(super) fn sweep(&self) {
        self.evicted.retain(|_, grant| grant.strong_count() > 0);
    }
}

#[cfg(test)]
mod tests {
    use access::{Grant, PrincipalId, Standing, Timestamp, TokenHint, TokenId};

    use super::*;

    const DIGEST: TokenDigest = TokenDigest::from_bytes([7; 32]);

    fn grant() -> Arc<LiveGrant> {
        let until = Timestamp::from_millis(i64::MAX);
        let (token, principal) = (TokenId(1), PrincipalId(1));
        let hint = TokenHint::from_stored("AbCd");
        let grant = Grant::new(token, hint, principal, until, Standing::Active, Vec::new());
        Arc::new(LiveGrant::new(DIGEST, grant))
    }

    /// The listener of the cache hears of a reading's end when there may be a newer one.
    #[test]
    fn what_was_evicted_is_not_found_and_still_ends() {
        let grants = LiveGrants::default();
        let [older, newer] = [grant(), grant()];
        grants.put(&older);
        grants.put(&newer);
        assert!(older.is_void() && !newer.is_void());
        grants.evicted(&older);
        assert!(grants.hold(&DIGEST).grant().is_some());
        grants.evicted(&newer);
        grants.evicted(&older);
        assert!(grants.hold(&DIGEST).grant().is_none() && grants.has(&DIGEST));
        grants.end(&DIGEST);
        assert!(newer.is_void());
    }

    #[test]
    fn an_evicted_reading_ends_when_there_is_another() {
        let grants = LiveGrants::default();
        let [older, newer] = [grant(), grant()];
        grants.put(&older);
        grants.evicted(&older);
        grants.put(&newer);
        assert!(older.is_void() && !newer.is_void());
    }

    #[test]
    fn what_was_evicted_and_is_in_nobodys_use_is_swept() {
        let grants = LiveGrants::default();
        let grant = grant();
        grants.put(&grant);
        grants.evicted(&grant);
        grants.sweep();
        assert_eq!(grants.len(), 1);
        drop(grant);
        assert!(!grants.has(&DIGEST));
        grants.sweep();
        assert_eq!(grants.len(), 0);
    }
}
