//! A file of a directory arrives byte for byte, whichever way it takes: from memory, sent by the
//! kernel, or read for TLS and HTTP/2; and what goes wrong on the way is seen to be wrong.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::site::{Answer, Connection, Database, Setup, Site, patience};

pub(crate) const KB: usize = 1024;
pub(crate) const MB: usize = 1024 * KB;
/// Around each bound: what is held in memory, sent in one piece, put into a pipe, looked for in the page
/// cache.
pub(crate) const LENGTHS: [usize; 18] = [
    0,
    1,
    20 * KB,
    32 * KB - 1,
    32 * KB,
    32 * KB + 1,
    64 * KB - 1,
    64 * KB,
    64 * KB + 1,
    128 * KB + 1,
    256 * KB - 1,
    256 * KB,
    256 * KB + 1,
    512 * KB,
    MB - 1,
    MB,
    MB + 1,
    5 * MB + 3,
];
/// More than every buffer between the file and the client holds.
const LARGE: usize = 64 * MB;

/// No two places of a file are alike for long.
pub(crate) fn content(length: usize) -> Vec<u8> {
    let mut state = length as u32 | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).flatten().take(length).collect()
}

pub(crate) fn name(length: usize) -> String {
    format!("noarch/f{length}-1.0-0.conda")
}

fn write(channel: &Path, lengths: &[usize]) {
    for &length in lengths {
        fs::write(channel.join(name(length)), content(length)).unwrap();
    }
}

/// A gateway on a directory with files of these lengths, and a token's path to them.
fn site(lengths: &[usize]) -> (Site, String) {
    site_of(Setup::with_demo_channel(Database::Sqlite), lengths)
}

fn site_of(setup: Setup, lengths: &[usize]) -> (Site, String) {
    write(&setup.path("storage/demo"), lengths);
    let token = setup.admin.token(&["demo"]).value;
    (setup.start(), format!("/t/{token}/demo"))
}

pub(crate) fn is_all_of(answer: &Answer, length: usize) {
    assert_eq!((answer.status(), answer.whole), (200, true), "{length}");
    assert!(answer.body == content(length), "{length}: {} bytes", answer.body.len());
}

/// The line of the access log, which is there once the answer has ended.
pub(crate) fn line(site: &Site, answer: &Answer) -> (String, u64) {
    let line = site.line_of(&answer.request_id());
    (line["end"].as_str().unwrap().to_owned(), line["bytes"].as_u64().unwrap())
}

/// Asks for parts of files of these lengths, all on one connection.
pub(crate) fn ask_for_ranges(site: &Site, channel: &str, lengths: impl Iterator<Item = usize>) {
    let mut connection = site.connect();
    for length in lengths.filter(|&length| length > 1) {
        let whole = content(length);
        let middle = length / 2;
        for (first, last) in [(0, 0), (0, middle), (1, length - 1), (middle, length - 1)] {
            let range = format!("Range: bytes={first}-{last}");
            let path = format!("{channel}/{}", name(length));
            let answer = connection.get(&path, &[&range]).unwrap();
            assert_eq!((answer.status(), answer.whole), (206, true), "{length}: {range}");
            assert!(answer.body == whole[first..=last], "{length}: {range}");
            assert_eq!(line(site, &answer).1, (last - first + 1) as u64);
        }
    }
}

/// Asks for answers whose content never comes, between those whose content does, all on one
/// connection.
pub(crate) fn ask_for_heads(site: &Site, channel: &str, lengths: impl Iterator<Item = usize>) {
    let mut connection = site.connect();
    for length in lengths {
        let path = format!("{channel}/{}", name(length));
        connection.send("HEAD", &path, &[]).unwrap();
        let head = connection.head().unwrap();
        assert_eq!(head.field("content-length"), Some(&*length.to_string()));
        let etag = format!("If-None-Match: {}", head.field("etag").unwrap());
        assert_eq!(connection.get(&path, &[&etag]).unwrap().status(), 304);
        is_all_of(&connection.get(&path, &[]).unwrap(), length);
    }
}

#[test]
fn files_of_every_length_arrive_byte_for_byte_on_one_connection() {
    let (site, channel) = site(&LENGTHS);
    let mut connection = site.connect();
    // The second time they are known.
    for length in LENGTHS.into_iter().chain(LENGTHS) {
        let answer = connection.get(&format!("{channel}/{}", name(length)), &[]).unwrap();
        is_all_of(&answer, length);
        assert_eq!(line(&site, &answer), ("complete".to_owned(), length as u64));
    }
    site.stop();
}

#[test]
fn ranges_arrive_byte_for_byte() {
    let (site, channel) = site(&LENGTHS);
    ask_for_ranges(&site, &channel, LENGTHS.into_iter());
    site.stop();
}

#[test]
fn heads_and_unmodified_files_leave_the_connection_in_step() {
    let (site, channel) = site(&LENGTHS);
    ask_for_heads(&site, &channel, LENGTHS.into_iter());
    site.stop();
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let (site, channel) = site(&LENGTHS);
    let mut stream = TcpStream::connect(site.gateway).unwrap();
    let request = |length: usize| {
        format!("GET {channel}/{} HTTP/1.1\r\nHost: gateway.example\r\n\r\n", name(length))
    };
    let requests: String = LENGTHS.into_iter().map(request).collect();
    let mut answers = Connection::over(stream.try_clone().unwrap());
    stream.write_all(requests.as_bytes()).unwrap();
    for length in LENGTHS {
        let head = answers.head().unwrap();
        is_all_of(&answers.rest(head), length);
    }
    site.stop();
}

