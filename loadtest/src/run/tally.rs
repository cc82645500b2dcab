//! The counts of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Latencies are kept in microseconds with three digits, up to this.
const LATENCY_MAX_MICROS: u64 = 120_000_000;
const LATENCY_DIGITS: u8 = 3;

/// Counts over all connections.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    /// Bytes of bodies.
    pub(crate) bytes: u64,
    /// From the request to the body's end, of right answers, in microseconds. At a given rate from
    /// when the request was due, so that what waits because others are late is seen too.
    pub(crate) latency: Histogram<u64>,
    /// Wrong and missing answers, by what is wrong with them.
    pub(crate) failures: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn new() -> Self {
        let latency = Histogram::new_with_max(LATENCY_MAX_MICROS, LATENCY_DIGITS);
        Self {
            requests: 0,
            bytes: 0,
            #[expect(clippy::expect_used, reason = "the two bounds are constants")]
            latency: latency.expect("the bounds of a histogram"),
            failures: BTreeMap::new(),
        }
    }

    /// How many answers were wrong or missing.
    pub(crate) fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    pub(super) fn fail(&mut self, what: String) {
        *self.failures.entry(what).or_default() += 1;
    }

    pub(super) fn took(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latency.saturating_record(micros);
    }
}
