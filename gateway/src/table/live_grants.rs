//! Every grant that somebody may go by, also when the cache has evicted it: a flip must reach what
//! is being sent (sync.md T3).

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Weak};

use access::{LiveGrant, TokenDigest};
use dashmap::{DashMap, Entry};
use foldhash::fast::RandomState;

/// Places are taken in one order, `cached` before `evicted`, so that a grant that goes from one to
/// the other is always found.
#[derive(Default)]
pub(super) struct LiveGrants {
    /// What the cache holds.
    cached: DashMap<ByDigest, (), RandomState>,
    /// What it has evicted, as long as somebody goes by it.
    evicted: DashMap<TokenDigest, Weak<LiveGrant>, RandomState>,
}

/// A grant that is its own key: with the digest apart, a look would wait for memory once more.
struct ByDigest(Arc<LiveGrant>);

impl Borrow<TokenDigest> for ByDigest {
    fn borrow(&self) -> &TokenDigest {
        self.0.digest()
    }
}

impl Hash for ByDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.digest().hash(state);
    }
}

impl PartialEq for ByDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.digest() == other.0.digest()
    }
}

impl Eq for ByDigest {}

impl LiveGrants {
    /// A token's grant in the cache.
    pub(super) fn find(&self, digest: &TokenDigest) -> Option<Arc<LiveGrant>> {
        self.cached.get(digest).map(|entry| Arc::clone(&entry.key().0))
    }

    /// Says that the cache has evicted a grant: it isn't found any more.
    pub(super) fn evicted(&self, grant: Arc<LiveGrant>) {
        let weak = Arc::downgrade(&grant);
        // Of an older reading it may say so when there is a newer one.
        if let Entry::Occupied(cached) = self.cached.entry(ByDigest(Arc::clone(&grant)))
            && Arc::ptr_eq(&cached.key().0, &grant)
        {
            self.evicted.insert(*grant.digest(), weak);
            cached.remove();
        }
    }

    /// Puts a grant in the place of an older reading, by which nothing more is decided.
    pub(super) fn put(&self, grant: &Arc<LiveGrant>) {
        match self.cached.entry(ByDigest(Arc::clone(grant))) {
            Entry::Occupied(older) => older.replace_entry(()).0.0.make_void(),
            Entry::Vacant(place) => drop(place.insert(())),
        }
        self.end_evicted(grant.digest());
    }

    /// Takes a grant out: nothing more is decided by it.
    pub(super) fn end(&self, digest: &TokenDigest) {
        if let Some((ByDigest(grant), ())) = self.cached.remove(digest) {
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
        self.cached.retain(|ByDigest(grant), ()| {
            grant.make_void();
            false
        });
        self.evicted.retain(|_, grant| {
            grant.upgrade().inspect(|grant| grant.make_void());
            false
        });
    }

    /// Whether somebody may go by a grant of this token.
    pub(super) fn has(&self, digest: &TokenDigest) -> bool {
        let is_in_use = |grant: &Weak<LiveGrant>| grant.strong_count() > 0;
        self.cached.contains_key(digest)
            || self.evicted.get(digest).is_some_and(|evicted| is_in_use(&evicted))
    }

    /// How many there are, with those evicted that nobody goes by any more.
    pub(super) fn len(&self) -> usize {
        self.cached.len() + self.evicted.len()
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
        grants.evicted(Arc::clone(&older));
        assert!(grants.find(&DIGEST).is_some());
        grants.evicted(Arc::clone(&newer));
        grants.evicted(older);
        assert!(grants.find(&DIGEST).is_none() && grants.has(&DIGEST));
        grants.end(&DIGEST);
        assert!(newer.is_void());
    }

    #[test]
    fn an_evicted_reading_ends_when_there_is_another() {
        let grants = LiveGrants::default();
        let [older, newer] = [grant(), grant()];
        grants.put(&older);
        grants.evicted(Arc::clone(&older));
        grants.put(&newer);
        assert!(older.is_void() && !newer.is_void());
    }

    #[test]
    fn what_was_evicted_and_is_in_nobodys_use_is_swept() {
        let grants = LiveGrants::default();
        let grant = grant();
        grants.put(&grant);
        grants.evicted(Arc::clone(&grant));
        grants.sweep();
        assert_eq!(grants.len(), 1);
        drop(grant);
        assert!(!grants.has(&DIGEST));
        grants.sweep();
        assert_eq!(grants.len(), 0);
    }
}
