//! The sections `[storage.<name>]`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::uri::Authority;

use crate::document::Table;
use crate::listing::SectionListing;
use crate::reader::{Reader, Report, join, read_section};
use crate::section::{Field, Section, Spec, settings};
use crate::value::{BaseUrl, Raw, Secret, choice};

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
        bearer: Option<Secret> = None;
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
    check check_http
}

choice! {
    /// The kinds of storage.
    pub enum StorageKind {
        /// A folder of this machine.
        Directory = "directory",
        /// A web server.
        Http = "http",
    }
    to come: "s3"
}

impl Storage {
    /// The kind, as in the setting `kind`.
    pub fn kind(&self) -> StorageKind {
        match self {
            Self::Directory(_) => StorageKind::Directory,
            Self::Http(_) => StorageKind::Http,
        }
    }

    fn listing(&self, path: &str) -> SectionListing {
        match self {
            Self::Directory(storage) => listing(self.kind(), Some(storage), path),
            Self::Http(storage) => listing(self.kind(), Some(&**storage), path),
        }
    }

    /// Reads the storage at `path`: first its kind, then the settings that this kind has.
    fn read(path: String, table: Table, report: &mut Report) -> Option<Self> {
        let mut reader = Reader::new(path.clone(), table, report);
        let kind = StorageKind::read(&mut reader, kind_spec(None))?;
        let table = reader.into_table();
        match kind {
            StorageKind::Directory => read_section(path, table, report).map(Self::Directory),
            StorageKind::Http => {
                read_section(path, table, report).map(|storage| Self::Http(Box::new(storage)))
            }
        }
    }
}

/// The line `kind` of a storage's table.
fn kind_spec(example: Option<StorageKind>) -> Spec<StorageKind> {
    Spec {
        key: "kind",
        doc: &[" What kind of storage it is."],
        default: None,
        example: example.map(|kind| Raw::from(kind.word())),
        bounds: None,
    }
}

/// The settings of a storage, the kind first.
fn listing<S: Section>(kind: StorageKind, storage: Option<&S>, path: &str) -> SectionListing {
    let settings = S::listing(storage, path);
    let mut listing = SectionListing::new(path, &settings.about);
    StorageKind::list(storage.map(|_| &kind), kind_spec(Some(kind)), &mut listing);
    listing.settings.extend(settings.settings);
    listing
}

impl Field for BTreeMap<String, Storage> {
    fn read(reader: &mut Reader<'_>, spec: Spec<Self>) -> Option<Self> {
        let Some(sections) = reader.subsection(spec.key).ok()? else { return Some(Self::new()) };
        let path = reader.key(spec.key);
        let mut sections = Reader::new(path.clone(), sections, reader.report);
        let mut storages = Some(Self::new());
        for name in sections.names() {
            let storage = match sections.subsection(&name) {
                Ok(Some(table)) if is_name(&name) => {
                    Storage::read(join(&path, &name), table, sections.report)
                }
                Ok(Some(table)) => {
                    let message = "the name of a storage begins with a letter or digit and has \
                                   letters a-z, digits, - and _ (but not __) in it";
                    sections.refuse(&table.origin, &name, message);
                    None
                }
                _ => None,
            };
            storages = storages.zip(storage).map(|(mut storages, storage)| {
                storages.insert(name, storage);
                storages
            });
        }
        storages
    }

    fn list(value: Option<&Self>, spec: Spec<Self>, into: &mut SectionListing) {
        let path = |name: &str| join(&join(&into.path, spec.key), name);
        let sections: Vec<SectionListing> = match value {
            Some(storages) => {
                storages.iter().map(|(name, storage)| storage.listing(&path(name))).collect()
            }
            None => vec![
                listing::<DirectoryStorage>(StorageKind::Directory, None, &path("main")),
                listing::<HttpStorage>(StorageKind::Http, None, &path("old-server")),
            ],
        };
        into.sections.extend(sections);
    }
}

/// Whether a storage can be called `name`, also in the name of a variable.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    name.chars().all(plain) && !name.starts_with(['-', '_']) && !name.contains("__")
}

fn check_http(storage: &HttpStorage) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut needs = |key: &'static str, set: bool, other: &str, other_set: bool| {
        if set && !other_set {
            found.push((key, format!("needs {other} too")));
        }
    };
    let (certificate, key) = (storage.client_certificate.is_some(), storage.client_key.is_some());
    needs("client_certificate", certificate, "client_key", key);
    needs("client_key", key, "client_certificate", certificate);
    let (username, password) = (storage.username.is_some(), storage.password.is_some());
    needs("username", username, "password", password);
    needs("password", password, "username", username);
    if storage.bearer.is_some() && (username || password) {
        let message = "username and password are set too; set only one of the two ways";
        found.push(("bearer", message.to_owned()));
    }
    found
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
