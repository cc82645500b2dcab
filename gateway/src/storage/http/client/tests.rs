use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::http::StatusCode;
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::connection::AskError;
use super::head::{MAX_HEAD_BYTES, Malformed};
use super::incoming::BodyError;
use super::*;
use crate::storage::http::origin::Origin;

const REQUEST: &[u8] = b"GET /a HTTP/1.1\r\nhost: a\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(60);

/// A pool, and the server's side of its only connection.
struct Scene {
    pool: Rc<Pool>,
    origin: Arc<Origin>,
    pooled: Option<Pooled>,
    server: TcpStream,
}

async fn pair() -> (UpstreamWire, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (UpstreamWire::Plain(ours), listener.accept().await.unwrap().0)
}

impl Scene {
    async fn new() -> Self {
        let (pool, (wire, server)) = (Rc::new(Pool::new(2)), pair().await);
        let origin = Arc::new(Origin::of(&"http://a".parse().unwrap()));
        let pooled = Some(pool.begin(&origin, wire));
        Self { pool, origin, pooled, server }
    }

    /// Has the server take the request and write the answer; then it ends, if it `ends`.
    async fn ask(&mut self, answer: &[u8], ends: bool) -> Result<Answered, AskError> {
        self.ask_in_pieces(&[answer], ends).await
    }

