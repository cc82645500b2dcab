use std::future::poll_fn;
use std::io::Write as _;
use std::sync::Arc;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::*;
use crate::storage::OpenFile;

struct Pair {
    ours: TcpStream,
    theirs: TcpStream,
}

async fn pair() -> Pair {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let theirs = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (ours, _) = listener.accept().await.unwrap();
    Pair { ours, theirs }
}

/// All of a file of `content`.
fn part(content: &[u8]) -> (FilePart, std::fs::File) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    let opened = OpenFile::new(file.try_clone().unwrap().into()).unwrap().unwrap();
    (FilePart { file: Arc::new(opened), at: 0, length: content.len() }, file)
}

impl Pair {
    async fn send(&mut self, before: &[u8], part: &FilePart) -> io::Result<usize> {
        poll_fn(|cx| self.ours.poll_send_file(cx, before, part)).await
    }

    async fn receive(&mut self, count: usize) -> Vec<u8> {
        let mut received = vec![0; count];
        self.theirs.read_exact(&mut received).await.unwrap();
        received
    }
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

#[tokio::test]
async fn head_and_file_go_out_at_once() {
    let mut pair = pair().await;
    let content = pattern(1000);
    let (part, _file) = part(&content);
    assert_eq!(pair.send(b"head", &part).await.unwrap(), 1004);
    assert_eq!(pair.receive(1004).await, [b"head", content.as_slice()].concat());
}

/// Were the head held back for more, it would come 200 ms later.
#[tokio::test]
async fn nothing_is_held_back() {
    let mut pair = pair().await;
    let (part, _file) = part(&pattern(10));
    pair.send(b"head", &part).await.unwrap();
    let soon = std::time::Duration::from_millis(150);
    tokio::time::timeout(soon, pair.receive(14)).await.unwrap();
}

#[tokio::test]
async fn a_full_socket_takes_the_rest_later() {
    let mut pair = pair().await;
    let content = pattern(256 * 1024);
    let mut expected = Vec::new();
    let mut sent = Vec::new();
    for number in 0..100 {
        let (mut part, _file) = part(&content);
        let head = format!("head {number}");
        let mut left = head.as_bytes();
        expected.extend_from_slice(left);
        expected.extend_from_slice(&content);
        while part.length > 0 {
            let count = {
                let mut sending =
                    std::pin::pin!(poll_fn(|cx| pair.ours.poll_send_file(cx, left, &part)));
                let mut space = vec![0; 100_000];
                loop {
                    tokio::select! {
                        biased;
                        count = &mut sending => break count.unwrap(),
                        read = pair.theirs.read(&mut space) => {
                            sent.extend_from_slice(&space[..read.unwrap()]);
                        }
                    }
                }
            };
            let of_head = count.min(left.len());
            left = &left[of_head..];
            part.at += (count - of_head) as u64;
            part.length -= count - of_head;
        }
    }
    drop(pair.ours);
    pair.theirs.read_to_end(&mut sent).await.unwrap();
    assert!(sent == expected, "{} of {} bytes", sent.len(), expected.len());
}

#[tokio::test]
async fn a_file_that_ends_early_is_an_error_after_what_was_sent() {
    let mut pair = pair().await;
    let (mut part, file) = part(&pattern(1000));
    file.set_len(600).unwrap();
    assert_eq!(pair.send(b"head", &part).await.unwrap(), 604);
    (part.at, part.length) = (600, 400);
    let why = pair.send(b"", &part).await.unwrap_err();
    assert_eq!(why.kind(), io::ErrorKind::UnexpectedEof);

    file.set_len(0).unwrap();
    // The head is out, and said to be; then the rest fails.
    assert_eq!(pair.send(b"head", &part).await.unwrap(), 4);
    assert!(pair.send(b"", &part).await.is_err());
}
