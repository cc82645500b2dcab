//! All exchanges of a run, and their tally.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use access::{Clock, Moment};
use hdrhistogram::Histogram;
use indicatif::ProgressBar;

use crate::client::{Answer, Connection, Missing};
use crate::error::Error;
use crate::measure::Usage;
use crate::target::Target;
use crate::workload::{Request, Workload};

/// Latencies are kept in microseconds with three digits, up to this.
const LATENCY_MAX_MICROS: u64 = 120_000_000;
const LATENCY_DIGITS: u8 = 3;

/// After so many wrong or missing answers a run has no figure worth having.
const FAILURES_MAX: u64 = 1000;

/// How much load there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) connections: u32,
    /// The run ends after so many requests,
    pub(crate) requests: u64,
    /// or after this time.
    pub(crate) time: Duration,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The server, as it may be shown.
    pub(crate) target: String,
    pub(crate) plan: Plan,
    pub(crate) tally: Tally,
    pub(crate) elapsed: Duration,
    /// What the server's processes used meanwhile; `None` when they were not named.
    pub(crate) server: Option<Usage>,
    /// What this process used meanwhile.
    pub(crate) client: Usage,
}

/// Counts over all connections.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    /// Bytes of bodies.
    pub(crate) bytes: u64,
    /// From the request to the body's end, of right answers, in microseconds.
    pub(crate) latency: Histogram<u64>,
    /// Wrong and missing answers, by what is wrong with them.
    pub(crate) failures: BTreeMap<String, u64>,
}

impl Tally {
    fn new() -> Self {
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
}

/// Makes runs of one workload.
pub(crate) struct Runner<C> {
    clock: C,
    workload: Rc<Workload>,
    plan: Plan,
}

/// What the connections of a run share.
struct Shared<C> {
    clock: C,
    workload: Rc<Workload>,
    requests: u64,
    ends: Moment,
    next: Cell<u64>,
    tally: RefCell<Tally>,
    progress: ProgressBar,
}

impl<C: Clock + Clone> Runner<C> {
    pub(crate) fn new(clock: C, workload: Workload, plan: Plan) -> Self {
        Self { clock, workload: Rc::new(workload), plan }
    }

    /// Runs the whole workload against `target`, whose processes are `pids`.
    ///
    /// # Errors
    /// No connection at all, or a process that can't be read.
    pub(crate) async fn run(&self, target: &Rc<Target>, pids: &[u32]) -> Result<Outcome, Error> {
        drop(target.connect().await?);
        let server_before = Usage::of(pids)?;
        let client_before = Usage::of(&[std::process::id()])?;
        let started = self.clock.moment();
        let shared = Rc::new(Shared {
            clock: self.clock.clone(),
            workload: Rc::clone(&self.workload),
            requests: self.plan.requests,
            ends: started.plus(self.plan.time),
            next: Cell::new(0),
            tally: RefCell::new(Tally::new()),
            progress: ProgressBar::new(self.plan.requests),
        });
        let workers: Vec<_> = (0..self.plan.connections)
            .map(|_| tokio::task::spawn_local(work(Rc::clone(&shared), Rc::clone(target))))
            .collect();
        for worker in workers {
            worker.await.map_err(std::io::Error::other)?;
        }
        let elapsed = self.clock.moment().since(started);
        shared.progress.finish_and_clear();
        let server = Usage::of(pids)?.since(server_before);
        let client = Usage::of(&[std::process::id()])?.since(client_before);
        Ok(Outcome {
            target: target.shown(),
            plan: self.plan,
            tally: shared.tally.replace(Tally::new()),
            elapsed,
            server: (!pids.is_empty()).then_some(server),
            client,
        })
    }
}

impl<C: Clock> Shared<C> {
    /// The number of the next request, until the run is over.
    fn next(&self) -> Option<u64> {
        let index = self.next.get();
        let over = index >= self.requests
            || self.clock.moment() >= self.ends
            || self.tally.borrow().failed() >= FAILURES_MAX;
        self.next.set(index + 1);
        (!over).then_some(index)
    }

    /// Counts what came of one request, and gives back the connection if it can be used again.
    fn count(&self, done: Done<'_>) -> Option<Connection> {
        let mut tally = self.tally.borrow_mut();
        let (failure, connection) = match done {
            Done::Unsent(error) => (Some(format!("no connection: {error}")), None),
            Done::Unanswered(missing) => (Some(missing.to_string()), None),
            Done::Answered { request, answer, latency, connection } => {
                tally.requests += 1;
                tally.bytes += answer.length;
                let wrong = answer.differs_from(&request);
                if wrong.is_none() {
                    tally.latency.saturating_record(micros(latency));
                }
                let failure = wrong.map(|wrong| format!("{wrong} (status {})", answer.status));
                (failure, answer.keep_alive.then_some(connection))
            }
        };
        if let Some(failure) = failure {
            *tally.failures.entry(failure).or_default() += 1;
        }
        self.progress.inc(1);
        connection
    }
}

/// What came of one request.
enum Done<'a> {
    Unsent(std::io::Error),
    Unanswered(Missing),
    Answered { request: Request<'a>, answer: Answer, latency: Duration, connection: Connection },
}

/// One connection: a request at a time until the run is over.
async fn work<C: Clock>(shared: Rc<Shared<C>>, target: Rc<Target>) {
    let mut kept = None;
    while let Some(index) = shared.next() {
        let request = shared.workload.request(index);
        let done = exchange(&shared, &target, kept.take(), request).await;
        kept = shared.count(done);
    }
}

/// Sends `request` on the connection that was kept, or on a new one.
async fn exchange<'a, C: Clock>(
    shared: &Shared<C>,
    target: &Target,
    kept: Option<Connection>,
    request: Request<'a>,
) -> Done<'a> {
    let mut connection = match kept {
        Some(connection) => connection,
        None => match Connection::open(target.authority()).await {
            Ok(connection) => connection,
            Err(error) => return Done::Unsent(error),
        },
    };
    let path = target.request_path(request.token, &request.file.path);
    let sent = shared.clock.moment();
    match connection.get(&path, shared.workload.hash).await {
        Err(missing) => Done::Unanswered(missing),
        Ok(answer) => {
            let latency = shared.clock.moment().since(sent);
            Done::Answered { request, answer, latency, connection }
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
