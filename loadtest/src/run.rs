//! All exchanges of a run, and their tally.

mod install;
mod pace;
mod tally;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use access::{Clock, Moment};
use indicatif::ProgressBar;
use tokio::task::JoinHandle;

use crate::client::{Answer, Ask, Connection, Missing, Validators};
use crate::error::Error;
use crate::measure::{Reading, Usage};
use crate::target::Target;
use crate::workload::{Order, Request, Workload};
use pace::Queue;
pub(crate) use tally::Tally;

/// After so many wrong or missing answers a run has no figure worth having.
const FAILURES_MAX: u64 = 1000;

/// How much load there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Each with one request at a time; over HTTP/2 with `streams` of them.
    pub(crate) connections: u32,
    pub(crate) streams: u32,
    /// The run ends after so many requests,
    pub(crate) requests: u64,
    /// or after this time.
    pub(crate) time: Duration,
    /// So many requests a second, whether earlier ones are answered or not; none: each as soon as
    /// the one before it is answered.
    pub(crate) per_second: Option<f64>,
    /// Whether this thread never falls asleep meanwhile: see [`stay_awake`].
    pub(crate) stays_awake: bool,
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

/// Makes runs of one workload.
pub(crate) struct Runner<C> {
    clock: C,
    workload: Rc<Workload>,
    plan: Plan,
    /// Whether progress is shown on a terminal.
    shows: bool,
}

/// What the connections of a run share.
struct Shared<C> {
    clock: C,
    workload: Rc<Workload>,
    /// By what each file can be asked for again; empty where nobody does.
    held: Vec<Validators>,
    plan: Plan,
    ends: Moment,
    next: Cell<u64>,
    queue: Queue,
    tally: RefCell<Tally>,
    progress: ProgressBar,
}

impl<C: Clock + Clone> Runner<C> {
    pub(crate) fn new(clock: C, workload: Workload, plan: Plan) -> Self {
        Self { clock, workload: Rc::new(workload), plan, shows: true }
    }

    /// The same, for who shows the progress of many runs.
    pub(crate) fn quiet(self) -> Self {
        Self { shows: false, ..self }
    }

    /// The same at a rate of so many requests a second.
    pub(crate) fn at_rate(&self, per_second: f64) -> Self {
        let plan = Plan { per_second: Some(per_second), stays_awake: false, ..self.plan };
        let workload = Rc::clone(&self.workload);
        Self { clock: self.clock.clone(), workload, plan, shows: self.shows }
    }

    /// Runs the whole workload against `target`, whose processes are `pids`.
    ///
    /// # Errors
    /// No connection at all, or a process that can't be read.
    pub(crate) async fn run(&self, target: &Rc<Target>, pids: &[u32]) -> Result<Outcome, Error> {
        let held = match self.workload.held {
            true => self.workload.as_ref().clone().learn(target).await?,
            false => Vec::new(),
        };
        let connections = match self.workload.order {
            Order::Drawn => self.connect(target).await?,
            Order::Installs => Vec::new(),
        };
        let server_before = Reading::of(pids)?;
        let client_before = Reading::of(&[std::process::id()])?;
        let started = self.clock.moment();
        let shared = Rc::new(Shared {
            clock: self.clock.clone(),
            workload: Rc::clone(&self.workload),
            held,
            plan: self.plan,
            ends: started.plus(self.plan.time),
            next: Cell::new(0),
            queue: Queue::default(),
            tally: RefCell::new(Tally::new()),
            progress: match self.shows {
                true => ProgressBar::new(self.plan.requests),
                false => ProgressBar::hidden(),
            },
        });
        let mut workers: Vec<_> = connections
            .into_iter()
            .map(|kept| tokio::task::spawn_local(work(Rc::clone(&shared), Rc::clone(target), kept)))
            .collect();
        if self.workload.order == Order::Installs {
            workers.extend((0..install::AT_A_TIME).map(|_| {
                tokio::task::spawn_local(install::repeat(Rc::clone(&shared), Rc::clone(target)))
            }));
        }
        let awake = self.plan.stays_awake.then(|| tokio::task::spawn_local(stay_awake()));
        if let Some(per_second) = self.plan.per_second {
            let over = |number, due| shared.is_over(number, due);
            shared.queue.fill(&self.clock, per_second, over).await?;
        }
        for worker in workers {
            worker.await.map_err(std::io::Error::other)?;
        }
        awake.inspect(JoinHandle::abort);
        let elapsed = self.clock.moment().since(started);
        shared.progress.finish_and_clear();
        let server = Reading::of(pids)?.since(&server_before);
        let client = Reading::of(&[std::process::id()])?.since(&client_before);
        Ok(Outcome {
            target: target.shown(),
            plan: self.plan,
            tally: shared.tally.replace(Tally::new()),
            elapsed,
            server: (!pids.is_empty()).then_some(server),
            client,
        })
    }

