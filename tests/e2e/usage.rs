//! What is told of a token's use: in time, and nothing lost but by a crash (product.md +3).

use control::{UsageBy, UsageSubject};
use rustix::process::Signal;

use crate::site::{Answer, Database, Issued, Setup, Site, patience};

const INDEX: &str = "noarch/repodata.json";

fn setup(database: Database) -> Setup {
    let mut setup = Setup::with_demo_channel(database);
    setup.text("gateway.usage_flush", "10m");
    setup
}

fn get(site: &Site, token: &Issued, file: &str) -> Answer {
    site.get(&format!("/t/{}/demo/{file}", token.value))
}

/// A package of the demo channel.
fn package(setup: &Setup) -> String {
    let index = std::fs::read(setup.path("storage/demo").join(INDEX)).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let packages = index["packages.conda"].as_object().unwrap();
    format!("noarch/{}", packages.keys().next().unwrap())
}

/// What was downloaded of each package, in all.
fn downloads(setup: &Setup) -> Vec<(String, u64, u64)> {
    let sums = setup.admin.usage(UsageBy::Package);
    let told = sums.into_iter().map(|sum| match sum.subject {
        UsageSubject::Package(name) => (name, sum.downloads, sum.bytes),
        other => panic!("{other:?}"),
    });
    told.collect()
}

#[test]
fn a_clean_stop_loses_nothing_on_sqlite() {
    a_clean_stop_loses_nothing(Database::Sqlite);
}

#[test]
fn a_clean_stop_loses_nothing_on_postgres() {
    a_clean_stop_loses_nothing(Database::Postgres);
}

fn a_clean_stop_loses_nothing(database: Database) {
    let setup = setup(database);
    let (package, token) = (package(&setup), setup.admin.token(&["demo"]));
    let site = setup.start();
    let mut bytes = 0;
    for _ in 0..20 {
        let answer = get(&site, &token, &package);
        assert_eq!(answer.status(), 200);
        bytes += answer.body.len() as u64;
    }
    let part = site.get_with(&format!("/t/{}/demo/{package}", token.value), &["Range: bytes=0-9"]);
    assert_eq!(part.status(), 206);
    let index = get(&site, &token, INDEX).body.len() as u64;
    assert_eq!(downloads(&site), [], "the first report is ten minutes away");
    let site = site.restart(Signal::TERM);
    let name = package["noarch/".len()..].rsplitn(3, '-').nth(2).unwrap().to_owned();
    assert_eq!(downloads(&site), [(String::new(), 0, index), (name, 21, bytes + 10)]);
    let last_used = site.admin.last_use(&token).expect("a last use");
    assert_eq!(last_used.1, "127.0.0.1");
}

#[test]
fn a_crash_loses_at_most_what_was_not_reported_yet_on_sqlite() {
    a_crash_loses_at_most_what_was_not_reported_yet(Database::Sqlite);
}

#[test]
fn a_crash_loses_at_most_what_was_not_reported_yet_on_postgres() {
    a_crash_loses_at_most_what_was_not_reported_yet(Database::Postgres);
}

fn a_crash_loses_at_most_what_was_not_reported_yet(database: Database) {
    let mut setup = setup(database);
    setup.text("gateway.usage_flush", "1s");
    let (package, token) = (package(&setup), setup.admin.token(&["demo"]));
    let site = setup.start();
    for _ in 0..5 {
        assert_eq!(get(&site, &token, &package).status(), 200);
    }
    let counted = |site: &Site| downloads(site).iter().map(|package| package.1).sum::<u64>();
    patience::until("the downloads to be reported", || (counted(&site) == 5).then_some(()));
    get(&site, &token, &package);
    let site = site.restart(Signal::KILL);
    let after = counted(&site);
    assert!((5..=6).contains(&after), "{after}");
    get(&site, &token, &package);
    patience::until("a download after it", || (counted(&site) == after + 1).then_some(()));
}
