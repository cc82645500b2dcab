//! A PostgreSQL server of one test's own, which it may restart.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use control::testing::postgres_programs;
use rustix::process::Signal;
use tempfile::TempDir;

use super::{Process, patience};

/// How long the server may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// A running server with one database, reached over a socket in its folder.
pub(crate) struct Postgres {
    folder: TempDir,
    process: Process,
}

impl Postgres {
    /// Makes its files and starts it.
    pub(crate) fn start() -> Self {
        let folder = own_folder();
        let data = folder.path().join("data");
        let options = ["-U", "postgres", "--auth=trust", "--no-sync", "--locale=C"];
        let (program, arguments) = command("initdb", &["-D", data.to_str().unwrap()], &options);
        let made = Command::new(program).args(arguments).current_dir("/").output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let process = run(folder.path());
        let server = Self { folder, process };
        server.wait_until_it_answers();
        server
    }

    /// `database.url` of its database.
    pub(crate) fn url(&self) -> String {
        self.url_as("postgres")
    }

    /// The same for another role.
    pub(crate) fn url_as(&self, role: &str) -> String {
        format!("postgres://{role}@localhost/postgres?host={}", self.folder.path().display())
    }

    /// Stops it by this signal (SIGINT: at once but in order, SIGQUIT: as in a crash) and starts it
    /// again.
    pub(crate) fn restart(&mut self, signal: Signal) {
        self.process.signal(signal);
        self.process.wait(STOP_WITHIN);
        self.process = run(self.folder.path());
        self.wait_until_it_answers();
    }

    /// Another server with all that this one has now, which is stopped while it is copied.
    pub(crate) fn copy(&mut self) -> Self {
        self.process.signal(Signal::INT);
        self.process.wait(STOP_WITHIN);
        let folder = own_folder();
        let data = self.folder.path().join("data");
        let copied = Command::new("cp").arg("-a").arg(data).arg(folder.path()).status();
        assert!(copied.unwrap().success());
        self.process = run(self.folder.path());
        let copy = Self { process: run(folder.path()), folder };
        self.wait_until_it_answers();
        copy.wait_until_it_answers();
        copy
    }

    /// Where its socket is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends every connection to it.
    pub(crate) fn drop_connections(&self) {
        self.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
    }

    /// What its superuser is answered.
    pub(crate) fn query(&self, sql: &str) -> String {
        let asked = self.psql("postgres", sql);
        assert!(asked.status.success(), "{sql}: {asked:?}");
        String::from_utf8(asked.stdout).unwrap()
    }

    /// Runs `psql` as this role.
    pub(crate) fn psql(&self, role: &str, sql: &str) -> std::process::Output {
        Command::new(postgres_programs().join("psql"))
            .args(["-X", "-A", "-t", "-U", role, "-d", "postgres", "-c", sql, "-h"])
            .arg(self.folder.path())
            .output()
            .unwrap()
    }

    fn wait_until_it_answers(&self) {
        patience::until("PostgreSQL to answer", || {
            self.psql("postgres", "SELECT 1").status.success().then_some(())
        });
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Else its other processes outlive it for a while, and write to a folder that is gone.
        if self.process.ended().is_none() {
            self.process.signal(Signal::QUIT);
            self.process.wait(STOP_WITHIN);
        }
    }
}

fn own_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    if rustix::process::getuid().is_root() {
        let owned = Command::new("chown").arg("postgres").arg(folder.path()).status();
        assert!(owned.unwrap().success());
    }
    folder
}

/// Durability is on as far as the server's own crash goes; the machine's doesn't matter here.
fn run(folder: &Path) -> Process {
    let data = folder.join("data");
    let settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"];
    let place = ["-D", data.to_str().unwrap(), "-k", folder.to_str().unwrap()];
    let (program, arguments) = command("postgres", &place, &settings);
    Process::start("postgres", &program, arguments, &[], folder)
}

/// PostgreSQL refuses to run as root: then as the user that its package makes.
fn command(program: &str, first: &[&str], then: &[&str]) -> (String, Vec<String>) {
    let program = postgres_programs().join(program).display().to_string();
    let own = first.iter().chain(then).map(|&argument| argument.to_owned());
    if !rustix::process::getuid().is_root() {
        return (program, own.collect());
    }
    let user = ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"];
    let user = user.into_iter().chain(["--pdeathsig", "KILL", "--", &program]).map(str::to_owned);
    ("setpriv".to_owned(), user.chain(own).collect())
}
