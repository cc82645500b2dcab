//! Beside step 6: what is being sent is watched, and cut when it is no longer granted (sync.md T3).
//!
//! Every body of a file has a [`Watch`]. It is looked at before each chunk, and by the thread's
//! [`Watches::keep`] after each change, so that a client that takes nothing is cut too. A grant
//! that the control database has moved on from is asked for anew: whoever still may have the file
//! goes on where they were, and nothing is sent meanwhile.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use access::{Allowed, ChannelName};

use crate::credential::Credential;
use crate::listener::CutSwitch;
use crate::table::{Table, Undecided};
use crate::worker::Worker;

/// How often expiry and lease are looked at, for those who take nothing.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often a question is asked again that could not be answered just now, and with which pause.
const ATTEMPTS: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// Who asked for what is being sent.
pub(crate) struct Question {
    pub(crate) channel: ChannelName,
    pub(crate) credential: Credential,
    pub(crate) address: IpAddr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It was granted when last looked at.
    Granted,
    /// It is being asked whether it still is.
    Asking,
    /// It is not.
    Cut,
}

/// One body in flight.
struct Watched {
    allowed: RefCell<Allowed>,
    question: Question,
    state: Cell<State>,
    /// The body, waiting for the answer.
    waiting: Cell<Option<Waker>>,
    switch: Rc<CutSwitch>,
}

/// The bodies in flight on one thread.
#[derive(Default)]
pub(crate) struct Watches(RefCell<slab::Slab<Rc<Watched>>>);

/// What is being sent is no longer granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoLonger;

/// A body's hold on its grant.
pub(crate) struct Watch {
    worker: Rc<Worker>,
    watched: Rc<Watched>,
    key: usize,
}

impl Watch {
    /// Watches what `allowed` lets be sent; `switch` ends the connection or stream it is sent on.
    pub(crate) fn new(
        worker: &Rc<Worker>,
        allowed: Allowed,
        question: Question,
        switch: Rc<CutSwitch>,
    ) -> Self {
        let watched = Rc::new(Watched {
            allowed: RefCell::new(allowed),
            question,
            state: Cell::new(State::Granted),
            waiting: Cell::new(None),
            switch,
        });
        worker.metrics.downloads.inc();
        let key = worker.watches.0.borrow_mut().insert(Rc::clone(&watched));
        Self { worker: Rc::clone(worker), watched, key }
    }

    /// Whether the next chunk may be sent. Waits while that is being asked.
    pub(crate) fn poll_may_send(&self, cx: &mut Context<'_>) -> Poll<Result<(), NoLonger>> {
        self.watched.look(&self.worker);
        match self.watched.state.get() {
            State::Granted => Poll::Ready(Ok(())),
            State::Cut => Poll::Ready(Err(NoLonger)),
            State::Asking => {
                self.watched.waiting.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        }
    }

    /// Whether it was cut.
    pub(crate) fn is_cut(&self) -> bool {
        self.watched.state.get() == State::Cut
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.worker.metrics.downloads.dec();
        self.worker.watches.0.borrow_mut().try_remove(self.key);
    }
}

impl Watched {
    /// Looks whether it is still granted; if it may not be, begins to ask.
    fn look(self: &Rc<Self>, worker: &Rc<Worker>) {
        if self.state.get() != State::Granted || worker.table.upholds(&self.allowed.borrow()) {
            return;
        }
        self.state.set(State::Asking);
        let (watched, worker) = (Rc::clone(self), Rc::clone(worker));
        tokio::task::spawn_local(async move {
            match watched.ask(&worker.table).await {
                Some(allowed) => {
                    watched.allowed.replace(allowed);
                    watched.state.set(State::Granted);
                }
                None => {
                    watched.state.set(State::Cut);
                    watched.switch.throw();
                }
            }
            if let Some(body) = watched.waiting.take() {
                body.wake();
            }
        });
    }

    /// Leave to go on sending the same file, if it is still given.
    async fn ask(&self, table: &Table) -> Option<Allowed> {
        let Question { channel, credential, address } = &self.question;
        for _ in 0..ATTEMPTS {
            match table.decide(Some(channel), credential, *address, |_| {}).await {
                Ok(allowed) => {
                    let same = *allowed.channel() == *self.allowed.borrow().channel();
                    return same.then_some(allowed);
                }
                Err(Undecided::Busy | Undecided::Unreachable) => tokio::time::sleep(PAUSE).await,
                Err(Undecided::Denied(_) | Undecided::LeaseEnded) => return None,
            }
        }
        None
    }
}

/// Looks at every body in flight after each change, and now and then for what time alone ends.
pub(crate) async fn keep(worker: Rc<Worker>) {
    let mut flips = worker.table.flips();
    loop {
        let _ = tokio::time::timeout(LOOK_EVERY, flips.changed()).await;
        let watched: Vec<_> = worker.watches.0.borrow().iter().map(|(_, w)| Rc::clone(w)).collect();
        for watched in watched {
            watched.look(&worker);
        }
    }
}
