//! Ports for programs that must be told one.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below what the system gives to outgoing connections, so that no other can take it meanwhile.
const FIRST: u16 = 10_000;
const COUNT: u16 = 20_000;

/// An address of this machine on which nothing listens, given to no other test of this process.
pub(crate) fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Two test processes begin at different places.
    let start = std::process::id().wrapping_mul(37) % u32::from(COUNT);
    for _ in 0..COUNT {
        let next = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = FIRST + u16::try_from((start + next) % u32::from(COUNT)).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port from {FIRST} to {} is free", FIRST + COUNT);
}
