use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use std::time::Duration;

use ::http::StatusCode;
use access::{ChannelId, ManualClock, Privacy, SystemClock};

use super::*;
use crate::answer_fields::AnswerField;
use crate::listener::Fields;
use crate::storage::StoredBody;
use crate::target::{self, MountPrefixes};

struct Folder {
    root: tempfile::TempDir,
    directory: Directory,
    clock: Arc<ManualClock>,
}

impl Folder {
    /// A storage with `chan/noarch/a.conda` in it.
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("storage/chan/noarch")).unwrap();
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let directory = Directory::new(&root.path().join("storage"), clock.clone());
        let folder = Self { root, directory, clock };
        fs::write(folder.path("a.conda"), b"0123456789").unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("storage/chan/noarch").join(name)
    }

    async fn get(&self, name: &str) -> Result<Stored, Failure> {
        let channel = Channel {
            id: ChannelId(1),
            name: "chan".parse().unwrap(),
            privacy: Privacy::Private,
            storage: "main".into(),
            prefix: "chan".into(),
            include_subchannels: false,
        };
        let path = format!("/chan/noarch/{name}");
        let target = target::read(&path, &MountPrefixes::default()).unwrap();
        let fields = Fields::default();
        let ask = Ask { head: false, fields: &fields, request_id: "r" };
        self.directory.open(&channel, &target.file.unwrap(), &ask).await
    }

    async fn bytes(&self, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.get(name).await.unwrap().body {
            StoredBody::Memory(content) => bytes.extend_from_slice(&content),
            StoredBody::File(mut body) => {
                while let Some(chunk) = next(&mut body).await {
                    bytes.extend_from_slice(&chunk.unwrap());
                }
            }
            _ => panic!("a file's bytes"),
        }
        bytes
    }

    async fn body(&self, name: &str) -> FileBody {
        match self.get(name).await.unwrap().body {
            StoredBody::File(body) => body,
            _ => panic!("a file's body"),
        }
    }
}

async fn next(body: &mut FileBody) -> Option<Result<Bytes, Fault>> {
    std::future::poll_fn(|cx| body.poll_chunk(cx)).await
}

#[tokio::test]
async fn a_file_is_read_whole_with_its_validators() {
    let folder = Folder::new();
    let stored = folder.get("a.conda").await.unwrap();
    assert_eq!(stored.status, StatusCode::OK);
    assert_eq!(stored.headers.length(), Some(10));
    assert!(stored.headers.has(AnswerField::Etag) && stored.headers.has(AnswerField::LastModified));
    assert_eq!(folder.bytes("a.conda").await, b"0123456789");
    let large: Vec<u8> = (0..1_000_000u32).map(|n| (n % 251) as u8).collect();
    fs::write(folder.path("large"), &large).unwrap();
    assert_eq!(folder.bytes("large").await, large);
}

#[tokio::test]
async fn a_name_is_decoded_on_its_way_to_the_disk() {
    let folder = Folder::new();
    fs::write(folder.path("x-1!2.0+l.conda"), b"x").unwrap();
    assert_eq!(folder.bytes("x-1%212.0%2Bl.conda").await, b"x");
}

#[tokio::test]
async fn nothing_leads_out_of_the_root() {
    let folder = Folder::new();
    let outside = folder.root.path().join("outside");
    fs::write(&outside, b"secret").unwrap();
    symlink(&outside, folder.path("absolute")).unwrap();
    symlink("../../../outside", folder.path("relative")).unwrap();
    symlink("relative", folder.path("chained")).unwrap();
    symlink("a.conda", folder.path("inside")).unwrap();
    for name in ["absolute", "relative", "chained", "missing"] {
        assert!(matches!(folder.get(name).await, Err(Failure::NotFound)), "{name}");
    }
    assert_eq!(folder.bytes("inside").await, b"0123456789");
}

