//! Package files on any web server: asked over HTTP/1.1 with a request built anew, so that
//! nothing of the client's reaches it but what is listed (wire.md W19).

mod answer;
mod body;
mod client;
mod connect;
mod lookup;
mod objects;
mod origin;
mod redirect;
mod request;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use access::{Channel, redact};

pub(crate) use self::body::UpstreamBody;
use self::client::{Answered, AskError, Pool, Pooled};
pub(crate) use self::client::{PipeBudget, PipedPart, Pipes};
pub(super) use self::connect::Upstream;
use self::lookup::Lookup;
pub(crate) use self::objects::{Counts as ObjectCounts, Objects};
use self::origin::Target;
use self::request::Parts;
use super::{Ask, Failure, Fault, FaultKind, Storage, Stored};
use crate::target::FilePath;

/// How many redirects are followed for one request.
const MAX_REDIRECTS: usize = 4;

/// One worker thread's way to an upstream server.
pub(super) struct HttpStorage {
    /// Its name among the storages.
    name: String,
    upstream: Arc<Upstream>,
    pool: Rc<Pool>,
    /// All of the thread's.
    pipes: Rc<Pipes>,
    /// What is kept in memory; none where nothing is.
    objects: Option<Arc<Objects>>,
}

impl HttpStorage {
    pub(super) fn new(
        name: &str,
        upstream: Arc<Upstream>,
        pipes: Rc<Pipes>,
        objects: Option<Arc<Objects>>,
    ) -> Rc<Self> {
        let pool = Rc::new(Pool::new(upstream.pool_idle_per_thread()));
        Rc::new(Self { name: name.to_owned(), upstream, pool, pipes, objects })
    }

    /// Lets idle connections go whose time is over.
    pub(super) fn let_go(&self) {
        self.pool.let_go();
    }

    /// Where a file of this name is kept, and how long it is fresh if the server doesn't say.
    fn kept(&self, file: &FilePath<'_>) -> Option<(&Objects, Duration)> {
        let objects = self.objects.as_deref()?;
        Some((objects, objects.ttl(file)?))
    }

    /// The storage and the path, whoever asks. No storage's name has a space.
    fn key(&self, channel: &Channel, file: &FilePath<'_>) -> String {
        let path = file.encoded();
        let mut key =
            String::with_capacity(self.name.len() + channel.prefix.len() + path.len() + 2);
        for part in [&self.name, " ", &channel.prefix, "/", &path] {
            key.push_str(part);
        }
        key
    }

    /// Asks for a channel's file; for all of it where the part that comes is of another version than
    /// the client's.
    async fn ask(
        &self,
        channel: &Channel,
        file: &FilePath<'_>,
        parts: &Parts<'_>,
    ) -> Result<Answered, Failure> {
        let answered = self.follow(channel, file, parts).await?;
        if !answer::is_of_another_version(&answered, parts.ask()) {
            return Ok(answered);
        }
        drop(answered);
        self.follow(channel, file, &Parts::unless(parts.ask(), None)).await
    }

    /// Asks, and follows redirects as far as the settings allow.
    async fn follow(
        &self,
        channel: &Channel,
        file: &FilePath<'_>,
        parts: &Parts<'_>,
    ) -> Result<Answered, Failure> {
        let path = file.encoded();
        // A token that was pasted into a file's name isn't for the storage to see.
        let has_token = |path: &str| redact(path) != path;
        if has_token(&path) || (path.contains('%') && has_token(&file.decoded())) {
            return Err(Failure::NotFound);
        }
        let mut target = self.upstream.target(&channel.prefix, &path)?;
        for _ in 0..=MAX_REDIRECTS {
            let answered = self.ask_once(&target, parts).await?;
            match redirect::next(&self.upstream, &target, &answered)? {
                None => return Ok(answered),
                Some(next) => target = next,
            }
        }
        Err(Fault::new(
            FaultKind::Unusable,
            format!("{} redirects too often", self.upstream.base()),
        )
        .into())
    }

    /// Asks once; a second time, on a new connection, only when the first went out on a pooled one
    /// that the server had closed meanwhile. GET and HEAD can be asked twice.
    async fn ask_once(&self, target: &Target, parts: &Parts<'_>) -> Result<Answered, Fault> {
        let request = parts.build(&self.upstream, target);
        if let Some(pooled) = self.pool.take(&target.origin) {
            match self.send(pooled, &request, parts).await {
                Err(AskError::Dead) => {}
                asked => return asked.map_err(|why| self.fault(&why)),
            }
        }
        let wire = self.upstream.connect(&target.origin).await?;
        let fresh = self.pool.begin(&target.origin, wire);
        self.send(fresh, &request, parts).await.map_err(|why| self.fault(&why))
    }

    async fn send(
        &self,
        pooled: Pooled,
        request: &[u8],
        parts: &Parts<'_>,
    ) -> Result<Answered, AskError> {
        pooled.ask(request, parts.is_head(), self.upstream.first_byte_timeout()).await
    }

    fn fault(&self, why: &AskError) -> Fault {
        let base = self.upstream.base();
        match why {
            AskError::Dead | AskError::Lost => {
                Fault::new(FaultKind::Unreachable, format!("{base}: {why}"))
            }
            AskError::TooSlow => {
                let limit = self.upstream.first_byte_timeout();
                let text = format!("{base} did not begin to answer within {limit:?}");
                Fault::new(FaultKind::TooSlow, text)
            }
            AskError::Malformed(_) | AskError::Io(_) => self.upstream.unusable(why),
        }
    }
}

impl Storage for Rc<HttpStorage> {
    async fn open(
        &self,
        channel: &Channel,
        file: &FilePath<'_>,
        ask: &Ask<'_>,
    ) -> Result<Stored, Failure> {
        if let Some((objects, ttl)) = self.kept(file) {
            let key = self.key(channel, file);
            let lookup = Lookup { storage: self, objects, key, ttl, channel, file, ask };
            return lookup.answer().await;
        }
        // Apart, or its size would be that of every request.
        let parts = Parts::new(ask);
        let answered = Box::pin(self.ask(channel, file, &parts)).await?;
        answer::read(self, answered, file, ask)
    }
}
