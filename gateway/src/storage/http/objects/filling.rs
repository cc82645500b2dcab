//! One request at a time for a file that is to be kept; the others wait for its outcome.

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use tokio::sync::watch;

/// The files that are being asked for. Across threads: each waits on its own runtime.
#[derive(Default)]
pub(super) struct Filling(DashMap<Box<str>, watch::Receiver<()>>);

/// Who asks.
pub(in super::super) enum Begun<'f> {
    /// The caller: others wait until this is dropped.
    Here(Asking<'f>),
    /// Somebody else: it is over when this is closed.
    Elsewhere(watch::Receiver<()>),
}

/// A request that others wait for; however it ends, they go on.
pub(in super::super) struct Asking<'f> {
    filling: &'f Filling,
    key: Box<str>,
    _open: watch::Sender<()>,
}

impl Filling {
    pub(super) fn begin(&self, key: &str) -> Begun<'_> {
        match self.0.entry(key.into()) {
            Entry::Occupied(asking) => Begun::Elsewhere(asking.get().clone()),
            Entry::Vacant(free) => {
                let (open, ended) = watch::channel(());
                let key = free.key().clone();
                free.insert(ended);
                Begun::Here(Asking { filling: self, key, _open: open })
            }
        }
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.filling.0.remove(&self.key);
    }
}
