//! Step 1: sockets, TLS, HTTP/1.1 and HTTP/2, with the limits and timeouts of a connection.
//!
//! Each worker thread has a socket of its own on each address (SO_REUSEPORT), so the kernel
//! spreads connections and no thread waits for another.

pub(crate) mod authority;
mod cut;
mod exchange;
mod framing;
mod sockets;
mod stopping;
mod stream;
mod time_limit;
mod wire;

use std::cell::Cell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use rustls::ServerConfig;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

pub(crate) use self::cut::CutSwitch;
pub(crate) use self::exchange::{Exchange, InFlight};
pub(crate) use self::framing::Fault as Framing;
pub use self::sockets::BindError;
pub(crate) use self::sockets::Sockets;
pub(crate) use self::stopping::Stopping;
use self::stopping::Told;
use self::stream::Stream;
use self::wire::Wire;
pub(crate) use self::wire::WireLimits;
use crate::driver;
use crate::stand_in::StandIns;
use crate::worker::Worker;

/// Streams that one HTTP/2 connection may have open: rattler asks for hundreds of shards, but
/// waits for its turn.
const MAX_STREAMS: u32 = 128;
/// What is buffered for a stream that its client doesn't take, in bytes.
const STREAM_BUFFER_BYTES: usize = 64 * 1024;
/// What is buffered for an HTTP/1 connection that its client doesn't take, in bytes.
const CONNECTION_BUFFER_BYTES: usize = 256 * 1024;
/// How often an HTTP/2 client that says nothing is asked whether it is still there, and how long
/// it may take to answer.
const PING: Duration = Duration::from_secs(20);
/// How long accepting rests when the system has no more sockets to give.
const REST: Duration = Duration::from_millis(50);

/// One worker thread's side of the listener.
pub(crate) struct Listener {
    pub(crate) worker: Rc<Worker>,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) limits: WireLimits,
    /// What stands for parts of files, if the system gave addresses for it.
    pub(crate) stand_ins: Option<Rc<StandIns>>,
    /// A permit is taken before a connection is accepted, and freed when it ends.
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) stopping: Stopping,
}

impl Listener {
    /// Accepts connections until the gateway stops, then those that the kernel has already taken.
    pub(crate) async fn accept_all(self: Rc<Self>, socket: TcpListener) {
        let mut stop = self.stop.clone();
        loop {
            let accepted = tokio::select! {
                accepted = self.accept(&socket) => accepted,
                _ = stop.wait_for(|&stop| stop) => break,
            };
            match accepted {
                Some((stream, peer, permit)) => self.spawn(stream, peer, permit),
                None => tokio::time::sleep(REST).await,
            }
        }
        self.stopping.begin();
        while let Some(Some((stream, peer, permit))) =
            futures_util::FutureExt::now_or_never(self.accept(&socket))
        {
            self.spawn(stream, peer, permit);
        }
    }

