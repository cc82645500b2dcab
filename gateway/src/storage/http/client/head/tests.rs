use proptest::prelude::*;

use super::*;
use UpstreamField::{Age, Etag, Vary};

fn read(head: &str, to_head: bool) -> Result<Head, Malformed> {
    assert_eq!(end(head.as_bytes())?, Some(head.len()), "a whole head");
    Head::read(Bytes::copy_from_slice(head.as_bytes()), to_head)
}

fn framing(line: &str, fields: &str) -> Result<Framing, Malformed> {
    read(&format!("{line}\r\n{fields}\r\n\r\n"), false).map(|head| head.framing)
}

#[test]
fn what_servers_send_is_read() {
    let head = "HTTP/1.1 200 OK\r\nServer: x\r\nETag:  \"caf\u{e9}\" \r\nContent-Length: 5\r\n\
                vary: a\r\nVary: b\r\n\r\n";
    let head = read(head, false).unwrap();
    assert_eq!((head.status, head.is_kept_alive), (StatusCode::OK, true));
    assert_eq!(head.framing, Framing::Length(5));
    assert_eq!(head.fields.get(Etag).unwrap(), "\"caf\u{e9}\"".as_bytes());
    assert_eq!(head.fields.all(Vary).count(), 2);
}

#[test]
fn a_length_is_what_every_reader_takes_it_for() {
    let ok = "HTTP/1.1 200 OK";
    let chunks = || Ok(Framing::Chunks(Chunks::default()));
    for (line, fields, expected) in [
        (ok, "a: b", Ok(Framing::Close)),
        (ok, "Content-Length: 0", Ok(Framing::Length(0))),
        (ok, "Content-Length: 5\r\nContent-Length: 5", Ok(Framing::Length(5))),
        (ok, "Content-Length: 5, 5", Ok(Framing::Length(5))),
        (ok, "Content-Length: 5, 6", Err(Malformed::ContentLength)),
        (ok, "Content-Length: 5\r\ncontent-length: 6", Err(Malformed::ContentLength)),
        (ok, "Content-Length: 5,", Err(Malformed::ContentLength)),
        (ok, "Content-Length:", Err(Malformed::ContentLength)),
        (ok, "Content-Length: +5", Err(Malformed::ContentLength)),
        (ok, "Content-Length: 0x5", Err(Malformed::ContentLength)),
        (ok, "Content-Length: 5 5", Err(Malformed::ContentLength)),
        (ok, "Content-Length: 1234567890123456789", Err(Malformed::ContentLength)),
        (ok, "transfer-encoding: Chunked", chunks()),
        (ok, "Transfer-Encoding: gzip, chunked", Err(Malformed::Coding)),
        (ok, "Transfer-Encoding: chunked, chunked", Err(Malformed::Coding)),
        (ok, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", Err(Malformed::Coding)),
        (ok, "Transfer-Encoding: identity", Err(Malformed::Coding)),
        (ok, "Content-Length: 5\r\nTransfer-Encoding: chunked", Err(Malformed::TwoLengths)),
        ("HTTP/1.0 200 OK", "Transfer-Encoding: chunked", Err(Malformed::Coding)),
        ("HTTP/1.1 204 No Content", "Content-Length: 5", Ok(Framing::Length(0))),
        ("HTTP/1.1 304 Not Modified", "Content-Length: 5", Ok(Framing::Length(0))),
        ("HTTP/1.1 304 Not Modified", "a: b", Ok(Framing::Length(0))),
    ] {
        assert_eq!(framing(line, fields), expected, "{line}: {fields}");
    }
    let to_head = read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true).unwrap();
    assert_eq!(to_head.framing, Framing::Length(0));
}

#[test]
fn a_connection_is_kept_as_its_server_wants() {
    let length = "Content-Length: 0";
    for (version, fields, is_kept) in [
        ("1.1", length, true),
        ("1.1", "Content-Length: 0\r\nConnection: close", false),
        ("1.1", "Content-Length: 0\r\nConnection: keep-alive, Close", false),
        ("1.1", "a: b", false),
        ("1.0", length, false),
        ("1.0", "Content-Length: 0\r\nConnection: Keep-Alive", true),
    ] {
        let head = format!("HTTP/{version} 200 OK\r\n{fields}\r\n\r\n");
        assert_eq!(read(&head, false).unwrap().is_kept_alive, is_kept, "{version}: {fields}");
    }
}

