//! A running condagate: what is started, in which order, and how it stops.
//!
//! 1. What can be wrong without anybody's help is looked at first: storages' settings, addresses.
//! 2. The database is brought to this version (`control`), or must be of it (`gateway`).
//! 3. Channels that clients couldn't reach end the start.
//! 4. The gateway loads its first grants and opens its listeners, then the control plane does.
//! 5. The service manager is told, and probes say ready.
//!
//! *Architecture invariant:* SQL, the feed and the control plane run on the runtime made here; the
//! gateway's threads have runtimes of their own, so that a slow page never delays a byte.

mod control_plane;
mod database;
mod probes;
mod signals;
mod systemd;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use access::{Clock, SystemClock};
use config::Config;
use control::{Control, Observer, Pruner};
use gateway::{Gateway, StorageSettings};
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::settings;
use control_plane::ControlPlane;
pub(crate) use database::Database;
use probes::{Health, Probes};
pub(crate) use signals::Signals;

/// Threads for the control plane, the feed and SQL.
const CONTROL_THREADS: usize = 2;

/// Runs a command's work on the control runtime.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .enable_all()
        .build()
        .map_err(Failure::System)?;
    let done = runtime.block_on(work);
    // What is still blocked (a host name that is looked up) must not hold up the end.
    runtime.shutdown_background();
    done
}

/// What a process does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roles {
    /// API and pages.
    pub(crate) control: bool,
    /// The data plane.
    pub(crate) gateway: bool,
}

impl Roles {
    fn name(self) -> &'static str {
        match (self.control, self.gateway) {
            (true, true) => "serve",
            (true, false) => "control",
            _ => "gateway",
        }
    }
}

/// What runs.
pub(crate) struct Process {
    roles: Roles,
    database: Database,
    health: Arc<Health>,
    gateway_addresses: Vec<SocketAddr>,
    control_plane: Option<ControlPlane>,
    /// Ends the rows of gateways that are gone, and deletes what is past.
    chores: JoinSet<()>,
    probes: Option<Probes>,
    drain: Duration,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// The first thing that is wrong; then nothing is left running.
    pub(crate) async fn start(config: &Config, roles: Roles) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let storages = match roles.gateway {
            true => Some(StorageSettings::new(&config.storage, clock.now())?),
            false => None,
        };
        let control_listen: &[_] = if roles.control { &config.control.listen } else { &[] };
        let control_sockets = control_plane::bind("control.listen", control_listen).await?;
        let probe_sockets =
            control_plane::bind("metrics.listen", config.metrics.listen.as_slice()).await?;

        let database = Database::connect(config).await?;
        if roles.control {
            database.migrate().await?;
        } else {
            database.require_this_version().await?;
        }
        look_at_channels(config, &database).await?;

        let gateway = match storages {
            Some(storages) => {
                let source = Arc::new(database.store().gateway_source(Arc::clone(&clock)));
                let usage = Arc::new(database.store().clone());
                Some(Gateway::start(&config.gateway, storages, source, usage, clock.clone()).await?)
            }
            None => None,
        };
        let gateway_addresses =
            gateway.as_ref().map(|gateway| gateway.addresses().to_vec()).unwrap_or_default();
        let observer_clock = Arc::clone(&clock);
        let control = roles.control.then(|| {
            let gateway_url = settings::gateway_url(config, gateway_addresses.first().copied());
            let settings = control::Settings { gateway_url, ..settings::for_control(config) };
            Control::new(database.store().clone(), settings, clock)
        });
        let mut chores = JoinSet::new();
        if let Some(control) = control.clone() {
            chores.spawn(Observer::new(control.store().clone(), observer_clock).observe());
            chores.spawn(Pruner::new(control).run());
        }
        let control_plane = control
            .clone()
            .map(|control| ControlPlane::start(control::router(control), control_sockets));
        let health = Health::new(gateway, control, database.store().clone(), roles.name());
        let health = Arc::new(health);
        let probes = Probes::start(&health, probe_sockets);
        let drain = config.gateway.drain;
        Ok(Self {
            roles,
            database,
            health,
            gateway_addresses,
            control_plane,
            chores,
            probes,
            drain,
        })
    }

    /// Where clients connect; ports are those that the system gave.
    pub(crate) fn gateway_addresses(&self) -> &[SocketAddr] {
        &self.gateway_addresses
    }

    /// Where the control plane is.
    pub(crate) fn control_addresses(&self) -> &[SocketAddr] {
        self.control_plane.as_ref().map_or(&[], ControlPlane::addresses)
    }

    /// Tells the log and the service manager that it serves.
    pub(crate) fn tell_ready(&self) {
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            role = self.roles.name(),
            gateway = ?self.gateway_addresses(),
            control = ?self.control_addresses(),
            metrics = ?self.probes.as_ref().map_or(&[][..], Probes::addresses),
            "ready"
        );
        systemd::notify("READY=1");
    }

    /// Serves until a signal ends it, then stops in order: whoever is being served first.
    pub(crate) async fn run(self, mut signals: Signals) {
        while !signals.ends().await {
            systemd::notify_reloading();
            tracing::info!("reloading: certificate and access log");
            self.health.reload_gateway();
            systemd::notify("READY=1");
        }
        tracing::info!(drain = ?self.drain, "stopping; a second signal ends at once");
        systemd::notify("STOPPING=1");
        signals.end_at_once_on_the_next();
        self.stop().await;
        tracing::info!("stopped");
    }

    async fn stop(self) {
        let pages = async {
            if let Some(control_plane) = self.control_plane {
                control_plane.stop(self.drain).await;
            }
        };
        tokio::join!(pages, self.health.stop_gateway());
        // Which ends them.
        drop(self.chores);
        if let Some(probes) = self.probes {
            probes.stop().await;
        }
        self.database.store().close().await;
    }
}

/// Refuses channels that clients couldn't tell from a mount prefix (wire.md W4), and names those
/// whose storage is missing here.
async fn look_at_channels(config: &Config, database: &Database) -> Result<(), Failure> {
    let channels = database.channels().await?;
    let reserved = settings::reserved_first_segments(&config.gateway);
    let collides = |name: &&access::ChannelName| reserved.iter().any(|r| r == name.first_segment());
    let names = channels.iter().map(|channel| &channel.name);
    let collisions: Vec<_> = names.filter(collides).cloned().collect();
    if !collisions.is_empty() {
        return Err(Failure::Collision(collisions));
    }
    for channel in channels.iter().filter(|channel| !config.storage.contains_key(&*channel.storage))
    {
        tracing::warn!(
            channel = %channel.name,
            storage = %channel.storage,
            "the channel's storage is not configured here; its files are answered with 502"
        );
    }
    Ok(())
}
