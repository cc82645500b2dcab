use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use rustix::io::Errno;

use super::*;

const TEXT: &[u8] = b"0123456789";

fn file() -> Arc<OpenFile> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(TEXT).unwrap();
    Arc::new(OpenFile::new(file.into()).unwrap().unwrap())
}

fn stand_in(all: &Rc<StandIns>, at: u64) -> StandIn {
    all.stand_for(FilePart { file: file(), at }, 5).unwrap()
}

#[test]
fn an_address_says_which_part_it_stands_for_and_how_much_of_it_is_sent() {
    let all = StandIns::reserve().unwrap();
    let (mut first, second) = (stand_in(&all, 1), stand_in(&all, 2));
    assert_eq!(all.find(second.address()).unwrap().at, 2);
    first.advance(3);
    assert_eq!((all.find(first.address()).unwrap().at, first.address().len()), (4, 2));
    // Cut short, as the library does with a body that is too long.
    assert_eq!(all.find(&first.address()[..1]).unwrap().at, 4);
    first.advance(2);
    assert_eq!(first.remaining(), 0);
}

#[test]
fn ordinary_memory_stands_for_nothing() {
    let (all, others) = (StandIns::reserve().unwrap(), StandIns::reserve().unwrap());
    assert!(all.find(b"head").is_none());
    assert!(all.find(&[]).is_none());
    assert!(others.find(stand_in(&all, 0).address()).is_none());
}

#[test]
fn a_slot_is_free_again_whether_its_part_was_sent_or_not() {
    let all = StandIns::reserve().unwrap();
    let file = file();
    for _ in 0..3 {
        let part = || FilePart { file: Arc::clone(&file), at: 0 };
        let taken: Vec<_> = (0..SLOTS).map(|_| all.stand_for(part(), 5).unwrap()).collect();
        assert!(all.stand_for(part(), 5).is_none(), "every slot is taken");
        drop(taken);
    }
    assert_eq!(Arc::strong_count(&file), 1, "its file is let go");
    assert!(all.stand_for(FilePart { file, at: 0 }, SLOT_BYTES + 1).is_none());
}

#[test]
fn the_kernel_writes_none_as_if_it_were_memory() {
    let all = StandIns::reserve().unwrap();
    let (mut ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let why = ours.write(stand_in(&all, 0).address()).unwrap_err();
    assert_eq!(why.raw_os_error(), Some(Errno::FAULT.raw_os_error()));
    drop(ours);
    assert_eq!(theirs.read(&mut [0; 10]).unwrap(), 0);
}

/// Runs one test of this file again, in a process of its own, to die.
fn dies(name: &str, act: impl FnOnce()) {
    const TO_DIE: &str = "CONDAGATE_TEST_TO_DIE";
    if std::env::var_os(TO_DIE).is_some() {
        act();
        return;
    }
    let name = format!("stand_in::tests::{name}");
    let mut again = Command::new(std::env::current_exe().unwrap());
    let output = again.args(["--exact", &name]).env(TO_DIE, "1").output().unwrap();
    const SEGMENTATION_FAULT: i32 = 11;
    assert_eq!(output.status.signal(), Some(SEGMENTATION_FAULT), "{output:?}");
}

#[test]
fn whoever_copies_one_dies() {
    dies("whoever_copies_one_dies", || {
        let all = StandIns::reserve().unwrap();
        let copy = stand_in(&all, 0).address().to_vec();
        println!("{copy:?}");
    });
}

/// The HTTP library joins buffers when it takes the connection for one without vectored writes.
#[test]
fn a_library_that_joins_buffers_dies_rather_than_send_zeros() {
    dies("a_library_that_joins_buffers_dies_rather_than_send_zeros", || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let tasks = tokio::task::LocalSet::new();
        tasks.block_on(&runtime, serve_joined());
    });
}

async fn serve_joined() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let all = StandIns::reserve().unwrap();
    let service = hyper::service::service_fn(|_request| {
        let content = Joined(stand_in(&all, 0));
        let frame =
            futures_util::stream::iter([Ok::<_, io::Error>(http_body::Frame::data(content))]);
        async { Ok::<_, io::Error>(http::Response::new(http_body_util::StreamBody::new(frame))) }
    });
    let (mut client, server) = tokio::io::duplex(1000);
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut joining = hyper::server::conn::http1::Builder::new();
    let served =
        joining.writev(false).serve_connection(hyper_util::rt::TokioIo::new(server), service);
    let _ = tokio::time::timeout(std::time::Duration::from_secs(5), served).await;
    let mut sent = Vec::new();
    let _ = client.read_to_end(&mut sent).await;
}

struct Joined(StandIn);

impl bytes::Buf for Joined {
    fn remaining(&self) -> usize {
        self.0.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.0.address()
    }

    fn advance(&mut self, count: usize) {
        self.0.advance(count);
    }
}
