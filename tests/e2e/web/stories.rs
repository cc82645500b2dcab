//! What a browser makes hard: pages that change while they are open, the way back, the first run, and
//! the last seat.

use control::usecases::user;
use control::{Control, Error};
use rustix::process::Signal;
use serde_json::json;

use super::company::{ADMIN, Company, OWNER, SEATS};
use crate::browser::Browser;
use crate::browser::Kind::{Button, Field, Link};
use crate::site::{Database, PASSWORD};

/// How many seats the company has taken.
const TAKEN: u32 = 8;
const ACCOUNT: &str = "service-account-channel-analytics:prod";

#[test]
fn a_proof_goes_on_while_a_gateway_lags_on_sqlite() {
    a_proof_goes_on_while_a_gateway_lags(Database::Sqlite);
}

#[test]
fn a_gateway_that_is_killed_stays_told_on_sqlite() {
    a_gateway_that_is_killed_stays_told(Database::Sqlite);
}

#[test]
fn a_gateway_that_is_killed_stays_told_on_postgres() {
    a_gateway_that_is_killed_stays_told(Database::Postgres);
}

fn a_gateway_that_is_killed_stays_told(database: Database) {
    let mut company = Company::new(database);
    company.add_gateway("gw-eu-2", "5s");
    let (browser, other) = (company.as_user(ADMIN), company.as_user(ADMIN));
    other.go("/tokens/1/delete");
    browser.go("/org/gateways");
    browser.find(Link, "2 gateways serve");
    company.last_gateway().signal(Signal::KILL);
    // The open page comes to tell it by itself, and so does a proof that waited for it.
    other.click(Button, "Delete");
    other.sees("Revoked. Confirmed on 1 of 2 gateways in");
    other.sees("1 was stopped by its lease");
    other.everyone_can_use_it();
    browser.sees("it was not stopped cleanly");
    browser.sees("gw-eu-2 is gone");
    browser.everyone_can_use_it();
    browser.click(Link, "Forget gw-eu-2");
    browser.click(Button, "Forget");
    browser.sees_no("gw-eu-2");
    browser.find(Link, "1 gateway serves");
    company.site.stop();
}

#[test]
fn a_proof_goes_on_while_a_gateway_lags_on_postgres() {
    a_proof_goes_on_while_a_gateway_lags(Database::Postgres);
}

/// The page is marked by a script, which a reload would undo.
fn a_proof_goes_on_while_a_gateway_lags(database: Database) {
    let company = Company::with_more_gateways(database);
    let browser = company.as_user(ADMIN);
    browser.find(Link, "3 gateways serve");
    let stopped = company.last_gateway();
    stopped.signal(Signal::STOP);
    browser.go("/tokens/1/delete");
    browser.click(Button, "Delete");
    browser.sees("Confirmed on 2 of 3 gateways. None grants it after");
    browser.sees("Has not answered yet; stops by itself in");
    browser.script("window.isMarked = true", vec![]);
    browser.everyone_can_use_it();
    stopped.signal(Signal::CONT);
    browser.sees("Revoked. Confirmed on 3 of 3 gateways in");
    browser.sees_no("Has not answered yet");
    assert_eq!(browser.script("return window.isMarked", vec![]), true, "it was not reloaded");

    // What isn't a token's is proven above the page that one comes back to.
    stopped.signal(Signal::STOP);
    browser.go("/channels/analytics:prod/members");
    browser.click(Link, &format!("Remove {OWNER}"));
    browser.sees("They lose what it gives them");
    browser.click(Button, "Remove");
    browser.sees("Access is taken away. Confirmed on 2 of 3 gateways");
    browser.script("window.isMarked = true", vec![]);
    stopped.signal(Signal::CONT);
    browser.sees("Access is taken away. Confirmed on 3 of 3 gateways in");
    assert_eq!(browser.script("return window.isMarked", vec![]), true, "it was not reloaded");
    browser.everyone_can_use_it();
    browser.click(Link, "Close the proof");
    browser.sees_no("Access is taken away");
    company.site.stop();
}

#[test]
fn going_back_makes_nothing_twice_on_sqlite() {
    going_back_makes_nothing_twice(Database::Sqlite);
}

#[test]
fn going_back_makes_nothing_twice_on_postgres() {
    going_back_makes_nothing_twice(Database::Postgres);
}

