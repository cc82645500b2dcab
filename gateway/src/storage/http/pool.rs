//! Idle connections of one worker thread to its upstream servers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1::SendRequest;
use tokio::time::Instant;

use super::super::Fault;
use super::connect::Upstream;
use super::request::Origin;

/// How long a connection is kept idle: less than servers do (60 to 75 s by default), so that few
/// are found dead.
const KEPT_IDLE: Duration = Duration::from_secs(50);
/// How long is waited for an idle connection to be ready again after its last answer.
const READY_WITHIN: Duration = Duration::from_millis(5);

type Sender = SendRequest<Empty<Bytes>>;

pub(super) struct Pool {
    upstream: Arc<Upstream>,
    idle: RefCell<HashMap<Origin, Vec<Idle>>>,
}

struct Idle {
    sender: Sender,
    since: Instant,
}

/// A connection in use. Its user gives it back with [`Pooled::give_back`]; dropped otherwise, it
/// is closed.
pub(super) struct Pooled {
    sender: Sender,
    origin: Origin,
    pool: Rc<Pool>,
}

impl Pool {
    pub(super) fn new(upstream: Arc<Upstream>) -> Self {
        Self { upstream, idle: RefCell::default() }
    }

    /// The connection used last, if one is idle and still open.
    pub(super) async fn take(self: &Rc<Self>, origin: &Origin) -> Option<Pooled> {
        loop {
            let mut idle = self.idle.borrow_mut().get_mut(origin)?.pop()?;
            if idle.since.elapsed() > KEPT_IDLE {
                // Those below it are older still.
                self.idle.borrow_mut().remove(origin);
                return None;
            }
            let ready = tokio::time::timeout(READY_WITHIN, idle.sender.ready()).await;
            if matches!(ready, Ok(Ok(()))) {
                let (sender, pool) = (idle.sender, Rc::clone(self));
                return Some(Pooled { sender, origin: origin.clone(), pool });
            }
        }
    }

    /// A new connection.
    pub(super) async fn connect(self: &Rc<Self>, origin: Origin) -> Result<Pooled, Fault> {
        let sender = self.upstream.connect(&origin).await?;
        Ok(Pooled { sender, origin, pool: Rc::clone(self) })
    }
}

impl Pooled {
    pub(super) fn sender(&mut self) -> &mut Sender {
        &mut self.sender
    }

    /// Makes the connection available again; its last answer has been read to the end.
    pub(super) fn give_back(self) {
        let Self { sender, origin, pool } = self;
        if sender.is_closed() {
            return;
        }
        let mut idle = pool.idle.borrow_mut();
        let kept = idle.entry(origin).or_default();
        kept.push(Idle { sender, since: Instant::now() });
        let excess = kept.len().saturating_sub(pool.upstream.pool_idle_per_thread());
        kept.drain(..excess);
    }
}
