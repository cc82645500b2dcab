//! What the gateway counts, for Prometheus. Each metric is documented in docs/operating.md.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::storage::ObjectCounts;
use crate::table::Table;
use crate::usage::ReporterCounts;

/// Statuses lie below (RFC 9110, section 15).
const STATUSES: usize = 600;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Status {
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Error {
    error: &'static str,
}

/// The counters of one gateway.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Status, Counter>,
    /// Those of `requests`, by status: a family takes a lock and makes a hash for each look.
    by_status: Box<[OnceLock<Counter>]>,
    refusals: Family<Error, Counter>,
    bytes: Counter,
    seconds: Histogram,
    pub(crate) connections: Gauge,
    pub(crate) log_lines_lost: Counter,
    pub(crate) tls_failures: Counter,
    table_entries: Gauge,
    table_revision: Gauge,
    channels: Gauge,
    feed_lag: Gauge,
    lease_remaining: Gauge,
    clock_skew: Gauge<f64, AtomicU64>,
    pub(crate) downloads: Gauge,
    certificate_expiry: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// The metrics of a gateway that decides by `table`, reports to what counts `usage` and keeps
    /// what counts `objects`.
    pub(crate) fn new(table: &Table, usage: &ReporterCounts, objects: &ObjectCounts) -> Self {
        let mut registry = Registry::with_prefix("condagate");
        let requests = Family::default();
        registry.register("requests", "Requests answered, by status", requests.clone());
        let refusals = Family::default();
        registry.register("refusals", "Requests refused, by error", refusals.clone());
        let bytes = Counter::default();
        registry.register_with_unit("sent", "Content sent to clients", Unit::Bytes, bytes.clone());
        let seconds = Histogram::new(exponential_buckets(0.000_5, 4.0, 10));
        let help = "From a request's head to the end of its answer";
        registry.register_with_unit("request", help, Unit::Seconds, seconds.clone());
        let connections = gauge(&mut registry, "connections", "Client connections now open");
        let table_entries =
            gauge(&mut registry, "table_entries", "Tokens whose grant is in memory, about");
        let table_revision = gauge(
            &mut registry,
            "table_revision",
            "The last revision of the control database applied",
        );
        let channels = gauge(&mut registry, "channels", "Channels registered");
        let help = "How long ago every change in the control database was applied";
        let feed_lag = gauge_in_seconds(&mut registry, "feed_lag", help);
        let help = "How long the gateway may still serve private content without news";
        let lease_remaining = gauge_in_seconds(&mut registry, "lease_remaining", help);
        let clock_skew = Gauge::default();
        let help = "By how much the database's clock is ahead of this machine's";
        let skew: Gauge<f64, AtomicU64> = Clone::clone(&clock_skew);
        registry.register_with_unit("clock_skew", help, Unit::Seconds, skew);
        let downloads =
            gauge(&mut registry, "downloads_in_flight", "Files that are now being sent");
        let log_lines_lost = Counter::default();
        let help = "Lines of the access log that were lost because their reader was too slow";
        registry.register("access_log_lines_lost", help, log_lines_lost.clone());
        let tls_failures = Counter::default();
        let help = "Connections closed because their TLS handshake failed";
        registry.register("tls_handshake_failures", help, tls_failures.clone());
        let certificate_expiry = Gauge::default();
        let help = "When the gateway's certificate expires, in Unix time; 0 without TLS";
        let expiry: Gauge<f64, AtomicU64> = Clone::clone(&certificate_expiry);
        registry.register_with_unit("certificate_expiry", help, Unit::Seconds, expiry);
        let counters = table.counts().all().into_iter().chain(usage.all()).chain(objects.all());
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        Self {
            registry,
            requests,
            by_status: (0..STATUSES).map(|_| OnceLock::new()).collect(),
            refusals,
            bytes,
            seconds,
            connections,
            log_lines_lost,
            tls_failures,
            table_entries,
            table_revision,
            channels,
            feed_lag,
            lease_remaining,
            clock_skew,
            downloads,
            certificate_expiry,
        }
    }

    pub(crate) fn answered(
        &self,
        status: u16,
        error: Option<&'static str>,
        bytes: u64,
        elapsed: Duration,
    ) {
        let requests = || self.requests.get_or_create(&Status { status }).clone();
        match self.by_status.get(usize::from(status)) {
            Some(counter) => counter.get_or_init(requests).inc(),
            None => requests().inc(),
        };
        if let Some(error) = error {
            self.refusals.get_or_create(&Error { error }).inc();
        }
        self.bytes.inc_by(bytes);
        self.seconds.observe(elapsed.as_secs_f64());
    }

    pub(crate) fn certificate_expires(&self, unix_seconds: f64) {
        self.certificate_expiry.set(unix_seconds);
    }

    /// Everything in Prometheus' text format.
    pub(crate) fn text(&self, table: &Table) -> String {
        self.table_entries.set(i64::try_from(table.len()).unwrap_or(i64::MAX));
        self.table_revision.set(table.applied().revision.0);
        self.channels.set(i64::try_from(table.channels().len()).unwrap_or(i64::MAX));
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        self.feed_lag.set(seconds(table.feed_lag()));
        self.lease_remaining.set(seconds(table.lease_remaining()));
        self.clock_skew.set(table.skew_ms() as f64 / 1000.0);
        let mut text = String::new();
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, Gauge::clone(&gauge));
    gauge
}

fn gauge_in_seconds(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register_with_unit(name, help, Unit::Seconds, Gauge::clone(&gauge));
    gauge
}
