//! Tokens handed out and taken back in the browser (product.md S5 to S10).

use serde_json::json;

use super::company::{ADMIN, Company, OTHER_ADMIN, OWNER, READER};
use crate::browser::Browser;
use crate::browser::Kind::{Button, Field, Heading, Link};
use crate::site::{Database, PASSWORD};

const ACCOUNT: &str = "service-account-channel-analytics:prod";

#[test]
fn an_owner_hands_out_a_token_and_takes_it_back_on_sqlite() {
    an_owner_hands_out_a_token_and_takes_it_back(Database::Sqlite);
}

#[test]
fn an_owner_hands_out_a_token_and_takes_it_back_on_postgres() {
    an_owner_hands_out_a_token_and_takes_it_back(Database::Postgres);
}

fn an_owner_hands_out_a_token_and_takes_it_back(database: Database) {
    let company = Company::with_more_gateways(database);
    let browser = company.as_user(OWNER);
    browser.click(Link, "analytics/prod");
    browser.everyone_can_use_it();
    browser.click(Link, "Service Accounts");
    browser.everyone_can_use_it();
    browser.click(Link, ACCOUNT);
    browser.sees_heading(ACCOUNT);
    browser.sees("Expires soon");
    browser.sees("Never used");
    browser.everyone_can_use_it();
    browser.click(Link, "Generate Token");
    browser.everyone_can_use_it();

    // What is wrong stands beside its field, and what was typed is kept.
    browser.fill("Name", "airflow-prod");
    browser.fill("Description (optional)", "Contract 4712");
    browser.click(Button, "Create");
    browser.sees("already");
    assert_eq!(browser.value("Description (optional)"), "Contract 4712");
    browser.everyone_can_use_it();

    // The value is shown once, and is nowhere afterwards.
    browser.fill("Name", "customer-polaris");
    browser.click(Button, "Create");
    browser.sees_heading("Copy your token now");
    let value = browser.value("Token value");
    assert!(value.starts_with("cg-") && value.len() == 41);
    browser.sees("conda config --add channels https://conda.example.com/t/cg-");
    browser.click(Link, "pixi");
    browser.sees("pixi workspace channel add");
    assert!(!browser.path().contains("cg-"));
    browser.everyone_can_use_it();
    browser.click(Button, "Copy");
    browser.sees("Copied");
    browser.click(Link, "Close");
    browser.sees_heading("Tokens");
    browser.sees("customer-polaris");
    assert!(!browser.source().contains(&value));

    // Edited while its value stays.
    browser.click(Link, "Edit customer-polaris");
    browser.everyone_can_use_it();
    browser.fill("Description (optional)", "Contract 4713");
    browser.click(Button, "Save");
    browser.sees("Contract 4713");

    // A new value; the old one works on until it is ended.
    browser.click(Link, "Edit customer-polaris");
    browser.click(Field, "Issue a new token");
    browser.click(Button, "Save");
    browser.sees_heading("Issue a new token?");
    browser.sees("The new value");
    browser.everyone_can_use_it();
    browser.click(Button, "Issue new token");
    browser.sees_heading("Copy your token now");
    browser.click(Button, "Copy");
    browser.sees("Copied");
    browser.click(Link, "Close");
    browser.sees("still works; it ends");
    browser.everyone_can_use_it();
    browser.click(Link, "End it now, the old value of customer-polaris");
    browser.sees_heading("End the old value of customer-polaris?");
    browser.everyone_can_use_it();
    browser.click(Button, "End it now");
    browser.sees("Access is taken away. Confirmed on 3 of 3 gateways in");
    browser.sees_no("still works; it ends");

    // Whoever thinks better of it is back where they were, also by key.
    for way in ["Escape", "Cancel"] {
        browser.click(Link, "Delete customer-polaris");
        browser.sees_heading("Delete customer-polaris?");
        match way {
            "Escape" => drop(browser.script(ESCAPE, vec![])),
            cancel => browser.click(Link, cancel),
        }
        browser.sees_heading("Tokens");
        let at = browser.script("return document.activeElement.ariaLabel", vec![]);
        assert_eq!(at, "Delete customer-polaris", "{way}");
    }

    // Taken back, with the proof of three gateways.
    browser.click(Link, "Delete customer-polaris");
    browser.sees_heading("Delete customer-polaris?");
    browser.sees("Last used");
    browser.everyone_can_use_it();
    browser.click(Button, "Delete");
    browser.sees_heading("customer-polaris is revoked");
    browser.sees("Revoked. Confirmed on 3 of 3 gateways in");
    browser.everyone_can_use_it();
    browser.click(Link, "Close");
    assert!(!browser.has(Link, "Delete customer-polaris"));
    company.site.stop();
}

