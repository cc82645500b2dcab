//! The sections `[storage.<name>]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::uri::Authority;

use crate::section::settings;
use crate::value::{BaseUrl, Secret};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A named place with package files. A channel is bound to a storage and a prefix in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Storage {
    /// A folder of this machine.
    Directory(DirectoryStorage),
    /// A web server with a channel tree.
    Http(Box<HttpStorage>),
}

settings! {
    /// Package files in a folder of this machine.
    pub struct DirectoryStorage {
        /// The folder above the channels' trees.
        path: PathBuf, example "/srv/conda";
    }
}

settings! {
    /// Package files on any web server with a channel tree.
    pub struct HttpStorage {
        /// The URL above the channels' trees.
        url: BaseUrl, example "https://conda.internal/channels";
        /// Certificates to trust instead of the system's, PEM.
        ca_file: Option<PathBuf> = None, example "tls/internal-ca.pem";
        /// The certificate that the gateway shows the server, PEM; with `client_key`.
        client_certificate: Option<PathBuf> = None, example "tls/client.pem";
        /// The private key of `client_certificate`, PEM.
        client_key: Option<PathBuf> = None, example "tls/client-key.pem";
        /// The user name for basic authentication; with `password`.
        username: Option<String> = None, example "condagate";
        /// The password of `username`.
        password: Option<Secret> = None, example "secrets/old-server-password";
        /// A bearer token, instead of `username` and `password`.
        bearer: Option<Secret> = None, example "secrets/old-server-token";
        /// How long connecting may take, TLS included.
        connect_timeout: Duration = 5 * SECOND, within SECOND..=HOUR;
        /// How long the server may take to begin its answer.
        first_byte_timeout: Duration = 30 * SECOND, within SECOND..=HOUR;
        /// How long the server may pause within its answer.
        idle_timeout: Duration = 30 * SECOND, within SECOND..=HOUR;
        /// Idle connections kept, per worker thread.
        pool_idle_per_thread: u32 = 32, within 0..=10_000;
        /// Hosts (`host` or `host:port`) to which a redirect is followed, beside the URL's own.
        redirect_hosts: Vec<Authority> = Vec::new();
    }
}

/// How the gateway authenticates itself to an `http` storage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Credentials<'a> {
    /// `Authorization: Basic` (RFC 7617).
    Basic {
        /// The user name.
        username: &'a str,
        /// The password.
        password: &'a Secret,
    },
    /// `Authorization: Bearer` (RFC 6750).
    Bearer(&'a Secret),
}

impl HttpStorage {
    /// The credentials for the server, if it wants any.
    pub fn credentials(&self) -> Option<Credentials<'_>> {
        match (&self.bearer, &self.username, &self.password) {
            (Some(bearer), _, _) => Some(Credentials::Bearer(bearer)),
            (None, Some(username), Some(password)) => {
                Some(Credentials::Basic { username, password })
            }
            _ => None,
        }
    }

    /// The files of certificate and key that the gateway shows the server, if it wants any.
    pub fn client_identity(&self) -> Option<(&Path, &Path)> {
        Some((self.client_certificate.as_deref()?, self.client_key.as_deref()?))
    }
}
