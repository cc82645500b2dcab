//! Reloading under live connections, what each end is shown, and the development certificate.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod support;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use access::{Clock, SystemClock};
use certs::{
    ClientTls, DevelopmentCertificate, HTTP_1, HTTP_1_AND_2, ServerTls, development_certificate,
};
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    CertificateError, ClientConfig, Error, HandshakeKind, ProtocolVersion, RootCertStore,
    ServerConfig,
};
use support::{Connection, Folder, Pair};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn pair(name: &str) -> Pair {
    Pair::valid_from(&[name], SystemClock.now())
}

fn server(folder: &Folder) -> ServerTls {
    let (certificate, key) = ("server.pem", "server-key.pem");
    let (certificate, key) = (folder.path().join(certificate), folder.path().join(key));
    ServerTls::load(&certificate, &key, HTTP_1_AND_2, SystemClock.now()).unwrap()
}

/// A client that trusts the certificates in `ca`.
fn client(ca: &Path) -> ClientTls {
    ClientTls::load(Some(ca), None, SystemClock.now()).unwrap()
}

#[test]
fn a_reload_takes_effect_for_new_connections_and_keeps_the_last_good_pair() {
    let folder = Folder::new();
    let (old, new) = (pair("old.example.com"), pair("new.example.com"));
    let both = folder.write("ca.pem", format!("{}{}", old.certificate, new.certificate).as_bytes());
    folder.write_pair(&old);
    let tls = server(&folder);
    let shown = || {
        let connection = Connection::open(client(&both).config(), tls.config(), "old.example.com");
        if connection.is_ok() { "old" } else { "new" }
    };
    assert_eq!((shown(), tls.changed()), ("old", false));
    let mut open =
        Connection::open(client(&both).config(), tls.config(), "old.example.com").unwrap();

    // A renewal that is half done, a broken file, a missing one: each is said once, none is used.
    folder.write("server.pem", new.certificate.as_bytes());
    assert!(tls.changed());
    let error = tls.reload(SystemClock.now()).unwrap_err().to_string();
    assert!(error.contains("does not belong to the first certificate"), "{error}");
    assert_eq!((shown(), tls.changed()), ("old", false));
    folder.write("server-key.pem", b"");
    assert!(tls.changed() && tls.reload(SystemClock.now()).is_err());
    std::fs::remove_file(folder.path().join("server-key.pem")).unwrap();
    assert!(tls.changed() && tls.reload(SystemClock.now()).is_err());
    assert_eq!((shown(), tls.changed()), ("old", false));

    folder.write_pair(&new);
    assert!(tls.changed());
    let loaded = tls.reload(SystemClock.now()).unwrap();
    assert_eq!((loaded.names(), shown()), (&["new.example.com".to_owned()][..], "new"));
    assert_eq!(tls.pair().names(), loaded.names());

    // The open connection goes on.
    open.client.writer().write_all(b"still here").unwrap();
    open.exchange().unwrap();
    let mut received = [0; 10];
    open.server.reader().read_exact(&mut received).unwrap();
    assert_eq!(&received, b"still here");
}

/// As certificate managers do it: the files are links into a folder that is exchanged at once.
#[test]
fn an_exchanged_link_is_a_change() {
    let folder = Folder::new();
    for (name, pair) in [("1", pair("a.example.com")), ("2", pair("b.example.com"))] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        folder.write(&format!("{name}/server.pem"), pair.certificate.as_bytes());
        folder.write(&format!("{name}/server-key.pem"), pair.key.as_bytes());
    }
    let link = folder.path().join("current");
    std::os::unix::fs::symlink("1", &link).unwrap();
    let (certificate, key) = (link.join("server.pem"), link.join("server-key.pem"));
    let tls = ServerTls::load(&certificate, &key, HTTP_1, SystemClock.now()).unwrap();
    let next = folder.path().join("next");
    std::os::unix::fs::symlink("2", &next).unwrap();
    std::fs::rename(&next, &link).unwrap();
    assert!(tls.changed());
    assert_eq!(tls.reload(SystemClock.now()).unwrap().names(), ["b.example.com"]);
}

#[test]
fn protocols_and_resumption() {
    let folder = Folder::new();
    let pair = pair("a.example.com");
    folder.write_pair(&pair);
    let tls = server(&folder);
    let ca = folder.path().join("server.pem");
    for (offered, agreed) in [(HTTP_1_AND_2, &b"h2"[..]), (HTTP_1, b"http/1.1")] {
        let mut config = (*client(&ca).config()).clone();
        config.alpn_protocols = offered.iter().map(|protocol| protocol.to_vec()).collect();
        let connection = Connection::open(Arc::new(config), tls.config(), "a.example.com").unwrap();
        assert_eq!(connection.server.alpn_protocol(), Some(agreed));
        assert_eq!(connection.server.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    }
    let client = client(&ca);
    for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let connection = Connection::open(client.config(), tls.config(), "a.example.com").unwrap();
        assert_eq!(connection.server.handshake_kind(), Some(expected));
    }
}

