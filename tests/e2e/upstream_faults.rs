//! What becomes of a request when the web server behind a storage fails: its status or a cut
//! answer, a log that names the server, and a pool that goes on (wire.md, "Refusals", W19).

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use crate::site::upstream::{Arrived, Then, Upstream, answer, ok};
use crate::site::{Answer, Connection, Setup, Site, port};

const PART: &[u8] = &[b'x'; 40_000];
const WHOLE: &[u8] = &[b'y'; 100_000];
/// Every timeout of the storage, and the least that can be set.
const TIMEOUT: Duration = Duration::from_secs(1);

/// A gateway in front of the server.
fn site(url: &str) -> Site {
    let mut setup = Setup::with_upstream(url);
    for timeout in ["connect_timeout", "first_byte_timeout", "idle_timeout"] {
        setup.set(&format!("storage.main.{timeout}"), "\"1s\"");
    }
    setup.text("gateway.drain", "1s");
    // One thread, and so one pool.
    setup.set("gateway.threads", "1");
    setup.start()
}

/// The file of which `faulty` makes the fault `name`.
fn path(token: &str, name: &str) -> String {
    format!("/t/{token}/demo/noarch/{name}-1.0-0.conda")
}

/// Asks for the fault, and sees that the next request is served and the log names the server.
fn ask(site: &Site, upstream: &str, token: &str, fault: &str) -> (Answer, serde_json::Value) {
    // To whoever asked for no part one is a fault of its own.
    let range: &[&str] = if fault.ends_with("part") { &["Range: bytes=0-9"] } else { &[] };
    let answer = site.get_with(&path(token, fault), range);
    let line = site.line_of(&answer.request_id());
    if answer.status() >= 400 || !answer.whole {
        assert_eq!(line["fault"], "upstream", "{fault}: {line}");
        let detail = line["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(upstream), "{fault}: the log doesn't name the server: {line}");
    }
    assert_eq!(line["end"], if answer.whole { "complete" } else { "cut" }, "{fault}: {line}");
    let next = site.get(&path(token, "fine"));
    assert_eq!((next.status(), &*next.body, next.whole), (200, WHOLE, true), "after {fault}");
    (answer, line)
}

/// Does what the name of the file asks for.
fn faulty(arrived: &Arrived, stream: &mut TcpStream) -> io::Result<Then> {
    let long = format!("Content-Length: {}", WHOLE.len());
    let file = arrived.path().rsplit('/').next().unwrap_or_default();
    match file.trim_end_matches("-1.0-0.conda") {
        "reset-before-head" => return Ok(Then::Reset),
        "closed-before-head" => return Ok(Then::Close),
        "reset-in-head" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Le")?;
            sleep(Duration::from_millis(50));
            return Ok(Then::Reset);
        }
        "stalled-before-head" => sleep(3 * TIMEOUT),
        "reset-in-body" => {
            answer(stream, "200 OK", &[&long], PART)?;
            // What was sent must arrive, or it is a reset before the body.
            sleep(Duration::from_millis(200));
            return Ok(Then::Reset);
        }
        "too-short" => {
            answer(stream, "200 OK", &[&long], PART)?;
            return Ok(Then::Close);
        }
        "stalled-in-body" => {
            answer(stream, "200 OK", &[&long], PART)?;
            sleep(3 * TIMEOUT);
        }
        "too-long" => {
            answer(stream, "200 OK", &[&long], WHOLE)?;
            stream.write_all(PART)?;
        }
        "two-lengths" => {
            answer(stream, "200 OK", &[&long, "Content-Length: 5"], WHOLE)?;
        }
        "length-and-chunks" => {
            let chunked = "Transfer-Encoding: chunked";
            answer(stream, "200 OK", &[chunked, "Content-Length: 5"], b"5\r\nhello\r\n0\r\n\r\n")?;
        }
        "two-equal-lengths" => answer(stream, "200 OK", &[&long, &long], WHOLE)?,
        "hints" => {
            answer(stream, "103 Early Hints", &["Link: </style.css>"], b"")?;
            answer(stream, "200 OK", &[&long], WHOLE)?;
        }
        "old-server" => {
            let head = format!("HTTP/1.0 200 OK\r\n{long}\r\n\r\n");
            stream.write_all(head.as_bytes())?;
            stream.write_all(WHOLE)?;
            return Ok(Then::Close);
        }
        "error-500" => answer(stream, "500 Oops", &["Content-Length: 5"], b"oops\n")?,
        "error-401" => {
            let challenge = "WWW-Authenticate: Basic realm=\"storage\"";
            answer(stream, "401 Unauthorized", &[challenge, "Content-Length: 0"], b"")?;
        }
        "error-403" => answer(stream, "403 Forbidden", &["Content-Length: 0"], b"")?,
        "error-503" => {
            let fields = ["Retry-After: 7", "Content-Length: 0"];
            answer(stream, "503 Service Unavailable", &fields, b"")?;
        }
        "error-504" => answer(stream, "504 Gateway Timeout", &["Content-Length: 0"], b"")?,
        "redirect-elsewhere" => {
            let location = "Location: http://elsewhere.example/file";
            answer(stream, "302 Found", &[location, "Content-Length: 0"], b"")?;
        }
        "redirect-within" => {
            let location = "Location: /moved/fine-1.0-0.conda";
            answer(stream, "302 Found", &[location, "Content-Length: 0"], b"")?;
        }
        "redirect-round" => {
            let location = "Location: redirect-round-1.0-0.conda";
            answer(stream, "302 Found", &[location, "Content-Length: 0"], b"")?;
        }
        "redirect-nowhere" => answer(stream, "302 Found", &["Content-Length: 0"], b"")?,
        "garbage" => stream.write_all(b"220 mail.example ESMTP ready\r\n\r\n")?,
        // And no line's end to wait for.
        "banner" => stream.write_all(b"SSH-2.0-server")?,
        "huge-head" => {
            let field = format!("X-Much: {}", "x".repeat(2 * 1024 * 1024));
            answer(stream, "200 OK", &[&field, &long], WHOLE)?;
        }
        "short-part" => {
            let range = "Content-Range: bytes 0-9/10";
            answer(stream, "206 Partial Content", &[range, "Content-Length: 5"], b"hello")?;
        }
        "other-part" => {
            let range = "Content-Range: bytes 2-6/10";
            answer(stream, "206 Partial Content", &[range, "Content-Length: 5"], b"hello")?;
        }
        "chunks-for-a-part" => {
            let fields = ["Content-Range: bytes 0-9/20", "Transfer-Encoding: chunked"];
            answer(stream, "206 Partial Content", &fields, b"5\r\nhello\r\n0\r\n\r\n")?;
        }
        "no-part" => {
            answer(stream, "206 Partial Content", &["Content-Length: 5"], b"hello")?;
        }
        "cut-chunks" => {
            answer(stream, "200 OK", &["Transfer-Encoding: chunked"], b"5\r\nhello\r\n")?;
            return Ok(Then::Close);
        }
        "chunks" => {
            let chunks = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
            answer(stream, "200 OK", &["Transfer-Encoding: chunked"], chunks)?;
        }
        "endless-chunks" => {
            answer(stream, "200 OK", &["Transfer-Encoding: chunked"], b"")?;
            loop {
                stream.write_all(b"5\r\nhello\r\n")?;
                sleep(TIMEOUT / 4);
            }
        }
        "until-close" => {
            answer(stream, "200 OK", &["Connection: close"], WHOLE)?;
            return Ok(Then::Close);
        }
        "slow" => {
            // Longer than a timeout in all, and never as long at a time.
            answer(stream, "200 OK", &["Content-Length: 8"], b"")?;
            for byte in b"dripping" {
                sleep(TIMEOUT / 4);
                stream.write_all(&[*byte])?;
            }
        }
        _ => return ok(stream, WHOLE),
    }
    Ok(Then::Keep)
}

