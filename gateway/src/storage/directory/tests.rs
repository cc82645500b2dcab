use std::fs;
use std::os::unix::fs::symlink;

use ::http::StatusCode;
use access::{ChannelId, Privacy};

use super::*;
use crate::storage::StoredBody;
use crate::target::{self, MountPrefixes};

struct Folder {
    root: tempfile::TempDir,
}

impl Folder {
    /// A storage with `chan/noarch/a.conda` in it.
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("storage/chan/noarch")).unwrap();
        let folder = Self { root };
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
        let headers = HeaderMap::new();
        let ask = Ask { head: false, headers: &headers, request_id: "r" };
        let directory = Directory::new(&self.root.path().join("storage"));
        directory.open(&channel, &target.file.unwrap(), &ask).await
    }

    async fn bytes(&self, name: &str) -> Vec<u8> {
        let mut body = self.body(name).await;
        let mut bytes = Vec::new();
        while let Some(chunk) = next(&mut body).await {
            bytes.extend_from_slice(&chunk.unwrap());
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

async fn next(body: &mut FileBody) -> Option<Result<bytes::Bytes, Fault>> {
    std::future::poll_fn(|cx| body.poll_chunk(cx)).await
}

#[tokio::test]
async fn a_file_is_read_whole_with_its_validators() {
    let folder = Folder::new();
    let stored = folder.get("a.conda").await.unwrap();
    assert_eq!(stored.status, StatusCode::OK);
    assert_eq!(stored.headers["content-length"], "10");
    assert!(stored.headers.contains_key("etag") && stored.headers.contains_key("last-modified"));
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
        FileType::Fifo,
        Mode::RUSR | Mode::WUSR,
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
