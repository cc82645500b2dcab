//! A web server's file arrives byte for byte, whichever way it takes through the gateway: from socket
//! to socket by the kernel, or copied for TLS and HTTP/2; and what goes wrong on the way is seen to be
//! wrong.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use crate::sending::{
    KB, LENGTHS, MB, ask_for_heads, ask_for_ranges, content, is_all_of, line, name,
};
use crate::site::upstream::{Arrived, Then, Upstream, answer, ok};
use crate::site::{Connection, Database, Issued, Setup, Site, patience};

/// More than every buffer between the server and the client holds.
const LARGE: usize = 64 * MB;

/// Around what is copied and what is put into a pipe, and the most that is in one.
fn lengths() -> impl Iterator<Item = usize> {
    let around = [96 * KB, 288 * KB, MB + 32 * KB].into_iter();
    LENGTHS.into_iter().chain(around.flat_map(|length| [length - 1, length, length + 1]))
}

/// A server of files whose names tell their lengths, with one connection after the other.
fn serve(arrived: &Arrived, stream: &mut TcpStream) -> std::io::Result<Then> {
    let file = arrived.path().rsplit('/').next().unwrap_or_default();
    let length: usize = file
        .trim_matches(|c: char| !c.is_ascii_digit())
        .split('-')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let field = |name: &str| {
        arrived.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let etag = format!("ETag: \"{length}\"");
    if field("if-none-match").is_some() {
        answer(stream, "304 Not Modified", &[&etag], b"")?;
        return Ok(Then::Keep);
    }
    let whole = content(length);
    let range = field("range").and_then(|range| range.strip_prefix("bytes="));
    // Some servers have no ranges.
    let (status, range, part) = match range.and_then(|range| range.split_once('-')) {
        Some((first, last)) if length % 2 == 1 => {
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            let range = format!("Content-Range: bytes {first}-{last}/{length}");
            ("206 Partial Content", range, &whole[first..=last])
        }
        _ => ("200 OK", "Server: x".to_owned(), &whole[..]),
    };
    let told = format!("Content-Length: {}", part.len());
    let is_head = arrived.head.starts_with("HEAD");
    answer(stream, status, &[&etag, &range, &told], if is_head { b"" } else { part })?;
    Ok(Then::Keep)
}

/// A gateway that asks the server each time, and a token's path to its channel.
fn site(url: &str) -> (Site, String) {
    site_with(url, |_| {})
}

fn site_with(url: &str, set: impl FnOnce(&mut Setup)) -> (Site, String) {
    let mut setup = Setup::with_upstream(url);
    setup.text("gateway.cache.package_ttl", "0s");
    // One thread, and so one pool.
    setup.set("gateway.threads", "1");
    set(&mut setup);
    let token = setup.admin.token(&["demo"]).value;
    (setup.start(), format!("/t/{token}/demo"))
}

#[test]
fn files_of_every_length_arrive_byte_for_byte_on_one_connection() {
    let upstream = Upstream::start(serve);
    let (site, channel) = site(&upstream.url());
    let mut connection = site.connect();
    for (asked, length) in lengths().enumerate() {
        let answer = connection.get(&format!("{channel}/{}", name(length)), &[]).unwrap();
        is_all_of(&answer, length);
        assert_eq!(line(&site, &answer), ("complete".to_owned(), length as u64));
        let arrived = upstream.arrived();
        assert_eq!(arrived.last().unwrap().nth, asked, "{length}: on the one connection there is");
    }
    site.stop();
}

#[test]
fn ranges_arrive_byte_for_byte_whether_the_server_has_them_or_not() {
    let upstream = Upstream::start(serve);
    let (site, channel) = site(&upstream.url());
    ask_for_ranges(&site, &channel, lengths());
    site.stop();
}

#[test]
fn heads_and_unmodified_files_leave_both_connections_in_step() {
    let upstream = Upstream::start(serve);
    let (site, channel) = site(&upstream.url());
    ask_for_heads(&site, &channel, lengths());
    let arrived = upstream.arrived();
    // A HEAD is the last question on its connection: some servers send content all the same.
    let follows_head = |at: usize| arrived[at - 1].head.starts_with("HEAD ");
    for (at, request) in arrived.iter().enumerate() {
        assert_eq!(request.nth == 0, at == 0 || follows_head(at), "{at}: {}", request.head);
    }
    site.stop();
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let upstream = Upstream::start(serve);
    let (site, channel) = site(&upstream.url());
    let mut stream = TcpStream::connect(site.gateway).unwrap();
    let request = |length: usize| {
        format!("GET {channel}/{} HTTP/1.1\r\nHost: gateway.example\r\n\r\n", name(length))
    };
    let requests: String = lengths().map(request).collect();
    let mut answers = Connection::over(stream.try_clone().unwrap());
    stream.write_all(requests.as_bytes()).unwrap();
    for length in lengths() {
        let head = answers.head().unwrap();
        is_all_of(&answers.rest(head), length);
    }
    site.stop();
}

/// Encrypted on either side, bytes are copied.
#[test]
fn files_of_every_length_arrive_over_tls_and_http_2() {
    let mut behind = Setup::with_demo_channel(Database::Sqlite);
    let ca = behind.tls().ca;
    for length in lengths() {
        fs::write(behind.path("storage/demo").join(name(length)), content(length)).unwrap();
    }
    let token = behind.admin.token(&["demo"]).value;
    let behind = behind.start();
    let url = format!("https://localhost:{}/t/{token}", behind.gateway.port());
    let (plain, channel) =
        site_with(&url, |setup| setup.text("storage.main.ca_file", ca.display()));
    let mut connection = plain.connect();
    for length in lengths() {
        is_all_of(&connection.get(&format!("{channel}/{}", name(length)), &[]).unwrap(), length);
    }
    plain.stop();

    let upstream = Upstream::start(serve);
    let mut ca = ca;
    let (encrypted, channel) = site_with(&upstream.url(), |setup| ca = setup.tls().ca);
    for version in ["--http1.1", "--http2"] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--fail", version, "--cacert"]).arg(&ca);
        for length in lengths() {
            let port = encrypted.gateway.port();
            curl.arg("-o").arg(encrypted.path(&format!("out{length}")));
            curl.arg(format!("https://localhost:{port}{channel}/{}", name(length)));
        }
        assert!(curl.status().unwrap().success(), "{version}");
        for length in lengths() {
            let arrived = fs::read(encrypted.path(&format!("out{length}"))).unwrap();
            assert!(arrived == content(length), "{version}: {length}");
        }
    }
    encrypted.stop();
    behind.stop();
}

