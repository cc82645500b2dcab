//! Ends what a client is being sent, also when it takes nothing and so is never asked again.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// Thrown by whoever watches a grant; ends an HTTP/1 connection, or one stream of HTTP/2.
#[derive(Debug, Default)]
pub(crate) struct CutSwitch {
    thrown: Cell<bool>,
    sender: RefCell<Option<Waker>>,
}

/// Says that the switch was thrown.
#[derive(Debug)]
pub(crate) struct WasCut;

impl CutSwitch {
    /// Ends it.
    pub(crate) fn throw(&self) {
        self.thrown.set(true);
        if let Some(sender) = self.sender.take() {
            sender.wake();
        }
    }

    pub(super) fn is_thrown(&self) -> bool {
        self.thrown.get()
    }

    /// Runs `sending` until it ends, or isn't gone on with because the switch was thrown. It is pinned
    /// already, for a future that takes in another is twice as large.
    pub(crate) fn unless_thrown<T>(
        self: Rc<Self>,
        mut sending: impl Future<Output = T> + Unpin,
    ) -> impl Future<Output = Result<T, WasCut>> + Unpin {
        std::future::poll_fn(move |cx| {
            if self.thrown.get() {
                return Poll::Ready(Err(WasCut));
            }
            let mut sender = self.sender.borrow_mut();
            if !sender.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                *sender = Some(cx.waker().clone());
            }
            drop(sender);
            Pin::new(&mut sending).poll(cx).map(Ok)
        })
    }
}
