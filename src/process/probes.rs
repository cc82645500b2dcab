//! The metrics listener: `/healthz`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use control::usecases::token;
use control::{Control, Store};
use gateway::Gateway;
use tokio::net::TcpListener;

use super::control_plane::ControlPlane;

/// How long the database may take to give a sign of life.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// The text format that the gateway's metrics are written in; it ends with [`END`].
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const END: &str = "# EOF\n";

/// What the probes look at.
pub(super) struct Health {
    /// None where none runs.
    gateway: Option<Gateway>,
    /// None where none runs.
    control: Option<Control>,
    stopping: AtomicBool,
    store: Store,
    role: &'static str,
}

impl Health {
    pub(super) fn new(
        gateway: Option<Gateway>,
        control: Option<Control>,
        store: Store,
        role: &'static str,
    ) -> Self {
        Self { gateway, control, stopping: AtomicBool::new(false), store, role }
    }

    /// The gateway's SIGHUP.
    pub(super) fn reload_gateway(&self) {
        self.gateway.iter().for_each(Gateway::reload);
    }

    /// Says "not ready" from now on, and stops the gateway.
    pub(super) async fn stop_gateway(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        if let Some(gateway) = &self.gateway {
            gateway.stop().await;
        }
    }

    /// Why it should not be sent clients.
    async fn not_ready(&self) -> Option<&'static str> {
        if self.stopping.load(Ordering::SeqCst) {
            return Some("stopping");
        }
        match &self.gateway {
            // While its lease lasts it serves, whether the database answers or not.
            Some(gateway) => {
                (!gateway.may_serve()).then_some("the gateway's lease has ended; it has no news")
            }
            None => match tokio::time::timeout(PING_TIMEOUT, self.store.ping()).await {
                Ok(Ok(())) => None,
                _ => Some("the control database does not answer"),
            },
        }
    }

    /// How many tokens end soon; nothing where no control plane runs, or none that knows.
    async fn expiring(&self) -> Option<String> {
        let count = token::count_expiring(self.control.as_ref()?);
        let count = tokio::time::timeout(PING_TIMEOUT, count).await.ok()?.ok()?;
        Some(format!(
            "# HELP condagate_tokens_expiring Tokens that end within gateway.expiry_warning\n\
             # TYPE condagate_tokens_expiring gauge\n\
             condagate_tokens_expiring {count}\n"
        ))
    }

    /// The metrics of the process, of what it administers, and of its gateway.
    async fn metrics(&self) -> String {
        let own = format!(
            "# HELP condagate_info What runs here\n# TYPE condagate_info gauge\n\
             condagate_info{{version=\"{}\",role=\"{}\"}} 1\n",
            env!("CARGO_PKG_VERSION"),
            self.role
        );
        own + &self.expiring().await.unwrap_or_default()
            + &self.gateway.as_ref().map_or_else(|| END.to_owned(), Gateway::metrics_text)
    }
}

/// The running listener.
pub(super) struct Probes(ControlPlane);

impl Probes {
    /// Answers on `sockets`, if there are any.
    pub(super) fn start(health: &Arc<Health>, sockets: Vec<TcpListener>) -> Option<Self> {
        let routes = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(Arc::clone(health));
        (!sockets.is_empty()).then(|| Self(ControlPlane::start(routes, sockets)))
    }

    pub(super) fn addresses(&self) -> &[SocketAddr] {
        self.0.addresses()
    }

    pub(super) async fn stop(self) {
        self.0.stop(Duration::ZERO).await;
    }
}

async fn readyz(State(health): State<Arc<Health>>) -> Response {
    match health.not_ready().await {
        None => "ready\n".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn metrics(State(health): State<Arc<Health>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, METRICS_TYPE)], health.metrics().await)
}
