use std::time::Duration;

use access::source::{
    Answer, Applied, Beginning, DatabaseIdentity, FeedRead, Loaded, Revision, SourceError, Stamp,
};
use access::usage::{LastUse, UsageCount, UsageReport};
use access::{ChannelId, Clock, Day, GrantSource, ManualClock, TokenDigest, TokenId, UsageSink};

use super::*;
use crate::limits::Limiters;
use crate::table::{Table, TableLimits};

const NOON: Timestamp = Timestamp::from_millis(1_793_534_400_000);
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

/// A control database that keeps the reports it is sent, and can be away or fall silent.
#[derive(Default)]
struct FakeSink {
    reports: Mutex<Vec<Arc<UsageReport>>>,
    away: Mutex<bool>,
    /// Takes reports in, but its answers are lost.
    answers_lost: Mutex<bool>,
}

impl FakeSink {
    /// The counts of all reports, each number once.
    fn counts(&self) -> Vec<UsageCount> {
        let mut reports = self.reports.lock().unwrap().clone();
        reports.dedup_by_key(|report| report.number);
        let numbers: Vec<u64> = reports.iter().map(|report| report.number).collect();
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
        reports.iter().flat_map(|report| report.counts.clone()).collect()
    }
}

impl UsageSink for FakeSink {
    fn report(&self, report: Arc<UsageReport>) -> Answer<'_, ()> {
        Box::pin(async move {
            if *self.away.lock().unwrap() {
                return Err(SourceError("away".into()));
            }
            self.reports.lock().unwrap().push(report);
            let lost = *self.answers_lost.lock().unwrap();
            if lost { Err(SourceError("lost".into())) } else { Ok(()) }
        })
    }

    fn bytes_of_day(&self, _day: Day, _tokens: Vec<TokenId>) -> Answer<'_, Vec<(TokenId, u64)>> {
        Box::pin(async { Ok(vec![]) })
    }
}

/// A control database without channels and tokens, at noon.
struct Empty;

impl GrantSource for Empty {
    fn begin(&self, _recently_used: usize) -> Answer<'_, Beginning> {
        let database = DatabaseIdentity("fake".into());
        let applied = Applied { revision: Revision(0), stamp: Stamp(0), database };
        let (channels, recently_used) = (vec![], vec![]);
        Box::pin(async { Ok(Beginning { applied, channels, recently_used, now: NOON }) })
    }

    fn load(&self, _digest: TokenDigest) -> Answer<'_, Loaded> {
        Box::pin(async { Err(SourceError("empty".into())) })
    }

    fn feed(&self, _applied: Applied) -> Answer<'_, FeedRead> {
        Box::pin(async { Err(SourceError("empty".into())) })
    }
}

async fn reporter(sink: &Arc<FakeSink>, shards: &[Arc<Shard>]) -> Reporter {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOON));
    let limits =
        TableLimits { size_bytes: 1 << 20, misses_per_second: 1, misses_per_second_per_address: 1 };
    let terms = access::lease::LeaseTerms {
        lease: Duration::ZERO,
        serve_known: Duration::ZERO,
        public_grace: Duration::ZERO,
    };
    let table = Table::begin(Arc::new(Empty), Arc::clone(&clock), limits, terms).await.unwrap();
    let gauges = Gauges {
        shards: shards.into(),
        limiters: Arc::new(Limiters::default()),
        table: Arc::new(table),
        clock,
    };
    let sink = Arc::<FakeSink>::clone(sink);
    Reporter::new(sink, gauges, ReporterCounts::default()).unwrap()
}

fn key(token: i64) -> UsageKey {
    UsageKey { day: NOON.day(), token: Some(TokenId(token)), channel: ChannelId(1) }
}

fn answered(shard: &Shard, token: i64, package: &str) -> Meter {
    shard.begin(key(token), NOON, HERE).answered(package, 1, None)
}

fn download(shard: &Shard, token: i64, package: &str, bytes: u64) {
    let meter = answered(shard, token, package);
    shard.sent(&meter, bytes);
}

fn count(token: i64, package: &str, downloads: u64, bytes: u64) -> UsageCount {
    UsageCount { key: key(token), package: package.into(), downloads, bytes }
}

#[tokio::test]
async fn threads_counts_are_added_up() {
    let (sink, shards) = (Arc::new(FakeSink::default()), [Arc::default(), Arc::default()]);
    let mut reporter = reporter(&sink, &shards).await;
    download(&shards[0], 1, "zlib", 10);
    download(&shards[1], 1, "zlib", 5);
    download(&shards[1], 1, "python", 7);
    download(&shards[0], 2, "zlib", 1);
    reporter.report().await.unwrap();
    assert_eq!(
        sink.counts(),
        [count(1, "python", 1, 7), count(1, "zlib", 2, 15), count(2, "zlib", 1, 1)]
    );
    let report = Arc::clone(&sink.reports.lock().unwrap()[0]);
    assert_eq!(report.addresses, [(key(1), HERE), (key(2), HERE)]);
    let last = |token| LastUse { token: TokenId(token), at: NOON, from: HERE };
    assert_eq!(report.last_uses, [last(1), last(2)]);
    reporter.report().await.unwrap();
    assert_eq!(sink.reports.lock().unwrap().len(), 1, "nothing new, no report");
}

