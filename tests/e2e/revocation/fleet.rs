//! A PostgreSQL server, a control plane and three gateways, each a process of its own, and what
//! can befall them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;

use super::load::Run;
use crate::site::{CONDAGATE, Connection, Postgres, Process, Setup, patience, port};

pub(super) const GATEWAYS: usize = 3;
/// Of every gateway; the shortest that can be set.
pub(super) const LEASE: Duration = Duration::from_secs(5);

pub(super) struct Fleet {
    postgres: Postgres,
    pub(super) control: SocketAddr,
    control_process: Process,
    gateways: Vec<Gateway>,
    /// Their folders, and the admin who made the channel.
    _setup: Setup,
}

struct Gateway {
    process: Process,
    address: SocketAddr,
    metrics: SocketAddr,
    folder: PathBuf,
    starts: usize,
}

/// What befalls the fleet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// A gateway stands still for so long.
    Pause(usize, Duration),
    /// A gateway is killed and started again.
    Kill(usize),
    /// Every connection to the database breaks.
    DropConnections,
    /// The database is restarted, by SIGINT in order or by SIGQUIT as after a crash.
    RestartDatabase(Signal),
}

impl Fault {
    /// How long its effect may last: for a gateway that is gone until its row is ended, for the
    /// others until they are connected again.
    pub(super) fn aftermath(self) -> Duration {
        match self {
            Self::Kill(_) => LEASE + Duration::from_secs(2),
            _ => Duration::from_secs(2),
        }
    }
}

impl Fleet {
    pub(super) fn start() -> Self {
        let postgres = Postgres::start();
        let mut setup = Setup::with_demo_channel_on(&postgres);
        setup.text("gateway.lease", format!("{}s", LEASE.as_secs()));
        let control = port::free();
        setup.set("control.listen", &format!("[\"{control}\"]"));
        let folder = configured(&setup, "control");
        let control_process = Process::start("control", CONDAGATE, ["control"], &[], &folder);
        patience::until("the control plane to listen", || {
            let said = control_process.stderr();
            Connection::open(control).map_err(|why| format!("{why}: {said}")).ok()
        });
        let gateways = (0..GATEWAYS).map(|n| Gateway::configure(&mut setup, n)).collect();
        Self { postgres, control, control_process, gateways, _setup: setup }
    }

    /// Where clients connect.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.gateways.iter().map(|gateway| gateway.address).collect()
    }

    /// Lets it happen; back when it is over and every gateway is ready.
    pub(super) fn befall(&mut self, fault: Fault, run: &Run) {
        match fault {
            Fault::Pause(n, time) => {
                self.signal(n, Signal::STOP);
                std::thread::sleep(time);
                // What it finds waiting when it goes on is the first that it decides.
                let waiting = run.knock(n);
                self.signal(n, Signal::CONT);
                run.answered(n, waiting);
            }
            Fault::Kill(n) => self.gateways[n].kill_and_start(),
            Fault::DropConnections => self.postgres.drop_connections(),
            Fault::RestartDatabase(signal) => self.postgres.restart(signal),
        }
        self.wait_until_ready();
    }

    /// Signals a gateway's process.
    pub(super) fn signal(&self, gateway: usize, signal: Signal) {
        self.gateways[gateway].process.signal(signal);
    }

    /// Waits until every gateway serves.
    pub(super) fn wait_until_ready(&self) {
        self.gateways.iter().for_each(Gateway::wait_until_ready);
    }

    /// Stops the gateways, then the control plane, as an operator does.
    pub(super) fn stop(mut self) {
        let gateways = self.gateways.iter_mut().map(|gateway| &mut gateway.process);
        for process in gateways.chain([&mut self.control_process]) {
            process.signal(Signal::TERM);
            let status = process.wait(Duration::from_secs(60));
            assert!(status.success(), "{status}: {}", process.stderr());
        }
    }
}

/// Writes what is configured now into a folder of that name.
fn configured(setup: &Setup, name: &str) -> PathBuf {
    let folder = setup.path(name);
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("condagate.toml"), setup.configuration()).unwrap();
    folder
}

impl Gateway {
    fn configure(setup: &mut Setup, number: usize) -> Self {
        let name = format!("gw-{number}");
        let (address, metrics) = (port::free(), port::free());
        setup.text("gateway.name", &name);
        setup.set("gateway.listen", &format!("[\"{address}\"]"));
        setup.text("metrics.listen", metrics);
        let folder = configured(setup, &name);
        let process = Process::start("gateway-0", CONDAGATE, ["gateway"], &[], &folder);
        let gateway = Self { process, address, metrics, folder, starts: 1 };
        gateway.wait_until_ready();
        gateway
    }

    fn kill_and_start(&mut self) {
        self.process.signal(Signal::KILL);
        self.process.wait(Duration::from_secs(10));
        let name = format!("gateway-{}", self.starts);
        self.process = Process::start(&name, CONDAGATE, ["gateway"], &[], &self.folder);
        self.starts += 1;
    }

    fn wait_until_ready(&self) {
        let is_ready = || {
            let answer = Connection::open(self.metrics).and_then(|mut c| c.get("/readyz", &[]));
            answer.ok().filter(|answer| answer.status() == 200)
        };
        patience::within(Duration::from_secs(60), "the gateway to be ready", is_ready);
    }
}
