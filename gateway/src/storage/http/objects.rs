//! Small files of the HTTP storages in memory, and the heads of larger ones, so that the server is
//! not asked for each (performance.md, "Object cache rules"). One store for the whole gateway. It is
//! looked into only once the grant is given, and no client and no token is in its keys.

mod filling;
mod freshness;
mod object;

use std::sync::Arc;
use std::time::Duration;

use access::{Clock, Moment};
use foldhash::fast::RandomState;
use moka::sync::Cache;
use prometheus_client::metrics::counter::Counter;

pub(super) use self::filling::Begun;
use self::filling::Filling;
use self::freshness::Freshness;
pub(super) use self::object::{KeptBody, Object};
use super::super::conditions::Validators;
use super::client::UpstreamFields;
use crate::answer_fields::AnswerFields;
use crate::target::FilePath;

/// The largest file whose bytes are kept. Above it memory saves little: performance.md.
pub(super) const MAX_OBJECT_BYTES: u64 = 64 * 1024;
/// How long a file that may not be kept is asked for without a wait for each other.
const PASS_FOR: Duration = Duration::from_secs(60);

/// What is kept in memory.
pub(crate) struct Objects {
    kept: Cache<Arc<str>, Kept, RandomState>,
    filling: Filling,
    settings: config::Cache,
    clock: Arc<dyn Clock>,
    counts: Counts,
}

/// What is known of a file.
#[derive(Clone)]
pub(super) enum Kept {
    Object(Arc<Object>),
    /// Its answers are not for others, until then at least.
    NotToBeKept(Moment),
}

/// How often what was kept helped.
#[derive(Clone, Default)]
pub(crate) struct Counts {
    /// Answered from memory.
    pub(super) hits: Counter,
    /// Answered from memory after the storage had said that it is still so.
    pub(super) revalidated: Counter,
    /// Read from the storage, and kept.
    pub(super) filled: Counter,
    /// Passed on from the storage.
    pub(super) passed: Counter,
    /// Answered from memory because the storage failed.
    pub(super) bridged: Counter,
}

impl Counts {
    /// Each with its name and what it tells.
    pub(crate) fn all(&self) -> [(&'static str, &'static str, &Counter); 5] {
        let Self { hits, revalidated, filled, passed, bridged } = self;
        [
            ("objects_hit", "Answers of HTTP storages given from memory", hits),
            (
                "objects_revalidated",
                "Answers given from memory after the storage said that they still hold",
                revalidated,
            ),
            ("objects_filled", "Small files read from a storage and kept", filled),
            ("objects_passed", "Answers of HTTP storages passed on, not kept", passed),
            (
                "objects_bridged",
                "Stale answers given because the storage failed (`cache.stale_if_error`)",
                bridged,
            ),
        ]
    }
}

impl Objects {
    /// An empty store.
    pub(crate) fn new(settings: &config::Cache, clock: &Arc<dyn Clock>) -> Arc<Self> {
        let weigh = |key: &Arc<str>, kept: &Kept| {
            let kept = match kept {
                Kept::Object(object) => object.weight(),
                Kept::NotToBeKept(_) => 0,
            };
            u32::try_from(key.len() + kept + 128).unwrap_or(u32::MAX)
        };
        let size = settings.size.in_bytes();
        Arc::new(Self {
            kept: Cache::builder()
                .max_capacity(size)
                .weigher(weigh)
                .build_with_hasher(RandomState::default()),
            filling: Filling::default(),
            settings: settings.clone(),
            clock: Arc::clone(clock),
            counts: Counts::default(),
        })
    }

    /// How long a file of this name is fresh if its storage doesn't say; none if it isn't kept.
    pub(super) fn ttl(&self, file: &FilePath<'_>) -> Option<Duration> {
        let ttl = match file.is_unchanging() {
            true => self.settings.package_ttl,
            false => self.settings.metadata_ttl,
        };
        (!ttl.is_zero() && self.settings.size.in_bytes() > 0).then_some(ttl)
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.moment()
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(super) fn find(&self, key: &str) -> Option<Kept> {
        self.kept.get(key)
    }

    /// Begins to ask for a file whose answer is to be kept, unless somebody does already.
    pub(super) fn begin(&self, key: &str) -> Begun<'_> {
        self.filling.begin(key)
    }

    /// Keeps a file as an answer with these fields had it, unless it is not for others, which is
    /// remembered.
    pub(super) fn keep(
        &self,
        key: &str,
        ttl: Duration,
        fields: &UpstreamFields,
        (headers, validators): (AnswerFields, Validators),
        (length, content): (Option<u64>, KeptBody),
    ) -> Arc<Object> {
        let (came, headers) = (self.now(), headers.shrunk());
        let make = |freshness| Object { headers, validators, length, content, freshness, came };
        self.insert(key, Freshness::of(fields, ttl), make)
    }

    /// Keeps a file on, which a 304 with these fields said is still so.
    pub(super) fn renew(
        &self,
        key: &str,
        ttl: Duration,
        fields: &UpstreamFields,
        (object, passed_on): (&Object, AnswerFields),
    ) -> Arc<Object> {
        let came = self.now();
        let make = |freshness| object.renewed(&passed_on, freshness, came);
        self.insert(key, Freshness::of(fields, ttl), make)
    }

    fn insert(
        &self,
        key: &str,
        freshness: Option<Freshness>,
        make: impl FnOnce(Freshness) -> Object,
    ) -> Arc<Object> {
        let object = Arc::new(make(freshness.unwrap_or_default()));
        let kept = match freshness {
            Some(_) => Kept::Object(Arc::clone(&object)),
            None => Kept::NotToBeKept(self.now().plus(PASS_FOR)),
        };
        self.kept.insert(key.into(), kept);
        object
    }

    pub(super) fn forget(&self, key: &str) {
        self.kept.invalidate(key);
    }

    /// Whether a stale file may be given while its storage fails.
    pub(super) fn may_bridge(&self, object: &Object) -> bool {
        let stale = object.stale_since(self.now());
        stale.is_some_and(|stale| stale < self.settings.stale_if_error)
    }
}
