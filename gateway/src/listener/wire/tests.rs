use std::future::poll_fn;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::Instant;

use super::*;

const LIMITS: WireLimits = WireLimits {
    head_bytes: 1024,
    head_timeout: Duration::from_secs(15),
    idle_timeout: Duration::from_secs(75),
    send_timeout: Duration::from_secs(60),
};
impl Stream for DuplexStream {
    fn reset_when_closed(&self) {}
}

const HEAD: &[u8] = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

fn wire() -> (Wire<DuplexStream>, DuplexStream, Rc<Exchange>) {
    let (client, server) = duplex(64 * 1024);
    let exchange = Rc::new(Exchange::default());
    (Wire::new(server, LIMITS, Rc::clone(&exchange), true), client, exchange)
}

async fn read(wire: &mut Wire<DuplexStream>) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let count = wire.read(&mut buffer).await.unwrap();
    buffer[..count].to_vec()
}

#[tokio::test(start_paused = true)]
async fn whole_heads_are_handed_up_one_by_one() {
    let (mut wire, mut client, exchange) = wire();
    client.write_all(b"\r\n").await.unwrap();
    for part in HEAD.chunks(7) {
        client.write_all(part).await.unwrap();
    }
    client.write_all(HEAD).await.unwrap();
    assert_eq!(read(&mut wire).await, HEAD);
    assert_eq!(read(&mut wire).await, HEAD);
    drop(client);
    assert_eq!(read(&mut wire).await, b"");
    assert_eq!(exchange.fault.get(), None);
}

#[tokio::test(start_paused = true)]
async fn w5a_a_refused_head_and_what_follows_it_stay_down() {
    let (mut wire, mut client, exchange) = wire();
    client.write_all(HEAD).await.unwrap();
    client.write_all(b"GET /a HTTP/1.1\r\nContent-Length: 30\r\n\r\n").await.unwrap();
    client.write_all(HEAD).await.unwrap();
    assert_eq!(read(&mut wire).await, HEAD);
    assert_eq!(read(&mut wire).await, REFUSED_HEAD);
    assert_eq!(exchange.fault_of(&http::Method::from_bytes(b"!").unwrap()), Some(Fault::Content));
    assert_eq!(exchange.fault_of(&http::Method::GET), None);
    let more = tokio::time::timeout(Duration::from_secs(9), read(&mut wire)).await;
    assert!(more.is_err(), "nothing more is handed up");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_and_a_slow_head_is_refused() {
    let (mut wire, client, exchange) = wire();
    let begun = Instant::now();
    assert_eq!(read(&mut wire).await, b"");
    assert_eq!(begun.elapsed().as_secs(), LIMITS.idle_timeout.as_secs());
    drop(client);
    assert_eq!(exchange.fault.get(), None);

    let (mut wire, mut client, exchange) = self::wire();
    client.write_all(&HEAD[..10]).await.unwrap();
    let begun = Instant::now();
    assert_eq!(read(&mut wire).await, REFUSED_HEAD);
    assert_eq!(begun.elapsed().as_secs(), LIMITS.head_timeout.as_secs());
    assert_eq!(exchange.fault.get(), Some(Fault::Slow));
}

#[tokio::test(start_paused = true)]
async fn a_connection_with_an_answer_on_its_way_is_not_idle() {
    let (mut wire, client, exchange) = wire();
    let in_flight = exchange.begin();
    let hour = Duration::from_secs(3600);
    assert!(tokio::time::timeout(hour, read(&mut wire)).await.is_err());
    drop(in_flight);
    assert_eq!(read(&mut wire).await, b"");
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_let_go() {
    let (mut wire, client, _exchange) = wire();
    let begun = Instant::now();
    let error = wire.write_all(&[0; 128 * 1024]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(begun.elapsed().as_secs(), LIMITS.send_timeout.as_secs());
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_head_is_bounded() {
    let (mut wire, mut client, exchange) = wire();
    client.write_all(b"GET /a HTTP/1.1\r\nX: ").await.unwrap();
    client.write_all(&[b'x'; 2000]).await.unwrap();
    assert_eq!(read(&mut wire).await, REFUSED_HEAD);
    assert_eq!(exchange.fault.get(), Some(Fault::TooLarge));
}

#[tokio::test(start_paused = true)]
async fn a_refused_client_is_read_to_its_end_before_the_connection_goes() {
    let (mut wire, mut client, _exchange) = wire();
    client.write_all(b"nonsense\r\n\r\n").await.unwrap();
    assert_eq!(read(&mut wire).await, REFUSED_HEAD);
    let closing = tokio::spawn(async move {
        client.write_all(&[b'x'; 10_000]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
    });
    wire.shutdown().await.unwrap();
    closing.abort();
}

#[tokio::test(start_paused = true)]
async fn a_connection_rests_after_a_while_and_begins_again() {
    let (mut wire, mut client, exchange) = wire();
    client.write_all(HEAD).await.unwrap();
    assert!(poll_fn(|cx| wire.poll_begins(cx)).await, "the first request");
    assert_eq!(read(&mut wire).await, HEAD);
    let in_flight = exchange.begin();
    let waits = tokio::time::timeout(2 * RESTS_AFTER, read(&mut wire)).await;
    assert!(waits.is_err() && !exchange.rests(), "an answer is on its way");
    drop(in_flight);
    let waits = tokio::time::timeout(2 * RESTS_AFTER, read(&mut wire)).await;
    assert!(waits.is_err() && exchange.rests() && !exchange.rests(), "told once");
    client.write_all(HEAD).await.unwrap();
    assert!(poll_fn(|cx| wire.poll_begins(cx)).await, "the next request");
    assert_eq!(read(&mut wire).await, HEAD);
    let idle = Instant::now();
    let waits = tokio::time::timeout(2 * RESTS_AFTER, read(&mut wire)).await;
    assert!(waits.is_err() && exchange.rests());
    assert!(!poll_fn(|cx| wire.poll_begins(cx)).await, "nothing came");
    assert_eq!(idle.elapsed().as_secs(), LIMITS.idle_timeout.as_secs());
}
