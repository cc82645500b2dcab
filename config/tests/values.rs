//! What a configuration means: the file, the environment over it, and the two files written
//! from the table of settings.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{
    Config, Credentials, Loaded, Origin, SectionListing, Size, Storage, WhenLeaseEnds,
    default_file, reference,
};

fn load(text: &str, environment: &[(&str, &str)]) -> Loaded {
    let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    Config::from_text(text, Path::new("/etc/condagate/condagate.toml"), environment).unwrap()
}

#[test]
fn nothing_means_the_defaults() {
    let Loaded { config, sources, .. } = load("", &[]);
    assert_eq!(config.database.url.reveal(), "sqlite:///etc/condagate/condagate.db");
    assert_eq!(Config { database: Config::default().database, ..config }, Config::default());
    assert!(sources.is_empty());
}

#[test]
fn the_file_of_the_product_contract() {
    let config = load(include_str!("product.toml"), &[]).config;
    assert_eq!(config.gateway.listen, ["0.0.0.0:8080".parse().unwrap()]);
    let public = config.gateway.public_url.unwrap();
    assert_eq!((public.host(), public.port(), public.is_https()), ("conda.example.com", 443, true));
    let prefixes: Vec<_> = config.gateway.mount_prefixes.iter().map(|p| p.as_str()).collect();
    assert_eq!(prefixes, ["", "api/repo", "conda", "repo"]);
    assert_eq!(config.gateway.lease, Duration::from_secs(180));
    assert_eq!(config.gateway.when_lease_ends, WhenLeaseEnds::Refuse);
    assert_eq!(config.gateway.cache.size, Size::mib(256));
    assert_eq!(config.gateway.tls.unwrap().key, Path::new("/etc/condagate/tls/key.pem"));
    assert_eq!(config.control.seats, Some(250));
    assert_eq!(config.metrics.listen, Some("127.0.0.1:9090".parse().unwrap()));
    let Storage::Directory(main) = &config.storage["main"] else { panic!("not a directory") };
    assert_eq!(main.path, Path::new("/srv/conda"));
    let Storage::Http(old) = &config.storage["old-server"] else { panic!("not http") };
    assert_eq!(old.url.as_str(), "https://conda.internal/channels");
}

#[test]
fn the_environment_is_written_over_the_file() {
    let text = "[gateway]\nthreads = 1\ncontact = 'a'\n[storage.old-server]\nkind = 'http'\nurl = 'http://a'";
    let Loaded { config, sources, .. } = load(
        text,
        &[
            ("CONDAGATE_GATEWAY__THREADS", "2"),
            ("CONDAGATE_GATEWAY__CONTACT", ""),
            ("CONDAGATE_GATEWAY__LISTEN", "127.0.0.1:1, [::1]:2"),
            ("CONDAGATE_GATEWAY__TRUSTED_PROXIES", ""),
            ("CONDAGATE_GATEWAY__CACHE__SIZE", "1MiB"),
            ("CONDAGATE_GATEWAY__TLS__CERTIFICATE", "c.pem"),
            ("CONDAGATE_GATEWAY__TLS__KEY", "/k.pem"),
            ("CONDAGATE_STORAGE__OLD_SERVER__URL", "http://b/"),
            ("CONDAGATE_STORAGE__MAIN__KIND", "directory"),
            ("CONDAGATE_STORAGE__MAIN__PATH", "srv"),
            // The command line's own, and others'.
            ("CONDAGATE_URL", "x"),
            ("CONDAGATE_TOKEN", "x"),
            ("CONDAGATE_CONFIG", "x"),
            ("OTHER__VARIABLE", "x"),
        ],
    );
    assert_eq!((config.gateway.threads, config.gateway.contact), (2, None));
    assert_eq!(config.gateway.listen.len(), 2);
    assert_eq!(config.gateway.cache.size, Size::mib(1));
    let tls = config.gateway.tls.unwrap();
    assert_eq!((tls.certificate, tls.key), (PathBuf::from("c.pem"), PathBuf::from("/k.pem")));
    let Storage::Http(old) = &config.storage["old-server"] else { panic!("not http") };
    assert_eq!(old.url.as_str(), "http://b");
    let Storage::Directory(main) = &config.storage["main"] else { panic!("not a directory") };
    assert_eq!(main.path, Path::new("srv"));
    let variable = "CONDAGATE_GATEWAY__THREADS".to_owned();
    assert_eq!(sources["gateway.threads"], Origin::Environment { variable });
    let path = PathBuf::from("/etc/condagate/condagate.toml");
    assert_eq!(sources["storage.old-server.kind"], Origin::File { path, line: 5 });
}

