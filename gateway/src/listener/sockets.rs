//! Listening sockets: one per worker thread and address.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// How many connections the kernel keeps for a thread that hasn't accepted them yet.
const BACKLOG: i32 = 1024;

/// How much of an answer the kernel holds beside what is on its way, in bytes. Without a bound, what a
/// client doesn't take fills the largest buffer that there is, and is beyond the reach of a revoke.
const UNSENT_BYTES: u32 = 512 * 1024;

/// An address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on {address} (gateway.listen): {why}")]
pub struct BindError {
    /// The address, as configured.
    pub address: SocketAddr,
    /// The system's reason.
    pub why: io::Error,
}

/// The bound sockets of every thread.
pub(crate) struct Sockets {
    /// The addresses, with the port that the system gave where 0 was asked for.
    pub(crate) addresses: Vec<SocketAddr>,
    /// A set of sockets for each thread.
    pub(crate) per_thread: Vec<Vec<TcpListener>>,
}

impl Sockets {
    pub(crate) fn bind(addresses: &[SocketAddr], threads: usize) -> Result<Self, BindError> {
        let mut bound =
            Self { addresses: Vec::new(), per_thread: (0..threads).map(|_| Vec::new()).collect() };
        for &address in addresses {
            bound.bind_one(address).map_err(|why| BindError { address, why })?;
        }
        Ok(bound)
    }

    fn bind_one(&mut self, address: SocketAddr) -> io::Result<()> {
        // With SO_REUSEPORT a second gateway would silently take half of the connections; an
        // exclusive socket finds it.
        let address = match address.port() {
            0 => address,
            _ => {
                bind(address, false)?;
                address
            }
        };
        let mut address = address;
        for thread in &mut self.per_thread {
            let socket = bind(address, true)?;
            address = socket.local_addr()?;
            thread.push(socket);
        }
        self.addresses.push(address);
        Ok(())
    }
}

fn bind(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    // Every connection has it from here.
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_has_a_socket_on_the_same_port() {
        let sockets = Sockets::bind(&["127.0.0.1:0".parse().unwrap()], 3).unwrap();
        assert_eq!(sockets.per_thread.len(), 3);
        for thread in &sockets.per_thread {
            assert_eq!(thread[0].local_addr().unwrap(), sockets.addresses[0]);
        }
    }

    #[test]
    fn a_second_gateway_on_the_same_port_is_refused() {
        let first = Sockets::bind(&["127.0.0.1:0".parse().unwrap()], 2).unwrap();
        let why = Sockets::bind(&first.addresses, 2).err().unwrap();
        assert_eq!(why.why.kind(), io::ErrorKind::AddrInUse);
        assert!(why.to_string().contains(&first.addresses[0].to_string()));
    }
}
