//! No input panics the loader.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::path::Path;

use config::Config;
use proptest::prelude::*;

fn load(text: &str, environment: Vec<(String, String)>) {
    let loaded = Config::from_text(text, Path::new("/etc/condagate.toml"), environment.into_iter());
    match loaded {
        Ok(loaded) => {
            // What is accepted can be written, and read again unless a secret is masked.
            let written = loaded.config.effective_toml();
            if !written.contains("********") {
                let again =
                    Config::from_text(&written, Path::new("/a.toml"), std::iter::empty()).unwrap();
                assert_eq!(again.config, loaded.config);
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Text that is nearly a configuration: known keys with odd values.
fn nearly() -> impl Strategy<Value = String> {
    let section = prop::sample::select(vec![
        "[database]",
        "[gateway]",
        "[gateway.cache]",
        "[gateway.limits]",
        "[gateway.tls]",
        "[control]",
        "[storage]",
        "[storage.a]",
        "[storage.b-c]",
        "[metrics]",
        "[log]",
        "[[log]]",
    ]);
    let key = prop::sample::select(vec![
        "url",
        "url_file",
        "listen",
        "public_url",
        "mount_prefixes",
        "lease",
        "contact",
        "threads",
        "trusted_proxies",
        "size",
        "kind",
        "path",
        "key",
        "certificate",
        "password",
        "bearer",
        "username",
        "redirect_hosts",
        "connect_timeout",
        "level",
        "name",
        "access_log_file",
    ]);
    let value = prop_oneof![
        prop::sample::select(vec![
            "'directory'",
            "'http'",
            "'http://h'",
            "'postgres://u:p@h'",
            "'sqlite:x'",
            "'30s'",
            "'1MiB'",
            "['127.0.0.1:1']",
            "['10.0.0.0/8']",
            "['a/b']",
            "{}",
            "[]",
            "[[]]",
            "true",
            "-1",
            "1979-05-27",
            "inf",
            "''",
            "'-'",
            "'info'",
            "{ url = 'x' }",
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
        "\\PC*".prop_map(|text| format!("{text:?}")),
        "\\PC{0,10}",
    ];
    let line = prop_oneof![
        1 => section.prop_map(str::to_owned),
        3 => (key, value).prop_map(|(key, value)| format!("{key} = {value}")),
    ];
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn any_text(text in any::<String>()) {
        load(&text, Vec::new());
    }

    #[test]
    fn nearly_a_configuration(text in nearly()) {
        load(&text, Vec::new());
    }

    #[test]
    fn any_environment(
        text in nearly(),
        variables in prop::collection::vec(
            ("CONDAGATE_(GATEWAY__|STORAGE__A__|STORAGE__B_C__|CONTROL__)?[A-Z_]{0,12}", "\\PC*"), 0..4,
        ),
    ) {
        load(&text, variables);
    }
}