#[test]
fn secrets_come_from_files_too_and_are_masked() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), "hidden\n").unwrap();
    std::fs::write(folder.path().join("url"), "postgres://u:hidden@h/d\r\n").unwrap();
    let path = folder.path().join("condagate.toml");
    let http = "[storage.a]\nkind = 'http'\nurl = 'http://a'\nusername = 'u'\n";
    let load = |text: String, environment: &[(&str, &str)]| {
        std::fs::write(&path, text).unwrap();
        let environment = environment.iter().map(|(n, v)| (n.to_string(), v.to_string()));
        Config::load(Some(&path), environment).unwrap().config
    };
    let by_file =
        load(format!("[database]\nurl_file = 'url'\n{http}password_file = 'password'"), &[]);
    assert_eq!(by_file.database.url.reveal(), "postgres://u:hidden@h/d");
    let by_value = load(
        format!("[database]\nurl_file = 'url'\n{http}password_file = 'password'"),
        &[
            ("CONDAGATE_DATABASE__URL", "postgres://u:hidden@h/d"),
            ("CONDAGATE_STORAGE__A__PASSWORD", "hidden"),
        ],
    );
    for config in [by_file, by_value] {
        let Storage::Http(storage) = &config.storage["a"] else { panic!("not http") };
        let Some(Credentials::Basic { username: "u", password }) = storage.credentials() else {
            panic!("no credentials")
        };
        assert_eq!(password.reveal(), "hidden");
        assert!(!format!("{config:?}{}", config.effective_toml()).contains("hidden"));
    }
    let over = load(
        "[database]\nurl = 'sqlite://a'".to_owned(),
        &[("CONDAGATE_DATABASE__URL_FILE", &folder.path().join("url").to_string_lossy())],
    );
    assert_eq!(over.database.url.reveal(), "postgres://u:hidden@h/d");
}

#[test]
fn the_effective_configuration_is_one() {
    let config = load(include_str!("product.toml"), &[]).config;
    assert_eq!(load(&config.effective_toml(), &[]).config, config);
    let sections = ["database", "gateway", "gateway.cache", "gateway.limits", "storage.main"];
    for section in sections {
        assert!(config.effective_toml().contains(&format!("[{section}]\n")), "{section}");
    }
    assert!(!Config::default().effective_toml().contains("[gateway.tls]"));
}

/// The default file as if it stood in the working directory.
fn load_default(text: &str) -> Config {
    Config::from_text(text, Path::new("condagate.toml"), std::iter::empty()).unwrap().config
}

#[test]
fn the_default_file_is_the_defaults() {
    assert_eq!(load_default(&default_file()), Config::default());
}

/// With every commented-out line switched on, each default is what the code's is, and each
/// example is accepted.
#[test]
fn every_line_of_the_default_file_can_be_switched_on() {
    let text = default_file();
    let switched_on: Vec<String> = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(|c: char| c.is_alphabetic() || c == '[') => {
                // There is no such file.
                match setting.split_once("_file = \"secrets/") {
                    Some((key, _)) => format!("{key} = \"secret\""),
                    None => setting.to_owned(),
                }
            }
            _ => line.to_owned(),
        })
        .collect();
    let config = load_default(&switched_on.join("\n"));
    let effective = config.effective_toml();
    let unset: Vec<&str> = effective.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(unset, ["# bearer is not set"]);
    let mut defaults = 0;
    for_each_section(&reference(), &mut |section| {
        for setting in &section.settings {
            if let Some(default) = &setting.default {
                defaults += 1;
                assert!(effective.contains(&format!("\n{} = {default}\n", setting.key)));
            }
        }
    });
    assert!(defaults > 30);
    let kept =
        |config: Config| (config.database, config.gateway.limits, config.gateway.cache, config.log);
    assert_eq!(kept(config), kept(Config::default()));
}

/// The table of settings is the operator's reference: everything in it is explained.
#[test]
fn every_setting_is_documented() {
    let mut keys = 0;
    for_each_section(&reference(), &mut |section| {
        assert!(!section.about.is_empty());
        for setting in &section.settings {
            keys += 1;
            assert!(!setting.doc.is_empty() && !setting.accepted.is_empty(), "{}", setting.key);
        }
    });
    assert!(keys > 50, "{keys}");
}

fn for_each_section(section: &SectionListing, each: &mut impl FnMut(&SectionListing)) {
    each(section);
    for inner in &section.sections {
        for_each_section(inner, each);
    }
}