    /// The connections that the run begins with, so that connecting is not measured.
    async fn connect(&self, target: &Target) -> Result<Vec<Connection>, Error> {
        let mut all = Vec::new();
        for _ in 0..self.plan.connections {
            let one = target.connect().await?;
            let others = (1..self.plan.streams).filter_map(|_| one.another());
            all.extend(others);
            all.push(one);
        }
        Ok(all)
    }
}

/// Keeps this thread from falling asleep. Whoever sends to one that sleeps has to wake it, on another
/// core: a third of what a small answer costs, and only to a server that is quicker than its clients.
/// Clients on other machines cost a server nothing of the kind. Of large answers it is no part to speak
/// of, and what the server asks for them needs this core.
async fn stay_awake() {
    loop {
        tokio::task::yield_now().await;
    }
}

impl<C: Clock> Shared<C> {
    /// Whether request `number`, at `when`, is one too many.
    fn is_over(&self, number: u64, when: Moment) -> bool {
        number >= self.plan.requests
            || when >= self.ends
            || self.tally.borrow().failed() >= FAILURES_MAX
    }

    /// The number of the next request and when it is due, until the run is over.
    async fn next(&self) -> Option<(u64, Moment)> {
        if self.plan.per_second.is_some() {
            return self.queue.take().await;
        }
        let (number, now) = (self.next.get(), self.clock.moment());
        self.next.set(number + 1);
        (!self.is_over(number, now)).then_some((number, now))
    }

    /// Counts what came of one request, and gives back the connection if it can be used again.
    fn count(&self, done: Done<'_>) -> Option<Connection> {
        let mut tally = self.tally.borrow_mut();
        self.progress.inc(1);
        match done {
            Done::Unsent(error) => {
                tally.fail(format!("no connection: {error}"));
                None
            }
            Done::Unanswered(missing) => {
                tally.fail(missing.to_string());
                None
            }
            Done::Answered { request, answer, latency, connection } => {
                tally.requests += 1;
                tally.bytes += answer.length;
                match answer.differs_from(&request) {
                    None => tally.took(latency),
                    Some(wrong) => tally.fail(format!("{wrong} (status {})", answer.status)),
                }
                answer.keep_alive.then_some(connection)
            }
        }
    }

    /// Sends `request`, due at `due`, on the connection that was kept, or on a new one.
    async fn exchange<'a>(
        &self,
        target: &Target,
        kept: Option<Connection>,
        request: Request<'a>,
        due: Moment,
    ) -> Done<'a> {
        let mut connection = match kept {
            Some(connection) => connection,
            None => match target.server().connect().await {
                Ok(connection) => connection,
                Err(error) => return Done::Unsent(error),
            },
        };
        let path = target.request_path(request.token, &request.file.path);
        let held = self.held.get(request.number);
        let ask = Ask { path: &path, held, hash: self.workload.hash };
        match connection.get(&ask).await {
            Err(missing) => Done::Unanswered(missing),
            Ok(answer) => {
                let latency = self.clock.moment().since(due);
                Done::Answered { request, answer, latency, connection }
            }
        }
    }
}

/// What came of one request.
enum Done<'a> {
    Unsent(std::io::Error),
    Unanswered(Missing),
    Answered { request: Request<'a>, answer: Answer, latency: Duration, connection: Connection },
}

/// One connection: a request at a time until the run is over.
async fn work<C: Clock>(shared: Rc<Shared<C>>, target: Rc<Target>, connection: Connection) {
    let mut kept = Some(connection);
    while let Some((number, due)) = shared.next().await {
        let request = shared.workload.request(number);
        let done = shared.exchange(&target, kept.take(), request, due).await;
        kept = shared.count(done);
    }
}
