//! A gateway as an operator sets it up: a folder with its configuration, a database, storages, and
//! the real binary.

pub(crate) mod client;
pub(crate) mod conda;
pub(crate) mod files;
mod line;
pub(crate) mod nginx;
pub(crate) mod patience;
mod people;
pub(crate) mod port;
mod postgres;
mod process;
mod standing;
pub(crate) mod upstream;

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use access::source::Revision;
use access::{Clock as _, Privacy, SystemClock};
use rustix::process::Signal;
use tempfile::TempDir;

pub(crate) use self::client::{Answer, Connection};
pub(crate) use self::line::Line;
pub(crate) use self::people::{Admin, DAY, Database, Issued, PASSWORD, ago};
pub(crate) use self::postgres::Postgres;
pub(crate) use self::process::Process;
pub(crate) use self::standing::{Revocation, Standing};

/// The binary under test.
pub(crate) const CONDAGATE: &str = env!("CARGO_BIN_EXE_condagate");

/// Where `tests/run` installs the Python clients; `CONDAGATE_TEST_VENV` names another place.
pub(crate) fn clients_venv() -> PathBuf {
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-venv");
    let venv = std::env::var_os("CONDAGATE_TEST_VENV").map_or_else(usual, PathBuf::from);
    let shown = venv.display();
    assert!(
        venv.join("bin/pytest").exists(),
        "{shown}: no clients there; `tests/run` installs them"
    );
    venv
}

/// What a test decides before the gateway starts.
pub(crate) struct Setup {
    pub(crate) folder: TempDir,
    pub(crate) admin: Admin,
    pub(crate) gateway: SocketAddr,
    pub(crate) metrics: SocketAddr,
    /// Settings by their whole key, in TOML.
    settings: Vec<(String, String)>,
    command: &'static str,
    as_nobody: bool,
}

/// A running gateway.
pub(crate) struct Site {
    setup: Setup,
    pub(crate) process: Process,
}

impl Setup {
    /// A gateway on a database of its own, without storages.
    pub(crate) fn new(database: Database) -> Self {
        Self::of(Admin::of(database))
    }

    /// The same on this admin's database.
    fn of(admin: Admin) -> Self {
        let (gateway, metrics) = (port::free(), port::free());
        let mut setup = Self {
            folder: tempfile::tempdir().unwrap(),
            settings: Vec::new(),
            command: "gateway",
            as_nobody: false,
            admin,
            gateway,
            metrics,
        };
        let url = setup.admin.url().to_owned();
        setup.text("database.url", url);
        setup.set("gateway.listen", &format!("[\"{gateway}\"]"));
        setup.text("metrics.listen", metrics);
        setup.text("gateway.access_log_file", "access.log");
        setup.text("gateway.contact", "platform@example.com");
        // Tests ask faster, and with more tokens, than people.
        setup.set("gateway.limits.misses_per_second", "1000000");
        setup.set("gateway.limits.misses_per_second_per_address", "1000000");
        setup
    }

    /// With a private channel `demo` in a directory that holds a copy of the demo channel.
    pub(crate) fn with_demo_channel(database: Database) -> Self {
        Self::new(database).and_demo_channel()
    }

    /// The same on the database of this server, which is empty.
    pub(crate) fn with_demo_channel_on(server: &Postgres) -> Self {
        Self::of(Admin::at(&server.url())).and_demo_channel()
    }

    fn and_demo_channel(mut self) -> Self {
        let files = self.path("storage");
        files::copy(&files::demo_channel(), &files.join("demo"));
        self.directory("main", &files);
        self.admin.channel("demo", Privacy::Private, "main", "demo");
        self
    }

    /// With a private channel `demo` on a web server.
    pub(crate) fn with_upstream(url: &str) -> Self {
        let mut setup = Self::new(Database::Sqlite);
        setup.http("main", url);
        setup.admin.channel("demo", Privacy::Private, "main", "demo");
        setup
    }

    /// Runs another subcommand than `gateway`.
    pub(crate) fn command(&mut self, command: &'static str) {
        self.command = command;
    }

    /// Runs it as a user to whom a file's mode matters: root reads everything.
    pub(crate) fn as_nobody(&mut self) {
        self.as_nobody = rustix::process::getuid().is_root();
    }

    /// Sets a setting, in TOML. The last word counts.
    pub(crate) fn set(&mut self, key: &str, toml: &str) {
        self.settings.retain(|(other, _)| other != key);
        self.settings.push((key.to_owned(), toml.to_owned()));
    }

    /// Sets a setting that is written as a string.
    pub(crate) fn text(&mut self, key: &str, value: impl std::fmt::Display) {
        self.set(key, &format!("\"{value}\""));
    }

    /// Takes a setting out.
    pub(crate) fn unset(&mut self, key: &str) {
        self.settings.retain(|(other, _)| other != key);
    }

    pub(crate) fn directory(&mut self, name: &str, path: &Path) {
        self.text(&format!("storage.{name}.kind"), "directory");
        self.text(&format!("storage.{name}.path"), path.display());
    }

    pub(crate) fn http(&mut self, name: &str, url: &str) {
        self.text(&format!("storage.{name}.kind"), "http");
        self.text(&format!("storage.{name}.url"), url);
    }

