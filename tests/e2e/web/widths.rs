//! Tables in windows of every width, with names that nobody chose for a table.

use access::{Limits, Permission, Privacy};
use control::usecases::token::{self, Expiry, TokenOrder};
use control::usecases::{channel, group, service_account};

use super::company::{ADMIN, Company, new_channel};
use crate::browser::Browser;
use crate::browser::Kind::{Button, Heading};
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

/// Which short words of a table are broken, so that nobody can read them: "Priva/te". What somebody
/// chose as a name or wrote may break anywhere.
const BROKEN: &str = "
    const broken = new Set();
    const range = document.createRange();
    const chosen = ['Channels', 'Email', 'Service account', 'Target', 'Through group'];
    for (const cell of document.querySelectorAll('main table :is(thead th, td[data-label])')) {
        if (chosen.includes(cell.dataset.label)) continue;
        const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        for (let text = texts.nextNode(); text; text = texts.nextNode())
            for (const word of text.data.matchAll(/[^\\s-]+/g)) {
                if (word[0].length > 16) continue;
                range.setStart(text, word.index);
                range.setEnd(text, word.index + word[0].length);
                const lines = new Set([...range.getClientRects()].map((line) => line.top));
                if (lines.size > 1) broken.add(`the word ${word[0]} is broken`);
            }
        // A short time is one thing to look at.
        for (const time of cell.querySelectorAll('time'))
            if (time.getClientRects().length > 1) broken.add(`the time ${time.textContent} is broken`);
    }
    return [...broken];
";

/// What runs out of a notification.
const OVERFLOWING: &str = "
    return [...document.querySelectorAll('.notice')].filter((notice) => notice.scrollWidth > notice.clientWidth)
        .map((notice) => `${notice.scrollWidth} in ${notice.clientWidth}`);
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
    // Its group of owners and its account are as long, and the audit log has all of them.
    let name = "c".repeat(118);
    company.site.admin.does(async |control, alice| {
        let channel: access::ChannelName = name.parse().unwrap();
        channel::create(control, alice, new_channel(&name, Privacy::Private, "")).await?;
        service_account::create(control, alice, &channel).await?;
        let account = format!("service-account-channel-{name}");
        group::add_member(control, alice, "analytics:prod_owners", &account).await?;
        let order = TokenOrder {
            name: "long".to_owned(),
            description: String::new(),
            expires: Expiry::In(5 * DAY),
            permission: Permission::Read,
            channels: vec![channel, "analytics/prod".parse().unwrap()],
            admin: false,
            limits: Limits::default(),
        };
        token::create(control, alice, &account, order).await.map(drop)
    });
    let browser = company.as_user(ADMIN);
    let mut faults = Vec::new();
    let account = format!("/service-accounts/{ACCOUNT}");
    let paths = [
        account.as_str(),
        &format!("/service-accounts/service-account-channel-{name}"),
        &format!("/service-accounts/service-account-channel-{name}/tokens/new"),
        &format!("/channels/{name}/members"),
        "/channels",
        "/org/audit",
        "/org/groups",
        "/org/service-accounts",
        "/org/users",
    ];
    for path in paths {
        browser.go(path);
        for width in [360, 740, 800, 900, 1000, 1119, 1120, 1200, 1280] {
            browser.widen(width);
            let outside = [told(&browser, OUTSIDE), told(&browser, BROKEN)].concat();
            faults.extend(outside.into_iter().map(|what| format!("{path} at {width} px: {what}")));
        }
    }
    // The notification of a token with the longest name.
    browser.go(&format!("{account}/tokens/new"));
    browser.fill("Name", &"n".repeat(128));
    browser.click(Button, "Create");
    for width in [360, 800, 1280] {
        browser.widen(width);
        browser.sees("Copy your token now");
        let outside = told(&browser, OUTSIDE).into_iter().chain(told(&browser, OVERFLOWING));
        faults.extend(outside.map(|what| format!("the notification at {width} px: {what}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    browser.go(&account);
    browser.everyone_can_use_it();
    assert!(browser.has(Heading, "Tokens"));
    company.site.stop();
}

fn told(browser: &Browser, script: &str) -> Vec<String> {
    serde_json::from_value(browser.script(script, vec![])).unwrap()
}
