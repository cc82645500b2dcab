//! What the requests of one connection and its bytes tell each other.

use std::cell::Cell;
use std::rc::Rc;

use super::CutSwitch;
use super::framing::Fault;
use crate::stand_in::StandIns;

/// The method of a head that is handed up in place of one that is refused: no method anyone uses.
pub(super) const REFUSED_METHOD: &str = "!";

/// What the requests of one connection share with its bytes.
#[derive(Default)]
pub(crate) struct Exchange {
    in_flight: Cell<u32>,
    /// Why the head of the last request is refused.
    pub(super) fault: Cell<Option<Fault>>,
    /// No request has come for a while.
    pub(super) rests: Cell<bool>,
    pub(super) switch: Rc<CutSwitch>,
    /// What stands for parts of files, where the kernel can send them.
    pub(super) stand_ins: Option<Rc<StandIns>>,
}

impl Exchange {
    /// The exchange of a connection on which parts of files may be `stand_ins`.
    pub(super) fn new(stand_ins: Option<Rc<StandIns>>) -> Self {
        Self { stand_ins, ..Self::default() }
    }

    /// Whether an answer is on its way.
    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.get() > 0
    }

    /// Counts a request as in flight until the guard is dropped.
    pub(crate) fn begin(self: &Rc<Self>) -> InFlight {
        self.in_flight.set(self.in_flight.get() + 1);
        InFlight(Rc::clone(self))
    }

    /// Says once that no request has come for a while, and nothing is under way.
    pub(super) fn rests(&self) -> bool {
        self.rests.take()
    }

    /// What ends the connection with whatever is being sent on it.
    pub(super) fn switch(&self) -> Rc<CutSwitch> {
        Rc::clone(&self.switch)
    }

    /// Why the request with this method is refused unread, if it is one.
    pub(crate) fn fault_of(&self, method: &http::Method) -> Option<Fault> {
        self.fault.get().filter(|_| method.as_str() == REFUSED_METHOD)
    }
}

/// A request between its head and the end of its answer.
pub(crate) struct InFlight(Rc<Exchange>);

impl InFlight {
    /// What can stand for a part of a file on its connection.
    pub(crate) fn stand_ins(&self) -> Option<&Rc<StandIns>> {
        self.0.stand_ins.as_ref()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get().saturating_sub(1));
    }
}
