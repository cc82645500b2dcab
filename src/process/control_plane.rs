//! The control plane's listeners.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::failure::Failure;

/// Opens a socket on each address of the setting `key`.
pub(super) async fn bind(
    key: &'static str,
    addresses: &[SocketAddr],
) -> Result<Vec<TcpListener>, Failure> {
    let mut sockets = Vec::with_capacity(addresses.len());
    for &address in addresses {
        let socket = TcpListener::bind(address).await;
        sockets.push(socket.map_err(|cause| Failure::Listen { key, address, cause })?);
    }
    Ok(sockets)
}

/// Running HTTP servers of one purpose.
pub(super) struct ControlPlane {
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    servers: JoinSet<()>,
}

impl ControlPlane {
    /// Serves `routes` on `sockets`.
    pub(super) fn start(routes: Router, sockets: Vec<TcpListener>) -> Self {
        let (stop, _) = watch::channel(false);
        let mut servers = JoinSet::new();
        let addresses = sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect();
        for socket in sockets {
            let service = routes.clone().into_make_service_with_connect_info::<SocketAddr>();
            let mut stopped = stop.subscribe();
            let server = axum::serve(socket, service).with_graceful_shutdown(async move {
                // The sender is dropped only after the servers have ended.
                let _ = stopped.wait_for(|stop| *stop).await;
            });
            servers.spawn(async move {
                if let Err(error) = server.await {
                    tracing::error!(%error, "a control plane listener ended");
                }
            });
        }
        Self { addresses, stop, servers }
    }

    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Closes the listeners and waits for requests in flight, at most `drain`.
    pub(super) async fn stop(mut self, drain: Duration) {
        self.stop.send_replace(true);
        let ended = async { while self.servers.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, ended).await.is_err() {
            self.servers.shutdown().await;
        }
    }
}
