//! A running gateway: its threads, its feed, its certificate.

mod certificate;

use std::cell::Cell;
use std::net::SocketAddr;
use std::num::NonZero;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use access::lease::LeaseTerms;
use access::{Clock, ControlPlane, UsageSink};
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::LocalSet;

use crate::follow::{Follower, Identity};
use crate::limits::Limiters;
use crate::listener::{BindError, Dates, Listener, Sockets, Stopping, WireLimits};
use crate::metrics::Metrics;
use crate::record::{AccessLog, LogError};
use crate::storage::{Objects, StorageSettings};
use crate::table::{Table, TableLimits};
use crate::usage::{Gauges, Reporter, ReporterCounts, Reporting, Shard};
use crate::watched::{self, Watches};
use crate::worker::{RequestIds, RequestSettings, Worker};

/// How often the certificate's files are looked at.
const CERTIFICATE_EVERY: Duration = Duration::from_secs(3);
/// How often a thread hands on its lines of the access log, and looks what it may let go.
const HOUSE_EVERY: Duration = Duration::from_millis(200);
/// Threads on which one worker's reads of cold files wait for the disk, at most.
const DISK_THREADS: usize = 16;

/// Why a gateway can't start: one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The control database doesn't answer.
    #[error(transparent)]
    Source(#[from] access::source::SourceError),
    /// An address is taken, or isn't this machine's.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The certificate or its key can't be used.
    #[error("gateway.tls: {0}")]
    Tls(#[from] certs::CertError),
    /// The access log can't be opened.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The system gives no threads or timers.
    #[error("a worker thread could not be started: {0}")]
    Thread(std::io::Error),
    /// The system gives no randomness.
    #[error("the system gave no randomness: {0}")]
    Randomness(std::io::Error),
}

/// A running gateway.
pub struct Gateway {
    addresses: Vec<SocketAddr>,
    table: Arc<Table>,
    metrics: Arc<Metrics>,
    tls: Option<Arc<certs::ServerTls>>,
    clock: Arc<dyn Clock>,
    stop: watch::Sender<bool>,
    limiters: Arc<Limiters>,
    /// What each thread has gathered of usage.
    shards: Box<[Arc<Shard>]>,
    /// What [`Gateway::stop`] ends; nothing is left once it has.
    running: Mutex<Option<Running>>,
}

struct Running {
    threads: Vec<JoinHandle<()>>,
    log: AccessLog,
    background: Vec<tokio::task::JoinHandle<()>>,
    reporting: Reporting,
    follower: tokio::task::JoinHandle<()>,
    /// Ends the follower.
    end: oneshot::Sender<()>,
}

impl Gateway {
    /// Starts a gateway: reads the tokens used most recently, then opens its listeners. What it
    /// reads of the control database is read on the runtime that this is called on; requests are
    /// served on threads of their own.
    ///
    /// # Errors
    /// [`StartError`]; then nothing is left running.
    pub async fn start(
        settings: &config::Gateway,
        storages: StorageSettings,
        source: Arc<dyn ControlPlane>,
        usage: Arc<dyn UsageSink>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let tls = match &settings.tls {
            Some(tls) => {
                let (certificate, key) = (&tls.certificate, &tls.key);
                let protocols = certs::HTTP_1_AND_2;
                Some(Arc::new(certs::ServerTls::load(certificate, key, protocols, clock.now())?))
            }
            None => None,
        };
        let (identity, limits) = (identity(settings), table_limits(settings));
        let follower = Follower::begin(source, Arc::clone(&clock), identity, limits).await?;
        let table = Arc::clone(follower.table());
        let usage_counts = ReporterCounts::default();
        let objects = Objects::new(&settings.cache, &clock);
        let metrics = Arc::new(Metrics::new(&table, &usage_counts, objects.counts()));
        let lost = metrics.log_lines_lost.clone();
        let path = settings.access_log_file.clone();
        let log = AccessLog::open(settings.access_log, path, lost)?;
        let sockets = Sockets::bind(&settings.listen, thread_count(settings))?;
        let (stop, _) = watch::channel(false);
        let mut gateway = Self {
            addresses: sockets.addresses,
            table,
            metrics,
            tls,
            clock,
            stop,
            limiters: Arc::default(),
            shards: sockets.per_thread.iter().map(|_| Arc::default()).collect(),
            running: Mutex::default(),
        };
        let gauges = gateway.gauges();
        let reporter =
            Reporter::new(usage, gauges, usage_counts).map_err(StartError::Randomness)?;
        let threads =
            gateway.start_threads(settings, (&storages, &objects), &log, sockets.per_thread)?;
        let background = gateway.start_background();
        let reporting = reporter.start(settings.usage_flush);
        let (end, ended) = oneshot::channel();
        let follower = tokio::spawn(follower.follow(async {
            let _ = ended.await;
        }));
        let running = Running { threads, log, background, reporting, follower, end };
        gateway.running = Mutex::new(Some(running));
        Ok(gateway)
    }

    fn gauges(&self) -> Gauges {
        Gauges {
            shards: self.shards.clone(),
            limiters: Arc::clone(&self.limiters),
            table: Arc::clone(&self.table),
            clock: Arc::clone(&self.clock),
        }
    }

    fn start_threads(
        &self,
        settings: &config::Gateway,
        (storages, objects): (&StorageSettings, &Arc<Objects>),
        log: &AccessLog,
        sockets: Vec<Vec<std::net::TcpListener>>,
    ) -> Result<Vec<JoinHandle<()>>, StartError> {
        let mut threads = Vec::with_capacity(sockets.len());
        let requests = Arc::new(RequestSettings::new(settings));
        let per_thread = (settings.limits.max_connections as usize).div_ceil(sockets.len());
        let started = u64::try_from(self.clock.now().as_millis()).unwrap_or(0);
        for (number, sockets) in sockets.into_iter().enumerate() {
            let start = ThreadStart {
                table: Arc::clone(&self.table),
                metrics: Arc::clone(&self.metrics),
                log: log.for_thread(),
                clock: Arc::clone(&self.clock),
                settings: Arc::clone(&requests),
                // Threads lie 2^40 milliseconds apart.
                ids: RequestIds::new(started + ((number as u64) << 40)),
                limiters: Arc::clone(&self.limiters),
                usage: Arc::clone(&self.shards[number]),
                storages: storages.clone(),
                objects: Arc::clone(objects),
                tls: self.tls.as_ref().map(|tls| tls.config()),
                limits: wire_limits(settings),
                max_connections: per_thread.max(1),
                stop: self.stop.subscribe(),
                drain: settings.drain,
            };
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(DISK_THREADS)
                .build()
                .map_err(StartError::Thread)?;
            let thread = std::thread::Builder::new()
                .name(format!("gateway-{number}"))
                .spawn(move || start.run(runtime, sockets))
                .map_err(StartError::Thread)?;
            threads.push(thread);
        }
        Ok(threads)
    }

    fn start_background(&self) -> Vec<tokio::task::JoinHandle<()>> {
        let mut background = Vec::new();
        if let Some(tls) = &self.tls {
            let (tls, metrics) = (Arc::clone(tls), Arc::clone(&self.metrics));
            let clock = Arc::clone(&self.clock);
            certificate::tell_expiry(&metrics, &tls);
            background.push(tokio::spawn(async move {
                loop {
                    tokio::time::sleep(CERTIFICATE_EVERY).await;
                    if tls.changed() {
                        certificate::reload(&tls, &metrics, &*clock);
                    }
                }
            }));
        }
        background
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The addresses that it listens on.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Whether it may still serve private content: its lease lasts, or it goes on with what it
    /// knows (sync.md L6).
    pub fn may_serve(&self) -> bool {
        self.table.may_serve()
    }

    /// What it counts, in Prometheus' text format.
    pub fn metrics_text(&self) -> String {
        self.metrics.text(&self.table)
    }

    /// Reads the certificate's files again and opens the access log anew. Connections stay.
    pub fn reload(&self) {
        if let Some(running) = &*self.running() {
            running.log.reopen();
        }
        if let Some(tls) = &self.tls {
            certificate::reload(tls, &self.metrics, &*self.clock);
        }
    }

    /// Stops: the listeners are closed, requests in flight get up to `gateway.drain` to end. What
    /// it counts can be read all the while, and after.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let Some(running) = self.running().take() else { return };
        let Running { threads, log, background, reporting, follower, end } = running;
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a worker thread had panicked");
                }
            }
            log.close();
        });
        let _ = joined.await;
        // After the last answer, so that all are in the last report.
        reporting.end().await;
        background.iter().for_each(tokio::task::JoinHandle::abort);
        // Feed and lease run to the last: whoever changes something waits for this gateway.
        drop(end);
        let _ = follower.await;
    }
}

