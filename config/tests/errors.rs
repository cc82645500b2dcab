//! Every kind of mistake in a configuration, and what the operator is told.

use std::path::Path;

use config::{Config, ConfigError};

/// What is said about `text` in the file `condagate.toml` and about the `environment`.
fn problems(text: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    match Config::from_text(text, Path::new("condagate.toml"), environment) {
        Ok(_) => Vec::new(),
        Err(error) => error.to_string().lines().map(str::to_owned).collect(),
    }
}

#[test]
fn all_problems_are_reported_at_once_with_file_and_line() {
    let text = r#"
[gateway]
listn = ["0.0.0.0:8080"]
lease = 180
access_log = "xml"

[gatway.cache]
size = "1MiB"

[control]
seats = -1
"#;
    assert_eq!(
        problems(text, &[("CONDAGATE_LOG__LEVL", "info")]),
        [
            r#"condagate.toml:3: gateway.listn: unknown key; did you mean gateway.listen?"#,
            r#"condagate.toml:4: gateway.lease: 180 is not a duration; accepted: a duration (ms, s, m, h or d) from "5s" to "1h""#,
            r#"condagate.toml:5: gateway.access_log: "xml" is not accepted; accepted: "json" or "text" or "off""#,
            r#"condagate.toml:7: gatway: unknown key; did you mean gateway?"#,
            r#"condagate.toml:11: control.seats: -1 is out of range; accepted: a whole number"#,
            r#"environment: CONDAGATE_LOG__LEVL: log.levl: unknown key; did you mean CONDAGATE_LOG__LEVEL?"#,
        ]
    );
}

