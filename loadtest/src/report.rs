//! What a run found, as a table and as JSON.

use std::fmt::Write as _;
use std::time::Duration;

use access::Clock;
use serde::Serialize;

use crate::measure::{Usage, as_seconds};
use crate::run::Outcome;

/// The whole of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) context: Context,
    pub(crate) run: Run,
}

/// Where and with what a report was made.
#[derive(Debug, Serialize)]
pub(crate) struct Context {
    reported_at: String,
    loadtest_version: &'static str,
    /// The commit of the working copy that it was started in, with `-dirty` if it has changes.
    commit: Option<String>,
    kernel: String,
    /// The kernel's congestion control: over the loopback `bbr` sends a few packets at a time.
    tcp: String,
    processor: String,
    cores: usize,
}

/// One run in figures.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    target: String,
    connections: u32,
    pub(crate) requests: u64,
    bytes: u64,
    #[serde(rename = "elapsed_seconds", serialize_with = "as_seconds")]
    elapsed: Duration,
    pub(crate) failures: std::collections::BTreeMap<String, u64>,
    latency: Latency,
    server: Option<Usage>,
    /// Processor time of the server per answer, in microseconds.
    pub(crate) server_cpu_micros_per_request: Option<f64>,
    client: Usage,
}

/// From the request to the end of the body, of right answers, in microseconds.
#[derive(Debug, Serialize)]
struct Latency {
    p50_micros: u64,
    p90_micros: u64,
    p99_micros: u64,
    p999_micros: u64,
    max_micros: u64,
}

impl Context {
    /// Of now and here.
    pub(crate) fn here(clock: &impl Clock) -> Self {
        let system = rustix::system::uname();
        let commit = std::process::Command::new("git")
            .args(["describe", "--always", "--dirty", "--abbrev=12"])
            .output()
            .ok()
            .filter(|answer| answer.status.success())
            .map(|answer| String::from_utf8_lossy(&answer.stdout).trim().to_owned());
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let tcp = read("/proc/sys/net/ipv4/tcp_congestion_control");
        Self {
            reported_at: clock.now().to_string(),
            loadtest_version: env!("CARGO_PKG_VERSION"),
            commit,
            kernel: system.release().to_string_lossy().into_owned(),
            tcp: tcp.trim().to_owned(),
            processor: processor_name(&cpuinfo).unwrap_or("unknown").to_owned(),
            // All of the machine's, not only those that this process has left itself.
            cores: cpuinfo.lines().filter(|line| line.starts_with("processor")).count(),
        }
    }

    pub(crate) fn line(&self) -> String {
        let Self { commit, kernel, tcp, processor, cores, .. } = self;
        let commit = commit.as_deref().unwrap_or("no commit");
        format!("{cores} × {processor}, Linux {kernel} with {tcp}, {commit}\n")
    }
}

/// `model name` of /proc/cpuinfo; other architectures than x86 have none.
fn processor_name(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

impl From<&Outcome> for Run {
    fn from(outcome: &Outcome) -> Self {
        let tally = &outcome.tally;
        let at = |quantile| tally.latency.value_at_quantile(quantile);
        let per_request = outcome.server.filter(|_| tally.requests > 0).map(|server| {
            #[expect(clippy::cast_precision_loss, reason = "a count of requests is below 2^52")]
            let requests = tally.requests as f64;
            server.cpu.as_secs_f64() * 1e6 / requests
        });
        Self {
            target: outcome.target.clone(),
            connections: outcome.plan.connections,
            requests: tally.requests,
            bytes: tally.bytes,
            elapsed: outcome.elapsed,
            failures: tally.failures.clone(),
            latency: Latency {
                p50_micros: at(0.5),
                p90_micros: at(0.9),
                p99_micros: at(0.99),
                p999_micros: at(0.999),
                max_micros: tally.latency.max(),
            },
            server: outcome.server,
            server_cpu_micros_per_request: per_request,
            client: outcome.client,
        }
    }
}

impl Report {
    pub(crate) fn new(clock: &impl Clock, outcome: &Outcome) -> Self {
        Self { context: Context::here(clock), run: outcome.into() }
    }

    /// Whether there were answers and all were right.
    pub(crate) fn is_right(&self) -> bool {
        self.run.is_right()
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        self.context.line() + &self.run.table()
    }
}

impl Run {
    /// Requests that were answered, in a second.
    pub(crate) fn per_second(&self) -> f64 {
        rate(self.requests, self.elapsed.as_secs_f64().max(1e-9))
    }

    /// The server's share of the time: 1 is one core all of the time.
    pub(crate) fn busy(&self) -> Option<f64> {
        Some(self.server?.cpu.as_secs_f64() / self.elapsed.as_secs_f64().max(1e-9))
    }

    pub(crate) fn peak_resident_bytes(&self) -> Option<u64> {
        Some(self.server?.peak_resident_bytes)
    }

    pub(crate) fn p50_micros(&self) -> u64 {
        self.latency.p50_micros
    }

    pub(crate) fn p99_micros(&self) -> u64 {
        self.latency.p99_micros
    }

    /// Whether there were answers and all were right.
    pub(crate) fn is_right(&self) -> bool {
        self.failures.is_empty() && self.requests > 0
    }

    fn table(&self) -> String {
        let seconds = self.elapsed.as_secs_f64().max(1e-9);
        let mut rows = vec![
            ("target", self.target.clone()),
            (
                "requests",
                format!(
                    "{} in {seconds:.2} s on {} connections: {:.0}/s",
                    self.requests,
                    self.connections,
                    rate(self.requests, seconds)
                ),
            ),
            ("bytes", format!("{} ({:.1} MB/s)", self.bytes, rate(self.bytes, seconds) / 1e6)),
            ("latency", self.latency.to_string()),
        ];
        if let Some(server) = self.server {
            let micros = self.server_cpu_micros_per_request.unwrap_or_default();
            let cpu = server.cpu.as_secs_f64();
            rows.push(("server CPU", format!("{cpu:.2} s, {micros:.1} µs per request")));
            rows.push(("server memory", mebibytes(server.peak_resident_bytes)));
        }
        rows.push(("loadtest CPU", format!("{:.2} s", self.client.cpu.as_secs_f64())));
        let failures = self.failures.iter().map(|(what, count)| format!("{count} × {what}"));
        let failures = failures.collect::<Vec<_>>().join("; ");
        rows.push(("failures", if failures.is_empty() { "none".to_owned() } else { failures }));
        let mut table = String::new();
        for (name, value) in rows {
            let _ = writeln!(table, "{name:<14} {value}");
        }
        table
    }
}

impl std::fmt::Display for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { p50_micros, p90_micros, p99_micros, p999_micros, max_micros } = self;
        let shares = [("p50", p50_micros), ("p90", p90_micros), ("p99", p99_micros)];
        for (name, micros) in shares.into_iter().chain([("p99.9", p999_micros)]) {
            write!(f, "{name} {}, ", milliseconds(*micros))?;
        }
        write!(f, "most {}", milliseconds(*max_micros))
    }
}