#[test]
fn each_fault_has_its_status_and_the_pool_goes_on() {
    let upstream = Upstream::start(faulty);
    let site = site(&upstream.url());
    let token = site.admin.token(&["demo"]).value;
    for (fault, status, error) in [
        ("reset-before-head", 503, "storage-unreachable"),
        ("closed-before-head", 503, "storage-unreachable"),
        ("reset-in-head", 503, "storage-unreachable"),
        ("stalled-before-head", 504, "storage-timeout"),
        ("two-lengths", 502, "storage-failed"),
        ("length-and-chunks", 502, "storage-failed"),
        ("banner", 502, "storage-failed"),
        ("error-500", 502, "storage-failed"),
        ("error-401", 502, "storage-failed"),
        ("error-403", 502, "storage-failed"),
        ("error-503", 503, "storage-unreachable"),
        ("error-504", 504, "storage-timeout"),
        ("redirect-elsewhere", 502, "storage-failed"),
        ("redirect-round", 502, "storage-failed"),
        ("redirect-nowhere", 502, "storage-failed"),
        ("garbage", 502, "storage-failed"),
        ("huge-head", 502, "storage-failed"),
        ("no-part", 502, "storage-failed"),
        ("short-part", 502, "storage-failed"),
        ("other-part", 502, "storage-failed"),
    ] {
        let (answer, line) = ask(&site, &upstream.url(), &token, fault);
        assert_eq!((answer.status(), &*answer.error()), (status, error), "{fault}: {line}");
        assert!(answer.whole, "{fault}");
        // An upstream's challenge would make clients send their passwords.
        assert_eq!(answer.field("www-authenticate"), None, "{fault}");
        let retry = answer.field("retry-after");
        assert_eq!(retry.is_some(), status == 503, "{fault}: Retry-After: {retry:?}");
        assert!(!answer.text().contains(&upstream.address.to_string()), "{fault}");
    }
    site.stop();
}

