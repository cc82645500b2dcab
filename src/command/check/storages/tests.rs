use std::fs;
use std::path::Path;

use access::SystemClock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::channels::channel;
use super::*;

fn config(kind_and_place: &str) -> Config {
    let text = format!("[storage.main]\n{kind_and_place}\n");
    Config::from_text(&text, Path::new(""), std::iter::empty()).unwrap().config
}

fn directory(path: &Path) -> Config {
    config(&format!("kind = \"directory\"\npath = \"{}\"", path.display()))
}

async fn found(config: &Config, channels: &[Channel]) -> Vec<(Level, String)> {
    let found = look(config, channels, &SystemClock).await.into_iter();
    found
        .map(|finding| (finding.level, format!("{}: {}", finding.about, finding.message)))
        .collect()
}

/// A web server that answers each request for a path with `noarch/repodata.json` in it with
/// `answer`, and others with 404.
async fn server(answer: &'static str) -> Config {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let read = stream.read(&mut head).await.unwrap_or(0);
            let asked = String::from_utf8_lossy(&head[..read]).into_owned();
            let answer = match asked.contains("noarch/repodata.json ") {
                true => answer,
                false => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            };
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    config(&format!("kind = \"http\"\nurl = \"http://127.0.0.1:{port}/c\""))
}

#[tokio::test]
async fn a_folder_with_an_indexed_channel_is_good() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo-channel");
    let found = found(&directory(&root), &[channel("demo", "main", "channel")]).await;
    assert_eq!(
        found,
        [(Level::Ok, "storage.main: answers; channels with their indexes: 1".into())]
    );
}

#[tokio::test]
async fn a_folder_that_is_not_there_or_none_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let absent = found(&directory(&root.path().join("absent")), &[]).await;
    assert_eq!((absent.len(), absent[0].0), (1, Level::Error));
    assert!(absent[0].1.contains("is it mounted"), "{absent:?}");
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(found(&directory(&file), &[]).await[0].1.contains("is a file"));
    assert_eq!(found(&directory(root.path()), &[]).await[0].0, Level::Ok);
}

#[tokio::test]
async fn channels_without_folder_or_index_are_warned_of() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("b/noarch")).unwrap();
    let channels =
        [channel("a", "main", "a"), channel("b", "main", "b"), channel("c", "other", "")];
    let found = found(&directory(root.path()), &channels).await;
    assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [Level::Warn, Level::Warn]);
    assert!(found[0].1.starts_with("channel a: there is no folder"), "{found:?}");
    assert!(found[1].1.starts_with("channel b: storage `main` has no noarch/repodata.json"));
}

#[tokio::test]
async fn w20_an_absolute_base_url_is_warned_of() {
    let root = tempfile::tempdir().unwrap();
    let text = r#"{"info": {"subdir": "noarch", "base_url": "https://old.example/c"}}"#;
    fs::create_dir_all(root.path().join("noarch")).unwrap();
    fs::write(root.path().join("noarch/repodata.json"), text).unwrap();
    let found = found(&directory(root.path()), &[channel("a", "main", "")]).await;
    assert_eq!((found.len(), found[0].0), (1, Level::Warn), "{found:?}");
    assert!(found[0].1.contains("base_url `https://old.example/c`"), "{found:?}");
}

#[tokio::test]
async fn what_a_server_answers_is_told_with_what_to_do() {
    let channels = [channel("a", "main", "a")];
    for (answer, level, part) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", Level::Ok, "answers; channels"),
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", Level::Warn, "below `a`"),
        ("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", Level::Error, "set username and"),
        ("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", Level::Error, "answered 500"),
        (
            "HTTP/1.1 302 No\r\nLocation: http://cdn.example/\r\nContent-Length: 0\r\n\r\n",
            Level::Error,
            "cdn.example:80, which is not among `redirect_hosts`; add the host there",
        ),
    ] {
        let config = server(answer).await;
        let found = found(&config, &channels).await;
        assert_eq!((found.len(), found[0].0), (1, level), "{found:?}");
        assert!(found[0].1.contains(part), "{found:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_a_few_times_and_no_more() {
    let config = config("kind = \"http\"\nurl = \"http://127.0.0.1:1\"");
    let unbound = found(&config, &[]).await;
    assert_eq!((unbound.len(), unbound[0].0), (1, Level::Error), "{unbound:?}");
    let channels: Vec<_> = (0..9).map(|n| channel(&format!("c{n}"), "main", "")).collect();
    let bound = found(&config, &channels).await;
    assert_eq!(bound.len(), ENOUGH_ERRORS + 1, "{bound:?}");
    assert!(bound[5].1.ends_with("4 more channels were not looked at"), "{bound:?}");
}
