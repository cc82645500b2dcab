//! A certificate is changed while clients are served (product.md, "Start, stop, reload").

use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use access::{Clock as _, Privacy, SystemClock};
use certs::{ClientTls, DevelopmentCertificate};
use rustix::process::Signal;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::site::{Connection, Database, Setup, Site, files, patience};

type Tls = Connection<StreamOwned<ClientConnection, TcpStream>>;

const LENGTH: usize = 32 * 1024 * 1024;
const FILE: &str = "noarch/large-1.0-0.conda";

/// A gateway, the authority of its certificate, and files of another pair.
struct Secured {
    site: Site,
    /// Kept apart, since files are written over.
    first_ca: PathBuf,
    current: DevelopmentCertificate,
    other: DevelopmentCertificate,
}

fn secured() -> Secured {
    let mut setup = Setup::new(Database::Sqlite);
    let storage = setup.path("storage");
    files::copy(&files::demo_channel(), &storage.join("demo"));
    let large = std::fs::File::create(storage.join("demo").join(FILE)).unwrap();
    large.set_len(LENGTH as u64).unwrap();
    setup.directory("main", &storage);
    setup.admin.channel("demo", Privacy::Private, "main", "demo");
    let current = setup.tls();
    let first_ca = setup.path("first-ca.pem");
    std::fs::copy(&current.ca, &first_ca).unwrap();
    let folder = setup.path("other");
    let names = ["localhost", "127.0.0.1"];
    let other = certs::development_certificate(&folder, &names, SystemClock.now()).unwrap();
    Secured { site: setup.start(), first_ca, current, other }
}

impl Secured {
    /// A connection that trusts this authority alone.
    fn connect(&self, ca: &Path) -> io::Result<Tls> {
        let config = ClientTls::load(Some(ca), None, SystemClock.now()).unwrap().config();
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::clone(&config), name).unwrap();
        let stream = TcpStream::connect(self.site.gateway)?;
        let mut stream = StreamOwned::new(connection, stream);
        stream.conn.complete_io(&mut stream.sock)?;
        Ok(Connection::over(stream))
    }

    /// Whether a client that trusts this authority alone is served.
    fn serves(&self, ca: &Path) -> bool {
        let asked = self.connect(ca).and_then(|mut c| c.get("/demo/noarch/repodata.json", &[]));
        asked.is_ok_and(|answer| answer.status() == 401)
    }

    /// Puts the other pair in the place of the first; `key` too, or the certificate alone.
    fn replace(&self, key: bool) {
        // As programs that renew certificates do: whole files are moved into place.
        let put = |from: &Path, to: &Path| {
            let new = to.with_extension("new");
            std::fs::copy(from, &new).unwrap();
            std::fs::rename(new, to).unwrap();
        };
        if key {
            put(&self.other.key, &self.current.key);
        }
        put(&self.other.certificate, &self.current.certificate);
    }
}

#[test]
fn sighup_takes_the_new_pair_and_a_download_goes_on() {
    let secured = secured();
    let token = secured.site.admin.token(&["demo"]);
    let mut download = secured.connect(&secured.first_ca).unwrap();
    download.send_get(&format!("/t/{}/demo/{FILE}", token.value), &[]).unwrap();
    let head = download.head().unwrap();
    assert_eq!(head.status, 200);

    secured.replace(true);
    secured.site.process.signal(Signal::HUP);
    patience::until("the new certificate", || secured.serves(&secured.other.ca).then_some(()));
    assert!(!secured.serves(&secured.first_ca), "the old certificate is still given");

    let answer = download.rest(head);
    assert!(answer.whole && answer.body.len() == LENGTH, "{} bytes", answer.body.len());
    secured.site.stop();
}

#[test]
fn a_change_of_the_files_is_enough() {
    let secured = secured();
    assert!(secured.serves(&secured.first_ca));
    secured.replace(true);
    patience::until("the new certificate", || secured.serves(&secured.other.ca).then_some(()));
    secured.site.stop();
}

#[test]
fn a_pair_that_does_not_fit_is_not_taken() {
    let secured = secured();
    secured.replace(false);
    secured.site.process.signal(Signal::HUP);
    let told = "the certificate can't be read again; the last good one stays";
    patience::until("the error in the log", || {
        secured.site.process.stderr().contains(told).then_some(())
    });
    assert!(secured.serves(&secured.first_ca), "the last good one is gone");
    assert!(!secured.serves(&secured.other.ca));
    // With its key it is one.
    secured.replace(true);
    patience::until("the new certificate", || secured.serves(&secured.other.ca).then_some(()));
    secured.site.stop();
}
