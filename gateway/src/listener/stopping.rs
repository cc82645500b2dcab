//! Tells a thread's connections that the gateway stops.

use std::cell::{Cell, RefCell};
use std::task::{Context, Waker};

use slab::Slab;

/// Whether the gateway stops, and whom to tell. A connection looks with every step of its own, so
/// looking takes no lock.
#[derive(Default)]
pub(crate) struct Stopping {
    begun: Cell<bool>,
    connections: RefCell<Slab<Waker>>,
}

/// One connection's place among those that are told.
pub(super) struct Told<'s> {
    stopping: &'s Stopping,
    place: Option<usize>,
}

impl Stopping {
    /// Tells all connections.
    pub(super) fn begin(&self) {
        self.begun.set(true);
        self.connections.take().into_iter().for_each(|(_, connection)| connection.wake());
    }

    /// Whether the gateway stops.
    pub(super) fn is_begun(&self) -> bool {
        self.begun.get()
    }

    pub(super) fn tell(&self) -> Told<'_> {
        Told { stopping: self, place: None }
    }
}

impl Told<'_> {
    /// Whether the gateway stops. To be called from one task alone, which is woken for it.
    pub(super) fn is_told(&mut self, cx: &mut Context<'_>) -> bool {
        if self.place.is_none() && !self.stopping.begun.get() {
            let mut connections = self.stopping.connections.borrow_mut();
            self.place = Some(connections.insert(cx.waker().clone()));
        }
        self.stopping.begun.get()
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.stopping.connections.borrow_mut().try_remove(place);
        }
    }
}
