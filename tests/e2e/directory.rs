//! A directory gives what lies in it and nothing else, whole or cut and never mixed.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use access::Privacy;

use crate::site::{Answer, Connection, Database, Setup, Site, files, patience};

/// More than every buffer between the file and the client holds.
const LENGTH: usize = 64 * 1024 * 1024;
const SECRET: &str = "not for clients";

/// A gateway on a directory with `prepare`d files in the channel's `noarch`.
fn site(prepare: impl FnOnce(&Path)) -> (Site, String) {
    let setup = Setup::with_demo_channel(Database::Sqlite);
    fs::write(setup.path("outside-1.0-0.conda"), SECRET).unwrap();
    fs::create_dir_all(setup.path("storage/other/noarch")).unwrap();
    fs::write(setup.path("storage/other/noarch/theirs-1.0-0.conda"), SECRET).unwrap();
    prepare(&setup.path("storage/demo/noarch"));
    let token = setup.admin.token(&["demo"]).value;
    (setup.start(), token)
}

fn get(site: &Site, token: &str, name: &str) -> Answer {
    site.get(&format!("/t/{token}/demo/noarch/{name}-1.0-0.conda"))
}

#[test]
fn a_link_out_of_the_storage_is_not_followed() {
    let (site, token) = site(|noarch| {
        let link = |to: &str, name: &str| symlink(to, noarch.join(format!("{name}-1.0-0.conda")));
        let outside = noarch.join("../../../outside-1.0-0.conda").canonicalize().unwrap();
        link(outside.to_str().unwrap(), "absolute").unwrap();
        link("../../../outside-1.0-0.conda", "relative").unwrap();
        link("second-1.0-0.conda", "first").unwrap();
        link("relative-1.0-0.conda", "second").unwrap();
        link("/proc/self/environ", "process").unwrap();
        link("loop-1.0-0.conda", "loop").unwrap();
        link("nowhere", "dangling").unwrap();
        // Within the storage a link is a file like another.
        link("demo-blob-0.1.0-0.conda", "within").unwrap();
        symlink("../../../..", noarch.join("up")).unwrap();
    });
    for name in ["absolute", "relative", "first", "second", "process", "loop", "dangling"] {
        let answer = get(&site, &token, name);
        assert_eq!((answer.status(), &*answer.error()), (404, "not-found"), "{name}");
        assert!(!answer.text().contains(SECRET));
    }
    assert_eq!(get(&site, &token, "within").status(), 200);
    let log = site.process.stderr();
    assert!(log.contains("a link leads out of the storage"), "{log}");
    site.stop();
}

#[test]
fn a_path_out_of_the_channel_is_refused() {
    let (site, token) = site(|_| {});
    for path in [
        "noarch/../../other/noarch/theirs-1.0-0.conda",
        "../other/noarch/theirs-1.0-0.conda",
        "noarch/..%2f..%2fother%2fnoarch%2ftheirs-1.0-0.conda",
        "%2e%2e/other/noarch/theirs-1.0-0.conda",
        "noarch/%00theirs-1.0-0.conda",
        "noarch//theirs-1.0-0.conda",
    ] {
        let answer = site.get(&format!("/t/{token}/demo/{path}"));
        assert_eq!(answer.status(), 400, "{path}");
        assert!(!answer.text().contains(SECRET));
    }
    site.stop();
}

#[test]
fn what_is_no_file_is_absent_and_holds_up_nobody() {
    let (site, token) = site(|noarch| {
        fs::create_dir(noarch.join("folder-1.0-0.conda")).unwrap();
        let mut mkfifo = std::process::Command::new("mkfifo");
        assert!(mkfifo.arg(noarch.join("pipe-1.0-0.conda")).status().unwrap().success());
        std::os::unix::net::UnixListener::bind(noarch.join("socket-1.0-0.conda")).unwrap();
    });
    for name in ["folder", "pipe", "socket"] {
        assert_eq!(get(&site, &token, name).status(), 404, "{name}");
    }
    site.stop();
}

/// Not absent: whoever may not read it has a storage that is set up wrongly.
#[test]
fn a_file_that_the_gateway_may_not_read_is_the_operators_matter() {
    let mut setup = Setup::with_demo_channel(Database::Sqlite);
    let file = setup.path("storage/demo/noarch/closed-1.0-0.conda");
    fs::write(&file, SECRET).unwrap();
    files::set_mode(&file, 0o000);
    let token = setup.admin.token(&["demo"]).value;
    setup.as_nobody();
    let site = setup.start();
    let answer = get(&site, &token, "closed");
    assert_eq!((answer.status(), &*answer.error()), (502, "storage-failed"));
    let line = site.line_of(&answer.request_id());
    assert!(line["detail"].as_str().unwrap().contains("closed-1.0-0.conda"), "{line}");
    assert_eq!(line["fault"], "upstream");
    site.stop();
}