fn table_limits(settings: &config::Gateway) -> TableLimits {
    let limits = &settings.limits;
    TableLimits {
        size_bytes: limits.table_size.in_bytes(),
        misses_per_second: limits.misses_per_second,
        misses_per_second_per_address: limits.misses_per_second_per_address,
    }
}

fn wire_limits(settings: &config::Gateway) -> WireLimits {
    let limits = &settings.limits;
    WireLimits {
        head_bytes: usize::try_from(limits.request_head_max.in_bytes()).unwrap_or(usize::MAX),
        head_timeout: limits.request_head_timeout,
        idle_timeout: limits.idle_timeout,
        send_timeout: limits.send_timeout,
    }
}

fn thread_count(settings: &config::Gateway) -> usize {
    match settings.threads {
        0 => std::thread::available_parallelism().map_or(1, NonZero::get),
        threads => threads as usize,
    }
}

/// What this gateway says of itself to the control plane.
fn identity(settings: &config::Gateway) -> Identity {
    let name = match settings.name.as_str() {
        "" => rustix::system::uname().nodename().to_string_lossy().into_owned(),
        name => name.to_owned(),
    };
    let serve_known = match settings.when_lease_ends {
        config::WhenLeaseEnds::Refuse => Duration::ZERO,
        config::WhenLeaseEnds::ServeKnown => settings.serve_known_for,
    };
    let (lease, public_grace) = (settings.lease, settings.public_grace);
    Identity { name, terms: LeaseTerms { lease, serve_known, public_grace } }
}