#[test]
fn a_client_shows_its_identity_and_follows_its_files() {
    let (folder, upstream, now) = (Folder::new(), Folder::new(), SystemClock.now());
    let (one, two) = (pair("client-a"), pair("client-b"));
    let both =
        upstream.write("ca.pem", format!("{}{}", one.certificate, two.certificate).as_bytes());
    let (server_certificate, server_key) = upstream.write_pair(&pair("a.example.com"));
    let server = demanding_server(&server_certificate, &server_key, &both);
    let (certificate, key) = folder.write_pair(&one);
    let identity = Some((&*certificate, &*key));
    let tls = ClientTls::load(Some(&server_certificate), identity, now).unwrap();
    let shown = |tls: &ClientTls| {
        let config = without_resumption(tls);
        let open = Connection::open(config, Arc::clone(&server), "a.example.com").unwrap();
        open.server.peer_certificates().unwrap()[0].to_vec()
    };
    let first = shown(&tls);
    assert_eq!(
        (tls.identity().unwrap().names(), tls.changed()),
        (&["client-a".to_owned()][..], false)
    );

    folder.write("server.pem", two.certificate.as_bytes());
    assert!(tls.changed() && tls.reload(now).is_err());
    assert_eq!(shown(&tls), first);
    folder.write_pair(&two);
    assert!(tls.changed());
    tls.reload(now).unwrap();
    assert_eq!(tls.identity().unwrap().names(), ["client-b"]);
    assert_ne!(shown(&tls), first);
    assert!(ClientTls::load(Some(&both), None, now).unwrap().identity().is_none());
}

/// A server that wants a certificate in `ca` of its clients.
fn demanding_server(certificate: &Path, key: &Path, ca: &Path) -> Arc<ServerConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_file_iter(ca).unwrap().flatten());
    let provider = Arc::new(ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let chain = CertificateDer::pem_file_iter(certificate).unwrap().flatten().collect();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap());
    Arc::new(config.unwrap())
}

/// A resumed session shows no certificate.
fn without_resumption(tls: &ClientTls) -> Arc<ClientConfig> {
    let mut config = (*tls.config()).clone();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

#[test]
fn the_development_certificate_is_trusted_by_who_trusts_its_authority() {
    let (folder, now) = (Folder::new(), SystemClock.now());
    let names = ["localhost", "127.0.0.1", "::1"];
    let files = development_certificate(folder.path(), &names, now).unwrap();
    let DevelopmentCertificate { ca, certificate, key } = &files;
    let mode = std::fs::metadata(key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut written: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    written.sort();
    assert_eq!(written, ["ca.pem", "server-key.pem", "server.pem"]);

    let tls = ServerTls::load(certificate, key, HTTP_1, now).unwrap();
    assert!(tls.pair().not_after().since(now) <= 397 * DAY);
    let trusting = client(ca);
    for name in names {
        Connection::open(trusting.config(), tls.config(), name).unwrap();
    }
    let refused = Connection::open(trusting.config(), tls.config(), "example.com").err().unwrap();
    assert!(matches!(
        refused,
        Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })
    ));
    let stranger = folder.write("other.pem", pair("localhost").certificate.as_bytes());
    assert!(Connection::open(client(&stranger).config(), tls.config(), "localhost").is_err());
}

#[test]
fn the_development_certificate_is_kept_while_it_is_good() {
    let (folder, now) = (Folder::new(), SystemClock.now());
    let make = |names: &[&str], now| {
        let files = development_certificate(folder.path(), names, now).unwrap();
        std::fs::read_to_string(files.certificate).unwrap()
    };
    let first = make(&["localhost", "127.0.0.1"], now);
    assert_eq!(make(&["127.0.0.1", "localhost"], now.plus(300 * DAY)), first);
    let other = make(&["localhost"], now);
    assert_ne!(other, first, "other names");
    let renewed = make(&["localhost"], now.plus(380 * DAY));
    assert_ne!(renewed, other, "about to expire");
    std::fs::write(folder.path().join("ca.pem"), &first).unwrap();
    assert_ne!(make(&["localhost"], now.plus(380 * DAY)), renewed, "another authority");
    assert!(development_certificate(folder.path(), &["ä"], now).is_err());
}
