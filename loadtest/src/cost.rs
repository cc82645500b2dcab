//! What a fixed sequence of requests costs in system calls and instructions. Counts, not times: the
//! same on a busy machine, so that a change that makes requests dearer fails a test.
//!
//! Each count is of the one thread that serves, by programs of Debian's: system calls by `strace`,
//! instructions by valgrind's `callgrind`. Twice as many requests less once as many, so that what is
//! done once doesn't count.

mod recorded;

use std::fmt::Write as _;
use std::time::Duration;

use access::SystemClock;

use crate::error::Error;
use crate::lab::{Binaries, Lab, Running, SUBJECTS, Size, Subject, Tracer};
use crate::run::{Plan, Runner};
use crate::table::Load;
use crate::workload::Workload;
pub(crate) use recorded::Recorded;

/// How much dearer than recorded is too dear.
const GROWTH_MAX: f64 = 1.1;
const TIME_MAX: Duration = Duration::from_secs(60);
/// A file that was written just now isn't kept in memory: another change might not show.
const SETTLED: Duration = Duration::from_secs(4);
/// Few, so that each has been asked for before.
const TOKENS: usize = 20;

/// Every count.
const COUNTED: [Counted; 6] = [
    counted("directory", Load::NotModified, Tracer::Strace, 200),
    counted("directory", Load::Small, Tracer::Strace, 200),
    counted("directory", Load::Medium, Tracer::Strace, 50),
    counted("http", Load::Small, Tracer::Strace, 200),
    counted("http-uncached", Load::Small, Tracer::Strace, 200),
    // valgrind 3.19 knows no openat2, so no directory; what is counted is the way to and from storage.
    counted("http", Load::Small, Tracer::Callgrind, 200),
];

/// What is counted, and on how many requests.
#[derive(Clone, Copy)]
struct Counted {
    subject: &'static str,
    load: Load,
    tracer: Tracer,
    requests: u64,
}

const fn counted(subject: &'static str, load: Load, tracer: Tracer, requests: u64) -> Counted {
    Counted { subject, load, tracer, requests }
}

/// What a request costs.
pub(crate) struct Cost(Vec<Count>);

/// One of its counts.
struct Count {
    name: String,
    per_request: f64,
}

impl Cost {
    /// Counts everything.
    ///
    /// # Errors
    /// A program is missing, or the server gives a wrong answer.
    pub(crate) async fn count(binaries: &Binaries, show: impl Fn(&str)) -> Result<Self, Error> {
        let mut counts = Vec::new();
        for tracer in [Tracer::Strace, Tracer::Callgrind] {
            let with: Vec<_> = COUNTED.into_iter().filter(|c| c.tracer == tracer).collect();
            let is_wanted = |subject: &&Subject| with.iter().any(|c| c.subject == subject.name);
            let subjects: Vec<_> = SUBJECTS.iter().filter(is_wanted).collect();
            let binaries = Binaries { tracer: Some(tracer), ..binaries.clone() };
            let size = Size { tokens: TOKENS, channels: 1, threads: 1 };
            let lab = Lab::start(&subjects, &binaries, size, &show).await?;
            let workloads = with.iter().map(|counted| counted.load.workload(&lab));
            let workloads = workloads.collect::<Result<Vec<_>, _>>()?;
            tokio::time::sleep(SETTLED).await;
            for (counted, workload) in with.into_iter().zip(workloads) {
                show(&counted.name());
                let running = lab.running.iter().find(|r| r.subject.name == counted.subject);
                let Some(running) = running else { continue };
                let per_request = counted.count(workload, running).await;
                let per_request = per_request.map_err(|why| running.last_words(&why))?;
                counts.push(Count { name: counted.name(), per_request });
            }
        }
        Ok(Self(counts))
    }

    /// Beside what is recorded, and whether nothing is much dearer.
    pub(crate) fn compare(&self, recorded: &Recorded) -> (String, bool) {
        let mut table =
            "| what | of a request | recorded | ratio |\n| --- | --- | --- | --- |\n".to_owned();
        let mut is_right = true;
        for Count { name, per_request } in &self.0 {
            let before = recorded.of(name);
            let ratio = before.map(|before| per_request / before);
            is_right &= ratio.is_some_and(|ratio| ratio <= GROWTH_MAX);
            let shown = |value: Option<f64>| value.map_or("none".to_owned(), |v| format!("{v:.2}"));
            let _ = writeln!(
                table,
                "| {name} | {per_request:.2} | {} | {} |",
                shown(before),
                shown(ratio)
            );
        }
        if !is_right {
            table.push_str(
                "Requests have become dearer by more than a tenth. If it must be so, `loadtest cost \
                 --record` records it.\n",
            );
        }
        (table, is_right)
    }

    /// To be recorded.
    pub(crate) fn record(&self) -> Recorded {
        self.0.iter().map(|count| (count.name.clone(), count.per_request)).collect()
    }
}

impl Counted {
    fn name(self) -> String {
        format!("{}, {}: {}", self.subject, self.load.title(), self.tracer.counts())
    }

    async fn count(self, mut workload: Workload, running: &Running) -> Result<f64, Error> {
        // Of many, some would be due to be looked for again, on a slow machine more of them.
        workload.files.truncate(1);
        workload.learn(&running.target).await?;
        let plan = |times: u64| Plan {
            connections: 1,
            streams: 1,
            requests: self.requests * times,
            time: TIME_MAX,
            per_second: None,
            stays_awake: false,
        };
        let mut counts = [0; 2];
        for (count, times) in counts.iter_mut().zip([1, 2]) {
            let runner = Runner::new(SystemClock, workload.clone(), plan(times)).quiet();
            let before = running.count(self.tracer)?;
            let outcome = runner.run(&running.target, &[]).await?;
            *count = running.count(self.tracer)?.since(&before);
            if !outcome.tally.failures.is_empty() || outcome.tally.requests != self.requests * times
            {
                return Err(Error::Setup("an answer was wrong or missing".to_owned()));
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let per_request = counts[1].saturating_sub(counts[0]) as f64 / self.requests as f64;
        Ok(per_request)
    }
}