#[tokio::test]
async fn only_regular_files_are_files() {
    let folder = Folder::new();
    fs::create_dir(folder.path("folder")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.path("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    for name in ["folder", "pipe"] {
        assert!(matches!(folder.get(name).await, Err(Failure::NotFound)), "{name}");
    }
}

#[tokio::test]
async fn a_root_that_is_away_is_no_empty_channel() {
    let folder = Folder::new();
    fs::remove_dir_all(folder.root.path().join("storage")).unwrap();
    match folder.get("a.conda").await {
        Err(Failure::Fault(fault)) => assert_eq!(fault.kind, FaultKind::Unreachable),
        _ => panic!("a fault"),
    }
}

#[tokio::test]
async fn a_file_changed_while_it_is_sent_is_cut_and_never_mixed() {
    let folder = Folder::new();
    let path = folder.path("big");
    for change in ["truncated", "rewritten", "grown"] {
        fs::write(&path, vec![b'a'; 300_000]).unwrap();
        // The kernel keeps times to a few milliseconds; a file just written looks unchanged.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut body = folder.body("big").await;
        assert!(next(&mut body).await.unwrap().unwrap().iter().all(|&b| b == b'a'));
        match change {
            "truncated" => fs::File::options().write(true).open(&path).unwrap().set_len(9).unwrap(),
            "rewritten" => fs::write(&path, vec![b'b'; 300_000]).unwrap(),
            _ => fs::write(&path, vec![b'a'; 400_000]).unwrap(),
        }
        assert!(next(&mut body).await.unwrap().is_err(), "{change}");
    }
}

#[tokio::test]
async fn a_file_replaced_while_it_is_sent_is_sent_to_its_end() {
    let folder = Folder::new();
    fs::write(folder.path("big"), vec![b'a'; 300_000]).unwrap();
    let mut body = folder.body("big").await;
    fs::write(folder.path("new"), vec![b'b'; 300_000]).unwrap();
    fs::rename(folder.path("new"), folder.path("big")).unwrap();
    let mut bytes = Vec::new();
    while let Some(chunk) = next(&mut body).await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    assert_eq!(bytes, vec![b'a'; 300_000]);
}

impl Folder {
    /// Whether a file that was asked for is held in memory.
    async fn is_held(&self, name: &str) -> bool {
        self.bytes(name).await;
        let known = self.directory.find(&format!("chan/noarch/{name}")).await.unwrap();
        known.content.borrow().is_some()
    }

    async fn etag(&self, name: &str) -> String {
        self.get(name).await.unwrap().headers.text(AnswerField::Etag).unwrap().to_owned()
    }
}

/// What was written a moment ago may be written again without its times showing it.
#[tokio::test]
async fn a_small_file_is_held_in_memory_once_it_has_settled() {
    let folder = Folder::new();
    assert!(!folder.is_held("a.conda").await);
    folder.clock.advance(Duration::from_secs(10));
    assert!(folder.is_held("a.conda").await);
    fs::write(folder.path("larger"), vec![b'a'; SMALL_BYTES as usize + 1]).unwrap();
    assert!(!folder.is_held("larger").await);
}

#[tokio::test]
async fn a_known_file_that_changes_is_opened_anew_at_once() {
    let folder = Folder::new();
    folder.clock.advance(Duration::from_secs(10));
    let mut before = folder.etag("a.conda").await;
    for change in ["written over", "truncated", "replaced", "removed"] {
        // The kernel keeps times to a few milliseconds.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let path = folder.path("a.conda");
        match change {
            "written over" => fs::write(&path, b"9876543210").unwrap(),
            "truncated" => fs::File::options().write(true).open(&path).unwrap().set_len(3).unwrap(),
            "replaced" => {
                fs::write(folder.path("new"), b"0123456789").unwrap();
                fs::rename(folder.path("new"), &path).unwrap();
            }
            _ => {
                fs::remove_file(&path).unwrap();
                assert!(matches!(folder.get("a.conda").await, Err(Failure::NotFound)));
                continue;
            }
        }
        let after = folder.etag("a.conda").await;
        assert_ne!(before, after, "{change}");
        let stored = folder.get("a.conda").await.unwrap();
        let length = fs::metadata(&path).unwrap().len();
        assert_eq!(stored.headers.length(), Some(length), "{change}");
        before = after;
    }
}

/// What the file itself doesn't show.
#[tokio::test]
async fn a_path_that_leads_elsewhere_is_followed_within_a_second() {
    let folder = Folder::new();
    fs::write(folder.path("b.conda"), b"other").unwrap();
    symlink("a.conda", folder.path("link")).unwrap();
    let first = folder.etag("link").await;
    fs::remove_file(folder.path("link")).unwrap();
    symlink("b.conda", folder.path("link")).unwrap();
    assert_eq!(folder.etag("link").await, first);
    folder.clock.advance(Duration::from_secs(1));
    assert_eq!(folder.etag("link").await, folder.etag("b.conda").await);
    fs::remove_file(folder.path("link")).unwrap();
    symlink("../../../outside", folder.path("link")).unwrap();
    fs::write(folder.root.path().join("outside"), b"secret").unwrap();
    folder.clock.advance(Duration::from_secs(1));
    assert!(matches!(folder.get("link").await, Err(Failure::NotFound)));
}

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[tokio::test]
async fn files_kept_open_are_bounded_and_let_go() {
    let folder = Folder::new();
    let before = open_files();
    for number in 0..3000 {
        fs::write(folder.path(&number.to_string()), b"x").unwrap();
        folder.get(&number.to_string()).await.unwrap();
    }
    // Other tests of this process open files too.
    assert!(open_files() < before + 1200, "{} are open", open_files());
    for _ in 0..2 {
        folder.clock.advance(Duration::from_secs(5));
        folder.directory.let_go();
    }
    assert!(folder.directory.known.is_empty());
}

/// Pushes a file out of the page cache; some file systems have nothing else.
fn is_cold(file: &Path) -> bool {
    let opened = fs::File::open(file).unwrap();
    opened.sync_all().unwrap();
    rustix::fs::fadvise(&opened, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    !OpenFile::new(opened.into()).unwrap().unwrap().is_cached(0)
}

/// The system has the beginning of a file in memory and must get the rest from the disk.
#[tokio::test]
async fn a_small_file_is_whole_however_much_of_it_is_in_the_page_cache() {
    let folder = Folder::new();
    let content: Vec<u8> = (0..20_480).map(|at| (at % 251) as u8).collect();
    for cold_from in [4096, 16_384] {
        let file = folder.path(&format!("small{cold_from}"));
        fs::write(&file, &content).unwrap();
        let opened = fs::File::open(&file).unwrap();
        opened.sync_all().unwrap();
        rustix::fs::fadvise(&opened, cold_from, None, rustix::fs::Advice::DontNeed).unwrap();
        assert_eq!(folder.bytes(&format!("small{cold_from}")).await, content, "{cold_from}");
    }
}

#[tokio::test]
async fn what_the_kernel_is_to_send_is_read_from_the_disk_before() {
    let folder = Folder::new();
    fs::write(folder.path("big"), vec![b'a'; 3_000_000]).unwrap();
    let cold = is_cold(&folder.path("big"));
    let mut body = folder.body("big").await;
    let mut waker = std::task::Context::from_waker(std::task::Waker::noop());
    if cold {
        assert!(body.poll_content(&mut waker, true).is_pending(), "waits for the disk");
    }
    let mut length = 0;
    while let Some(content) = std::future::poll_fn(|cx| body.poll_content(cx, true)).await {
        match content.unwrap() {
            crate::storage::Content::File(part) => {
                assert!(part.length <= 256 * 1024);
                length += part.length;
            }
            _ => panic!("a part of the file"),
        }
    }
    assert_eq!(length, 3_000_000);
    let file = OpenFile::new(fs::File::open(folder.path("big")).unwrap().into()).unwrap().unwrap();
    assert!((0..3_000_000).step_by(4096).all(|at| file.is_cached(at)));
}
