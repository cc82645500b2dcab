//! Small files of a web server in memory (performance.md, "Object cache rules"): how often the
//! server is asked, by whom, and what clients are told meanwhile.

use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use crate::site::upstream::{Arrived, Then, Upstream, answer};
use crate::site::{Setup, Site, patience};

const PACKAGE: &str = "noarch/small-1.0-0.conda";
const INDEX: &str = "linux-64/repodata.json";
const LARGE: &[u8] = &[b'x'; 65 * 1024];

/// What the server answers now: one file, under every name.
#[derive(Clone)]
struct File {
    status: &'static str,
    etag: &'static str,
    fields: Vec<&'static str>,
    content: &'static [u8],
    takes: Duration,
}

impl Default for File {
    fn default() -> Self {
        let (fields, takes) = (Vec::new(), Duration::ZERO);
        Self { status: "200 OK", etag: "\"v1\"", fields, content: b"the first", takes }
    }
}

/// A web server whose one file changes, with a gateway in front of it.
struct Scene {
    file: Arc<Mutex<File>>,
    upstream: Upstream,
    site: Site,
    token: String,
}

impl Scene {
    fn new(file: File) -> Self {
        Self::with(file, |_| {})
    }

    fn with(file: File, set: impl FnOnce(&mut Setup)) -> Self {
        let file = Arc::new(Mutex::new(file));
        let served = Arc::clone(&file);
        let upstream = Upstream::start(move |arrived, stream| {
            let file = served.lock().unwrap().clone();
            file.serve(arrived, stream)
        });
        let mut setup = Setup::with_upstream(&upstream.url());
        set(&mut setup);
        let site = setup.start();
        let token = site.admin.token(&["demo"]).value;
        Self { file, upstream, site, token }
    }

    fn change(&self, change: impl FnOnce(&mut File)) {
        change(&mut self.file.lock().unwrap());
    }

    fn path(&self, file: &str) -> String {
        format!("/t/{}/demo/{file}", self.token)
    }

    fn get(&self, file: &str, fields: &[&str]) -> (u16, Vec<u8>) {
        let answer = self.site.get_with(&self.path(file), fields);
        assert!(answer.whole, "{file}: cut");
        (answer.status(), answer.body)
    }

    /// How often the server was asked.
    fn asked(&self) -> usize {
        self.upstream.arrived().len()
    }
}

impl File {
    fn serve(&self, arrived: &Arrived, stream: &mut TcpStream) -> std::io::Result<Then> {
        sleep(self.takes);
        let mut fields = self.fields.clone();
        let etag = format!("ETag: {}", self.etag);
        fields.push(&etag);
        let length = format!("Content-Length: {}", self.content.len());
        let has_it = arrived.head.contains(&format!("if-none-match: {}", self.etag));
        if has_it && self.status == "200 OK" {
            answer(stream, "304 Not Modified", &fields, b"")?;
        } else {
            fields.push(&length);
            let is_head = arrived.head.starts_with("HEAD");
            answer(stream, self.status, &fields, if is_head { b"" } else { self.content })?;
        }
        Ok(Then::Keep)
    }
}

#[test]
fn a_small_file_is_asked_for_once_whoever_asks_and_however() {
    let scene = Scene::new(File::default());
    let other = scene.site.admin.token(&["demo"]).value;
    assert_eq!(scene.get(PACKAGE, &[]), (200, b"the first".to_vec()));
    let again = scene.site.get(&format!("/t/{other}/demo/{PACKAGE}"));
    assert_eq!((again.status(), &*again.body), (200, &b"the first"[..]));
    assert_eq!(again.field("etag"), Some("\"v1\""));
    assert_eq!(again.field("content-length"), Some("9"));
    assert!(again.field("age").is_some(), "{:?}", again.head);
    assert_eq!(scene.get(PACKAGE, &["If-None-Match: \"v1\""]), (304, Vec::new()));
    assert_eq!(scene.get(PACKAGE, &["Range: bytes=4-"]), (206, b"first".to_vec()));
    assert_eq!(scene.get(PACKAGE, &["Range: bytes=9-"]).0, 416);
    assert_eq!(scene.asked(), 1, "the server was asked again");
    assert_eq!(scene.site.metric("condagate_objects_hit_total"), 4);
    scene.site.stop();
}

#[test]
fn what_is_kept_is_for_those_alone_who_may_have_it() {
    let scene = Scene::new(File::default());
    assert_eq!(scene.get(PACKAGE, &[]).0, 200);
    let revoked = scene.site.admin.token(&["demo"]);
    let path = format!("/t/{}/demo/{PACKAGE}", revoked.value);
    assert_eq!(scene.site.get(&path).status(), 200);
    let revision = scene.site.admin.revoke(&revoked);
    scene.site.wait_for(revision);
    let refused = scene.site.get(&path);
    assert_eq!(refused.status(), 401);
    assert!(!refused.text().contains("the first"));
    assert!(scene.site.get(&format!("/demo/{PACKAGE}")).status() >= 400);
    scene.site.stop();
}

#[test]
fn many_who_ask_at_once_wait_for_one_answer() {
    let scene = Scene::new(File { takes: Duration::from_millis(500), ..File::default() });
    std::thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(|| assert_eq!(scene.get(PACKAGE, &[]), (200, b"the first".to_vec())));
        }
    });
    assert_eq!(scene.asked(), 1);
    scene.site.stop();
}

