//! Certificates and keys: the gateway's own, and those that it shows to storages.

use std::path::Path;
use std::time::Duration;

use access::Timestamp;
use certs::KeyPair;
use config::{Config, Storage};

use super::finding::Finding;

/// How long before its end a certificate is warned of.
const RENEW_WITHIN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub(super) fn look(config: &Config, now: Timestamp) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(tls) = &config.gateway.tls {
        let (finding, pair) = pair("gateway.tls", &tls.certificate, &tls.key, now);
        found.push(finding);
        if let (Some(pair), Some(url)) = (pair, &config.gateway.public_url)
            && !pair.covers(url.host())
        {
            found.push(not_covered(&pair, url.host()));
        }
    }
    for (name, storage) in &config.storage {
        if let Storage::Http(http) = storage
            && let Some((certificate, key)) = http.client_identity()
        {
            let about = format!("storage.{name}.client_certificate");
            found.push(pair(&about, certificate, key, now).0);
        }
    }
    found
}

fn pair(about: &str, certificate: &Path, key: &Path, now: Timestamp) -> (Finding, Option<KeyPair>) {
    let pair = match KeyPair::load(certificate, key, now) {
        Ok(pair) => pair,
        Err(why) => return (Finding::error(about, why.to_string()), None),
    };
    let end = pair.not_after();
    let file = certificate.display();
    let finding = if end < now.plus(RENEW_WITHIN) {
        let days = end.since(now).as_secs() / (24 * 60 * 60);
        let message = format!(
            "the certificate in {file} expires on {}, in {days} days; renew it, a running gateway \
             takes the new one by itself",
            end.date()
        );
        Finding::warn(about, message)
    } else {
        Finding::ok(about, format!("certificate and key fit; valid to {}", end.date()))
    };
    (finding, Some(pair))
}

fn not_covered(pair: &KeyPair, host: &str) -> Finding {
    let names = match pair.names() {
        [] => "no name at all".to_owned(),
        names => names.join(", "),
    };
    let message = format!(
        "clients that connect to `{host}` (gateway.public_url) refuse the certificate, which is for \
         {names}; get one for `{host}`, or set public_url to a name of the certificate"
    );
    Finding::error("gateway.tls", message)
}

#[cfg(test)]
mod tests {
    use access::{Clock as _, SystemClock};

    use super::super::finding::Level;
    use super::*;

    /// The findings for a certificate for `localhost`, `late` after it was made.
    fn found(public_url: &str, late: Duration, key: &str) -> Vec<Finding> {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemClock.now();
        certs::development_certificate(folder.path(), &["localhost"], now).unwrap();
        let text = format!(
            "[gateway]\npublic_url = \"{public_url}\"\n[gateway.tls]\n\
             certificate = \"server.pem\"\nkey = \"{key}\"\n"
        );
        let file = folder.path().join("condagate.toml");
        let loaded = Config::from_text(&text, &file, std::iter::empty()).unwrap();
        look(&loaded.config, now.plus(late))
    }

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const KEY: &str = "server-key.pem";

    #[test]
    fn the_end_of_a_certificate_is_told_in_time() {
        let level = |late| found("https://localhost", late, KEY)[0].level;
        assert_eq!(level(Duration::ZERO), Level::Ok);
        assert_eq!(level(366 * DAY), Level::Ok);
        assert_eq!(level(368 * DAY), Level::Warn);
        assert_eq!(level(398 * DAY), Level::Error);
    }

    #[test]
    fn a_public_url_that_the_certificate_is_not_for_is_an_error() {
        assert_eq!(found("https://localhost", Duration::ZERO, KEY).len(), 1);
        let found = found("https://conda.example.com", Duration::ZERO, KEY);
        assert_eq!(found[1].level, Level::Error);
        assert!(found[1].message.contains("`conda.example.com`"), "{found:?}");
        assert!(found[1].message.contains("is for localhost;"), "{found:?}");
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let found = found("https://localhost", Duration::ZERO, "ca.pem");
        assert_eq!((found.len(), found[0].level), (1, Level::Error));
        assert!(found[0].message.contains("ca.pem: there is no private key in it"), "{found:?}");
    }
}
