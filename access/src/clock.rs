//! The one place where time comes from.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::Timestamp;

/// A reading of a clock that only goes forward and counts a suspended machine's sleep; it means
/// something only beside another reading on the same machine (sync.md L3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// A moment from the time since an arbitrary start.
    pub const fn from_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// How long after `earlier` this moment is; nothing when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// This moment moved on by `by`.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }
}

/// Where time comes from. Everything that waits, expires or measures takes one, so that tests
/// and the simulation decide what time it is.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock: for display, and for expiry until the database's time is known.
    fn now(&self) -> Timestamp;
    /// The clock for durations and leases.
    fn moment(&self) -> Moment;
}

/// The machine's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        Timestamp::from_millis(now.tv_sec * 1000 + now.tv_nsec / 1_000_000)
    }

    fn moment(&self) -> Moment {
        // std's `Instant` is CLOCK_MONOTONIC, which stands still while the machine is suspended:
        // a lease would outlive its wall-clock bound (sync.md L3).
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let secs = u64::try_from(now.tv_sec).unwrap_or(0);
        Moment(Duration::new(secs, u32::try_from(now.tv_nsec).unwrap_or(0)))
    }
}

/// A clock that a test moves by hand; both readings move together.
#[derive(Debug)]
pub struct ManualClock {
    wall_millis: AtomicI64,
    elapsed_nanos: AtomicU64,
}

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { wall_millis: AtomicI64::new(now.as_millis()), elapsed_nanos: AtomicU64::new(0) }
    }

    /// Moves both readings on.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.wall_millis.fetch_add(millis, Ordering::SeqCst);
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.elapsed_nanos.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.wall_millis.load(Ordering::SeqCst))
    }

    fn moment(&self) -> Moment {
        Moment(Duration::from_nanos(self.elapsed_nanos.load(Ordering::SeqCst)))
    }
}