    async fn accept(
        &self,
        socket: &TcpListener,
    ) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        match socket.accept().await {
            Ok((stream, peer)) => Some((stream, peer.ip(), permit)),
            Err(why) => {
                tracing::warn!(%why, "a connection could not be accepted");
                None
            }
        }
    }

    fn spawn(self: &Rc<Self>, stream: TcpStream, peer: IpAddr, permit: OwnedSemaphorePermit) {
        let listener = Rc::clone(self);
        tokio::task::spawn_local(async move {
            listener.worker.metrics.connections.inc();
            listener.connection(stream, peer).await;
            listener.worker.metrics.connections.dec();
            drop(permit);
        });
    }

    async fn connection(self: &Rc<Self>, stream: TcpStream, peer: IpAddr) {
        // Whoever asks for small files one after the other must not wait for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let Some(config) = &self.tls else {
            return self.http1(stream, peer, self.stand_ins.clone()).await;
        };
        let handshake = TlsAcceptor::from(Arc::clone(config)).accept(stream);
        match tokio::time::timeout(self.limits.head_timeout, handshake).await {
            Ok(Ok(tls)) if tls.get_ref().1.alpn_protocol() == Some(b"h2") => {
                self.http2(tls, peer).await;
            }
            // What is encrypted has to be read.
            Ok(Ok(tls)) => self.http1(tls, peer, None).await,
            Ok(Err(why)) => {
                self.worker.metrics.tls_failures.inc();
                tracing::debug!(%peer, %why, "a TLS handshake failed");
            }
            Err(_elapsed) => {
                self.worker.metrics.tls_failures.inc();
                tracing::debug!(%peer, "a TLS handshake took too long");
            }
        }
    }

    async fn http1(
        self: &Rc<Self>,
        stream: impl Stream,
        peer: IpAddr,
        stand_ins: Option<Rc<StandIns>>,
    ) {
        let exchange = Rc::new(Exchange::new(stand_ins));
        let switch = exchange.switch();
        let mut wire = Wire::new(stream, self.limits, Rc::clone(&exchange), true);
        let service = service_fn(|request| {
            let worker = Rc::clone(&self.worker);
            let exchange = Rc::clone(&exchange);
            let answer = driver::serve(worker, exchange, Rc::clone(&switch), peer, request);
            async { Ok::<_, Infallible>(answer.await) }
        });
        let mut builder = http1::Builder::new();
        builder.max_buf_size(CONNECTION_BUFFER_BYTES.max(self.limits.head_bytes));
        let mut stopping = self.stopping.tell();
        let serving = async {
            // The HTTP library holds buffers for as long as it has the connection.
            while begins(&mut wire, &mut stopping).await {
                let connection = builder.serve_connection(TokioIo::new(wire), &service);
                let mut connection = Box::new(connection);
                let driven = Pin::new(&mut *connection);
                if !self.drive(driven, peer, &exchange, &mut stopping).await {
                    return;
                }
                wire = connection.into_parts().io.into_inner();
            }
            let _ = wire.shutdown().await;
        };
        let _ = Rc::clone(&switch).unless_thrown(serving).await;
    }

    async fn http2(self: &Rc<Self>, stream: impl Stream, peer: IpAddr) {
        let exchange = Rc::new(Exchange::default());
        let wire = Wire::new(stream, self.limits, Rc::clone(&exchange), false);
        let (worker, shared) = (Rc::clone(&self.worker), Rc::clone(&exchange));
        let streams = SameThread::default();
        let begun = Rc::clone(&streams.begun);
        let service = service_fn(move |request| {
            let (worker, exchange) = (Rc::clone(&worker), Rc::clone(&shared));
            let switch = Rc::new(CutSwitch::default());
            begun.set(Some(Rc::clone(&switch)));
            let answer = driver::serve(worker, exchange, switch, peer, request);
            async { Ok::<_, Infallible>(answer.await) }
        });
        let head_bytes = u32::try_from(self.limits.head_bytes).unwrap_or(u32::MAX);
        let connection = http2::Builder::new(streams)
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(head_bytes)
            .max_send_buf_size(STREAM_BUFFER_BYTES)
            .serve_connection(TokioIo::new(wire), service);
        self.drive(pin!(connection), peer, &exchange, &mut self.stopping.tell()).await;
    }

    /// Serves a connection to its end, or until it rests: then true. Once the gateway stops, only
    /// what it has already begun.
    async fn drive(
        &self,
        mut connection: Pin<&mut impl GracefulConnection<Error = hyper::Error>>,
        peer: IpAddr,
        exchange: &Exchange,
        stopping: &mut Told<'_>,
    ) -> bool {
        let mut told = false;
        let ended = poll_fn(|cx| {
            let mut polled = connection.as_mut().poll(cx);
            if polled.is_pending() && !told && stopping.is_told(cx) {
                told = true;
                connection.as_mut().graceful_shutdown();
                polled = connection.as_mut().poll(cx);
            }
            match polled {
                Poll::Ready(ended) => Poll::Ready(Some(ended)),
                Poll::Pending if exchange.rests() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        });
        match ended.await {
            None => return true,
            Some(Ok(())) => {}
            // Told only to whoever looks for it: what it meant for a request is in that one's
            // record.
            Some(Err(why)) => tracing::debug!(%peer, %why, "a connection ended early"),
        }
        false
    }
}

/// Waits until a request begins; false when the connection ends before, or the gateway stops.
async fn begins(wire: &mut Wire<impl Stream>, stopping: &mut Told<'_>) -> bool {
    poll_fn(|cx| match wire.poll_begins(cx) {
        Poll::Pending if stopping.is_told(cx) => Poll::Ready(false),
        polled => polled,
    })
    .await
}

/// Runs an HTTP/2 connection's streams on the thread that accepted it, each until its switch is
/// thrown: dropped, a stream is reset.
#[derive(Clone, Default)]
struct SameThread {
    /// The switch of the stream whose request was just handed to the service; its future follows
    /// at once.
    begun: Rc<Cell<Option<Rc<CutSwitch>>>>,
}

impl<F: Future + 'static> hyper::rt::Executor<F> for SameThread {
    fn execute(&self, stream: F) {
        let switch = self.begun.take().unwrap_or_default();
        tokio::task::spawn_local(async move {
            let _ = switch.unless_thrown(stream).await;
        });
    }
}
