use std::future::poll_fn;

use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};
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

fn wire() -> (Wire<DuplexStream>, DuplexStream) {
    let (client, server) = duplex(64 * 1024);
    (Wire::new(server, LIMITS, Rc::default()), client)
}

async fn head(wire: &mut Wire<DuplexStream>) -> Option<Result<Vec<u8>, Fault>> {
    poll_fn(|cx| wire.poll_head(cx)).await
}

#[tokio::test(start_paused = true)]
async fn whole_heads_are_given_one_by_one() {
    let (mut wire, mut client) = wire();
    client.write_all(b"\r\n").await.unwrap();
    for part in HEAD.chunks(7) {
        client.write_all(part).await.unwrap();
    }
    client.write_all(HEAD).await.unwrap();
    assert_eq!(head(&mut wire).await, Some(Ok(HEAD.to_vec())));
    assert_eq!(head(&mut wire).await, Some(Ok(HEAD.to_vec())));
    assert_eq!(wire.buffer.capacity(), 0, "who waits holds no buffer");
    client.write_all(&HEAD[..10]).await.unwrap();
    drop(client);
    assert_eq!(head(&mut wire).await, None, "half a head is none");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_and_a_slow_head_is_refused() {
    let (mut wire, client) = wire();
    let begun = Instant::now();
    assert_eq!(head(&mut wire).await, None);
    assert_eq!(begun.elapsed().as_secs(), LIMITS.idle_timeout.as_secs());
    drop(client);

    let (mut wire, mut client) = self::wire();
    client.write_all(&HEAD[..10]).await.unwrap();
    let begun = Instant::now();
    assert_eq!(head(&mut wire).await, Some(Err(Fault::Slow)));
    assert_eq!(begun.elapsed().as_secs(), LIMITS.head_timeout.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_head_has_as_long_as_a_head_after_the_wait_for_it() {
    let (mut wire, mut client) = wire();
    let almost = LIMITS.idle_timeout - Duration::from_secs(1);
    assert!(tokio::time::timeout(almost, head(&mut wire)).await.is_err());
    client.write_all(&HEAD[..10]).await.unwrap();
    let almost = LIMITS.head_timeout - Duration::from_secs(1);
    assert!(tokio::time::timeout(almost, head(&mut wire)).await.is_err());
    client.write_all(&HEAD[10..]).await.unwrap();
    assert_eq!(head(&mut wire).await, Some(Ok(HEAD.to_vec())));
}

/// Empty lines are ignored, and are no request: nobody holds a connection with them.
#[tokio::test(start_paused = true)]
async fn empty_lines_buy_no_time() {
    let (mut wire, mut client) = wire();
    let begun = Instant::now();
    let dripping = tokio::spawn(async move {
        for byte in b"\r\n".iter().cycle() {
            if client.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(head(&mut wire).await, None, "nothing to refuse");
    assert_eq!(begun.elapsed().as_secs(), LIMITS.head_timeout.as_secs());
    dripping.abort();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_let_go() {
    let (mut wire, client) = wire();
    let begun = Instant::now();
    let why = loop {
        match poll_fn(|cx| wire.poll_send(cx, &[0; 1024], &[1; 1024])).await {
            Ok(_sent) => {}
            Err(why) => break why,
        }
    };
    assert_eq!(why.kind(), io::ErrorKind::TimedOut);
    assert_eq!(begun.elapsed().as_secs(), LIMITS.send_timeout.as_secs());
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_head_is_bounded() {
    let (mut wire, mut client) = wire();
    client.write_all(b"GET /a HTTP/1.1\r\nX: ").await.unwrap();
    client.write_all(&[b'x'; 2000]).await.unwrap();
    assert_eq!(head(&mut wire).await, Some(Err(Fault::TooLarge)));
}

#[tokio::test(start_paused = true)]
async fn while_an_answer_is_made_what_comes_next_is_kept_within_bounds() {
    let (mut wire, mut client) = wire();
    client.write_all(HEAD).await.unwrap();
    assert_eq!(head(&mut wire).await, Some(Ok(HEAD.to_vec())));
    client.write_all(&HEAD.repeat(1000)).await.unwrap();
    let left = tokio::time::timeout(Duration::from_secs(9), poll_fn(|cx| wire.poll_left(cx)));
    assert!(left.await.is_err(), "it is still there");
    assert!((LIMITS.head_bytes..LIMITS.head_bytes + READ_BYTES + 1).contains(&wire.buffer.len()));
    for _ in 0..1000 {
        assert_eq!(head(&mut wire).await, Some(Ok(HEAD.to_vec())));
    }
    drop(client);
    poll_fn(|cx| wire.poll_left(cx)).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_client_is_read_away_within_bounds() {
    let (mut wire, mut client) = wire();
    let writing = tokio::spawn(async move {
        client.write_all(&[b'x'; 10_000]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        client
    });
    let begun = Instant::now();
    wire.linger().await;
    assert_eq!(begun.elapsed(), LINGER);
    drop(writing);

    let (mut wire, client) = self::wire();
    drop(client);
    let begun = Instant::now();
    wire.linger().await;
    assert_eq!(begun.elapsed(), Duration::ZERO, "it has left");
}
