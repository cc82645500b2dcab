//! A gateway's process: a runtime of its own with a clock of its own, that runs when the history
//! lets it. Stopped, nothing in it moves; killed, it is dropped.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use access::lease::LeaseTerms;
use access::source::Stamp;
use access::{Clock, Denied, Moment, Timestamp};
use gateway::simulation::{Answer, Body, Node};
use tokio::runtime::Runtime;
use tokio::sync::{Notify, oneshot};
use tokio::task::LocalSet;

use crate::facts::{NAMES, SECRETS};
use crate::wire::{Call, Plane, Wire};

/// For how many moments a process has something to do after something has happened: one task
/// wakes another.
const LIVELY: u8 = 4;
/// How often it looks at its timers when nothing happens, in milliseconds.
const TIMERS_EVERY: u64 = 50;

/// A gateway's clocks, as its machine has them.
#[derive(Default)]
pub(crate) struct MachineClock {
    wall: AtomicI64,
    since_boot: AtomicU64,
}

impl MachineClock {
    fn set(&self, wall: i64, since_boot: u64) {
        self.wall.store(wall, Ordering::Relaxed);
        self.since_boot.store(since_boot, Ordering::Relaxed);
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.wall.load(Ordering::Relaxed))
    }

    fn moment(&self) -> Moment {
        Moment::from_start(Duration::from_millis(self.since_boot.load(Ordering::Relaxed)))
    }
}

/// What a client sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Granted,
    Denied(Denied),
    TryLater,
    Chunk,
    Cut,
    Whole,
}

/// What a client saw, and what the gateway had applied then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight {
    pub(crate) request: Request,
    pub(crate) seen: Seen,
    pub(crate) applied: Stamp,
}

/// A request for a file of a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) number: u64,
    pub(crate) token: usize,
    pub(crate) channel: usize,
    /// In chunks.
    pub(crate) size: u32,
    /// Whether bodies look before each chunk (sync.md T3).
    pub(crate) looks: bool,
}

/// What a read of the feed can have told of the database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    /// How far its clock was off, in milliseconds.
    pub(crate) skew: i64,
    /// How many states it had had.
    pub(crate) states: usize,
}

/// A file that is being sent.
#[derive(Clone)]
pub(crate) struct Sending {
    pub(crate) request: Request,
    wants: Rc<Notify>,
}

/// What the tasks of the process share.
#[derive(Default)]
struct Shared {
    node: RefCell<Option<Node>>,
    seen: RefCell<Vec<Sight>>,
    sending: RefCell<Vec<Sending>>,
    waiting: Cell<usize>,
    failed: Cell<bool>,
    ended: Cell<bool>,
}

pub(crate) struct Process {
    // Fields drop in order: the tasks before their runtime.
    local: LocalSet,
    runtime: Runtime,
    shared: Rc<Shared>,
    clock: Arc<MachineClock>,
    pub(crate) wire: Arc<Wire>,
    pub(crate) calls: Vec<Call>,
    end: Option<oneshot::Sender<()>>,
    /// Until when its runtime has run, in milliseconds.
    at: u64,
    /// For how many moments more it surely has something to do.
    lively: u8,
    /// How long its machine has been suspended since it last ran, and before that, where its clock
    /// doesn't count that.
    pub(crate) suspended: u64,
    lost: u64,
    pub(crate) stopped_until: u64,
    pub(crate) cut_off_until: u64,
    pub(crate) draining: bool,
    /// How the database was when its feed was last read for this gateway, and before that: the
    /// last answer may still be on its way.
    pub(crate) heard: [Heard; 2],
}

