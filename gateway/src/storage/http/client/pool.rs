//! Idle connections of one worker thread to its upstream servers.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;
use tokio::time::Instant;

use super::super::origin::Origin;
use super::connection::{AskError, Connection};
use super::fields::UpstreamFields;
use super::incoming::Incoming;
use super::wire::{SinceIdle, UpstreamWire};

/// How long a connection is kept idle: less than servers do (60 to 75 s by default), so that few
/// are found dead.
const KEPT_IDLE: Duration = Duration::from_secs(50);

/// The connections that nobody uses just now.
pub(in super::super) struct Pool {
    /// How many are kept for each server.
    kept: usize,
    idle: RefCell<HashMap<Arc<Origin>, Vec<Idle>>>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// A connection in use. Its user gives it back with [`Pooled::give_back`]; dropped otherwise, it
/// is closed.
pub(in super::super) struct Pooled {
    connection: Connection,
    origin: Arc<Origin>,
    pool: Rc<Pool>,
}

/// An upstream's answer.
pub(in super::super) struct Answered {
    pub(in super::super) status: ::http::StatusCode,
    pub(in super::super) fields: UpstreamFields,
    pub(in super::super) content: Incoming,
}

impl Pool {
    /// Without any yet; `kept` bounds how many there will be for each server.
    pub(in super::super) fn new(kept: usize) -> Self {
        Self { kept, idle: RefCell::default() }
    }

    /// The connection used last, if one is idle and still open.
    pub(in super::super) fn take(self: &Rc<Self>, origin: &Arc<Origin>) -> Option<Pooled> {
        loop {
            let mut idle = self.idle.borrow_mut().get_mut(origin)?.pop()?;
            match idle.now() {
                SinceIdle::Silent => {
                    let (connection, pool) = (idle.connection, Rc::clone(self));
                    return Some(Pooled { connection, origin: Arc::clone(origin), pool });
                }
                SinceIdle::Closed => {}
                SinceIdle::Spoke => {
                    self.distrust(origin);
                    return None;
                }
            }
        }
    }

    /// Closes all idle connections to a server that has sent what nobody had asked for: where it did
    /// so a moment later, it would be the next client's answer.
    fn distrust(&self, origin: &Arc<Origin>) {
        self.idle.borrow_mut().remove(origin);
        let origin = &origin.authority;
        tracing::warn!(
            origin,
            "a storage sent more than its answer; its idle connections are closed"
        );
    }

    /// A connection to `origin` that was just made.
    pub(in super::super) fn begin(
        self: &Rc<Self>,
        origin: &Arc<Origin>,
        wire: UpstreamWire,
    ) -> Pooled {
        let connection = Connection::new(wire);
        Pooled { connection, origin: Arc::clone(origin), pool: Rc::clone(self) }
    }

    /// Closes what was idle for too long, or closed by its server.
    pub(in super::super) fn let_go(&self) {
        self.idle.borrow_mut().retain(|_, kept| {
            kept.retain_mut(|idle| idle.now() == SinceIdle::Silent);
            !kept.is_empty()
        });
    }
}

#[cfg(test)]
impl Pool {
    /// Whether a connection is idle, usable or not.
    pub(super) fn is_any(&self) -> bool {
        !self.idle.borrow().is_empty()
    }
}

impl Idle {
    /// What has become of it.
    fn now(&mut self) -> SinceIdle {
        match self.since.elapsed() <= KEPT_IDLE {
            true => self.connection.since_idle(),
            false => SinceIdle::Closed,
        }
    }
}

impl Pooled {
    /// Asks on this connection; the answer's content comes over it.
    pub(in super::super) async fn ask(
        mut self,
        request: &[u8],
        to_head: bool,
        limit: Duration,
    ) -> Result<Answered, AskError> {
        let head = self.connection.ask(request, to_head, limit).await?;
        let content = Incoming::new(self, head.framing, head.is_kept_alive);
        Ok(Answered { status: head.status, fields: head.fields, content })
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Makes the connection available again; its last answer has been read to the end.
    pub(super) fn give_back(mut self) {
        if !self.connection.has_nothing_left() {
            return;
        }
        let Self { connection, origin, pool } = self;
        let mut idle = pool.idle.borrow_mut();
        let kept = idle.entry(origin).or_default();
        kept.push(Idle { connection, since: Instant::now() });
        let excess = kept.len().saturating_sub(pool.kept);
        kept.drain(..excess);
    }
}