/// A download of a large file, of which the beginning was taken.
struct Begun {
    site: Site,
    connection: Connection<std::net::TcpStream>,
    head: crate::site::client::Head,
    file: PathBuf,
}

fn begun() -> Begun {
    let mut large = PathBuf::new();
    let (site, token) = site(|noarch| {
        large = noarch.join("large-1.0-0.conda");
        fs::write(&large, vec![b'a'; LENGTH]).unwrap();
    });
    let mut connection = site.connect();
    let path = format!("/t/{token}/demo/noarch/large-1.0-0.conda");
    connection.send_get(&path, &[]).unwrap();
    let head = connection.head().unwrap();
    assert_eq!(head.status, 200);
    Begun { site, connection, head, file: large }
}

impl Begun {
    fn end(mut self) -> (Answer, Site) {
        (self.connection.rest(self.head), self.site)
    }
}

fn open(file: &Path) -> fs::File {
    fs::OpenOptions::new().write(true).open(file).unwrap()
}

#[test]
fn a_file_that_is_truncated_while_it_is_sent_is_cut() {
    let begun = begun();
    open(&begun.file).set_len(1000).unwrap();
    is_cut(begun);
}

#[test]
fn a_file_that_is_written_over_while_it_is_sent_is_cut() {
    let begun = begun();
    let mut file = open(&begun.file);
    file.seek(SeekFrom::Start(LENGTH as u64 / 2)).unwrap();
    file.write_all(&vec![b'b'; LENGTH / 2]).unwrap();
    is_cut(begun);
}

fn is_cut(begun: Begun) {
    let (answer, site) = begun.end();
    // What was under way by then the kernel sends as the file is now (docs/decisions/http1.md).
    assert!(!answer.whole, "a mixed file was taken for whole");
    let line = site.line_of(&answer.request_id());
    assert_eq!((&line["end"], &line["fault"]), (&"cut".into(), &"upstream".into()), "{line}");
    assert!(line["detail"].as_str().unwrap().contains("changed"), "{line}");
    site.stop();
}

#[test]
fn a_file_that_is_replaced_while_it_is_sent_is_sent_as_it_was() {
    let begun = begun();
    let new = begun.file.with_extension("new");
    fs::write(&new, vec![b'b'; LENGTH]).unwrap();
    fs::rename(&new, &begun.file).unwrap();
    let (answer, site) = begun.end();
    assert!(answer.whole);
    assert!(answer.body.len() == LENGTH && answer.body.iter().all(|byte| *byte == b'a'));
    site.stop();
}

/// A folder that isn't mounted must not look like a channel without packages.
#[test]
fn w13_a_storage_that_is_not_there_is_no_empty_channel() {
    let (site, token) = site(|_| {});
    fs::rename(site.path("storage"), site.path("unmounted")).unwrap();
    for file in ["noarch/repodata.json", "noarch/repodata.json.zst", "linux-64/repodata.json"] {
        let answer = site.get(&format!("/t/{token}/demo/{file}"));
        assert_eq!((answer.status(), &*answer.error()), (503, "storage-unreachable"), "{file}");
        assert!(answer.field("retry-after").is_some());
    }
    fs::rename(site.path("unmounted"), site.path("storage")).unwrap();
    patience::until("the storage to be back", || {
        let answer = site.get(&format!("/t/{token}/demo/noarch/repodata.json"));
        (answer.status() == 200).then_some(())
    });
    site.stop();
}

/// The public channel beside a private one in the same tree: each gives its own prefix alone.
#[test]
fn a_channel_gives_its_own_prefix_alone() {
    let (site, token) = site(|_| {});
    site.admin.channel("open", Privacy::Public, "main", "other");
    let made = site.admin.token(&["demo"]);
    site.wait_for(made.revision);
    assert_eq!(site.get("/open/noarch/theirs-1.0-0.conda").text(), SECRET);
    assert_eq!(get(&site, &token, "theirs").status(), 404);
    assert_eq!(site.get("/open/noarch/demo-blob-0.1.0-0.conda").status(), 404);
    site.stop();
}
