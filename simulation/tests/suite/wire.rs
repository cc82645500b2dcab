//! What lies between a gateway and the database: each question is a call that is executed, and
//! answered, when the history says so; or late, or never.

use std::sync::{Arc, Mutex};

use access::lease::{Instance, LeaseSource, Registration, Renewal};
use access::source::{Answer, Applied, Beginning, FeedRead, Loaded, SourceError};
use access::{GrantSource, TokenDigest};
use tokio::sync::{Notify, oneshot};

#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Begin,
    Load(TokenDigest),
    Feed(Applied),
    Register(Registration),
    Renew(Instance),
    Acknowledge(Instance, Applied),
    End(Instance),
}

#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Beginning(Beginning),
    Loaded(Loaded),
    Feed(FeedRead),
    Renewed(Renewal),
    Done,
}

/// One question under way.
pub(crate) struct Call {
    pub(crate) ask: Ask,
    /// What the database said, once it has executed it.
    pub(crate) reply: Option<Reply>,
    /// Whether the answer has to be completed by a second statement: a rule is taken out.
    pub(crate) half: bool,
    answer: oneshot::Sender<Result<Reply, SourceError>>,
}

impl Call {
    /// Answers. Whoever doesn't wait any more doesn't hear it.
    pub(crate) fn answer(self, answer: Result<Reply, SourceError>) {
        let _ = self.answer.send(answer);
    }
}

/// A gateway's side of its connections.
#[derive(Default)]
pub(crate) struct Wire {
    asked: Mutex<Vec<Call>>,
    pub(crate) news: Notify,
}

impl Wire {
    /// The calls that were made since this was last asked.
    pub(crate) fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.asked.lock().expect("no panic while locked"))
    }

    async fn ask(&self, ask: Ask) -> Result<Reply, SourceError> {
        let (answer, answered) = oneshot::channel();
        let call = Call { ask, reply: None, half: false, answer };
        self.asked.lock().expect("no panic while locked").push(call);
        answered.await.unwrap_or_else(|_| Err(lost()))
    }

    async fn ask_for<T>(
        &self,
        ask: Ask,
        read: impl Fn(Reply) -> Option<T>,
    ) -> Result<T, SourceError> {
        self.ask(ask).await.and_then(|reply| read(reply).ok_or_else(lost))
    }
}

pub(crate) fn lost() -> SourceError {
    SourceError("the connection was lost".into())
}

/// The same wire, as what a gateway takes.
#[derive(Clone)]
pub(crate) struct Plane(pub(crate) Arc<Wire>);

impl GrantSource for Plane {
    fn begin(&self, _recently_used: usize) -> Answer<'_, Beginning> {
        Box::pin(self.0.ask_for(Ask::Begin, |reply| match reply {
            Reply::Beginning(beginning) => Some(beginning),
            _ => None,
        }))
    }

    fn load(&self, digest: TokenDigest) -> Answer<'_, Loaded> {
        Box::pin(self.0.ask_for(Ask::Load(digest), |reply| match reply {
            Reply::Loaded(loaded) => Some(loaded),
            _ => None,
        }))
    }

    fn feed(&self, applied: Applied) -> Answer<'_, FeedRead> {
        Box::pin(self.0.ask_for(Ask::Feed(applied), |reply| match reply {
            Reply::Feed(read) => Some(read),
            _ => None,
        }))
    }
}

impl LeaseSource for Plane {
    fn register(&self, registration: Registration) -> Answer<'_, ()> {
        Box::pin(self.0.ask_for(Ask::Register(registration), |_| Some(())))
    }

    fn renew(&self, instance: Instance) -> Answer<'_, Renewal> {
        Box::pin(self.0.ask_for(Ask::Renew(instance), |reply| match reply {
            Reply::Renewed(renewal) => Some(renewal),
            _ => None,
        }))
    }

    fn acknowledge(&self, instance: Instance, applied: Applied) -> Answer<'_, ()> {
        Box::pin(self.0.ask_for(Ask::Acknowledge(instance, applied), |_| Some(())))
    }

    fn end(&self, instance: Instance) -> Answer<'_, ()> {
        Box::pin(self.0.ask_for(Ask::End(instance), |_| Some(())))
    }

    fn woken(&self) -> Answer<'_, ()> {
        Box::pin(async {
            self.0.news.notified().await;
            Ok(())
        })
    }
}