/// Mistakes in a file, and what follows `condagate.toml:` for each.
const IN_THE_FILE: &[(&str, &[&str])] = &[
    // Keys.
    ("gateway = 3", &["1: gateway: is a section, written [gateway]"]),
    ("[[gateway]]\nthreads = 1", &["1: gateway: is a section, written [gateway]"]),
    ("[gateway.listen]\na = 1", &["1: gateway.listen: is one value, not a section"]),
    (
        "a.b.c = 1",
        &[
            "1: a: unknown key; known here: database, gateway, control, storage.main, storage.old-server, metrics, log",
        ],
    ),
    ("[metrics]\ncolour = 1", &["2: metrics.colour: unknown key; known here: metrics.listen"]),
    (
        "[gateway]\nmetadata_ttl = '1s'",
        &["2: gateway.metadata_ttl: unknown key; did you mean gateway.cache.metadata_ttl?"],
    ),
    // Values.
    (
        "[gateway]\nthreads = 2000",
        &["2: gateway.threads: 2000 is out of range; accepted: a whole number from 0 to 1024"],
    ),
    (
        "[gateway]\nthreads = 99999999999999999999",
        &[
            "2: gateway.threads: 99999999999999999999 is not a whole number; accepted: a whole number from 0 to 1024",
        ],
    ),
    ("[gateway]\ncontact = 1.5", &["2: gateway.contact: 1.5 is not a string; accepted: a string"]),
    (
        "[gateway]\nlisten = '[::]:80'",
        &[
            r#"2: gateway.listen: "[::]:80" is not a list; accepted: a list, each item an address and port such as "127.0.0.1:8080" or "[::]:8080""#,
        ],
    ),
    ("[gateway]\nlisten = []", &["2: gateway.listen: needs at least one address"]),
    (
        "[gateway]\nmount_prefixes = ['', 'a/t']",
        &[
            r#"2: gateway.mount_prefixes: "a/t" is not a mount prefix: a segment `t` introduces a token; accepted: a list, each item a path without slashes at its ends such as "api/repo", or "" for the root"#,
        ],
    ),
    (
        "[gateway]\ntrusted_proxies = ['10.0.0.1/8']",
        &[
            r#"2: gateway.trusted_proxies: "10.0.0.1/8" has bits set beyond its prefix; 10.0.0.0/8 has not; accepted: a list, each item a network such as "10.0.0.0/8" or "fd00::/8""#,
        ],
    ),
    (
        "[gateway]\npublic_url = 'conda.example.com'",
        &[
            r#"2: gateway.public_url: the value is not a URL with a scheme (http or https) and a host; accepted: a URL such as "https://conda.example.com""#,
        ],
    ),
    (
        "[metrics]\nlisten = '127.0.0.1:8081'",
        &["2: metrics.listen: 127.0.0.1:8081 is taken by control.listen already"],
    ),
    // Sections that have to be whole.
    (
        "[gateway.tls]\nkey = 'key.pem'",
        &["1: gateway.tls.certificate: is missing; accepted: a path"],
    ),
    ("[storage]\nmain = '/srv'", &["2: storage.main: is a section, written [storage.main]"]),
    (
        "[storage.main]\npath = '/srv'",
        &[r#"1: storage.main.kind: is missing; accepted: "directory" or "http""#],
    ),
    (
        "[storage.main]\nkind = 's3'",
        &[
            r#"2: storage.main.kind: "s3" is to come; this version doesn't have it yet; accepted: "directory" or "http""#,
        ],
    ),
    (
        "[storage.main]\nkind = 'directory'\nurl = 'http://a'",
        &[
            "1: storage.main.path: is missing; accepted: a path",
            "3: storage.main.url: unknown key; known here: storage.main.path",
        ],
    ),
    (
        "[storage.Main]\nkind = 'directory'",
        &[
            "1: storage.Main: the name of a storage begins with a letter or digit and has letters a-z, digits, - and _ (but not __) in it",
        ],
    ),
    (
        "[storage.a]\nkind = 'http'\nurl = 'http://a'\nusername = 'u'\nclient_key = 'k'\nbearer = 'b'",
        &[
            "4: storage.a.username: needs password too",
            "5: storage.a.client_key: needs client_certificate too",
            "6: storage.a.bearer: username and password are set too; set only one of the two ways",
        ],
    ),
    // Secrets.
    (
        "[database]\nurl = 'sqlite://a'\nurl_file = 'b'",
        &["3: database.url_file: url is set too; set only one of the two"],
    ),
    (
        "[database]\nurl_file = 'no-such-file'",
        &[
            r#"2: database.url_file: the file no-such-file can't be read: No such file or directory (os error 2); accepted: a file that holds "sqlite://FILE" or "postgres://USER@HOST/DATABASE""#,
        ],
    ),
    // Not TOML.
    (
        "[gateway]\nname = 'a'\nname = 'b'\nlease = 3m\ndrain",
        &[
            "3: not TOML: duplicate key",
            "4: not TOML: string values must be quoted, expected literal string",
            "5: not TOML: key with no value, expected `=`",
        ],
    ),
];

#[test]
fn mistakes_in_the_file() {
    for (text, expected) in IN_THE_FILE {
        let expected: Vec<String> =
            expected.iter().map(|message| format!("condagate.toml:{message}")).collect();
        assert_eq!(problems(text, &[]), expected, "{text}");
    }
}

/// Mistakes in the environment, and what follows `environment: CONDAGATE_` for each.
const IN_THE_ENVIRONMENT: &[(&str, &str, &str)] = &[
    (
        "GATEWAY__LISTN",
        "",
        "GATEWAY__LISTN: gateway.listn: unknown key; did you mean CONDAGATE_GATEWAY__LISTEN?",
    ),
    (
        "GATWAY__LISTEN",
        "",
        "GATWAY__LISTEN: gatway.listen: unknown key; did you mean CONDAGATE_GATEWAY__LISTEN?",
    ),
    ("GATEWAY__CACHE", "", "GATEWAY__CACHE: gateway.cache: is a section, written [gateway.cache]"),
    ("GATEWAY__LISTEN__X", "", "GATEWAY__LISTEN__X: gateway.listen: is one value, not a section"),
    (
        "GATEWAY__THREADS",
        "many",
        r#"GATEWAY__THREADS: gateway.threads: "many" is not a whole number; accepted: a whole number from 0 to 1024"#,
    ),
    (
        "GATEWAY__LISTEN",
        "[::]:80,x",
        r#"GATEWAY__LISTEN: gateway.listen: "x" is not an address with a port; accepted: a list, each item an address and port such as "127.0.0.1:8080" or "[::]:8080""#,
    ),
    (
        "STORAGE__A__PATH",
        "/srv",
        r#"STORAGE__A__PATH: storage.a.kind: is missing; accepted: "directory" or "http""#,
    ),
    ("__", "", "__: .: unknown key"),
];

#[test]
fn mistakes_in_the_environment() {
    for (name, value, expected) in IN_THE_ENVIRONMENT {
        let name = format!("CONDAGATE_{name}");
        let expected = format!("environment: CONDAGATE_{expected}");
        assert_eq!(problems("", &[(&name, value)]), [expected]);
    }
}

#[test]
fn no_error_repeats_a_secret() {
    for text in [
        "[database]\nurl = 'mysql://u:hidden@h/d'",
        "[database]\nurl = ['hidden']",
        "[database]\nurl = 'hidden",
        "[database]\nurl = hidden",
        "[storage.a]\nkind = 'http'\nurl = 'https://u:hidden@h'",
        "[storage.a]\nkind = 'http'\nurl = 'https://h'\npassword = 'hidden'",
        "[storage.a]\nkind = 'http'\nurl = 'https://h'\nbearer = ['hidden']",
        "[storage.a]\nkind = 'http'\nurl = 'https://h'\nusername = 'u'\npassword = 'hidden'\nbearer = 'hidden'",
    ] {
        let problems = problems(text, &[]).join("\n");
        assert!(!problems.is_empty() && !problems.contains("hidden"), "{problems}");
    }
}

#[test]
fn a_named_file_must_exist_and_be_small() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("condagate.toml");
    let load = || Config::load(Some(&path), std::iter::empty());
    assert!(matches!(load(), Err(ConfigError::Unreadable { .. })));
    std::fs::write(&path, [0xff]).unwrap();
    assert!(matches!(load(), Err(ConfigError::Unreadable { .. })));
    std::fs::write(&path, " ".repeat(1024 * 1024)).unwrap();
    assert!(load().is_ok());
    std::fs::write(&path, " ".repeat(1024 * 1024 + 1)).unwrap();
    assert!(matches!(load(), Err(ConfigError::TooLarge { .. })));
}
