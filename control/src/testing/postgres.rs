//! A throw-away PostgreSQL server, one per test process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// Run by a shell that ends with the test process, however that ends: the shell reads from a pipe
/// that the process holds, and at its end stops the server and removes its folder. Durability is
/// off: what a test writes needn't survive the machine.
const SUPERVISOR: &str = r#"
set -eu
trap '' INT HUP
dir=$(mktemp -d /tmp/condagate-postgres.XXXXXX)
trap 'rm -rf "$dir"' EXIT
"$1/initdb" -D "$dir/data" -U postgres --auth=trust --encoding=UTF8 --locale=C --no-sync \
    >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
"$1/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c max_connections=300 \
    -c fsync=off -c full_page_writes=off -c autovacuum=off >"$dir/log" 2>&1 &
server=$!
until "$1/pg_isready" -q -h "$dir"; do
    kill -0 "$server" || { cat "$dir/log" >&2; exit 1; }
    sleep 0.05
done
echo "$dir"
cat >/dev/null
kill -INT "$server"
wait "$server" || true
"#;

struct Server {
    socket_folder: String,
    /// Its standard input is the pipe.
    _supervisor: Child,
}

/// The URL of a database in the server.
pub(super) fn url(database: &str) -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(start);
    format!("postgres://postgres@localhost/{database}?host={}", server.socket_folder)
}

fn start() -> Server {
    let mut command = as_unprivileged_user();
    command.args(["sh", "-c", SUPERVISOR, "condagate-test-postgres"]).arg(postgres_programs());
    let mut supervisor = command
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell for PostgreSQL");
    let mut socket_folder = String::new();
    let stdout = supervisor.stdout.take().expect("is piped");
    BufReader::new(stdout).read_line(&mut socket_folder).expect("a line");
    if socket_folder.is_empty() {
        let mut why = String::new();
        let _ = supervisor.stderr.take().map(|mut stderr| stderr.read_to_string(&mut why));
        panic!("PostgreSQL did not start: {why}");
    }
    Server { socket_folder: socket_folder.trim_end().to_owned(), _supervisor: supervisor }
}

/// Where the newest PostgreSQL of Debian's packages has its programs.
pub fn postgres_programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found =
        versions.map(|entry| entry.path().join("bin")).filter(|b| b.join("initdb").exists());
    let version =
        |bin: &PathBuf| -> Option<u32> { bin.parent()?.file_name()?.to_str()?.parse().ok() };
    found.max_by_key(version).expect(
        "PostgreSQL's server is needed for the tests: install Debian's package `postgresql`",
    )
}

/// PostgreSQL refuses to run as root: then as the user that its package makes.
fn as_unprivileged_user() -> Command {
    if rustix::process::getuid().is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]);
        command
    } else {
        Command::new("env")
    }
}
