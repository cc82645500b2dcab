//! Package files on any web server: asked over HTTP/1.1 with a request built anew, so that
//! nothing of the client's reaches it but what is listed (wire.md W19).

mod answer;
mod body;
mod connect;
mod lookup;
mod objects;
mod pool;
mod redirect;
mod request;

use std::error::Error as _;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::http::{Request, Response, Uri};
use access::{Channel, redact};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::body::Incoming;

pub(crate) use self::body::UpstreamBody;
pub(super) use self::connect::Upstream;
use self::lookup::Lookup;
pub(crate) use self::objects::{Counts as ObjectCounts, Objects};
use self::pool::{Pool, Pooled};
use self::request::{Origin, Parts};
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
    /// What is kept in memory; none where nothing is.
    objects: Option<Arc<Objects>>,
}

impl HttpStorage {
    pub(super) fn new(
        name: &str,
        upstream: Arc<Upstream>,
        objects: Option<Arc<Objects>>,
    ) -> Rc<Self> {
        let pool = Rc::new(Pool::new(Arc::clone(&upstream)));
        Rc::new(Self { name: name.to_owned(), upstream, pool, objects })
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

    /// Asks for a channel's file, and follows redirects as far as the settings allow.
    async fn ask(
        &self,
        channel: &Channel,
        file: &FilePath<'_>,
        parts: &Parts<'_>,
    ) -> Result<Answered, Failure> {
        // A token that was pasted into a file's name isn't for the storage to see.
        let path = file.decoded();
        if redact(&path) != path {
            return Err(Failure::NotFound);
        }
        let mut uri = self.upstream.uri(&channel.prefix, &file.encoded())?;
        for _ in 0..=MAX_REDIRECTS {
            let answered = self.ask_once(&uri, parts).await?;
            match redirect::next(&self.upstream, &uri, &answered.response)? {
                None => return Ok(answered),
                Some(next) => uri = next,
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
    async fn ask_once(&self, uri: &Uri, parts: &Parts<'_>) -> Result<Answered, Fault> {
        let origin = Origin::of(uri)?;
        if let Some(pooled) = self.pool.take(&origin).await {
            match self.send(pooled, parts.build(&self.upstream, uri)?).await {
                Err(SendError::Dead) => {}
                Err(SendError::Fault(fault)) => return Err(fault),
                Ok(answered) => return Ok(answered),
            }
        }
        let fresh = self.pool.connect(origin).await?;
        match self.send(fresh, parts.build(&self.upstream, uri)?).await {
            Ok(answered) => Ok(answered),
            Err(SendError::Fault(fault)) => Err(fault),
            Err(SendError::Dead) => Err(Fault::new(
                FaultKind::Unreachable,
                format!("{} closed the connection before it answered", self.upstream.base()),
            )),
        }
    }

    async fn send(
        &self,
        mut pooled: Pooled,
        request: Request<Empty<Bytes>>,
    ) -> Result<Answered, SendError> {
        let limit = self.upstream.first_byte_timeout();
        match tokio::time::timeout(limit, pooled.sender().send_request(request)).await {
            Ok(Ok(response)) => Ok(Answered { response, pooled }),
            Ok(Err(why)) if is_dead(&why) => Err(SendError::Dead),
            Ok(Err(why)) => Err(SendError::Fault(self.upstream.unusable(&why))),
            Err(_elapsed) => Err(SendError::Fault(Fault::new(
                FaultKind::TooSlow,
                format!("{} did not begin to answer within {limit:?}", self.upstream.base()),
            ))),
        }
    }
}

/// An upstream's answer, with the connection that its body comes over.
struct Answered {
    response: Response<Incoming>,
    pooled: Pooled,
}

enum SendError {
    /// The connection was closed or reset before the answer's head came.
    Dead,
    Fault(Fault),
}

/// Whether the connection is what failed. A server that closes an idle connection just as a request
/// goes out on it shows as an end, or as a reset when it never read the request.
fn is_dead(why: &hyper::Error) -> bool {
    let lost = |kind| {
        use std::io::ErrorKind as Kind;
        matches!(kind, Kind::ConnectionReset | Kind::BrokenPipe | Kind::UnexpectedEof)
    };
    let cause = why.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    why.is_canceled()
        || why.is_closed()
        || why.is_incomplete_message()
        || cause.is_some_and(|cause| lost(cause.kind()))
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
        let answered = self.ask(channel, file, &Parts::new(ask)).await?;
        answer::read(&self.upstream, answered, file, ask)
    }
}
