//! Pairs to test with, their files, and a live handshake.

#![allow(clippy::unwrap_used, dead_code, reason = "each test file uses some of it")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use access::Timestamp;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use time::OffsetDateTime;

/// 2026-11-01T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_793_534_400_000);

/// A self-signed certificate, valid for ten days from [`NOW`] on, and its key.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Pair {
    pub(crate) fn new(names: &[&str]) -> Self {
        Self::valid_from(names, NOW)
    }

    pub(crate) fn valid_from(names: &[&str], from: Timestamp) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        let from = OffsetDateTime::from_unix_timestamp(from.as_millis() / 1000).unwrap();
        (params.not_before, params.not_after) = (from, from + time::Duration::days(10));
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { certificate, key: key.serialize_pem() }
    }
}

/// A folder that goes with the test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn write_pair(&self, pair: &Pair) -> (PathBuf, PathBuf) {
        let certificate = self.write("server.pem", pair.certificate.as_bytes());
        (certificate, self.write("server-key.pem", pair.key.as_bytes()))
    }
}

/// Two ends of one connection, in memory.
pub(crate) struct Connection {
    pub(crate) client: ClientConnection,
    pub(crate) server: ServerConnection,
}

impl Connection {
    /// Connects to `name` and shakes hands.
    pub(crate) fn open(
        client: Arc<ClientConfig>,
        server: Arc<ServerConfig>,
        name: &str,
    ) -> Result<Self, rustls::Error> {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut connection = Self {
            client: ClientConnection::new(client, name).unwrap(),
            server: ServerConnection::new(server).unwrap(),
        };
        connection.exchange()?;
        Ok(connection)
    }

    /// Carries bytes both ways until neither end has any.
    pub(crate) fn exchange(&mut self) -> Result<(), rustls::Error> {
        while self.client.wants_write() || self.server.wants_write() {
            let mut bytes = Vec::new();
            while self.client.wants_write() {
                self.client.write_tls(&mut bytes).unwrap();
            }
            while !bytes.is_empty() {
                let read = self.server.read_tls(&mut &*bytes).unwrap();
                bytes.drain(..read);
                self.server.process_new_packets()?;
            }
            while self.server.wants_write() {
                self.server.write_tls(&mut bytes).unwrap();
            }
            while !bytes.is_empty() {
                let read = self.client.read_tls(&mut &*bytes).unwrap();
                bytes.drain(..read);
                self.client.process_new_packets()?;
            }
        }
        Ok(())
    }
}
