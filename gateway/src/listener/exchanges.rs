//! How many requests of one HTTP/2 connection are in flight.

use std::cell::Cell;
use std::rc::Rc;

/// The requests in flight of one connection.
#[derive(Clone, Default)]
pub(super) struct Exchanges(Rc<Cell<u32>>);

impl Exchanges {
    /// Whether an answer is on its way.
    pub(super) fn is_any(&self) -> bool {
        self.0.get() > 0
    }

    /// Counts a request as in flight until the guard is dropped.
    pub(super) fn begin(&self) -> InFlight {
        self.0.set(self.0.get() + 1);
        InFlight(self.clone())
    }
}

/// A request between its head and the end of its answer.
pub(super) struct InFlight(Exchanges);

impl Drop for InFlight {
    fn drop(&mut self) {
        let count = &self.0.0;
        count.set(count.get().saturating_sub(1));
    }
}
