//! A line to PostgreSQL that can be cut, or led to another server.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::{Postgres, Setup};

/// The socket of a PostgreSQL server as seen over a line that can be cut.
pub(crate) struct Line {
    folder: TempDir,
    server: Arc<Mutex<PathBuf>>,
    cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<UnixStream>>>,
}

const SOCKET: &str = ".s.PGSQL.5432";

impl Line {
    /// Has the gateway reach its database over a line of its own.
    pub(crate) fn before(setup: &mut Setup) -> Self {
        let url = setup.admin.url().to_owned();
        let (rest, folder) = url.split_once("?host=").unwrap();
        let line = Self::to(&PathBuf::from(folder));
        setup.text("database.url", format!("{rest}?host={}", line.folder.path().display()));
        line
    }

    /// A line to the server whose socket is in this folder.
    fn to(server: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let (cut, open) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Vec<_>>>::default());
        let server = Arc::new(Mutex::new(server.join(SOCKET)));
        let (leads_to, is_cut, all) = (Arc::clone(&server), Arc::clone(&cut), Arc::clone(&open));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { continue };
                if is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let server = leads_to.lock().unwrap().clone();
                // It may be stopped.
                let Ok(server) = UnixStream::connect(&server) else { continue };
                copy(&client, &server);
                copy(&server, &client);
                all.lock().unwrap().extend([client, server]);
            }
        });
        Self { folder, server, cut, open }
    }

    /// Leads new connections there; those that are open stay where they are.
    pub(crate) fn lead_to(&self, server: &Postgres) {
        *self.server.lock().unwrap() = server.folder().join(SOCKET);
    }

    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn mend(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }
}

fn copy(from: &UnixStream, to: &UnixStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}
