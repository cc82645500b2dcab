//! Every grant that somebody may still go by, also when the cache has evicted it: a flip must reach
//! what is being sent (sync.md T3).

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use access::{LiveGrant, TokenDigest};
use dashmap::DashMap;
use foldhash::fast::RandomState;

/// Of so many looks at a grant the cache is told one. It keeps what is looked at most; to tell it each
/// time costs as much as to look.
const TOLD_ONE_OF: u32 = 16;

#[derive(Default)]
pub(super) struct LiveGrants(DashMap<TokenDigest, Entry, RandomState>);

struct Entry {
    grant: Weak<LiveGrant>,
    /// Not evicted.
    is_cached: AtomicBool,
    looks: AtomicU32,
}

impl Entry {
    fn make_void(&self) {
        if let Some(grant) = self.grant.upgrade() {
            grant.make_void();
        }
    }

    fn is_live(&self) -> bool {
        self.grant.strong_count() > 0
    }
}

impl LiveGrants {
    /// A token's grant in the cache, and whether the cache is to be told that it was looked for.
    pub(super) fn find(&self, digest: &TokenDigest) -> Option<(Arc<LiveGrant>, bool)> {
        let entry = self.0.get(digest).filter(|entry| entry.is_cached.load(Ordering::Relaxed))?;
        let grant = entry.grant.upgrade()?;
        Some((grant, entry.looks.fetch_add(1, Ordering::Relaxed) % TOLD_ONE_OF == 0))
    }

    /// Says that the cache has evicted a grant: it isn't found any more.
    pub(super) fn evicted(&self, digest: &TokenDigest, grant: &Arc<LiveGrant>) {
        if let Some(entry) = self.0.get(digest)
            && entry.grant.as_ptr() == Arc::as_ptr(grant)
        {
            entry.is_cached.store(false, Ordering::Relaxed);
        }
    }

    /// Puts a grant in the place of an older reading, by which nothing more is decided.
    pub(super) fn put(&self, digest: TokenDigest, grant: &Arc<LiveGrant>) {
        let entry = Entry {
            grant: Arc::downgrade(grant),
            is_cached: AtomicBool::new(true),
            looks: AtomicU32::new(0),
        };
        if let Some(older) = self.0.insert(digest, entry) {
            older.make_void();
        }
    }

    /// Takes a grant out: nothing more is decided by it.
    pub(super) fn end(&self, digest: &TokenDigest) {
        if let Some((_, entry)) = self.0.remove(digest) {
            entry.make_void();
        }
    }

    /// Takes all out.
    pub(super) fn end_all(&self) {
        self.0.retain(|_, entry| {
            entry.make_void();
            false
        });
    }

    /// Whether somebody goes by a grant of this token.
    pub(super) fn has(&self, digest: &TokenDigest) -> bool {
        self.0.get(digest).is_some_and(|entry| entry.is_live())
    }

    /// How many there are, with those that nobody goes by any more.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Drops those that nobody goes by any more.
    pub(super) fn sweep(&self) {
        self.0.retain(|_, entry| entry.is_live());
    }
}

#[cfg(test)]
mod tests {
    use access::{Grant, PrincipalId, Standing, Timestamp, TokenHint, TokenId};

    use super::*;

    fn grant() -> Arc<LiveGrant> {
        let hint = TokenHint::from_stored("AbCd".to_owned());
        let until = Timestamp::from_millis(i64::MAX);
        let (token, principal) = (TokenId(1), PrincipalId(1));
        let grant = Grant::new(token, hint, principal, until, Standing::Active, Vec::new());
        Arc::new(LiveGrant::new(grant))
    }

    /// The listener of the cache hears of a reading's end when there may be a newer one.
    #[test]
    fn what_was_evicted_is_not_found_and_still_ends() {
        let (grants, digest) = (LiveGrants::default(), TokenDigest::from_bytes([7; 32]));
        let [older, newer] = [grant(), grant()];
        grants.put(digest, &older);
        grants.put(digest, &newer);
        assert!(older.is_void() && !newer.is_void());
        grants.evicted(&digest, &older);
        assert!(grants.find(&digest).is_some());
        grants.evicted(&digest, &newer);
        assert!(grants.find(&digest).is_none() && grants.has(&digest));
        grants.end(&digest);
        assert!(newer.is_void());
    }

    #[test]
    fn the_cache_hears_of_the_first_look_and_of_some() {
        let (grants, digest, grant) =
            (LiveGrants::default(), TokenDigest::from_bytes([7; 32]), grant());
        grants.put(digest, &grant);
        let told: Vec<_> =
            (0..100).filter(|_| grants.find(&digest).is_some_and(|(_, is_told)| is_told)).collect();
        assert_eq!(told, [0, 16, 32, 48, 64, 80, 96]);
    }
}
