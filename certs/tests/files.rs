//! What an operator is told about each kind of bad file.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod support;

use std::path::Path;
use std::time::Duration;

use access::Timestamp;
use certs::{ClientTls, KeyPair, key_is_exposed};
use proptest::prelude::*;
use support::{Folder, NOW, Pair};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is said about these two files, the folder's name cut out.
fn said(certificate: &[u8], key: &[u8]) -> String {
    let folder = Folder::new();
    let (certificate, key) = (folder.write("c.pem", certificate), folder.write("k.pem", key));
    let error = KeyPair::load(&certificate, &key, NOW).unwrap_err().to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn a_good_pair() {
    let (folder, pair) = (Folder::new(), Pair::new(&["conda.example.com", "*.example.org", "::1"]));
    let (certificate, key) = folder.write_pair(&pair);
    let loaded = KeyPair::load(&certificate, &key, NOW).unwrap();
    assert_eq!(loaded.names(), ["conda.example.com", "*.example.org", "::1"]);
    assert_eq!(loaded.not_after(), NOW.plus(10 * DAY));
    for (host, covered) in [
        ("conda.example.com", true),
        ("CONDA.example.com", true),
        ("a.example.org", true),
        ("::1", true),
        ("[::1]", true),
        ("example.org", false),
        ("a.b.example.org", false),
        ("127.0.0.1", false),
        ("", false),
        ("not a host", false),
    ] {
        assert_eq!(loaded.covers(host), covered, "{host}");
    }
    assert!(!format!("{loaded:?}").contains(&pair.key[40..80]));
}

#[test]
fn wrong_certificate_files() {
    let Pair { certificate, key } = Pair::new(&["a"]);
    let cases = [
        (
            String::new(),
            "c.pem: there is no certificate in it, no line `-----BEGIN CERTIFICATE-----`",
        ),
        (
            key.clone(),
            "c.pem: there is a private key in it, where only certificates belong; keep the key in a file of its own (are the two files exchanged?)",
        ),
        (
            format!("{certificate}{key}"),
            "c.pem: there is a private key in it, where only certificates belong; keep the key in a file of its own (are the two files exchanged?)",
        ),
        (
            certificate.replace("-----END CERTIFICATE-----", ""),
            "c.pem: it is not PEM: a BEGIN line has no END line",
        ),
        (
            certificate.replace("-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE"),
            "c.pem: it is not PEM: a BEGIN line is malformed",
        ),
        (
            certificate.replace("MII", "!!!"),
            "c.pem: it is not PEM: the lines between BEGIN and END are not base64",
        ),
        (certificate.replace("MII", "AAA"), "c.pem: certificate 1 in it is broken: "),
        (
            format!("{certificate}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "c.pem: certificate 2 in it is broken: ",
        ),
        (" ".repeat(1024 * 1024 + 1), "c.pem: it is larger than 1 MiB, which no certificate is"),
    ];
    for (content, expected) in cases {
        let said = said(content.as_bytes(), key.as_bytes());
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn wrong_key_files() {
    let Pair { certificate, key } = Pair::new(&["a"]);
    let cases = [
        (certificate.clone(), "k.pem: there is no private key in it, no line `-----BEGIN PRIVATE KEY-----`"),
        (format!("{key}{key}"), "k.pem: there is more than one private key in it"),
        (key.replace("PRIVATE", "ENCRYPTED PRIVATE"), "k.pem: the private key in it is encrypted; decrypt it with `openssl pkey -in FILE -out NEW-FILE`"),
        ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----".to_owned(), "k.pem: the private key in it is encrypted; decrypt it with `openssl pkey -in FILE -out NEW-FILE`"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----".to_owned(), "k.pem: the private key in it can't be used; RSA from 2048 bits, ECDSA on P-256 or P-384 and Ed25519 can"),
        (Pair::new(&["b"]).key, "k.pem: the private key does not belong to the first certificate in c.pem; name the two files of one pair, the server's own certificate before its issuers'"),
    ];
    for (content, expected) in cases {
        assert_eq!(said(certificate.as_bytes(), content.as_bytes()), expected);
    }
}

#[test]
fn files_that_are_not_there() {
    let folder = Folder::new();
    let (certificate, key) = folder.write_pair(&Pair::new(&["a"]));
    let gone = Path::new("/no/such/file.pem");
    for (certificate, key) in [(gone, &*key), (&*certificate, gone)] {
        let error = KeyPair::load(certificate, key, NOW).unwrap_err();
        assert_eq!(error.to_string(), "/no/such/file.pem: there is no such file");
    }
    let error = KeyPair::load(folder.path(), &key, NOW).unwrap_err();
    assert!(error.to_string().contains("it can't be read: Is a directory"), "{error}");
}

#[test]
fn certificates_out_of_their_time() {
    let folder = Folder::new();
    let (certificate, key) = folder.write_pair(&Pair::new(&["a"]));
    let said = |now| {
        let error = KeyPair::load(&certificate, &key, now).err();
        error.map(|error| error.to_string().replace(&certificate.display().to_string(), "c.pem"))
    };
    assert_eq!(said(NOW.plus(10 * DAY)), None);
    let late = said(NOW.plus(11 * DAY)).unwrap();
    assert_eq!(late, "c.pem: the certificate in it expired on 2026-11-11; renew it");
    let early = said(Timestamp::from_millis(NOW.as_millis() - 1)).unwrap();
    let expected = "c.pem: the certificate in it is not valid before 2026-11-01T12:00:00.000Z; is the machine's clock right?";
    assert_eq!(early, expected);
}

#[test]
fn wrong_files_of_a_client() {
    let (folder, pair) = (Folder::new(), Pair::new(&["a"]));
    let (certificate, key) = folder.write_pair(&pair);
    let said =
        |ca: &Path, identity| ClientTls::load(Some(ca), identity, NOW).unwrap_err().to_string();
    assert!(said(&key, None).ends_with("(are the two files exchanged?)"));
    assert!(said(&certificate, Some((&*key, &*key))).ends_with("(are the two files exchanged?)"));
    let broken =
        folder.write("ca.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----");
    assert!(said(&broken, None).contains("certificate 1 in it is broken: "));
}

#[test]
fn a_key_that_everyone_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let key = Folder::new().write("k.pem", b"");
    let folder = Folder::new();
    let open = folder.write("k.pem", b"");
    for (mode, exposed) in [(0o600, false), (0o640, false), (0o644, true)] {
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(key_is_exposed(&open), exposed, "{mode:o}");
    }
    assert!(!key_is_exposed(&key));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Garbage is refused, and no error repeats what is in a file.
    #[test]
    fn garbage_never_panics(
        certificate in prop::collection::vec(any::<u8>(), 0..2000),
        key in "(-----BEGIN [A-Z ]{0,12}PRIVATE KEY-----\n)?[A-Za-z0-9+/=\n]{0,200}(-----END PRIVATE KEY-----)?",
    ) {
        said(&certificate, key.as_bytes());
    }

    /// A good file with one byte changed is refused, or still a pair.
    #[test]
    fn damage_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), in_key in any::<bool>()) {
        let (folder, pair) = (Folder::new(), Pair::new(&["a"]));
        let (mut certificate, mut key) = (pair.certificate.into_bytes(), pair.key.into_bytes());
        let damaged = if in_key { &mut key } else { &mut certificate };
        let at = at.index(damaged.len());
        damaged[at] = byte;
        let (certificate, key) = (folder.write("c.pem", &certificate), folder.write("k.pem", &key));
        if let Err(error) = KeyPair::load(&certificate, &key, NOW) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