#[test]
fn an_answer_that_fails_midway_is_cut() {
    let upstream = Upstream::start(faulty);
    let site = site(&upstream.url());
    let token = site.admin.token(&["demo"]).value;
    for fault in ["reset-in-body", "too-short", "stalled-in-body", "cut-chunks"] {
        let (answer, _) = ask(&site, &upstream.url(), &token, fault);
        assert_eq!((answer.status(), answer.whole), (200, false), "{fault}");
        let expected = if fault == "cut-chunks" { b"hello" } else { PART };
        // What came of it was sent on, and nothing else was.
        assert!(expected.starts_with(&answer.body), "{fault}: {} bytes", answer.body.len());
    }
    site.stop();
}

/// A server that doesn't tell a part's length: it has to be as long as what it says it is a part of.
#[test]
fn a_part_that_is_too_short_is_cut() {
    let upstream = Upstream::start(faulty);
    let site = site(&upstream.url());
    let token = site.admin.token(&["demo"]).value;
    let (answer, _) = ask(&site, &upstream.url(), &token, "chunks-for-a-part");
    assert_eq!((answer.status(), answer.whole), (206, false));
    site.stop();
}

/// A client that goes on with what it has of an older version, and a server that doesn't know how.
#[test]
fn a_part_of_another_version_is_asked_for_as_a_whole() {
    let upstream = Upstream::start(|arrived, stream| {
        if !arrived.head.contains("\r\nrange: ") {
            return ok(stream, WHOLE);
        }
        let fields = ["ETag: \"new\"", "Content-Range: bytes 0-4/20", "Content-Length: 5"];
        answer(stream, "206 Partial Content", &fields, b"hello")?;
        Ok(Then::Keep)
    });
    let site = site(&upstream.url());
    let file = path(&site.admin.token(&["demo"]).value, "fine");
    let part = |tag: &str| site.get_with(&file, &["Range: bytes=0-4", &format!("If-Range: {tag}")]);
    let (same, other) = (part("\"new\""), part("\"old\""));
    assert_eq!((same.status(), &*same.body), (206, &b"hello"[..]));
    assert_eq!((other.status(), &*other.body), (200, WHOLE));
    site.stop();
}

/// A client that has left before its answer began is in the log too.
#[test]
fn who_leaves_before_the_answer_is_logged() {
    let upstream = Upstream::start(faulty);
    let site = site(&upstream.url());
    let token = site.admin.token(&["demo"]).value;
    let mut connection = site.connect();
    connection.send_get(&path(&token, "stalled-before-head"), &[]).unwrap();
    drop(connection);
    let line = site.line_of("\"left\"");
    assert_eq!(line["status"], 499, "{line}");
    site.stop();
}

#[test]
fn what_is_unusual_and_right_is_served() {
    let upstream = Upstream::start(faulty);
    let site = site(&upstream.url());
    let token = site.admin.token(&["demo"]).value;
    for (fault, body) in [
        ("slow", &b"dripping"[..]),
        ("chunks", b"hello world"),
        ("until-close", WHOLE),
        ("two-equal-lengths", WHOLE),
        ("hints", WHOLE),
        ("old-server", WHOLE),
        ("redirect-within", WHOLE),
        // More than was announced is not passed on.
        ("too-long", WHOLE),
    ] {
        let (answer, line) = ask(&site, &upstream.url(), &token, fault);
        assert_eq!((answer.status(), answer.whole), (200, true), "{fault}: {line}");
        assert!(answer.body == body, "{fault}: {} bytes", answer.body.len());
    }
    site.stop();
}

