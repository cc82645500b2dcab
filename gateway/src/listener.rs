//! Step 1: sockets, TLS, HTTP/1.1 and HTTP/2, with the limits and timeouts of a connection.
//!
//! Each worker thread has a socket of its own on each address (SO_REUSEPORT), so the kernel
//! spreads connections and no thread waits for another.

mod authority;
mod cut;
mod dates;
mod exchanges;
mod fields;
mod framing;
mod head;
mod http1;
mod http2;
mod sockets;
mod stopping;
mod stream;
mod time_limit;
mod timed;

use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use access::Moment;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

pub(crate) use self::cut::CutSwitch;
pub(crate) use self::dates::Dates;
pub(crate) use self::fields::{Field, Fields, is_visible, visible};
pub(crate) use self::framing::{Fault, head_end, read_fields, split_head};
pub(crate) use self::head::Head;
pub use self::sockets::BindError;
pub(crate) use self::sockets::Sockets;
pub(crate) use self::stopping::Stopping;
use self::stream::Stream;
pub(crate) use self::time_limit::TimeLimit;
use crate::worker::Worker;

/// How long accepting rests when the system has no more sockets to give.
const REST: Duration = Duration::from_millis(50);
/// How often it is told that none can be.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// A connection, whose it is, and its permit.
type Accepted = (TcpStream, IpAddr, OwnedSemaphorePermit);

/// The bounds of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WireLimits {
    pub(crate) head_bytes: usize,
    pub(crate) head_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) send_timeout: Duration,
}

/// One worker thread's side of the listener.
pub(crate) struct Listener {
    pub(crate) worker: Rc<Worker>,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) limits: WireLimits,
    /// A permit is taken before a connection is accepted, and freed when it ends.
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) stopping: Stopping,
    pub(crate) dates: Dates,
}

impl Listener {
    /// Accepts connections until the gateway stops, then those that the kernel has already taken.
    pub(crate) async fn accept_all(self: Rc<Self>, socket: TcpListener) {
        let mut stop = self.stop.clone();
        let mut told: Option<Moment> = None;
        loop {
            let accepted = tokio::select! {
                accepted = self.accept(&socket) => accepted,
                _ = stop.wait_for(|&stop| stop) => break,
            };
            match accepted {
                Ok(accepted) => self.spawn(accepted),
                Err(why) => {
                    let now = self.worker.clock.moment();
                    if told.is_none_or(|told| now.since(told) >= TELL_EVERY) {
                        tracing::warn!(%why, "a connection could not be accepted");
                        told = Some(now);
                    }
                    tokio::time::sleep(REST).await;
                }
            }
        }
        self.stopping.begin();
        while let Some(Ok(accepted)) = futures_util::FutureExt::now_or_never(self.accept(&socket)) {
            self.spawn(accepted);
        }
    }

    async fn accept(&self, socket: &TcpListener) -> io::Result<Accepted> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, peer) = socket.accept().await?;
        Ok((stream, peer.ip(), permit))
    }

    fn spawn(self: &Rc<Self>, (stream, peer, permit): Accepted) {
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
            return self.http1(stream, peer).await;
        };
        let handshake = TlsAcceptor::from(Arc::clone(config)).accept(stream);
        match tokio::time::timeout(self.limits.head_timeout, handshake).await {
            Ok(Ok(tls)) if tls.get_ref().1.alpn_protocol() == Some(b"h2") => {
                self.http2(tls, peer).await;
            }
            Ok(Ok(tls)) => self.http1(tls, peer).await,
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
}
