//! A gateway as the simulation drives it: the follower, the table and the bodies in flight are
//! those of every gateway; there are no sockets and no files.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use access::lease::LeaseTerms;
use access::source::{Applied, SourceError};
use access::{
    Allowed, Caller, ChannelName, Clock, ControlPlane, Denied, Permission, TokenDigest,
    TokenSecret, decide,
};
use prometheus_client::metrics::gauge::Gauge;

use crate::credential::Credential;
use crate::follow::{Follower, Identity};
use crate::listener::CutSwitch;
pub use crate::rules::{Rule, take_out};
use crate::table::{Table, TableLimits, Undecided};
use crate::watched::{self, Question, Watch, Watches};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SEND_TIMEOUT: Duration = Duration::from_secs(3600);
const CHUNK_BYTES: usize = 256 * 1024;
const LIMITS: TableLimits = TableLimits {
    size_bytes: 1 << 20,
    misses_per_second: 1_000_000,
    misses_per_second_per_address: 1_000_000,
};

/// A gateway, after its start.
#[derive(Clone)]
pub struct Node {
    table: Arc<Table>,
    watches: Rc<Watches>,
}

/// What keeps it up to date.
pub struct Following(Follower);

/// What a request gets.
pub enum Answer {
    /// The file, as long as the leave lasts.
    Granted(Leave),
    /// The control plane says no.
    Denied(Denied),
    /// It can't be told now: 503.
    TryLater,
}

/// Leave to send.
pub struct Leave {
    allowed: Allowed,
    question: Question,
}

/// A file that is being sent.
pub struct Body {
    watch: Watch,
    switch: Rc<CutSwitch>,
}

impl Node {
    /// Starts a gateway: after this its listener would open.
    ///
    /// # Errors
    /// When the control plane doesn't answer; then it doesn't start.
    pub async fn begin(
        plane: Arc<dyn ControlPlane>,
        clock: Arc<dyn Clock>,
        name: String,
        terms: LeaseTerms,
    ) -> Result<(Self, Following), SourceError> {
        let identity = Identity { name, terms };
        let follower = Follower::begin(plane, Arc::clone(&clock), identity, LIMITS).await?;
        let table = Arc::clone(follower.table());
        let watches = Watches::new(Arc::clone(&table), clock, SEND_TIMEOUT, Gauge::default());
        Ok((Self { table, watches: Rc::new(watches) }, Following(follower)))
    }

    /// Looks after the bodies in flight, without end.
    pub async fn keep_watch(self) {
        watched::keep(self.watches).await;
    }

    /// Decides a request.
    pub async fn ask(&self, channel: &ChannelName, token: &TokenSecret) -> Answer {
        let credential = Credential::Token(token.into());
        match self.table.decide(Some(channel.as_str()), &credential, HERE, |_| {}).await {
            Ok(allowed) => {
                let question = Question { credential, address: HERE };
                Answer::Granted(Leave { allowed, question })
            }
            Err(Undecided::Denied(denied)) => Answer::Denied(denied),
            Err(Undecided::Busy | Undecided::Unreachable | Undecided::LeaseEnded) => {
                Answer::TryLater
            }
        }
    }

    /// Begins to send what was granted.
    pub fn send(&self, leave: Leave) -> Body {
        let switch = Rc::new(CutSwitch::default());
        let watch = Watch::new(&self.watches, leave.allowed, leave.question, Rc::clone(&switch));
        Body { watch, switch }
    }

    /// What is in memory about a token, decided as a request would be but for the lease; none
    /// when the control plane would have to be asked.
    pub fn known(&self, channel: &ChannelName, digest: &TokenDigest) -> Option<Result<(), Denied>> {
        let found = self.table.in_memory(digest)?;
        let (channels, caller) = (self.table.channels(), Caller::of(found.as_ref()));
        let now = || self.table.now();
        let decided =
            decide(&channels, Some(channel.as_str()), caller, Permission::Read, HERE, now);
        Some(decided.map(drop))
    }

    /// Has the cache drop a token, as it does when it is full.
    pub fn evict(&self, digest: &TokenDigest) {
        self.table.evict(digest);
    }

    /// How far the change feed has been applied.
    pub fn applied(&self) -> Applied {
        self.table.applied()
    }
}

impl Following {
    /// Follows the control plane until `stop`, and then says that the gateway has ended.
    pub async fn until(self, stop: impl Future<Output = ()>) {
        self.0.follow(stop).await;
    }
}

impl Body {
    /// Whether the next chunk may be sent; what is sent counts as handed to the connection.
    pub fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<bool> {
        self.watch.poll_may_send(cx).map(|may| {
            self.watch.handed_on(CHUNK_BYTES);
            may.is_ok()
        })
    }

    /// Sends until it is done, or cut: then nothing.
    pub async fn unless_cut<T>(&self, sending: impl Future<Output = T>) -> Option<T> {
        Rc::clone(&self.switch).unless_thrown(pin!(sending)).await.ok()
    }
}