impl Process {
    pub(crate) fn start(name: String, terms: LeaseTerms, now: u64, heard: Heard) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let (local, shared) = (LocalSet::new(), Rc::<Shared>::default());
        let (clock, wire) = (Arc::<MachineClock>::default(), Arc::<Wire>::default());
        let (end, ended) = oneshot::channel();
        let plane = Plane(Arc::clone(&wire));
        let (in_task, machine) = (Rc::clone(&shared), Arc::clone(&clock));
        local.spawn_local(async move {
            let Ok((node, following)) = Node::begin(Arc::new(plane), machine, name, terms).await
            else {
                in_task.failed.set(true);
                return;
            };
            *in_task.node.borrow_mut() = Some(node.clone());
            tokio::task::spawn_local(node.keep_watch());
            let ended = async {
                let _ = ended.await;
            };
            following.until(ended).await;
            in_task.ended.set(true);
        });
        Self {
            local,
            runtime,
            shared,
            clock,
            wire,
            calls: vec![],
            end: Some(end),
            at: now,
            lively: LIVELY,
            suspended: 0,
            lost: 0,
            stopped_until: 0,
            cut_off_until: 0,
            draining: false,
            heard: [heard; 2],
        }
    }

    /// Something has happened that it has to react to.
    pub(crate) fn stir(&mut self) {
        self.lively = LIVELY;
    }

    /// Whether it can have anything to do, so that one that waits costs nothing.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        self.lively > 0 || now >= self.at + TIMERS_EVERY
    }

    /// Runs it for a moment at `now`, with its wall clock at `wall`: as many turns of its tasks as
    /// `turns` says.
    pub(crate) fn run(&mut self, now: u64, wall: i64, turns: u64) {
        self.lost += std::mem::take(&mut self.suspended).min(now - self.at);
        self.clock.set(wall, now - self.lost);
        let passed = Duration::from_millis(now - self.at);
        self.at = now;
        let has_slept = passed.as_millis() as u64 >= TIMERS_EVERY;
        self.lively = if has_slept { LIVELY } else { self.lively.saturating_sub(1) };
        self.runtime.block_on(self.local.run_until(async {
            if !passed.is_zero() {
                tokio::time::advance(passed).await;
            }
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        }));
        self.calls.extend(self.wire.take());
    }

    pub(crate) fn node(&self) -> Option<Node> {
        self.shared.node.borrow().clone()
    }

    /// Its listener takes a request.
    pub(crate) fn accept(&mut self, request: Request) {
        self.stir();
        let Some(node) = self.node() else { return };
        let shared = Rc::clone(&self.shared);
        shared.waiting.set(shared.waiting.get() + 1);
        self.local.spawn_local(async move {
            let answer = node.ask(&NAMES[request.channel], &SECRETS[request.token]).await;
            let saw = |seen| shared.saw(request, seen);
            match answer {
                Answer::Granted(leave) => {
                    saw(Seen::Granted);
                    if request.size > 0 {
                        let sent = shared.send(request, node.send(leave)).await;
                        saw(if sent { Seen::Whole } else { Seen::Cut });
                    }
                }
                Answer::Denied(denied) => saw(Seen::Denied(denied)),
                Answer::TryLater => saw(Seen::TryLater),
            }
            shared.waiting.set(shared.waiting.get() - 1);
        });
    }

    /// What clients have seen since this was last asked, in the order of the requests.
    pub(crate) fn seen(&self) -> Vec<Sight> {
        let mut seen = std::mem::take(&mut *self.shared.seen.borrow_mut());
        seen.sort_by_key(|sight| sight.request.number);
        seen
    }

    /// The files that are being sent, in the order of the requests: those who wait for the same
    /// token are woken in any.
    pub(crate) fn sending(&self) -> Vec<Sending> {
        let mut sending = self.shared.sending.borrow().clone();
        sending.sort_by_key(|one| one.request.number);
        sending
    }

    /// Whether nothing is waited for by a client.
    pub(crate) fn is_idle(&self) -> bool {
        self.shared.waiting.get() == 0
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.shared.failed.get()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.shared.ended.get()
    }

    /// It is no more; what it has asked may still reach the database.
    pub(crate) fn into_calls(mut self) -> impl Iterator<Item = Call> {
        self.calls.extend(self.wire.take());
        std::mem::take(&mut self.calls).into_iter().filter(|call| call.reply.is_none())
    }

    /// The last request has ended: the follower may end.
    pub(crate) fn end(&mut self) {
        self.end.take();
    }
}

impl Sending {
    /// Its client takes the next chunk.
    pub(crate) fn take_chunk(&self) {
        self.wants.notify_one();
    }
}

impl Shared {
    fn saw(&self, request: Request, seen: Seen) {
        let node = self.node.borrow();
        let applied = node.as_ref().map_or(Stamp(0), |node| node.applied().stamp);
        self.seen.borrow_mut().push(Sight { request, seen, applied });
    }

    /// Sends a file as its client takes it; says whether it was sent whole.
    async fn send(&self, request: Request, body: Body) -> bool {
        let wants = Rc::new(Notify::new());
        self.sending.borrow_mut().push(Sending { request, wants: Rc::clone(&wants) });
        let chunks = async {
            for _ in 0..request.size {
                wants.notified().await;
                let may = std::future::poll_fn(|cx| body.poll_chunk(cx));
                if request.looks && !may.await {
                    return false;
                }
                self.saw(request, Seen::Chunk);
            }
            true
        };
        let sent = match request.looks {
            true => body.unless_cut(chunks).await.unwrap_or(false),
            false => chunks.await,
        };
        self.sending.borrow_mut().retain(|one| one.request.number != request.number);
        sent
    }
}