/// Some servers send it all the same.
#[test]
fn a_connection_is_not_kept_where_content_may_follow_that_should_not() {
    for (line, fields, is_kept) in [
        ("304 Not Modified", "a: b", true),
        ("304 Not Modified", "Content-Length: 0", true),
        ("304 Not Modified", "Content-Length: 5", false),
        ("304 Not Modified", "Transfer-Encoding: chunked", false),
        ("204 No Content", "Content-Length: 5", false),
    ] {
        let head = format!("HTTP/1.1 {line}\r\n{fields}\r\n\r\n");
        assert_eq!(read(&head, false).unwrap().is_kept_alive, is_kept, "{line} {fields}");
    }
    let to_head = read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true).unwrap();
    assert!(!to_head.is_kept_alive);
}

#[test]
fn what_is_no_answer_is_refused() {
    for line in [
        "HTTP/1.2 200 OK",
        "HTTP/1.10 200 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 2x0 OK",
        "HTTP/1.1 099 OK",
        "HTTP/1.1 200\tOK",
        "HTTP/1.1 200 \u{1}",
        "HTTP/1.1",
        "HTTP/2.0 200 OK",
        "220 mail.example ESMTP ready",
    ] {
        assert_eq!(framing(line, "a: b"), Err(Malformed::StatusLine), "{line}");
    }
    for line in ["HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.0 999 Really?"] {
        assert_eq!(framing(line, "a: b"), Ok(Framing::Close), "{line}");
    }
    for field in ["a : b", "a: b\r\n folded", ": b", "a", "a: \0", "a: b\rc"] {
        assert_eq!(framing("HTTP/1.1 200 OK", field), Err(Malformed::Field), "{field:?}");
    }
}

#[test]
fn a_head_that_can_not_become_one_is_not_waited_for() {
    assert_eq!(end(b""), Ok(None));
    assert_eq!(end(b"HTT"), Ok(None));
    assert_eq!(end(b"220 mail"), Err(Malformed::StatusLine));
    assert_eq!(end(b"HTTP/1.1 200 OK\n"), Err(Malformed::StatusLine));
    assert_eq!(end(b"HTTP/1.1 200 OK\r\na: b\n"), Err(Malformed::Field));
    let long = format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(MAX_HEAD_BYTES));
    assert_eq!(end(long.as_bytes()), Err(Malformed::TooLarge));
    let many = "a: b\r\n".repeat(101);
    assert_eq!(framing("HTTP/1.1 200 OK", many.trim_end()), Err(Malformed::TooLarge));
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = end(&bytes);
        let _ = Head::read(Bytes::from(bytes), false);
    }

    /// Whatever passes here, another parser reads the same way.
    #[test]
    fn what_passes_is_one_head_to_another_parser(
        head in "HTTP/1\\.[01] [12345][0-9]{2}[ -~]{0,4}\r\n((ETag|Vary|Age|[A-Za-z -]{0,5}):? ?[ -~\t\r\n]{0,9}\r\n){0,4}\r\n"
    ) {
        let is_whole = end(head.as_bytes()) == Ok(Some(head.len()));
        if let (true, Ok(ours)) = (is_whole, Head::read(Bytes::from(head.clone()), false)) {
            let mut fields = [httparse::EMPTY_HEADER; 200];
            let mut response = httparse::Response::new(&mut fields);
            let parsed = response.parse(head.as_bytes());
            prop_assert_eq!(parsed, Ok(httparse::Status::Complete(head.len())));
            prop_assert_eq!(response.code, Some(ours.status.as_u16()));
            for field in [Etag, Vary, Age] {
                let theirs = response.headers.iter().filter(|f| field.name() == f.name);
                let theirs: Vec<_> = theirs.map(|f| f.value.trim_ascii()).collect();
                let ours: Vec<_> = ours.fields.all(field).collect();
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