#[test]
fn channels_for_a_token_are_searched_by_key_on_sqlite() {
    channels_for_a_token_are_searched_by_key(Database::Sqlite);
}

#[test]
fn channels_for_a_token_are_searched_by_key_on_postgres() {
    channels_for_a_token_are_searched_by_key(Database::Postgres);
}

fn channels_for_a_token_are_searched_by_key(database: Database) {
    let company = Company::new(database);
    let browser = company.as_user(ADMIN);
    let make = "const make = (n) => fetch('/api/v1/channels', { method: 'POST', \
        headers: { 'content-type': 'application/json' }, \
        body: JSON.stringify({ name: `many/x${n}`, storage: arguments[0] }) }); \
        return Promise.all([...Array(20).keys()].map((n) => make(n + 10))).then((all) => all.map((one) => one.status))";
    let made = browser.script(make, vec![json!("main")]);
    assert_eq!(made, json!(vec![201; 20]));
    browser.go("/me/tokens/new");
    browser.sees("The first 20");
    browser.everyone_can_use_it();
    browser.fill("Name", "many");
    browser.click(Field, "geo");
    // Enter in the search looks for channels, and keeps the rest.
    browser.fill("Search channels", "x29\u{e007}");
    browser.sees("many/x29");
    browser.sees_no("many/x11");
    browser.everyone_can_use_it();
    assert_eq!(browser.value("Name"), "many");
    browser.click(Field, "many/x29");
    // Enter in another field creates.
    browser.fill("Description (optional)", "of two channels\u{e007}");
    browser.sees_heading("Copy your token now");
    // A command for each of them.
    for channel in ["/geo", "/many/x29"] {
        browser.sees(channel);
    }
    browser.everyone_can_use_it();
    browser.click(Button, "Copy");
    browser.click(Link, "Close");
    browser.click(Link, "Edit many");
    browser.sees("read on geo, many/x29");
    company.site.stop();
}

#[test]
fn a_value_is_issued_once_whatever_its_visitor_does_on_sqlite() {
    a_value_is_issued_once_whatever_its_visitor_does(Database::Sqlite);
}

#[test]
fn a_value_is_issued_once_whatever_its_visitor_does_on_postgres() {
    a_value_is_issued_once_whatever_its_visitor_does(Database::Postgres);
}

fn a_value_is_issued_once_whatever_its_visitor_does(database: Database) {
    let company = Company::new(database);
    let browser = company.as_user(OWNER);
    browser.go(&format!("/service-accounts/{ACCOUNT}/tokens/new"));
    browser.fill("Name", "twice");
    // Sent twice before any answer: the same form, by two windows.
    let twice = "const form = document.querySelector('form.form'); \
        const body = () => new URLSearchParams(new FormData(form)); \
        const send = () => fetch(form.action, { method: 'POST', body: body() }); \
        return Promise.all([send(), send()]).then((both) => both.map((one) => one.status).sort())";
    assert_eq!(browser.script(twice, vec![]), json!([201, 409]));
    // Back after a create is the form again; sent again, it is told that it was done.
    browser.click(Button, "Create");
    browser.sees_heading("This token was made already");
    browser.click(Link, "Go to the tokens");
    browser.sees("twice");
    company.site.stop();
}

#[test]
fn everybody_is_offered_what_they_may_do_on_sqlite() {
    everybody_is_offered_what_they_may_do(Database::Sqlite);
}

#[test]
fn everybody_is_offered_what_they_may_do_on_postgres() {
    everybody_is_offered_what_they_may_do(Database::Postgres);
}

