use std::future::poll_fn;
use std::io::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::*;
use crate::stand_in::{SLOT_BYTES, StandIn};
use crate::storage::OpenFile;

struct Pair {
    ours: TcpStream,
    theirs: TcpStream,
    all: Rc<StandIns>,
}

async fn pair() -> Pair {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let theirs = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (ours, _) = listener.accept().await.unwrap();
    Pair { ours, theirs, all: StandIns::reserve().unwrap() }
}

impl Pair {
    /// Stands for all of a file of `content`.
    fn stand_in(&self, content: &[u8]) -> (StandIn, std::fs::File) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        let opened = OpenFile::new(file.try_clone().unwrap().into()).unwrap().unwrap();
        let part = FilePart { file: Arc::new(opened), at: 0 };
        (self.all.stand_for(part, content.len()).unwrap(), file)
    }

    async fn send(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        poll_fn(|cx| self.ours.poll_send(cx, slices, &self.all)).await
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
async fn head_and_file_go_out_at_once_and_what_follows_when_it_is_its_turn() {
    let mut pair = pair().await;
    let content = pattern(1000);
    let (part, _file) = pair.stand_in(&content);
    let (head, last) = (b"head".as_slice(), b"last".as_slice());
    let slices = [IoSlice::new(head), IoSlice::new(part.address()), IoSlice::new(last)];
    assert_eq!(pair.send(&slices).await.unwrap(), 1004);
    assert_eq!(pair.receive(1004).await, [head, &content].concat());
    assert_eq!(pair.send(&slices[2..]).await.unwrap(), 4);
    assert_eq!(pair.receive(4).await, last);
}

/// Were the head held back for more, it would come 200 ms later.
#[tokio::test]
async fn nothing_is_held_back() {
    let mut pair = pair().await;
    let (part, _file) = pair.stand_in(&pattern(10));
    pair.send(&[IoSlice::new(b"head"), IoSlice::new(part.address())]).await.unwrap();
    let soon = std::time::Duration::from_millis(150);
    tokio::time::timeout(soon, pair.receive(14)).await.unwrap();
}

#[tokio::test]
async fn a_full_socket_takes_the_rest_later() {
    let mut pair = pair().await;
    let content = pattern(SLOT_BYTES);
    let mut expected = Vec::new();
    let mut sent = Vec::new();
    for number in 0..100 {
        let (mut part, _file) = pair.stand_in(&content);
        let head = format!("head {number}");
        let mut left = head.as_bytes();
        expected.extend_from_slice(left);
        expected.extend_from_slice(&content);
        while part.remaining() > 0 {
            let slices = [IoSlice::new(left), IoSlice::new(part.address())];
            let slices = if left.is_empty() { &slices[1..] } else { &slices };
            let count = {
                let mut sending =
                    std::pin::pin!(poll_fn(|cx| pair.ours.poll_send(cx, slices, &pair.all)));
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
            part.advance(count - of_head);
        }
    }
    drop(pair.ours);
    pair.theirs.read_to_end(&mut sent).await.unwrap();
    assert!(sent == expected, "{} of {} bytes", sent.len(), expected.len());
}

#[tokio::test]
async fn a_file_that_ends_early_is_an_error_after_what_was_sent() {
    let mut pair = pair().await;
    let (mut part, file) = pair.stand_in(&pattern(1000));
    file.set_len(600).unwrap();
    let head = IoSlice::new(b"head");
    assert_eq!(pair.send(&[head, IoSlice::new(part.address())]).await.unwrap(), 604);
    part.advance(600);
    let why = pair.send(&[IoSlice::new(part.address())]).await.unwrap_err();
    assert_eq!(why.kind(), io::ErrorKind::UnexpectedEof);

    file.set_len(0).unwrap();
    // The head is out, and said to be; then the rest fails.
    assert_eq!(pair.send(&[head, IoSlice::new(part.address())]).await.unwrap(), 4);
    assert!(pair.send(&[IoSlice::new(part.address())]).await.is_err());
}