    /// Serves HTTPS on `localhost`, with a certificate of an authority that is in `tls/ca.pem`.
    pub(crate) fn tls(&mut self) -> certs::DevelopmentCertificate {
        let folder = self.path("tls");
        let now = SystemClock.now();
        let made = certs::development_certificate(&folder, &["localhost", "127.0.0.1"], now);
        let made = made.unwrap();
        self.text("gateway.tls.certificate", made.certificate.display());
        self.text("gateway.tls.key", made.key.display());
        made
    }

    /// A path in the gateway's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The configuration as it is written.
    pub(crate) fn configuration(&self) -> String {
        let mut keys: Vec<(&str, &str, &str)> = Vec::new();
        for (key, value) in &self.settings {
            let (section, key) = key.rsplit_once('.').unwrap();
            keys.push((section, key, value));
        }
        keys.sort_unstable();
        let mut text = String::new();
        let mut current = "";
        for (section, key, value) in keys {
            if section != current {
                let _ = writeln!(text, "\n[{section}]");
                current = section;
            }
            let _ = writeln!(text, "{key} = {value}");
        }
        text
    }

    /// Runs the binary with this configuration, and doesn't wait for anything.
    pub(crate) fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Process {
        std::fs::write(self.path("condagate.toml"), self.configuration()).unwrap();
        let name = arguments.first().copied().unwrap_or("condagate");
        if !self.as_nobody {
            return Process::start(name, CONDAGATE, arguments, environment, self.folder.path());
        }
        // The folder that the binary was built in may be closed to others.
        let binary = self.path("condagate");
        std::fs::copy(CONDAGATE, &binary).unwrap();
        let database = self.admin.url().trim_start_matches("sqlite://");
        let database = Path::new(database).parent().unwrap();
        for folder in [self.folder.path(), database] {
            let chown = Command::new("chown").args(["-R", "nobody"]).arg(folder).status();
            assert!(chown.unwrap().success());
        }
        let nobody = ["--reuid", "nobody", "--clear-groups", "--"].map(OsStr::new);
        let command = [binary.as_os_str()].into_iter().chain(arguments.iter().map(OsStr::new));
        let arguments = nobody.into_iter().chain(command);
        Process::start(name, "setpriv", arguments, environment, self.folder.path())
    }

    /// Starts the gateway and waits until it is ready.
    pub(crate) fn start(self) -> Site {
        self.start_with(&[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn start_with(self, environment: &[(&str, &str)]) -> Site {
        let process = self.run(&[self.command], environment);
        let mut site = Site { setup: self, process };
        patience::until("the gateway to be ready", || {
            if let Some(status) = site.process.ended() {
                panic!("the gateway ended with {status}: {}", site.process.stderr());
            }
            let answer = Connection::open(site.metrics).and_then(|mut c| c.get("/readyz", &[]));
            answer.ok().filter(|answer| answer.status() == 200)
        });
        site
    }
}

impl Deref for Site {
    type Target = Setup;

    fn deref(&self) -> &Setup {
        &self.setup
    }
}

impl Site {
    /// Asks for a path, on a connection of its own.
    pub(crate) fn get(&self, path: &str) -> Answer {
        client::get(self.gateway, path, &[])
    }

    /// The same with header fields.
    pub(crate) fn get_with(&self, path: &str, fields: &[&str]) -> Answer {
        client::get(self.gateway, path, fields)
    }

    /// A connection to the gateway.
    pub(crate) fn connect(&self) -> Connection<std::net::TcpStream> {
        Connection::open(self.gateway).unwrap()
    }

    /// What `/metrics` says.
    pub(crate) fn metrics_text(&self) -> String {
        client::get(self.metrics, "/metrics", &[]).text()
    }

    /// The value of a metric without labels.
    pub(crate) fn metric(&self, name: &str) -> i64 {
        let text = self.metrics_text();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    /// Waits until the gateway has applied a change.
    pub(crate) fn wait_for(&self, revision: Revision) {
        patience::until("the change to be applied", || {
            (self.metric("condagate_table_revision") >= revision.0).then_some(())
        });
    }

    /// The lines of the access log so far.
    pub(crate) fn access_log(&self) -> String {
        std::fs::read_to_string(self.path("access.log")).unwrap_or_default()
    }

    /// The line of a request, in JSON. It is written at most a moment after the answer's end.
    pub(crate) fn line_of(&self, request_id: &str) -> serde_json::Value {
        patience::until("the request's line in the access log", || {
            let log = self.access_log();
            let line = log.lines().find(|line| line.contains(request_id))?;
            serde_json::from_str(line).ok()
        })
    }

    /// Ends the gateway with this signal and starts it again.
    pub(crate) fn restart(mut self, signal: Signal) -> Self {
        self.process.signal(signal);
        self.process.wait(Duration::from_secs(60));
        self.setup.start()
    }

    /// Stops the gateway as an operator does, and sees that it ends well.
    pub(crate) fn stop(mut self) {
        self.process.signal(Signal::TERM);
        let status = self.process.wait(Duration::from_secs(60));
        assert!(status.success(), "{status}: {}", self.process.stderr());
    }
}