#[tokio::test]
async fn a_token_has_one_last_use_wherever_it_was() {
    let (sink, shards) = (Arc::new(FakeSink::default()), [Arc::default(), Arc::default()]);
    let mut reporter = reporter(&sink, &shards).await;
    let elsewhere = UsageKey { channel: ChannelId(2), ..key(1) };
    let later = Timestamp::from_millis(NOON.as_millis() + 5);
    let there = "192.0.2.2".parse().unwrap();
    drop(shards[0].begin(elsewhere, later, there));
    drop(shards[0].begin(elsewhere, NOON, HERE));
    drop(shards[0].begin(key(1), NOON, HERE));
    drop(shards[1].begin(elsewhere, NOON, HERE));
    drop(shards[1].begin(UsageKey { token: None, ..elsewhere }, later, HERE));
    reporter.report().await.unwrap();
    let report = Arc::clone(&sink.reports.lock().unwrap()[0]);
    assert_eq!(report.last_uses, [LastUse { token: TokenId(1), at: later, from: there }]);
}

#[tokio::test]
async fn bytes_of_an_answer_under_way_are_in_the_reports_between() {
    let (sink, shards) = (Arc::new(FakeSink::default()), [Arc::default()]);
    let mut reporter = reporter(&sink, &shards).await;
    let meter = answered(&shards[0], 1, "zlib");
    shards[0].sent(&meter, 10);
    reporter.report().await.unwrap();
    shards[0].sent(&meter, 5);
    reporter.report().await.unwrap();
    assert_eq!(sink.counts(), [count(1, "zlib", 1, 10), count(1, "zlib", 0, 5)]);
}

#[tokio::test]
async fn what_cannot_be_reported_is_kept_and_merged() {
    let (sink, shards) = (Arc::new(FakeSink::default()), [Arc::default()]);
    let mut reporter = reporter(&sink, &shards).await;
    *sink.away.lock().unwrap() = true;
    for _ in 0..5 {
        download(&shards[0], 1, "zlib", 10);
        assert!(reporter.report().await.is_err());
    }
    *sink.away.lock().unwrap() = false;
    reporter.report().await.unwrap();
    assert_eq!(sink.counts(), [count(1, "zlib", 1, 10), count(1, "zlib", 4, 40)]);
}

#[tokio::test]
async fn a_report_whose_answer_is_lost_is_sent_again_unchanged() {
    let (sink, shards) = (Arc::new(FakeSink::default()), [Arc::default()]);
    let mut reporter = reporter(&sink, &shards).await;
    *sink.answers_lost.lock().unwrap() = true;
    download(&shards[0], 1, "zlib", 10);
    assert!(reporter.report().await.is_err());
    *sink.answers_lost.lock().unwrap() = false;
    download(&shards[0], 1, "zlib", 5);
    reporter.report().await.unwrap();
    let reports = sink.reports.lock().unwrap().clone();
    assert_eq!(reports[0], reports[1], "whoever has it already sees that");
    assert_eq!(sink.counts(), [count(1, "zlib", 1, 10), count(1, "zlib", 1, 5)]);
}

#[tokio::test]
async fn a_large_batch_is_sent_in_parts() {
    let (sink, shards) = (Arc::new(FakeSink::default()), [Arc::default()]);
    let mut reporter = reporter(&sink, &shards).await;
    for token in 0..2_500 {
        download(&shards[0], token, "zlib", 1);
    }
    reporter.report().await.unwrap();
    let sizes: Vec<_> =
        sink.reports.lock().unwrap().iter().map(|report| report.counts.len()).collect();
    assert_eq!(sizes, [250; 10]);
    assert_eq!(sink.counts().len(), 2_500);
}

#[tokio::test(start_paused = true)]
async fn a_stop_sends_what_is_left() {
    let (sink, shards) = (Arc::new(FakeSink::default()), [Arc::default()]);
    let reporting = reporter(&sink, &shards).await.start(Duration::from_secs(10));
    download(&shards[0], 1, "zlib", 1);
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(sink.counts().len(), 1, "in time");
    download(&shards[0], 1, "zlib", 2);
    reporting.end().await;
    assert_eq!(sink.counts(), [count(1, "zlib", 1, 1), count(1, "zlib", 1, 2)]);
}

#[test]
fn there_is_a_bound_and_what_is_beyond_is_told() {
    let shard = Shard::default();
    for token in 0..(COUNTS_MAX as i64 + 3) {
        answered(&shard, token, "zlib");
    }
    let meter = answered(&shard, -1, "zlib");
    shard.sent(&meter, 10);
    let gathered = shard.take();
    assert_eq!((gathered.room.counts, gathered.room.dropped), (COUNTS_MAX, 4));
}

#[test]
fn an_ipv6_network_counts_as_one_address() {
    let shard = Shard::default();
    for n in 0..10u128 {
        let address = IpAddr::V6(((0x2001_0db8 << 96) + n).into());
        drop(shard.begin(key(1), NOON, address));
    }
    drop(shard.begin(key(1), NOON, "::ffff:192.0.2.1".parse().unwrap()));
    let gathered = shard.take();
    assert_eq!(gathered.days[&key(1)].addresses.len(), 2);
}
