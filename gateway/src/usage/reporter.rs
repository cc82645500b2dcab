//! Sends what the worker threads gathered to the control plane, every `gateway.usage_flush` and at
//! a stop. What can't be sent is kept and merged with what comes after, up to a bound.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use access::source::SourceError;
use access::usage::{LastUse, ReporterId, UsageCount, UsageKey, UsageReport};
use access::{Clock, Timestamp, UsageSink};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Gathered, Shard};
use crate::limits::Limiters;
use crate::table::Table;

/// How much of each kind one report holds: the control database writes nothing else meanwhile.
const PER_REPORT: usize = 250;
/// How long a stop waits for the last reports.
const LAST_REPORTS_TIMEOUT: Duration = Duration::from_secs(10);

/// What became of usage, for metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReporterCounts {
    failures: Counter,
    dropped: Counter,
}

impl ReporterCounts {
    /// Each count with its metric's name and meaning.
    pub(crate) fn all(&self) -> [(&'static str, &'static str, &Counter); 2] {
        [
            ("usage_report_failures", "Reports of usage that failed and are kept", &self.failures),
            ("usage_dropped", "Counts of usage dropped because too many wait", &self.dropped),
        ]
    }
}

/// What of a running gateway the reporter looks at.
pub(crate) struct Gauges {
    /// The worker threads' counts.
    pub(crate) shards: Box<[Arc<Shard>]>,
    /// Told what all gateways have sent.
    pub(crate) limiters: Arc<Limiters>,
    /// For the database's time.
    pub(crate) table: Arc<Table>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A reporter at work.
pub(crate) struct Reporting {
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Reporting {
    /// Sends what is left and ends.
    pub(crate) async fn end(self) {
        // It has ended only if it panicked; there is nothing to tell it then.
        let _ = self.stop.send(());
        if self.task.await.is_err() {
            tracing::error!("the reporter of usage had panicked");
        }
    }
}

/// Gathers and reports.
pub(crate) struct Reporter {
    sink: Arc<dyn UsageSink>,
    gauges: Gauges,
    id: ReporterId,
    last_number: u64,
    /// Reports that were made and may or may not have arrived: sent again as they are.
    made: VecDeque<Arc<UsageReport>>,
    /// What is in no report yet.
    gathered: Gathered,
    counts: ReporterCounts,
}

impl Reporter {
    pub(crate) fn new(
        sink: Arc<dyn UsageSink>,
        gauges: Gauges,
        counts: ReporterCounts,
    ) -> std::io::Result<Self> {
        Ok(Self {
            sink,
            gauges,
            id: ReporterId::generate().map_err(std::io::Error::from)?,
            last_number: 0,
            made: VecDeque::new(),
            gathered: Gathered::default(),
            counts,
        })
    }

    /// Reports every `interval` from now on.
    pub(crate) fn start(self, interval: Duration) -> Reporting {
        let (stop, stopped) = oneshot::channel();
        Reporting { task: tokio::spawn(self.run(interval, stopped)), stop }
    }

    /// Reports until `stop` is told, and then once more.
    async fn run(mut self, interval: Duration, mut stop: oneshot::Receiver<()>) {
        let mut away = false;
        while tokio::time::timeout(interval, &mut stop).await.is_err() {
            match self.report().await {
                Ok(()) if away => {
                    away = false;
                    tracing::info!("usage is reported again");
                }
                Ok(()) => {}
                Err(why) if !away => {
                    away = true;
                    tracing::error!(%why, "usage can't be reported; it is kept");
                }
                Err(_still_away) => {}
            }
        }
        let last = tokio::time::timeout(LAST_REPORTS_TIMEOUT, self.report()).await;
        if !matches!(last, Ok(Ok(()))) {
            tracing::error!(
                "the last reports of usage could not be sent; what was in them is lost"
            );
        }
    }

    /// Sends all that was gathered, and learns how far the limited tokens have used up their day.
    pub(super) async fn report(&mut self) -> Result<(), SourceError> {
        let result = self.try_report().await;
        if result.is_err() {
            self.counts.failures.inc();
        }
        result
    }

    async fn try_report(&mut self) -> Result<(), SourceError> {
        let now = self.gauges.table.now();
        let day = now.day();
        let limited = self.gauges.limiters.begin_report(day, self.gauges.clock.moment());
        for shard in &self.gauges.shards {
            self.gathered.merge(shard.take());
        }
        self.counts.dropped.inc_by(std::mem::take(&mut self.gathered.room.dropped));
        // First what an earlier attempt left: its numbers come first.
        self.send().await?;
        self.make_reports(now);
        self.send().await?;
        if !limited.is_empty() {
            let told = self.sink.bytes_of_day(day, limited.clone()).await?;
            self.gauges.limiters.reported(day, &limited, &told);
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), SourceError> {
        while let Some(report) = self.made.front() {
            self.sink.report(Arc::clone(report)).await?;
            self.made.pop_front();
        }
        Ok(())
    }

    /// Makes reports of all that was gathered. Everything in them is in order, so that gateways
    /// that report at once don't wait for each other in a circle.
    fn make_reports(&mut self, made_at: Timestamp) {
        let gathered = std::mem::take(&mut self.gathered);
        let (mut addresses, mut last_uses) = (Vec::new(), Vec::new());
        let mut counts = Vec::with_capacity(gathered.room.counts);
        for (key, day) in gathered.days {
            let last = key.token.zip(day.last);
            last_uses.extend(last.map(|(token, (at, from))| LastUse { token, at, from }));
            addresses.extend(day.addresses.into_iter().map(|address| (key, address)));
            counts.extend(day.packages.into_values().map(|count| UsageCount {
                key,
                package: count.package,
                downloads: count.downloads,
                bytes: count.bytes,
            }));
        }
        addresses.sort();
        // Of a token's several channels and days, the last counts.
        last_uses.sort_by_key(|last| (last.token, Reverse(last.at)));
        last_uses.dedup_by_key(|last| last.token);
        counts.sort_by(|a, b| (a.key, &a.package).cmp(&(b.key, &b.package)));
        let longest = counts.len().max(addresses.len()).max(last_uses.len());
        for at in (0..longest).step_by(PER_REPORT) {
            self.last_number += 1;
            self.made.push_back(Arc::new(UsageReport {
                reporter: self.id.clone(),
                number: self.last_number,
                made_at,
                counts: part(&counts, at),
                addresses: part::<(UsageKey, _)>(&addresses, at),
                last_uses: part(&last_uses, at),
            }));
        }
    }
}

/// One report's part of a list.
fn part<T: Clone>(list: &[T], from: usize) -> Vec<T> {
    list.iter().skip(from).take(PER_REPORT).cloned().collect()
}
