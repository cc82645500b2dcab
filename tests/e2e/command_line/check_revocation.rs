//! `condagate check revocation` shows the promise on a running installation, and finds it broken.

use serde_json::Value;

use super::Here;
use crate::site::Database;
use crate::site::upstream::{Upstream, ok};

fn check(here: &Here, gateways: &[&str]) -> (Option<i32>, Vec<(String, String)>) {
    let mut arguments = vec!["check", "revocation", "--channel", "demo", "--json"];
    arguments.extend(gateways.iter().flat_map(|url| ["--gateway", url]));
    let output = here.run(&arguments, &[], "");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = found["findings"].as_array().unwrap().iter();
    let lines = findings.map(|finding| (text(finding, "level"), text(finding, "message")));
    (output.status.code(), lines.collect())
}

fn statuses(here: &Here) -> Vec<Value> {
    let tokens = here.json("token list --channel demo");
    tokens.as_array().unwrap().iter().map(|token| token["status"].clone()).collect()
}

#[test]
fn shows_that_a_gateway_refuses_what_is_revoked() {
    let here = Here::new(Database::Sqlite);
    here.sign_in();
    let gateway = format!("http://{}", here.site.gateway);
    let (status, found) = check(&here, &[&gateway]);
    assert_eq!(status, Some(0), "{found:?}");
    let says = |text: &str| found.iter().any(|(_, message)| message.contains(text));
    assert!(says("serves with it"), "{found:?}");
    assert!(says("revoked on 1 of 1 gateways in "), "{found:?}");
    assert!(says("refuses it now: token-revoked"), "{found:?}");
    assert_eq!(statuses(&here), ["revoked"]);
    here.site.stop();
}

#[test]
fn finds_a_cache_in_front_that_serves_on() {
    let here = Here::new(Database::Sqlite);
    here.sign_in();
    let cache = Upstream::start(|_, stream| ok(stream, b"kept"));
    let gateway = format!("http://{}", here.site.gateway);
    let (status, found) = check(&here, &[&gateway, &cache.url()]);
    assert_eq!(status, Some(1), "{found:?}");
    let wrong: Vec<_> = found.iter().filter(|(level, _)| level == "error").collect();
    assert_eq!(wrong.len(), 1, "{found:?}");
    assert!(wrong[0].1.starts_with("STILL SERVES with it"), "{wrong:?}");
    // The token is gone all the same.
    assert_eq!(statuses(&here), ["revoked"]);
    here.site.stop();
}