    async fn ask_in_pieces(&mut self, pieces: &[&[u8]], ends: bool) -> Result<Answered, AskError> {
        let pooled = self.pooled.take().or_else(|| self.pool.take(&self.origin)).unwrap();
        let answering = async {
            self.server.read_exact(&mut [0; REQUEST.len()]).await.unwrap();
            for piece in pieces {
                self.server.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            if ends {
                self.server.shutdown().await.unwrap();
            }
        };
        tokio::join!(pooled.ask(REQUEST, false, PATIENCE), answering).0
    }

    /// Whether a connection waits for the next request.
    fn is_kept(&self) -> bool {
        let pooled = self.pool.take(&self.origin);
        let is_kept = pooled.is_some();
        if let Some(pooled) = pooled {
            pooled.give_back();
        }
        is_kept
    }
}

async fn content(answered: Answered) -> Result<Vec<u8>, BodyError> {
    let (mut incoming, mut all) = (answered.content, Vec::new());
    while let Some(piece) = next(&mut incoming, PATIENCE, None).await {
        let bytes = bytes(piece?);
        assert!(!bytes.is_empty());
        all.extend_from_slice(&bytes);
    }
    Ok(all)
}

async fn next(
    content: &mut Incoming,
    limit: Duration,
    pipes: Option<&Rc<Pipes>>,
) -> Option<Result<Piece, BodyError>> {
    poll_fn(|cx| content.poll_piece(cx, limit, pipes)).await
}

fn bytes(piece: Piece) -> Bytes {
    match piece {
        Piece::Bytes(bytes) => bytes,
        Piece::Piped(part) => part.take_out().unwrap(),
    }
}

fn answer(fields: &str, content: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n").as_bytes(), content].concat()
}

#[tokio::test]
async fn a_connection_is_asked_again_and_again() {
    let mut scene = Scene::new().await;
    for length in [0, 1, 20_000, 32 * 1024, 100_000, 300_000] {
        let body: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let with_length = answer(&format!("Content-Length: {length}"), &body);
        let answered = scene.ask(&with_length, false).await.unwrap();
        assert_eq!(answered.content.remaining(), Some(length));
        assert!(content(answered).await.unwrap() == body, "{length}");
        let mut coded = Vec::new();
        for chunk in body.chunks(70_000) {
            coded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            coded.extend_from_slice(chunk);
            coded.extend_from_slice(b"\r\n");
        }
        coded.extend_from_slice(b"0\r\n\r\n");
        let in_chunks = answer("Transfer-Encoding: chunked", &coded);
        let answered = scene.ask(&in_chunks, false).await.unwrap();
        assert_eq!(answered.content.remaining(), None);
        assert!(content(answered).await.unwrap() == body, "{length}");
    }
    let until_close = answer("a: b", b"until the end");
    let answered = scene.ask(&until_close, true).await.unwrap();
    assert_eq!(content(answered).await.unwrap(), b"until the end");
    assert!(!scene.is_kept());
}

#[tokio::test]
async fn a_connection_is_free_as_soon_as_the_last_piece_is_taken() {
    let mut scene = Scene::new().await;
    let mut answered = scene.ask(&answer("Content-Length: 5", b"hello"), false).await.unwrap();
    assert!(!scene.is_kept());
    next(&mut answered.content, PATIENCE, None).await.unwrap().unwrap();
    assert!(scene.is_kept(), "although the content is still held");
}

#[tokio::test]
async fn a_head_may_come_in_any_pieces() {
    let mut scene = Scene::new().await;
    let whole = answer("Content-Length: 5", b"hello");
    let pieces: Vec<&[u8]> = whole.chunks(3).collect();
    let answered = scene.ask_in_pieces(&pieces, false).await.unwrap();
    assert_eq!(content(answered).await.unwrap(), b"hello");
    let long = answer(&format!("a: {}\r\nContent-Length: 5", "b".repeat(60_000)), b"hello");
    assert_eq!(content(scene.ask(&long, false).await.unwrap()).await.unwrap(), b"hello");
    let endless = answer(&format!("a: {}", "b".repeat(MAX_HEAD_BYTES)), b"");
    let why = scene.ask(&endless, false).await.err().unwrap();
    assert!(matches!(why, AskError::Malformed(Malformed::TooLarge)), "{why}");
}

#[tokio::test]
async fn more_than_was_announced_makes_a_connection_useless() {
    for wrong in [
        answer("Content-Length: 5", b"hello!"),
        answer("Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\nHTTP/1.1"),
        answer("Content-Length: 5\r\nConnection: close", b"hello"),
    ] {
        let mut scene = Scene::new().await;
        let answered = scene.ask(&wrong, false).await.unwrap();
        assert_eq!(content(answered).await.unwrap(), b"hello");
        assert!(!scene.is_kept());
    }
    // One to a HEAD or a 304 has no content, whatever follows it.
    let mut scene = Scene::new().await;
    let unmodified = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello";
    let answered = scene.ask(unmodified, false).await.unwrap();
    assert_eq!(answered.content.remaining(), Some(0));
    assert!(!scene.is_kept());
}

#[tokio::test]
async fn what_comes_unasked_makes_an_idle_connection_useless() {
    let whole = answer("Content-Length: 5", b"hello");
    for says in [&b"HTTP/1.1 408 Request Timeout\r\n\r\n"[..], b""] {
        let mut scene = Scene::new().await;
        content(scene.ask(&whole, false).await.unwrap()).await.unwrap();
        assert!(scene.is_kept());
        match says {
            b"" => scene.server.shutdown().await.unwrap(),
            says => scene.server.write_all(says).await.unwrap(),
        }
        while scene.is_kept() {
            tokio::task::yield_now().await;
        }
    }
}

/// What comes on one unasked may come on another a moment later, and be taken for an answer.
#[tokio::test]
async fn who_sends_unasked_is_trusted_on_no_idle_connection() {
    let mut scene = Scene::new().await;
    let (wire, _other_server) = pair().await;
    scene.pool.begin(&scene.origin, wire).give_back();
    content(scene.ask(&answer("Content-Length: 5", b"hello"), false).await.unwrap()).await.unwrap();
    scene.server.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
    assert!(scene.pool.take(&scene.origin).is_none());
    assert!(!scene.pool.is_any());
}

#[tokio::test]
async fn idle_connections_are_bounded() {
    let mut scene = Scene::new().await;
    let mut servers = Vec::new();
    for _ in 0..5 {
        let (wire, server) = pair().await;
        servers.push(server);
        scene.pool.begin(&scene.origin, wire).give_back();
    }
    let taken: Vec<_> = std::iter::from_fn(|| scene.pool.take(&scene.origin)).collect();
    assert_eq!(taken.len(), 2);
    drop(taken);
    servers.swap(0, 4);
    scene.pool.let_go();
    scene.pooled.take().unwrap().give_back();
    assert!(scene.is_kept());
    scene.server.shutdown().await.unwrap();
    // Let go without having been asked for.
    while scene.pool.is_any() {
        tokio::task::yield_now().await;
        scene.pool.let_go();
    }
}

#[tokio::test]
async fn where_a_connection_fails_is_told() {
    let ask = async |answer: &[u8]| Scene::new().await.ask(answer, true).await.err().unwrap();
    assert!(matches!(ask(b"").await, AskError::Dead));
    assert!(matches!(ask(b"HTTP/1.1 200 OK\r\nContent").await, AskError::Lost));
    let why = ask(b"220 mail.example ESMTP").await;
    assert!(matches!(why, AskError::Malformed(Malformed::StatusLine)), "{why}");
    let read = async |whole: &[u8]| {
        let answered = Scene::new().await.ask(whole, true).await.unwrap();
        content(answered).await.unwrap_err().to_string()
    };
    assert_eq!(read(&answer("Content-Length: 7", b"hello")).await, "2 bytes are missing");
    let chunked = "Transfer-Encoding: chunked";
    assert_eq!(read(&answer(chunked, b"5\r\nhello\r\n")).await, "the last chunk is missing");
    assert!(read(&answer(chunked, b"5\r\nhello!")).await.contains("chunk"));
}

#[tokio::test]
async fn a_server_that_pauses_is_not_waited_for() {
    let (wire, mut server) = pair().await;
    let scene = Scene::new().await;
    let pooled = scene.pool.begin(&scene.origin, wire);
    let moment = Duration::from_millis(1);
    let why = pooled.ask(REQUEST, false, moment).await.err().unwrap();
    assert!(matches!(why, AskError::TooSlow), "{why}");
    assert_eq!(server.read(&mut [0; 99]).await.unwrap(), REQUEST.len());

    let mut scene = Scene::new().await;
    let mut answered = scene.ask(&answer("Content-Length: 7", b"hello"), false).await.unwrap();
    let content = &mut answered.content;
    assert_eq!(bytes(next(content, moment, None).await.unwrap().unwrap()), "hello");
    let why = next(content, moment, None).await.unwrap().err().unwrap();
    assert!(matches!(why, BodyError::Stalled(_)), "{why}");
}

#[tokio::test]
async fn interim_answers_are_read_over() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    let last = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    let mut scene = Scene::new().await;
    let answered = scene.ask(format!("{}{last}", hints.repeat(8)).as_bytes(), false).await;
    assert_eq!(answered.unwrap().status, StatusCode::NOT_FOUND);
    assert!(scene.is_kept());
    let often = format!("{}{last}", hints.repeat(9));
    let switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n";
    for wrong in [&*often, switched] {
        let why = Scene::new().await.ask(wrong.as_bytes(), false).await.err().unwrap();
        assert!(matches!(why, AskError::Malformed(Malformed::Interim)), "{why}");
    }
}

