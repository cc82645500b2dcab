use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use super::*;

/// Gives an answer a few bytes at a time.
struct Dripping {
    answer: &'static [u8],
    at_a_time: usize,
}

impl AsyncRead for Dripping {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.at_a_time.min(self.answer.len()).min(into.remaining());
        into.put_slice(&self.answer[..count]);
        self.answer = &self.answer[count..];
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Dripping {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Stream for Dripping {
    async fn discard(&mut self, scratch: &mut [u8]) -> io::Result<usize> {
        self.read(scratch).await
    }
}

fn exchange(answer: &'static str, at_a_time: usize, hash: bool) -> Result<Answer, Missing> {
    let stream = Dripping { answer: answer.as_bytes(), at_a_time };
    let mut connection = Http1::new(stream, "h".to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(connection.exchange(&Ask { path: "/", held: None, hash }))
}

/// Each answer, the length of its body, and whether the connection can be used again.
#[test]
fn an_answer_is_read_to_its_end_however_it_is_framed_and_cut_up() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                   1\r\na\r\n2;x\r\nbc\r\n0\r\n\r\n";
    let answers = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 3, true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc", 3, false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc?", 3, false),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", 0, true),
        (chunked, 3, true),
        ("HTTP/1.1 200 OK\r\n\r\nabc", 3, false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", 3, false),
    ];
    for (answer, length, keep_alive) in answers {
        for (at_a_time, hash) in [(1, false), (1, true), (7, false), (99, false), (99, true)] {
            let read = exchange(answer, at_a_time, hash).unwrap();
            assert_eq!(read.length, length, "{answer} by {at_a_time}");
            let digest = (hash && length == 3).then(|| Sha256::digest(b"abc").into());
            assert_eq!(read.sha256.filter(|_| length == 3), digest, "{answer} by {at_a_time}");
            if at_a_time == 99 {
                assert_eq!(read.keep_alive, keep_alive, "{answer}");
            }
        }
    }
}

#[test]
fn an_answer_that_ends_early_or_makes_no_sense_is_missing() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
    ] {
        for hash in [false, true] {
            let missing = exchange(answer, 5, hash).unwrap_err();
            assert!(matches!(missing, Missing::Cut), "{answer}: {missing}");
        }
    }
    let broken = "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n";
    assert!(matches!(exchange(broken, 9, false), Err(Missing::Length)));
    assert!(matches!(exchange("SMTP ready\r\n", 9, false), Err(Missing::Malformed(_))));
}

#[test]
fn what_an_answer_can_be_asked_for_again_by_is_kept() {
    let answer =
        "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nlast-modified: now\r\nContent-Length: 0\r\n\r\n";
    let validators = exchange(answer, 99, true).unwrap().validators.unwrap();
    assert_eq!(validators.etag.as_deref(), Some("\"a\""));
    assert_eq!(validators.last_modified.as_deref(), Some("now"));
}