/// A client that takes little at a time, and once nothing for longer than a part may be in a pipe.
#[test]
fn a_slow_client_gets_every_byte() {
    let length = 20 * MB + 3;
    let upstream = Upstream::start(serve);
    let (site, channel) = site(&upstream.url());
    let mut connection = site.connect();
    connection.send_get(&format!("{channel}/{}", name(length)), &[]).unwrap();
    let head = connection.head().unwrap();
    patience::until("the part to be in memory", || (pipes(&site) > 0).then_some(()));
    sleep(Duration::from_millis(1_500));
    let (mut taken, mut buffer) = (Vec::new(), vec![0; 100_007]);
    while taken.len() < length {
        let count = connection.read(&mut buffer).unwrap();
        taken.extend_from_slice(&buffer[..count]);
        if taken.len() % 7 == 0 {
            sleep(Duration::from_millis(3));
        }
    }
    assert!(taken == content(length));
    let line = site.line_of(head.field("x-request-id").unwrap());
    assert_eq!((&line["end"], &line["bytes"]), (&"complete".into(), &length.into()), "{line}");
    site.stop();
}

/// How many pipes the gateway's process has.
fn pipes(site: &Site) -> usize {
    let folder = format!("/proc/{}/fd", site.process.id());
    let names = fs::read_dir(folder).unwrap().filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
    names.filter(|name| name.to_string_lossy().starts_with("pipe:")).count() / 2
}

/// More clients than there are pipes, and none that takes anything for a while.
#[test]
fn stalled_clients_hold_no_pipes_and_get_every_byte() {
    let length = 12 * MB + 1;
    let whole: Arc<[u8]> = content(length).into();
    let served = Arc::clone(&whole);
    let upstream = Upstream::start(move |_, stream| ok(stream, &served));
    let (site, channel) = site_with(&upstream.url(), |setup| {
        setup.text("gateway.limits.send_timeout", "10m");
    });
    let before = pipes(&site);
    let begin = |_| {
        let mut connection = site.connect();
        connection.send_get(&format!("{channel}/{}", name(length)), &[]).unwrap();
        let head = connection.head().unwrap();
        (connection, head)
    };
    let begun: Vec<_> = (0..110).map(begin).collect();
    patience::until("the pipes to be let go", || (pipes(&site) <= before + 8).then_some(()));
    for (mut connection, head) in begun {
        let answer = connection.rest(head);
        assert!(answer.whole && answer.body == *whole, "{} bytes", answer.body.len());
    }
    site.stop();
}