const KB: usize = 1024;

fn pipes() -> Rc<Pipes> {
    Rc::new(Pipes::new(Arc::default()))
}

/// Asks for a file of this length: its bytes, and how many of them were piped.
async fn piped(scene: &mut Scene, length: usize, pipes: &Rc<Pipes>) -> (Vec<u8>, usize) {
    let body: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
    let whole = answer(&format!("Content-Length: {length}"), &body);
    let pooled = scene.pooled.take().or_else(|| scene.pool.take(&scene.origin)).unwrap();
    let reading = async {
        let mut content = pooled.ask(REQUEST, false, PATIENCE).await.unwrap().content;
        let (mut all, mut piped) = (Vec::new(), 0);
        while let Some(piece) = next(&mut content, PATIENCE, Some(pipes)).await {
            let piece = piece.unwrap();
            let is_piped = matches!(piece, Piece::Piped(_));
            let bytes = bytes(piece);
            assert!((1..=256 * KB).contains(&bytes.len()), "{}", bytes.len());
            piped += if is_piped { bytes.len() } else { 0 };
            all.extend_from_slice(&bytes);
        }
        (all, piped)
    };
    let server = &mut scene.server;
    let answering = async {
        server.read_exact(&mut [0; REQUEST.len()]).await.unwrap();
        server.write_all(&whole).await.unwrap();
    };
    let (read, ()) = tokio::join!(reading, answering);
    assert!(read.0 == body, "{length}: {} bytes", read.0.len());
    read
}

#[tokio::test]
async fn long_contents_go_through_pipes_byte_for_byte() {
    let (mut scene, pipes) = (Scene::new().await, pipes());
    for length in [1, 64 * KB, 96 * KB, 256 * KB, 288 * KB, 1024 * KB, 1056 * KB, 5000 * KB] {
        for length in [length - 1, length, length + 1] {
            let (_, piped) = piped(&mut scene, length, &pipes).await;
            // How much comes with the head is the system's matter.
            assert!(
                if piped > 0 { length > 64 * KB } else { length < 128 * KB },
                "{length}: {piped}"
            );
            assert!(scene.is_kept());
        }
    }
    assert_eq!(pipes.held(), 1, "one after the other is filled and emptied");
}

#[tokio::test]
async fn where_no_pipe_is_to_be_had_bytes_are_copied() {
    let (mut scene, pipes) = (Scene::new().await, pipes());
    let mut taken: Vec<_> = std::iter::from_fn(|| pipes.take()).collect();
    assert_eq!(taken.len(), 96);
    assert_eq!(piped(&mut scene, 1024 * KB, &pipes).await.1, 0);
    // One is free again.
    taken.pop();
    assert!(piped(&mut scene, 1024 * KB, &pipes).await.1 > 0);
}

#[tokio::test]
async fn an_end_or_a_pause_is_seen_by_pipes_too() {
    let pipes = pipes();
    let begun = answer("Content-Length: 999999", b"hello");
    let mut answered = Scene::new().await.ask(&begun, true).await.unwrap();
    let content = &mut answered.content;
    assert_eq!(bytes(next(content, PATIENCE, Some(&pipes)).await.unwrap().unwrap()), "hello");
    let why = next(content, PATIENCE, Some(&pipes)).await.unwrap().err().unwrap();
    assert_eq!(why.to_string(), "999994 bytes are missing");

    let mut scene = Scene::new().await;
    let mut answered = scene.ask(&begun, false).await.unwrap();
    let content = &mut answered.content;
    next(content, PATIENCE, Some(&pipes)).await.unwrap().unwrap();
    let why = next(content, Duration::from_millis(1), Some(&pipes)).await.unwrap().err().unwrap();
    assert!(matches!(why, BodyError::Stalled(_)), "{why}");
    assert_eq!(pipes.held(), 1);
}