#[test]
fn what_is_stale_is_asked_about_once_in_the_gateways_own_words() {
    let scene = Scene::new(File { takes: Duration::from_millis(200), ..File::default() });
    assert_eq!(scene.get(INDEX, &[]).0, 200);
    // Metadata is fresh for a second.
    sleep(Duration::from_millis(1_100));
    std::thread::scope(|scope| {
        for n in 0..10 {
            let theirs = format!("If-None-Match: \"theirs-{n}\"");
            let scene = &scene;
            scope.spawn(move || {
                assert_eq!(scene.get(INDEX, &[&theirs]), (200, b"the first".to_vec()));
            });
        }
    });
    assert_eq!(scene.asked(), 2);
    let head = scene.upstream.arrived().pop().unwrap().head;
    assert!(head.contains("if-none-match: \"v1\"") && !head.contains("theirs"), "{head}");

    scene.change(|file| (file.etag, file.content) = ("\"v2\"", b"the second"));
    patience::until("the new file", || {
        (scene.get(INDEX, &["If-None-Match: \"v1\""]) == (200, b"the second".to_vec()))
            .then_some(())
    });
    scene.change(|file| file.status = "404 Not Found");
    patience::until("the file to be gone", || (scene.get(INDEX, &[]).0 == 404).then_some(()));
    scene.site.stop();
}

#[test]
fn the_storage_says_what_is_kept_and_for_how_long() {
    for (field, is_kept) in [
        ("Cache-Control: max-age=60", true),
        ("Cache-Control: no-store", false),
        ("Cache-Control: private", false),
        ("Cache-Control: no-cache", false),
        ("Vary: User-Agent", false),
        ("Vary: Accept-Encoding", true),
    ] {
        let scene = Scene::new(File { fields: vec![field], ..File::default() });
        for _ in 0..3 {
            assert_eq!(scene.get(PACKAGE, &[]), (200, b"the first".to_vec()), "{field}");
        }
        assert_eq!(scene.asked(), if is_kept { 1 } else { 3 }, "{field}");
        scene.site.stop();
    }
}

#[test]
fn no_part_and_no_error_is_kept() {
    let scene = Scene::new(File { status: "500 Internal Server Error", ..File::default() });
    assert_eq!((scene.get(PACKAGE, &[]).0, scene.get(PACKAGE, &[]).0), (502, 502));
    scene.change(|file| file.status = "404 Not Found");
    assert_eq!((scene.get(PACKAGE, &[]).0, scene.get(PACKAGE, &[]).0), (404, 404));
    scene.change(|file| file.status = "200 OK");
    assert_eq!(scene.get(PACKAGE, &["Range: bytes=0-2"]), (206, b"the".to_vec()));
    let before = scene.asked();
    assert_eq!(scene.get(PACKAGE, &[]), (200, b"the first".to_vec()));
    assert_eq!(scene.asked(), before + 1);
    scene.site.stop();
}

/// Of a large file the head alone: a client that has it is told so, one that hasn't is sent it.
#[test]
fn a_large_file_passes_through_and_its_304_come_from_memory() {
    let scene = Scene::new(File { content: LARGE, ..File::default() });
    for asked in 1..3 {
        assert_eq!(scene.get(PACKAGE, &[]), (200, LARGE.to_vec()));
        assert_eq!(scene.asked(), asked);
    }
    for _ in 0..5 {
        assert_eq!(scene.get(PACKAGE, &["If-None-Match: \"v1\""]).0, 304);
    }
    assert_eq!(scene.asked(), 2);
    assert_eq!(scene.get(PACKAGE, &["If-None-Match: \"old\""]), (200, LARGE.to_vec()));
    scene.site.stop();
}

/// The first that is seen of a file may be that a client has it already.
#[test]
fn a_304_is_remembered_too() {
    let scene = Scene::new(File::default());
    for _ in 0..3 {
        assert_eq!(scene.get(PACKAGE, &["If-None-Match: \"v1\""]).0, 304);
    }
    assert_eq!(scene.asked(), 1);
    assert_eq!(scene.get(PACKAGE, &[]), (200, b"the first".to_vec()));
    assert_eq!(scene.get(PACKAGE, &["If-None-Match: \"v1\""]).0, 304);
    assert_eq!(scene.asked(), 2);
    scene.site.stop();
}

#[test]
fn a_failing_storage_is_bridged_where_the_settings_say_so() {
    for (bridge, expected) in [("0s", 502), ("1h", 200)] {
        let scene = Scene::with(File::default(), |setup| {
            setup.text("gateway.cache.stale_if_error", bridge);
        });
        assert_eq!(scene.get(INDEX, &[]).0, 200);
        scene.change(|file| file.status = "500 Internal Server Error");
        sleep(Duration::from_millis(1_100));
        assert_eq!(scene.get(INDEX, &[]).0, expected, "bridged for {bridge}");
        scene.site.stop();
    }
}

#[test]
fn a_class_can_be_switched_off() {
    let scene = Scene::with(File::default(), |setup| {
        setup.text("gateway.cache.package_ttl", "0s");
    });
    for file in [PACKAGE, INDEX] {
        for _ in 0..2 {
            assert_eq!(scene.get(file, &[]).0, 200);
        }
    }
    assert_eq!(scene.asked(), 3, "two for the package, one for the index");
    scene.site.stop();
}
