//! What a token's use is held to (product.md +4).

use access::{Limits, Privacy};
use rustix::process::Signal;

use crate::site::{Answer, Database, Issued, Setup, Site, patience};

const INDEX: &str = "noarch/repodata.json";

fn setup(database: Database) -> Setup {
    let mut setup = Setup::with_demo_channel(database);
    setup.admin.channel("other", Privacy::Private, "main", "other");
    setup.text("gateway.usage_flush", "10m");
    setup
}

fn get(site: &Site, token: &Issued, file: &str) -> Answer {
    site.get(&format!("/t/{}/demo/{file}", token.value))
}

#[test]
fn a_token_works_only_from_its_networks_on_sqlite() {
    a_token_works_only_from_its_networks(Database::Sqlite);
}

#[test]
fn a_token_works_only_from_its_networks_on_postgres() {
    a_token_works_only_from_its_networks(Database::Postgres);
}

fn a_token_works_only_from_its_networks(database: Database) {
    let setup = setup(database);
    let within =
        |network: &str| Limits { networks: [network.parse().unwrap()].into(), ..Limits::default() };
    let here = setup.admin.limited_token(&["demo"], within("127.0.0.0/8"));
    let elsewhere = setup.admin.limited_token(&["demo"], within("198.51.100.0/24"));
    let site = setup.start();
    assert_eq!(get(&site, &here, INDEX).status(), 200);
    let answer = get(&site, &elsewhere, INDEX);
    assert_eq!((answer.status(), answer.error().as_str()), (403, "network-not-allowed"));
    assert!(answer.text().contains("127.0.0.1"), "{}", answer.text());
    let foreign = site.get(&format!("/t/{}/other/{INDEX}", elsewhere.value));
    assert_eq!(foreign.error(), "not-granted", "told only of what the token opens");
    patience::until("the refusal to be counted", || {
        let counted = "condagate_refusals_total{error=\"network-not-allowed\"} 1";
        site.metrics_text().contains(counted).then_some(())
    });
}

#[test]
fn a_token_that_asks_too_often_is_told_to_wait_on_sqlite() {
    a_token_that_asks_too_often_is_told_to_wait(Database::Sqlite);
}

#[test]
fn a_token_that_asks_too_often_is_told_to_wait_on_postgres() {
    a_token_that_asks_too_often_is_told_to_wait(Database::Postgres);
}

fn a_token_that_asks_too_often_is_told_to_wait(database: Database) {
    let setup = setup(database);
    let limits = Limits { requests_per_second: 3.try_into().ok(), ..Limits::default() };
    let token = setup.admin.limited_token(&["demo"], limits);
    let free = setup.admin.token(&["demo"]);
    let site = setup.start();
    let path = format!("/t/{}/demo/{INDEX}", token.value);
    let mut connection = site.connect();
    let refused = patience::until("a refusal", || {
        let answer = connection.get(&path, &[]).unwrap();
        (answer.status() != 200).then_some(answer)
    });
    assert_eq!((refused.status(), refused.error().as_str()), (429, "requests-per-second"));
    assert_eq!(refused.field("retry-after"), Some("1"));
    assert_eq!(get(&site, &free, INDEX).status(), 200, "another token goes on");
    patience::until("the token to work again", || {
        (connection.get(&path, &[]).unwrap().status() == 200).then_some(())
    });
}

#[test]
fn a_token_that_has_used_up_its_day_stays_so_across_a_restart_on_sqlite() {
    a_token_that_has_used_up_its_day_stays_so_across_a_restart(Database::Sqlite);
}

#[test]
fn a_token_that_has_used_up_its_day_stays_so_across_a_restart_on_postgres() {
    a_token_that_has_used_up_its_day_stays_so_across_a_restart(Database::Postgres);
}

fn a_token_that_has_used_up_its_day_stays_so_across_a_restart(database: Database) {
    let setup = setup(database);
    let limits = Limits { bytes_per_day: 1.try_into().ok(), ..Limits::default() };
    let token = setup.admin.limited_token(&["demo"], limits);
    let site = setup.start();
    assert_eq!(get(&site, &token, INDEX).status(), 200, "nothing is used up yet");
    let refused = |site: &Site| {
        let answer = get(site, &token, INDEX);
        assert_eq!((answer.status(), answer.error().as_str()), (429, "bytes-per-day"));
        let seconds: u64 = answer.field("retry-after").unwrap().parse().unwrap();
        assert!((1..=86_401).contains(&seconds), "{seconds}");
    };
    refused(&site);
    let site = site.restart(Signal::TERM);
    refused(&site);
}
