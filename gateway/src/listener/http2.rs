//! HTTP/2, by the HTTP library: each stream on the thread that accepted its connection, each with a
//! switch of its own.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};

use super::exchanges::{Exchanges, InFlight};
use super::framing::MAX_FIELDS;
use super::timed::Timed;
use super::{CutSwitch, Fault, Fields, Head, Listener, Stream, authority};
use crate::body::{AnswerBody, Cut};
use crate::driver::{self, Answer};
use crate::storage::Content;

/// Streams that one connection may have open: rattler asks for hundreds of shards, but waits for its
/// turn.
const MAX_STREAMS: u32 = 128;
/// What is buffered for a stream that its client doesn't take, in bytes.
const STREAM_BUFFER_BYTES: usize = 64 * 1024;
/// How often a client that says nothing is asked whether it is still there, and how long it may take
/// to answer.
const PING: Duration = Duration::from_secs(20);
/// How much is read of the content of a request that is refused, and how long.
const READ_AWAY_BYTES: usize = 256 * 1024;
const READ_AWAY: Duration = Duration::from_secs(2);

impl Listener {
    /// Serves a connection to its end. Once the gateway stops, only what it has already begun.
    pub(super) async fn http2(self: &Rc<Self>, stream: impl Stream, peer: IpAddr) {
        let exchanges = Exchanges::default();
        let timed = Timed::new(stream, self.limits, exchanges.clone());
        let streams = SameThread::default();
        let begun = Rc::clone(&streams.begun);
        let service = service_fn(|request| {
            let switch = Rc::new(CutSwitch::default());
            begun.set(Some(Rc::clone(&switch)));
            let answer = Rc::clone(self).stream(request, exchanges.begin(), switch, peer);
            Box::pin(async { Ok::<_, Infallible>(answer.await) })
        });
        let head_bytes = u32::try_from(self.limits.head_bytes).unwrap_or(u32::MAX);
        let connection = http2::Builder::new(streams)
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(head_bytes)
            .max_send_buf_size(STREAM_BUFFER_BYTES)
            .serve_connection(TokioIo::new(timed), service);
        let mut connection = pin!(connection);
        let mut stopping = self.stopping.tell();
        let mut is_told = false;
        let ended = poll_fn(|cx| {
            let polled = connection.as_mut().poll(cx);
            if polled.is_pending() && !is_told && stopping.is_told(cx) {
                is_told = true;
                connection.as_mut().graceful_shutdown();
                return connection.as_mut().poll(cx);
            }
            polled
        });
        if let Err(why) = ended.await {
            // Told only to whoever looks for it: what it meant for a request is in that one's
            // record.
            tracing::debug!(%peer, %why, "a connection ended early");
        }
    }

    async fn stream(
        self: Rc<Self>,
        mut request: Request<Incoming>,
        in_flight: InFlight,
        switch: Rc<CutSwitch>,
        peer: IpAddr,
    ) -> Response<StreamBody> {
        let has_content = !request.body().is_end_stream();
        let worker = Rc::clone(&self.worker);
        let fields = Fields::of(request.headers());
        let is_head = request.method() == Method::HEAD;
        let answer = driver::serve(worker, read(&request, &fields), is_head, switch, peer).await;
        if has_content {
            read_away(request.body_mut()).await;
        }
        let Answer { status, fields, body } = answer;
        let mut response = Response::new(StreamBody { body, _in_flight: in_flight });
        *response.status_mut() = status;
        *response.headers_mut() = fields.into();
        response
    }
}

fn read<'r>(request: &'r Request<Incoming>, fields: &'r Fields<'r>) -> Result<Head<'r>, Fault> {
    if request.headers().len() > MAX_FIELDS {
        return Err(Fault::TooLarge);
    }
    Ok(Head {
        method: request.method().clone(),
        version: request.version(),
        path: request.uri().path(),
        is_host_clear: authority::is_clear(request.version(), request.uri(), fields),
        has_content: !request.body().is_end_stream(),
        fields,
    })
}

/// Reads away what a client sends with a request that is refused, within bounds: some take an
/// answer that comes before their content has gone for a failure of the stream.
async fn read_away(content: &mut Incoming) {
    let reading = async {
        let mut left = READ_AWAY_BYTES;
        while let Some(Ok(frame)) = content.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(READ_AWAY, reading).await;
}

/// An answer's bytes as the HTTP library takes them.
struct StreamBody {
    body: AnswerBody,
    _in_flight: InFlight,
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let body = &mut self.get_mut().body;
        Poll::Ready(match ready!(body.poll_content(cx, false)) {
            Some(Ok(Content::Bytes(bytes))) => Some(Ok(Frame::data(bytes))),
            Some(Ok(Content::File(_) | Content::Piped(_)) | Err(Cut)) => Some(Err(Cut)),
            None => {
                body.complete();
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.remaining() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.remaining().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for StreamBody {
    /// The library asks no further when it knows that nothing comes.
    fn drop(&mut self) {
        if self.is_end_stream() {
            self.body.complete();
        }
    }
}

/// Runs a connection's streams on the thread that accepted it, each until its switch is thrown:
/// dropped, a stream is reset.
#[derive(Clone, Default)]
struct SameThread {
    /// The switch of the stream whose request was just handed to the service; its future follows
    /// at once.
    begun: Rc<Cell<Option<Rc<CutSwitch>>>>,
}

impl<F: Future + 'static> hyper::rt::Executor<F> for SameThread {
    fn execute(&self, stream: F) {
        let switch = self.begun.take().unwrap_or_default();
        let mut sending = switch.unless_thrown(Box::pin(stream));
        // What is in memory is answered at once; a task for it would cost as much again.
        let at_once = Pin::new(&mut sending).poll(&mut Context::from_waker(Waker::noop()));
        if at_once.is_pending() {
            tokio::task::spawn_local(sending);
        }
    }
}