fn milliseconds(micros: u64) -> String {
    format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10)
}

fn mebibytes(bytes: u64) -> String {
    format!("{}.{} MiB at most", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20)
}

#[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
fn rate(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use access::{ManualClock, Timestamp};
    use hdrhistogram::Histogram;

    use super::*;
    use crate::run::{Plan, Tally};

    /// An outcome of 1,000 requests that took the server `cpu`.
    pub(crate) fn outcome(cpu: Duration) -> Outcome {
        let mut latency = Histogram::new(3).unwrap();
        latency.record_n(250, 999).unwrap();
        latency.record(80_000).unwrap();
        let used = |cpu| Usage { cpu, peak_resident_bytes: 3 << 19 };
        Outcome {
            target: "http://h/t/…/a".to_owned(),
            plan: Plan {
                connections: 4,
                streams: 1,
                requests: 1000,
                time: Duration::from_secs(9),
                per_second: None,
                stays_awake: false,
            },
            tally: Tally { requests: 1000, bytes: 2_000_000, latency, failures: BTreeMap::new() },
            elapsed: Duration::from_millis(500),
            server: Some(used(cpu)),
            client: used(Duration::from_millis(120)),
        }
    }

    /// The latency's upper end is as exact as the histogram: three digits.
    #[test]
    fn the_table_says_what_a_request_costs() {
        let table = Run::from(&outcome(Duration::from_millis(40))).table();
        for line in [
            "target         http://h/t/…/a",
            "requests       1000 in 0.50 s on 4 connections: 2000/s",
            "bytes          2000000 (4.0 MB/s)",
            "latency        p50 0.25 ms, p90 0.25 ms, p99 0.25 ms, p99.9 0.25 ms, most 80.06 ms",
            "server CPU     0.04 s, 40.0 µs per request",
            "server memory  1.5 MiB at most",
            "loadtest CPU   0.12 s",
            "failures       none",
        ] {
            assert!(table.lines().any(|found| found == line), "{line}\n{table}");
        }
    }

    #[test]
    fn failures_are_counted_and_named() {
        let mut outcome = outcome(Duration::ZERO);
        outcome.tally.failures.insert("wrong length (status 200)".to_owned(), 3);
        let run = Run::from(&outcome);
        assert!(!run.is_right());
        assert!(run.table().contains("3 × wrong length (status 200)"), "{}", run.table());
    }

    #[test]
    fn the_json_has_machine_commit_and_figures() {
        let clock = ManualClock::at(Timestamp::from_millis(0));
        let report = Report::new(&clock, &outcome(Duration::from_millis(40)));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["context"]["reported_at"], "1970-01-01T00:00:00.000Z");
        assert!(json["context"]["cores"].as_u64().unwrap() > 0);
        assert_eq!(json["run"]["server_cpu_micros_per_request"], 40.0);
        assert_eq!(json["run"]["server"]["peak_resident_bytes"], 3 << 19);
        assert_eq!(json["run"]["elapsed_seconds"], 0.5);
        assert_eq!(json["run"]["latency"]["p50_micros"], 250);
    }

    #[test]
    fn the_processor_is_named_where_the_kernel_does() {
        assert_eq!(processor_name("processor\t: 0\nmodel name\t: A B\n"), Some("A B"));
        assert_eq!(processor_name("processor\t: 0\n"), None);
    }
}
