//! A line to PostgreSQL that can be cut.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::Setup;

/// The socket of a PostgreSQL server as seen over a line that can be cut.
pub(crate) struct Line {
    folder: TempDir,
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
        let (server, is_cut, all) = (server.join(SOCKET), Arc::clone(&cut), Arc::clone(&open));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { continue };
                if is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let server = UnixStream::connect(&server).unwrap();
                copy(&client, &server);
                copy(&server, &client);
                all.lock().unwrap().extend([client, server]);
            }
        });
        Self { folder, cut, open }
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
