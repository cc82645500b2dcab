//! The control database goes away and comes back: who was served is served on (sync.md T1, F6).

use std::io;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::site::{Database, Setup, client, patience};

/// The socket of a PostgreSQL server as seen over a line that can be cut.
struct Line {
    folder: TempDir,
    cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<UnixStream>>>,
}

const SOCKET: &str = ".s.PGSQL.5432";

impl Line {
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

    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
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

#[test]
fn known_tokens_work_on_without_the_database_and_a_revoke_counts_when_it_is_back() {
    let mut setup = Setup::with_demo_channel(Database::Postgres);
    let url = setup.admin.url().to_owned();
    let (rest, folder) = url.split_once("?host=").unwrap();
    let line = Line::to(&PathBuf::from(folder));
    setup.text("database.url", format!("{rest}?host={}", line.folder.path().display()));
    let [known, revoked] = [(); 2].map(|()| setup.admin.token(&["demo"]));
    let site = setup.start();
    let get = |value: &str| site.get(&format!("/t/{value}/demo/noarch/repodata.json"));
    assert_eq!(get(&known.value).status(), 200);
    assert_eq!(get(&revoked.value).status(), 200);
    let late = site.admin.token(&["demo"]);
    site.wait_for(late.revision);

    line.cut();
    let revision = site.admin.revoke(&revoked);
    patience::until("the loss to be told", || {
        site.process.stderr().contains("changes can't be read").then_some(())
    });
    assert_eq!(get(&known.value).status(), 200, "a known token");
    // Not 401: nobody knows that it is wrong.
    let asked = get(&late.value);
    assert_eq!((asked.status(), &*asked.error()), (503, "control-unreachable"));
    assert!(asked.field("retry-after").is_some());
    assert_eq!(client::get(site.metrics, "/readyz", &[]).status(), 503);
    assert_eq!(client::get(site.metrics, "/healthz", &[]).status(), 200);

    line.mend();
    site.wait_for(revision);
    let refused = get(&revoked.value);
    assert_eq!((refused.status(), &*refused.error()), (401, "token-revoked"));
    assert_eq!(get(&known.value).status(), 200);
    assert_eq!(get(&late.value).status(), 200);
    assert_eq!(client::get(site.metrics, "/readyz", &[]).status(), 200);
    assert!(site.process.stderr().contains("the control database answers again"));
    site.stop();
}
