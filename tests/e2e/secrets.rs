//! No token is written down or passed on: not to the storage, not to a log, a metric or an answer's
//! error (style.md, habit 4; W19).

use crate::site::upstream::{Then, Upstream, answer, ok};
use crate::site::{Setup, Site, client, patience};

const FILE: &str = "noarch/repodata.json";

/// Header fields and paths that hold a token, in every place where one is looked for and in those
/// where none should be.
fn asked(token: &str, other: &str) -> Vec<(String, Vec<String>)> {
    let plain = format!("/demo/{FILE}");
    let path = format!("/t/{token}/demo");
    let with = |fields: &[String]| (plain.clone(), fields.to_vec());
    let basic = |pair: String| format!("Authorization: Basic {}", base64(pair.as_bytes()));
    let mut asked = vec![
        (format!("{path}/{FILE}"), vec![]),
        (format!("/t/{token}/api/repo/demo/{FILE}"), vec![]),
        (format!("/api/repo{path}/{FILE}"), vec![]),
        with(&[format!("Authorization: Bearer {token}")]),
        with(&[format!("Authorization: token {token}")]),
        with(&[basic(format!("any:{token}"))]),
        with(&[basic(format!("{token}:"))]),
        with(&[format!("X-Auth: {token}")]),
        // Refused, each at another step.
        (format!("/t/{token}/demo/{FILE}"), vec![format!("X-Auth: {other}")]),
        (format!("/t/{token}/t/{token}/demo/{FILE}"), vec![]),
        (format!("/demo/t/{token}/{FILE}"), vec![]),
        (format!("/t/{other}/demo/{FILE}"), vec![]),
        (format!("/t/{token}/../{token}/demo/{FILE}"), vec![]),
        (format!("/t/%63{}/demo/{FILE}", &token[1..]), vec![]),
        (format!("/t/{token}/{token}/{FILE}"), vec![]),
        (format!("/{token}/{FILE}"), vec![]),
        (format!("/{token}"), vec![]),
        (format!("/t/{token}"), vec![]),
        (plain.clone(), vec![format!("{token}: {token}")]),
        (plain.clone(), vec![format!("Content-Length: {token}")]),
        (format!("{path}/{FILE} {token}"), vec![]),
        // Served, with a token where it has no business.
        (format!("{path}/{FILE}?token={token}&t={other}"), vec![]),
        (format!("{path}/noarch/{token}-1.0-0.conda"), vec![]),
        (format!("{path}/noarch/x-{other}-1.0-0.conda"), vec![]),
        (format!("{path}/label/{token}/{FILE}"), vec![]),
        (format!("{path}/noarch/error-{other}-1.0-0.conda"), vec![]),
    ];
    for name in [
        "User-Agent",
        "Referer",
        "If-None-Match",
        "If-Range",
        "If-Modified-Since",
        "Accept",
        "Accept-Encoding",
        "Range",
        "Cookie",
        "Via",
        "X-Forwarded-For",
        "Forwarded",
        "X-Request-Id",
        "X-Anything",
    ] {
        let field = format!("{name}: https://host/t/{token}/demo \"{token}\" {other}");
        asked.push((format!("{path}/{FILE}"), vec![field]));
    }
    asked
}

/// Answers by the file's name, and quotes the whole request as careless servers do.
fn recorder() -> Upstream {
    Upstream::start(|arrived, stream| {
        if arrived.path().contains("error") {
            let quoted = arrived.head.as_bytes();
            let length = format!("Content-Length: {}", quoted.len());
            answer(stream, "500 Internal Server Error", &[&length], quoted)?;
            return Ok(Then::Keep);
        }
        ok(stream, b"{}")
    })
}

fn site(upstream: &Upstream, form: &str) -> Site {
    let mut setup = Setup::with_upstream(&upstream.url());
    setup.text("gateway.access_log", form);
    setup.text("log.level", "trace");
    setup.text("storage.main.bearer", "the-storage's-own");
    // Every request is to reach the server.
    setup.text("gateway.cache.size", "0B");
    setup.start()
}

