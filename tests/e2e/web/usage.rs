//! A channel's *Usage*.

use super::company::{Company, OWNER, READER};
use crate::browser::Kind::{Button, Link};
use crate::site::Database;

#[test]
fn an_owner_sees_what_is_downloaded_on_sqlite() {
    an_owner_sees_what_is_downloaded(Database::Sqlite);
}

#[test]
fn an_owner_sees_what_is_downloaded_on_postgres() {
    an_owner_sees_what_is_downloaded(Database::Postgres);
}

fn an_owner_sees_what_is_downloaded(database: Database) {
    let company = Company::new(database);
    let browser = company.as_user(OWNER);
    browser.go("/channels/analytics:prod/packages");
    browser.click(Link, "Usage");
    assert_eq!(browser.path(), "/channels/analytics:prod/usage");
    browser.sees_heading("Downloads per day");
    browser.sees_heading("Bytes per day");
    browser.sees("pytorch");
    browser.sees("airflow-prod");
    browser.everyone_can_use_it();
    let bars = |days: usize| {
        let bars = browser.script("return document.querySelectorAll('#main svg g').length", vec![]);
        assert_eq!(bars, 2 * days);
    };
    bars(30);
    browser.click(Link, "7 days");
    bars(7);
    browser.everyone_can_use_it();
    browser.click(Link, "90 days");
    bars(90);
    // The same numbers in a table.
    browser.click(Button, "The numbers of each day");
    let rows = "return document.querySelectorAll('details[open] tbody tr').length";
    assert_eq!(browser.script(rows, vec![]), 90);
    browser.everyone_can_use_it();
    browser.go("/channels/analytics/usage");
    browser.sees_heading("Nothing was downloaded");
    browser.everyone_can_use_it();
    drop(browser);

    let browser = company.as_user(READER);
    browser.go("/channels/analytics:prod/usage");
    browser.sees("manage on analytics/prod");
    browser.sees_heading("analytics/prod");
    browser.everyone_can_use_it();
    browser.click(Link, "Packages");
    assert_eq!(browser.path(), "/channels/analytics:prod/packages");
    company.site.stop();
}