#[test]
fn a_client_that_leaves_is_counted_what_was_sent_to_it() {
    let upstream = Upstream::start(serve);
    let (site, channel) = site(&upstream.url());
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
    // Nothing of it is on the next one's connection.
    let next = site.get(&format!("{channel}/{}", name(MB)));
    is_all_of(&next, MB);
    assert_eq!(upstream.arrived().last().unwrap().nth, 0);
    site.stop();
}

/// What was sent of it before went to the client, and is counted.
#[test]
fn a_server_that_fails_midway_is_told_from_a_client_that_left() {
    let upstream = Upstream::start(|arrived, stream| {
        let told = format!("Content-Length: {}", 5 * MB);
        let whole = content(5 * MB);
        match arrived.path() {
            path if path.ends_with("long-1-0.conda") => {
                answer(stream, "200 OK", &[&told], &whole)?;
                stream.write_all(b"and more")?;
                return Ok(Then::Keep);
            }
            _ => answer(stream, "200 OK", &[&told], &whole[..3 * MB])?,
        }
        // What was sent must arrive.
        sleep(Duration::from_millis(300));
        match arrived.path() {
            path if path.ends_with("reset-1-0.conda") => Ok(Then::Reset),
            path if path.ends_with("stalled-1-0.conda") => {
                sleep(Duration::from_secs(3));
                Ok(Then::Keep)
            }
            path if path.ends_with("dripping-1-0.conda") => {
                for byte in &whole[3 * MB..3 * MB + 5] {
                    sleep(Duration::from_millis(100));
                    stream.write_all(&[*byte])?;
                }
                stream.write_all(&whole[3 * MB + 5..])?;
                Ok(Then::Keep)
            }
            _ => Ok(Then::Close),
        }
    });
    let (site, channel) = site_with(&upstream.url(), |setup| {
        setup.text("storage.main.idle_timeout", "1s");
    });
    for (fault, length) in
        [("reset", 3), ("closed", 3), ("stalled", 3), ("dripping", 5), ("long", 5)]
    {
        let answer = site.get(&format!("{channel}/noarch/{fault}-1-0.conda"));
        assert!(content(5 * MB).starts_with(&answer.body), "{fault}");
        assert_eq!((answer.body.len(), answer.whole), (length * MB, length == 5), "{fault}");
        let line = site.line_of(&answer.request_id());
        assert_eq!(line["bytes"], length * MB, "{fault}: {line}");
        let end = if length == 5 { "complete" } else { "cut" };
        assert_eq!(line["end"], end, "{fault}: {line}");
        let detail = line["detail"].as_str().unwrap_or_default();
        assert_eq!(detail.contains(&upstream.url()), length == 3, "{fault}: {line}");
    }
    site.stop();
}

#[test]
fn a_download_is_reset_when_its_token_is_revoked() {
    let upstream = Upstream::start(serve);
    let (site, _) = site(&upstream.url());
    for is_stalled in [true, false] {
        let token: Issued = site.admin.token(&["demo"]);
        site.wait_for(token.revision);
        let mut connection = site.connect();
        let path = format!("/t/{}/demo/{}", token.value, name(LARGE));
        connection.send_get(&path, &[]).unwrap();
        let head = connection.head().unwrap();
        let (mut taken, mut buffer) = (0, vec![0; MB]);
        while !is_stalled && taken < 10 * MB {
            taken += connection.read(&mut buffer).unwrap();
        }
        site.admin.revoke(&token);
        let line = site.line_of(head.field("x-request-id").unwrap());
        assert_eq!(line["end"], "cut", "{line}");
        let why = loop {
            match connection.read(&mut buffer) {
                Ok(0) => panic!("after {taken} bytes the connection ended as if all were well"),
                Ok(count) => taken += count,
                Err(why) => break why,
            }
        };
        assert_eq!(why.kind(), ErrorKind::ConnectionReset, "{why}");
        assert!(taken < LARGE);
    }
    site.stop();
}