#[test]
fn w19_no_token_is_written_down_or_passed_on() {
    for form in ["json", "text"] {
        let upstream = recorder();
        let site = site(&upstream, form);
        let token = site.admin.token(&["demo"]).value;
        // Valid too, and not granted; the second part of some is unknown.
        let other = site.admin.token(&["demo"]).value;
        let asked = asked(&token, &other);
        let mut served = 0;
        for (path, fields) in &asked {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            let answer = site.get_with(path, &fields);
            served += usize::from(answer.status() == 200);
            let told = format!("{:?} {}", answer.head, answer.text());
            let whole = without_secrets(&told, &[&token, &other]);
            assert!(whole.is_ok(), "{path} {fields:?} answered {told}");
        }
        assert!(served >= 20, "only {served} of {} were served", asked.len());
        // Its line is the last of them.
        patience::until("every line of the access log", || {
            (site.access_log().lines().count() >= asked.len()).then_some(())
        });

        let sent: String = upstream.arrived().into_iter().map(|request| request.head).collect();
        assert!(sent.contains("the-storage's-own"), "the recorder has seen nothing");
        for (place, text) in [
            ("a request to the storage", sent),
            ("the access log", site.access_log()),
            ("the log", site.process.stderr()),
            ("the standard output", site.process.stdout()),
            ("the metrics", site.metrics_text()),
            ("the probes", client::get(site.metrics, "/readyz", &[]).text()),
        ] {
            if let Err(line) = without_secrets(&text, &[&token, &other]) {
                panic!("a token is in {place}: {line}");
            }
        }
        site.stop();
    }
}

/// What passes to the storage is a short list, whatever a client sends.
#[test]
fn w19_only_listed_fields_reach_the_storage() {
    const LISTED: [&str; 11] = [
        "host",
        "x-request-id",
        "range",
        "if-range",
        "if-none-match",
        "if-modified-since",
        "accept",
        "accept-encoding",
        "user-agent",
        "via",
        "authorization",
    ];
    let upstream = recorder();
    let site = site(&upstream, "json");
    let token = site.admin.token(&["demo"]).value;
    let fields = [
        "Cookie: a=b",
        "Referer: https://elsewhere.example/",
        "Forwarded: for=192.0.2.1",
        "X-Forwarded-For: 192.0.2.1",
        "X-Forwarded-Host: elsewhere.example",
        "X-Request-Id: forged",
        "Proxy-Authorization: Basic YTpi",
        "TE: trailers",
        "Keep-Alive: timeout=5",
        "Origin: https://elsewhere.example",
        "X-Original-URL: /other/noarch/repodata.json",
        "X-HTTP-Method-Override: DELETE",
        "Range: bytes=0-0",
        "If-Range: \"v0\"",
        "If-None-Match: \"v0\"",
        "Accept: */*",
        "User-Agent: conda/26.1",
    ];
    site.get_with(&format!("/t/{token}/demo/{FILE}"), &fields);
    let head = upstream.arrived().remove(0).head;
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("GET /demo/noarch/repodata.json HTTP/1.1"));
    for line in lines.filter(|line| !line.is_empty()) {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        assert!(LISTED.contains(&&*name), "{line}");
        assert!(!line.contains("forged") && !line.contains("elsewhere"), "{line}");
    }
    assert!(head.contains("conda/26.1") && head.contains("the-storage's-own"), "{head}");
    site.stop();
}

/// An error with the first line that holds a secret, or any long part of one.
fn without_secrets(text: &str, secrets: &[&str]) -> Result<(), String> {
    for secret in secrets {
        // Its hint, the first characters, may be told; a tail that is still long may not.
        let tail = &secret[secret.len() - 20..];
        if let Some(line) = text.lines().find(|line| line.contains(tail)) {
            return Err(line.to_owned());
        }
        // As in `Basic`, in each of the three places that base64 may give it.
        for shift in 0..3 {
            let encoded = base64(&secret.as_bytes()[shift..]);
            let middle = &encoded[4..encoded.len() - 8];
            if let Some(line) = text.lines().find(|line| line.contains(middle)) {
                return Err(line.to_owned());
            }
        }
    }
    Ok(())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().chain(&[0, 0]).take(3).fold(0, |n, b| n << 8 | usize::from(*b));
        for place in 0..4 {
            let digit = DIGITS[bits >> (18 - 6 * place) & 63];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[test]
fn a_hidden_secret_is_found() {
    let secret = "cg-0123456789abcdefghijklmnopqrstuvABCDEF";
    for text in [
        secret.to_owned(),
        base64(format!("user:{secret}").as_bytes()),
        base64(format!("u:{secret}").as_bytes()),
        base64(format!("us:{secret}").as_bytes()),
        format!("%63{}", &secret[1..]),
    ] {
        assert!(without_secrets(&text, &[secret]).is_err(), "{text}");
    }
    assert_eq!(without_secrets("hint cg-0123", &[secret]), Ok(()));
    assert_eq!(base64(b"any:ab"), "YW55OmFi");
    assert_eq!(base64(b"any:a"), "YW55OmE=");
}
