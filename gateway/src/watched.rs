//! Beside step 6: what is being sent is watched, and cut when it is no longer granted (sync.md T3).
//!
//! Every body of a file has a [`Watch`]. It is looked at before each chunk, and by the thread's
//! [`Watches::keep`] after each change, so that a client that takes nothing is cut too. A grant
//! that the control database has moved on from is asked for anew: whoever still may have the file
//! goes on where they were, and nothing is sent meanwhile.
//!
//! So is a client that takes nothing: on HTTP/2 its connection may be as lively as can be.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use access::{Allowed, Clock, Moment};
use prometheus_client::metrics::gauge::Gauge;

use crate::credential::Credential;
use crate::listener::CutSwitch;
use crate::table::{Table, Undecided};

/// How often expiry and lease are looked at, for those who take nothing.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often a question is asked again that could not be answered just now, and with which pause.
const ATTEMPTS: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// Slower than this, a client that takes a chunk byte by byte isn't told from one that takes
/// nothing. libmamba gives up below 30 bytes a second.
const SLOWEST_BYTES_PER_SECOND: u64 = 1024;

/// Who asked for what is being sent.
pub(crate) struct Question {
    pub(crate) credential: Credential,
    pub(crate) address: IpAddr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It was granted when last looked at.
    Granted,
    /// It is being asked whether it still is.
    Asking,
    /// It is not sent any more, for this reason.
    Cut(&'static str),
}

/// Why what is being sent is cut, for the record.
const NOT_GRANTED: &str = "what was being sent is no longer granted";
const NOT_TAKEN: &str = "the client took nothing for too long";

/// One body in flight.
struct Watched {
    allowed: RefCell<Allowed>,
    question: Question,
    state: Cell<State>,
    /// The body, waiting for the answer.
    waiting: Cell<Option<Waker>>,
    switch: Rc<CutSwitch>,
    /// When the last chunk was handed to the connection, and by when the next one has to be asked
    /// for. None while it is the storage that is waited for.
    take_by: Cell<Option<Moment>>,
}

/// The bodies in flight on one thread.
pub(crate) struct Watches {
    table: Arc<Table>,
    clock: Arc<dyn Clock>,
    /// How long a client may take nothing.
    send_timeout: Duration,
    in_flight: Gauge,
    bodies: RefCell<slab::Slab<Rc<Watched>>>,
}

impl Watches {
    /// None yet; `in_flight` is told how many there are.
    pub(crate) fn new(
        table: Arc<Table>,
        clock: Arc<dyn Clock>,
        send_timeout: Duration,
        in_flight: Gauge,
    ) -> Self {
        Self { table, clock, send_timeout, in_flight, bodies: RefCell::default() }
    }
}

/// What is being sent is no longer granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoLonger;

/// A body's hold on its grant.
pub(crate) struct Watch {
    watches: Rc<Watches>,
    watched: Rc<Watched>,
    key: usize,
}

impl Watch {
    /// Watches what `allowed` lets be sent; `switch` ends the connection or stream it is sent on.
    pub(crate) fn new(
        watches: &Rc<Watches>,
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
            take_by: Cell::new(None),
        });
        watches.in_flight.inc();
        let key = watches.bodies.borrow_mut().insert(Rc::clone(&watched));
        Self { watches: Rc::clone(watches), watched, key }
    }

    /// Whether the next chunk may be sent. Waits while that is being asked.
    pub(crate) fn poll_may_send(&self, cx: &mut Context<'_>) -> Poll<Result<(), NoLonger>> {
        self.watched.take_by.set(None);
        self.watched.look(&self.watches);
        match self.watched.state.get() {
            State::Granted => Poll::Ready(Ok(())),
            State::Cut(_) => Poll::Ready(Err(NoLonger)),
            State::Asking => {
                self.watched.waiting.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        }
    }

    /// Says that a chunk of this length was handed to the connection.
    pub(crate) fn handed_on(&self, bytes: usize) {
        let at_least = Duration::from_secs(bytes as u64 / SLOWEST_BYTES_PER_SECOND);
        let take_by = self.watches.clock.moment().plus(self.watches.send_timeout + at_least);
        self.watched.take_by.set(Some(take_by));
    }

    /// Why it was cut, if it was.
    pub(crate) fn cut(&self) -> Option<&'static str> {
        match self.watched.state.get() {
            State::Cut(why) => Some(why),
            State::Granted | State::Asking => None,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watches.in_flight.dec();
        self.watches.bodies.borrow_mut().try_remove(self.key);
    }
}

impl Watched {
    /// Looks whether it is still granted; if it may not be, begins to ask.
    fn look(self: &Rc<Self>, watches: &Watches) {
        if self.state.get() != State::Granted || watches.table.upholds(&self.allowed.borrow()) {
            return;
        }
        self.state.set(State::Asking);
        let (watched, table) = (Rc::clone(self), Arc::clone(&watches.table));
        tokio::task::spawn_local(async move {
            match watched.ask(&table).await {
                Some(allowed) => {
                    watched.allowed.replace(allowed);
                    watched.state.set(State::Granted);
                }
                None => watched.cut(NOT_GRANTED),
            }
            if let Some(body) = watched.waiting.take() {
                body.wake();
            }
        });
    }

    fn cut(&self, why: &'static str) {
        self.state.set(State::Cut(why));
        self.switch.throw();
    }

    /// Leave to go on sending the same file, if it is still given.
    async fn ask(&self, table: &Table) -> Option<Allowed> {
        let Question { credential, address } = &self.question;
        let channel = self.allowed.borrow().channel().name.clone();
        for _ in 0..ATTEMPTS {
            match table.decide(Some(channel.as_str()), credential, *address, |_| {}).await {
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
pub(crate) async fn keep(watches: Rc<Watches>) {
    let mut flips = watches.table.flips();
    loop {
        let _ = tokio::time::timeout(LOOK_EVERY, flips.changed()).await;
        let now = watches.clock.moment();
        let bodies: Vec<_> = watches.bodies.borrow().iter().map(|(_, w)| Rc::clone(w)).collect();
        for watched in bodies {
            watched.look(&watches);
            if watched.take_by.get().is_some_and(|by| by < now) {
                watched.cut(NOT_TAKEN);
            }
        }
    }
}