fn everybody_is_offered_what_they_may_do(database: Database) {
    let company = Company::new(database);
    // Somebody signed out comes back to where they were.
    let browser = company.as_nobody();
    browser.go("/channels/analytics:prod/members");
    browser.everyone_can_use_it();
    browser.fill("Username", READER);
    browser.fill("Password", "wrong");
    browser.click(Button, "Sign in");
    browser.sees("The user name or the password is wrong");
    browser.fill("Password", PASSWORD);
    browser.click(Button, "Sign in");
    // A plain user who may read the channel sees no more of it.
    browser.sees("Members are shown to the channel’s owners");
    browser.click(Link, "Service Accounts");
    browser.sees("Accounts are managed by the channel’s owners");
    assert!(!browser.is_enabled(Button, "Create Service Account"));
    browser.sees("Only admins create service accounts");
    browser.everyone_can_use_it();
    browser.go(&format!("/service-accounts/{ACCOUNT}"));
    browser.sees_heading("No such thing");
    browser.go("/me/tokens/new");
    browser.sees("You can only grant what you hold.");
    browser.everyone_can_use_it();
    drop(browser);

    // An admin without rights on a channel sees it, and is told who could give them.
    let browser = company.as_user(OTHER_ADMIN);
    browser.go("/channels/ml-base/service-accounts");
    assert!(!browser.is_enabled(Button, "Create Service Account"));
    browser.sees("You don’t manage this channel");
    browser.everyone_can_use_it();
    browser.go("/channels/analytics:prod/service-accounts");
    assert!(!browser.is_enabled(Button, "Create Service Account"));
    browser.sees("This channel has its service account");
    browser.everyone_can_use_it();
    browser.go("/channels/ml-base/settings");
    browser.everyone_can_use_it();
    company.site.stop();
}

#[test]
fn what_two_do_at_once_is_asked_about_on_sqlite() {
    what_two_do_at_once_is_asked_about(Database::Sqlite);
}

#[test]
fn what_two_do_at_once_is_asked_about_on_postgres() {
    what_two_do_at_once_is_asked_about(Database::Postgres);
}

fn what_two_do_at_once_is_asked_about(database: Database) {
    let company = Company::new(database);
    let (one, other) = (company.as_user(ADMIN), company.as_user(OWNER));
    for browser in [&one, &other] {
        browser.go(&format!("/service-accounts/{ACCOUNT}"));
        browser.click(Link, "Edit ci-github-runners");
        browser.sees_heading("Edit ci-github-runners");
    }
    one.fill("Description (optional)", "theirs");
    one.click(Button, "Save");
    one.sees("theirs");
    other.fill("Description (optional)", "mine");
    other.click(Button, "Save");
    other.sees("Somebody else has changed this token");
    other.sees("Now: theirs");
    other.everyone_can_use_it();
    other.click(Button, "Save");
    other.sees("mine");
    going_back_undoes_nothing(&other);
    other.go(&format!("/service-accounts/{ACCOUNT}"));

    // A session that ends in the middle of a form costs nothing.
    edit_again(&other);
    one.go("/channels");
    let ended = "return fetch('/api/v1/sessions/current', { method: 'DELETE' }) \
        .then((answer) => answer.status)";
    assert_eq!(other.script(ended, vec![]), 204);
    other.click(Button, "Save");
    other.sees("what you typed is kept");
    other.fill("Username", OWNER);
    other.fill("Password", PASSWORD);
    other.click(Button, "Sign in");
    other.sees_heading("Not sent yet");
    other.sees("What you sent: change the token “ci-github-runners”");
    other.sees("after the break");
    other.everyone_can_use_it();
    other.click(Button, "Continue");
    other.sees("after the break");
    company.site.stop();
}

/// Browsers put back what was ticked and chosen on a page that they show again: into a form that says
/// what is so now, and that would be taken for a change.
fn going_back_undoes_nothing(browser: &Browser) {
    let is_ticked = "return document.querySelector('[name=include_subchannels]').checked";
    browser.go("/channels/analytics:prod/settings");
    assert_eq!(browser.script(is_ticked, vec![]), false);
    let changed = "return fetch('/api/v1/channels/analytics:prod', { method: 'PATCH', \
        headers: { 'Content-Type': 'application/json' }, \
        body: JSON.stringify({ include_subchannels: true }) }).then((answer) => answer.status)";
    assert_eq!(browser.script(changed, vec![]), 200);
    browser.fill("Description (optional)", "as it was");
    browser.click(Button, "Save");
    browser.sees("Somebody else has changed this channel");
    browser.back();
    browser.sees_no("Somebody else has changed this channel");
    browser.click(Button, "Save");
    browser.sees("Saved.");
    assert_eq!(browser.script(is_ticked, vec![]), true);
}

const ESCAPE: &str =
    "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))";

fn edit_again(browser: &Browser) {
    browser.click(Link, "Edit ci-github-runners");
    browser.fill("Description (optional)", "after the break");
    assert!(browser.has(Field, "Issue a new token"));
    assert!(browser.has(Heading, "Edit ci-github-runners"));
}