#[test]
fn an_old_client_gets_all_and_the_end_of_the_connection() {
    let (site, channel) = site(&[MB + 1]);
    let mut stream = TcpStream::connect(site.gateway).unwrap();
    let path = format!("{channel}/{}", name(MB + 1));
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
    let mut connection = Connection::over(stream);
    let head = connection.head().unwrap();
    is_all_of(&connection.rest(head), MB + 1);
    assert!(connection.is_closed());
    site.stop();
}

#[test]
fn files_of_every_length_arrive_over_tls_and_http_2() {
    let mut setup = Setup::with_demo_channel(Database::Sqlite);
    let ca = setup.tls().ca;
    let (site, channel) = site_of(setup, &LENGTHS);
    for version in ["--http1.1", "--http2"] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--fail", version, "--cacert"]).arg(&ca);
        for length in LENGTHS {
            let port = site.gateway.port();
            curl.arg("-o").arg(site.path(&format!("out{length}")));
            curl.arg(format!("https://localhost:{port}{channel}/{}", name(length)));
        }
        assert!(curl.status().unwrap().success(), "{version}");
        for length in LENGTHS {
            let arrived = fs::read(site.path(&format!("out{length}"))).unwrap();
            assert!(arrived == content(length), "{version}: {length}");
        }
    }
    site.stop();
}

/// A client that takes little at a time, in a window that the system keeps small.
#[test]
fn a_slow_client_gets_every_byte() {
    const LENGTH: usize = 5 * MB + 3;
    let (site, channel) = site(&[LENGTH]);
    let mut connection = site.connect();
    connection.send_get(&format!("{channel}/{}", name(LENGTH)), &[]).unwrap();
    let head = connection.head().unwrap();
    let (mut taken, mut buffer) = (Vec::new(), vec![0; 10_007]);
    while taken.len() < LENGTH {
        let count = connection.read(&mut buffer).unwrap();
        taken.extend_from_slice(&buffer[..count]);
        if taken.len() % 7 == 0 {
            std::thread::sleep(Duration::from_millis(3));
        }
    }
    assert!(taken == content(LENGTH));
    let line = site.line_of(head.field("x-request-id").unwrap());
    assert_eq!((&line["end"], &line["bytes"]), (&"complete".into(), &LENGTH.into()), "{line}");
    site.stop();
}

/// What its socket had taken by then is what is counted, no more.
#[test]
fn a_client_that_leaves_is_counted_what_was_sent_to_it() {
    let (site, channel) = site(&[LARGE]);
    let mut connection = site.connect();
    connection.send_get(&format!("{channel}/{}", name(LARGE)), &[]).unwrap();
    let head = connection.head().unwrap();
    let mut buffer = vec![0; 3 * MB];
    let mut taken = 0;
    while taken < buffer.len() {
        taken += connection.read(&mut buffer[taken..]).unwrap();
    }
    assert!(buffer == content(LARGE)[..3 * MB]);
    drop(connection);
    let line = site.line_of(head.field("x-request-id").unwrap());
    let bytes = line["bytes"].as_u64().unwrap() as usize;
    assert!(line["end"] == "left" && (3 * MB..LARGE).contains(&bytes), "{line}");
    patience::until("the download to be over", || {
        (site.metric("condagate_downloads_in_flight") == 0).then_some(())
    });
    site.stop();
}

/// The connection's next answer is as good as any, whatever the last one's file went through.
#[test]
fn a_file_replaced_or_removed_between_two_requests_is_so_at_once() {
    for length in [20 * KB, MB] {
        let (site, channel) = site(&[length]);
        let file = site.path("storage/demo").join(name(length));
        let path = format!("{channel}/{}", name(length));
        let mut connection = site.connect();
        is_all_of(&connection.get(&path, &[]).unwrap(), length);
        let new = file.with_extension("new");
        fs::write(&new, content(length + 1)).unwrap();
        fs::rename(&new, &file).unwrap();
        is_all_of(&connection.get(&path, &[]).unwrap(), length + 1);
        fs::write(&file, content(length + 2)).unwrap();
        is_all_of(&connection.get(&path, &[]).unwrap(), length + 2);
        fs::remove_file(&file).unwrap();
        assert_eq!(connection.get(&path, &[]).unwrap().status(), 404);
        fs::write(&file, content(length)).unwrap();
        is_all_of(&connection.get(&path, &[]).unwrap(), length);
        site.stop();
    }
}

/// What a client sends after its last request is not the end of what it is being sent.
#[test]
fn who_says_too_much_gets_all_of_the_last_answer() {
    let (site, channel) = site(&[MB]);
    let path = format!("{channel}/{}", name(MB));
    for more in ["\r\n".to_owned(), format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").repeat(300)] {
        let mut stream = TcpStream::connect(site.gateway).unwrap();
        let mut answers = Connection::over(stream.try_clone().unwrap());
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n{more}");
        stream.write_all(request.as_bytes()).unwrap();
        let head = answers.head().unwrap();
        // Until all of it is in the system's hands.
        std::thread::sleep(Duration::from_millis(200));
        is_all_of(&answers.rest(head), MB);
    }
    site.stop();
}

/// Also one that is refused for what it is.
#[test]
fn a_head_is_answered_without_content() {
    let (site, channel) = site(&[1]);
    let path = format!("{channel}/{}", name(1));
    for (fields, status) in [("", 200), ("Content-Length: 5\r\n", 400)] {
        let mut stream = TcpStream::connect(site.gateway).unwrap();
        let request =
            format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answers = Connection::over(stream);
        let head = answers.head().unwrap();
        assert_eq!(head.status, status);
        assert!(head.field("content-length").is_some() && answers.is_closed(), "{fields}");
    }
    site.stop();
}
