//! Tables in windows of every width, with names that nobody chose for a table.

use access::{Limits, Permission};
use control::usecases::token::{self, Expiry, TokenOrder};

use super::company::{ADMIN, Company};
use crate::browser::Browser;
use crate::browser::Kind::Heading;
use crate::site::{DAY, Database};

const ACCOUNT: &str = "service-account-channel-analytics:prod";

/// What of the page lies outside of the window: the page itself, or something to press.
const OUTSIDE: &str = "
    const room = document.documentElement.clientWidth;
    const wide = document.documentElement.scrollWidth > room ? ['the page'] : [];
    const outside = [...document.querySelectorAll('main :is(a, button)')].filter((element) =>
        element.checkVisibility() && element.getBoundingClientRect().right > room);
    const shown = (element) => `${element.ariaLabel || element.textContent} to ${element.getBoundingClientRect().right}`;
    // What is cut off inside of a table is as far away.
    const cut = [...document.querySelectorAll('.panel')].filter((panel) => panel.scrollWidth > panel.clientWidth);
    return [...wide, ...outside.map(shown), ...cut.map((panel) => `a table of ${panel.scrollWidth} in ${panel.clientWidth}`)];
";

#[test]
fn every_action_is_within_the_window_on_sqlite() {
    every_action_is_within_the_window(Database::Sqlite);
}

#[test]
fn every_action_is_within_the_window_on_postgres() {
    every_action_is_within_the_window(Database::Postgres);
}

fn every_action_is_within_the_window(database: Database) {
    let company = Company::new(database);
    let long = "deploy".repeat(8) + "-51";
    for (name, description) in [
        (long.as_str(), "A name of many characters"),
        (&"W".repeat(31), "A wide name"),
        ("wide", &"W".repeat(120)),
    ] {
        let order = TokenOrder {
            name: name.to_owned(),
            description: description.to_owned(),
            expires: Expiry::In(5 * DAY),
            permission: Permission::Read,
            channels: vec!["analytics/prod".parse().unwrap()],
            admin: false,
            limits: Limits::default(),
        };
        company.site.admin.does(async |control, alice| {
            token::create(control, alice, ACCOUNT, order).await.map(drop)
        });
    }
    let browser = company.as_user(ADMIN);
    let mut faults = Vec::new();
    let account = format!("/service-accounts/{ACCOUNT}");
    for path in [&account, "/channels", "/org/audit", "/org/service-accounts", "/org/users"] {
        browser.go(path);
        for width in [360, 740, 800, 900, 999, 1000, 1100, 1280] {
            browser.widen(width);
            let outside = outside(&browser);
            faults.extend(outside.into_iter().map(|what| format!("{path} at {width} px: {what}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    browser.go(&account);
    browser.everyone_can_use_it();
    assert!(browser.has(Heading, "Tokens"));
    company.site.stop();
}

fn outside(browser: &Browser) -> Vec<String> {
    serde_json::from_value(browser.script(OUTSIDE, vec![])).unwrap()
}