/// What a worker thread is started with.
struct ThreadStart {
    table: Arc<Table>,
    metrics: Arc<Metrics>,
    log: crate::record::LogLines,
    clock: Arc<dyn Clock>,
    settings: Arc<RequestSettings>,
    ids: RequestIds,
    limiters: Arc<Limiters>,
    usage: Arc<Shard>,
    storages: StorageSettings,
    objects: Arc<Objects>,
    tls: Option<Arc<rustls::ServerConfig>>,
    limits: WireLimits,
    max_connections: usize,
    stop: watch::Receiver<bool>,
    drain: Duration,
}

impl ThreadStart {
    fn run(self, runtime: Runtime, sockets: Vec<std::net::TcpListener>) {
        let local = LocalSet::new();
        local.block_on(&runtime, self.serve(sockets));
        // Reads from a dead disk must not hold up the end.
        drop(local);
        runtime.shutdown_background();
    }

    async fn serve(self, sockets: Vec<std::net::TcpListener>) {
        let watches = Watches::new(
            Arc::clone(&self.table),
            Arc::clone(&self.clock),
            self.settings.send_timeout,
            self.metrics.downloads.clone(),
        );
        let worker = Rc::new(Worker {
            table: self.table,
            storages: self.storages.for_thread(&self.clock, Some(&self.objects)),
            metrics: self.metrics,
            log: self.log,
            clock: self.clock,
            settings: self.settings,
            ids: self.ids,
            limiters: self.limiters,
            usage: self.usage,
            watches: Rc::new(watches),
            drained: Cell::new(false),
        });
        let permits = Arc::new(Semaphore::new(self.max_connections));
        let mut stop = self.stop.clone();
        let listener = Rc::new(Listener {
            worker: Rc::clone(&worker),
            tls: self.tls,
            limits: self.limits,
            permits: Arc::clone(&permits),
            stop: self.stop,
            stopping: Stopping::default(),
            dates: Dates::default(),
        });
        for socket in sockets {
            match tokio::net::TcpListener::from_std(socket) {
                Ok(socket) => {
                    tokio::task::spawn_local(Rc::clone(&listener).accept_all(socket));
                }
                Err(why) => tracing::error!(%why, "a socket could not be listened on"),
            }
        }
        tokio::task::spawn_local(keep_house(Rc::clone(&worker)));
        tokio::task::spawn_local(watched::keep(Rc::clone(&worker.watches)));
        let _ = stop.wait_for(|&stop| stop).await;
        // Let the listeners take what the kernel has already accepted before counting.
        tokio::task::yield_now().await;
        let all = u32::try_from(self.max_connections).unwrap_or(u32::MAX);
        if tokio::time::timeout(self.drain, permits.acquire_many(all)).await.is_err() {
            worker.drained.set(true);
            tracing::warn!(drain = ?self.drain, "requests were still in flight at the end of the drain");
        }
        worker.log.flush();
    }
}

async fn keep_house(worker: Rc<Worker>) {
    loop {
        tokio::time::sleep(HOUSE_EVERY).await;
        worker.log.flush();
        worker.storages.let_go();
    }
}