#[test]
fn a_server_that_is_away_is_503_and_used_again_when_it_is_back() {
    let address = port::free();
    let url = format!("http://{address}");
    let site = site(&url);
    let token = site.admin.token(&["demo"]).value;
    let refused = site.get(&path(&token, "fine"));
    assert_eq!((refused.status(), &*refused.error()), (503, "storage-unreachable"));
    assert!(refused.field("retry-after").is_some());
    let line = site.line_of(&refused.request_id());
    assert!(line["detail"].as_str().unwrap().contains(&address.to_string()), "{line}");

    let _back = Upstream::start_at(address, faulty);
    assert_eq!(site.get(&path(&token, "fine")).body, WHOLE);
    site.stop();
}

#[test]
fn w19_a_redirect_elsewhere_is_not_followed_and_one_to_a_listed_host_is() {
    let mirror = Upstream::start(|_, stream| ok(stream, b"from the mirror"));
    let location = format!("Location: {}/file", mirror.url());
    let upstream = Upstream::start(move |_, stream| {
        answer(stream, "302 Found", &[&location, "Content-Length: 0"], b"")?;
        Ok(Then::Keep)
    });
    let strict = site(&upstream.url());
    let token = strict.admin.token(&["demo"]).value;
    assert_eq!(strict.get(&path(&token, "a")).status(), 502);
    assert!(mirror.arrived().is_empty(), "a host that isn't listed was asked");

    let mut setup = Setup::with_upstream(&upstream.url());
    setup.set("storage.main.redirect_hosts", &format!("[\"{}\"]", mirror.address));
    setup.text("storage.main.bearer", "the-storage's-own");
    let site = setup.start();
    let token = site.admin.token(&["demo"]).value;
    assert_eq!(site.get(&path(&token, "a")).body, b"from the mirror");
    // The storage's own credentials are for its own origin.
    assert!(upstream.arrived().last().unwrap().head.contains("the-storage's-own"));
    assert!(!mirror.arrived()[0].head.contains("the-storage's-own"));
}

/// A server closes idle connections whenever it likes, also just as a request goes out.
#[test]
fn a_connection_that_died_in_the_pool_costs_the_client_nothing() {
    for then in [Then::Close, Then::Reset] {
        let upstream = Upstream::start(move |arrived, stream| {
            match arrived.nth {
                0 => ok(stream, WHOLE),
                // Read, and not answered.
                _ => Ok(then),
            }
        });
        let site = site(&upstream.url());
        let token = site.admin.token(&["demo"]).value;
        for n in 0..4 {
            let answer = site.get(&path(&token, "fine"));
            assert_eq!((answer.status(), answer.whole), (200, true), "request {n}");
        }
        let arrived = upstream.arrived();
        let reused = arrived.iter().filter(|request| request.nth == 1).count();
        assert_eq!(reused, 3, "each request but the first tried the pool's connection once");
        assert_eq!(arrived.len(), 7, "and each of them one new one");
        site.stop();
    }
}

/// Only once: a server that never answers isn't asked again and again.
#[test]
fn a_request_is_sent_again_only_after_a_pooled_connection() {
    let upstream = Upstream::start(|_, _| Ok(Then::Close));
    let site = site(&upstream.url());
    let token = site.admin.token(&["demo"]).value;
    assert_eq!(site.get(&path(&token, "fine")).status(), 503);
    assert_eq!(upstream.arrived().len(), 1);
    site.stop();
}

/// An HTTP/1.0 client knows no chunks: the connection's end is the content's end, so that a cut must
/// not look like one.
#[test]
fn an_old_client_is_not_deceived_by_an_answer_without_a_length() {
    let upstream = Upstream::start(faulty);
    let site = site(&upstream.url());
    let token = site.admin.token(&["demo"]).value;
    let get = |fault: &str| {
        let mut stream = TcpStream::connect(site.gateway).unwrap();
        let path = format!("/t/{token}/demo/noarch/{fault}-1.0-0.conda");
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        let mut connection = Connection::over(stream);
        let head = connection.head().unwrap();
        assert_eq!((head.status, head.field("transfer-encoding")), (200, None), "{fault}");
        connection.rest(head)
    };
    let answer = get("chunks");
    assert!(answer.whole);
    assert_eq!(answer.body, b"hello world");
    assert!(!get("cut-chunks").whole);
    // Cut at the end of the drain.
    let process = site.process.id();
    let stopping = std::thread::spawn(move || {
        sleep(TIMEOUT / 2);
        let process = rustix::process::Pid::from_raw(process.try_into().unwrap()).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    });
    assert!(!get("endless-chunks").whole);
    stopping.join().unwrap();
}