fn going_back_makes_nothing_twice(database: Database) {
    let company = Company::new(database);
    let browser = company.as_user(OWNER);
    browser.go(&format!("/service-accounts/{ACCOUNT}"));
    browser.click(Link, "Generate Token");
    browser.fill("Name", "only-once");
    browser.click(Button, "Create");
    browser.sees_heading("Copy your token now");
    let value = browser.value("Token value");

    // Leaving asks first, until the value is copied; whoever stays can send what they wanted to.
    assert!(sends(&browser), "a form is sent");
    assert!(!sends(&browser), "and once");
    assert!(asks_before_leaving(&browser));
    assert!(sends(&browser), "after staying it is sent again");
    browser.sees("Not copied yet");
    browser.click(Button, "Copy");
    browser.sees("Copied");
    assert!(!asks_before_leaving(&browser));

    // Back, and loading again, is the account's page: no value, and no question to send again.
    let token =
        company.site.admin.texts("SELECT CAST(id AS TEXT) FROM tokens WHERE name = 'only-once'");
    let account = format!("/service-accounts/{ACCOUNT}?sort=-created&made={}", token[0]);
    let is_the_account = || {
        browser.find(Link, "Edit only-once");
        assert_eq!(browser.path(), account, "with the new token first");
        assert!(!browser.source().contains(&value), "the value is shown again");
    };
    browser.click(Link, "Channels");
    browser.sees_heading("Channels");
    browser.back();
    is_the_account();
    browser.script("location.reload()", vec![]);
    is_the_account();
    // Further back is the form, empty.
    browser.back();
    browser.find(Button, "Create");
    assert!(!browser.source().contains(&value) && !browser.has(Field, "Token value"));
    browser.script("history.forward()", vec![]);
    is_the_account();
    let made = "SELECT name FROM tokens WHERE name = 'only-once'";
    assert_eq!(company.site.admin.texts(made), ["only-once"]);
    drop(browser);
    the_last_seat(&company);
    company.site.stop();
}

/// Whether a form that is submitted is let through; nothing is sent. What a timer does is done before.
fn sends(browser: &Browser) -> bool {
    let submit = "return new Promise((done) => setTimeout(() => done(document.querySelector('form[method=post]')\
        .dispatchEvent(new Event('submit', { bubbles: true, cancelable: true })))))";
    browser.script(submit, vec![]) == json!(true)
}

/// Whether the browser is told to ask before the page is left.
fn asks_before_leaving(browser: &Browser) -> bool {
    let asked = "return !dispatchEvent(new Event('beforeunload', { cancelable: true }))";
    browser.script(asked, vec![]) == json!(true)
}

/// A form that was opened while there was a seat, and one that is opened when there is none (S2).
fn the_last_seat(company: &Company) {
    let browser = company.as_user(ADMIN);
    browser.go("/org/users/new");
    browser.fill("Username", "too.late");
    browser.fill("First password", PASSWORD);
    company.site.admin.does(async |control, _alice| {
        for seat in TAKEN..SEATS {
            an_admin(control, &format!("seat-{seat}")).await?;
        }
        Ok(())
    });
    let full = format!("All seats are taken: {SEATS} of {SEATS}");
    browser.click(Button, "Create User");
    browser.sees(&full);
    assert_eq!(browser.value("Username"), "too.late");
    browser.everyone_can_use_it();
    browser.go("/org/users");
    browser.sees(&format!("{SEATS} of {SEATS} seats used"));
    for path in ["/org/users/new", "/org/service-accounts/geo/new"] {
        browser.go(path);
        browser.sees(&full);
        assert!(!browser.has(Button, "Create User") && !browser.has(Button, "Create"), "{path}");
    }
    browser.everyone_can_use_it();
}

/// As `condagate admin create` makes one.
async fn an_admin(control: &Control, name: &str) -> Result<(), Error> {
    user::create_admin(control, name, PASSWORD).await.map(drop)
}

#[test]
fn the_first_run_says_how_to_begin_on_sqlite() {
    the_first_run_says_how_to_begin(Database::Sqlite);
}

#[test]
fn the_first_run_says_how_to_begin_on_postgres() {
    the_first_run_says_how_to_begin(Database::Postgres);
}

fn the_first_run_says_how_to_begin(database: Database) {
    let company = Company::new(database);
    company.site.admin.sql("UPDATE users SET role = 'user'");
    let browser = company.as_nobody();
    browser.go("/channels/analytics:prod/members");
    browser.sees_heading("Welcome to condagate");
    browser.sees("condagate admin create NAME");
    assert_eq!(browser.path(), "/welcome");
    browser.everyone_can_use_it();
    company.site.admin.does(async |control, _nobody| an_admin(control, "first").await);
    browser.click(Link, "Sign in");
    browser.fill("Username", "first");
    browser.fill("Password", PASSWORD);
    browser.click(Button, "Sign in");
    browser.sees_heading("Channels");
    browser.go("/welcome");
    assert_eq!(browser.path(), "/channels");
    company.site.stop();
}
