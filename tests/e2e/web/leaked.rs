//! A token that was found somewhere: which it is, and its end.

use super::company::{ADMIN, Company, OWNER};
use crate::browser::Kind::{Button, Link};
use crate::site::Database;

#[test]
fn a_leaked_token_is_found_and_revoked_on_sqlite() {
    a_leaked_token_is_found_and_revoked(Database::Sqlite);
}

#[test]
fn a_leaked_token_is_found_and_revoked_on_postgres() {
    a_leaked_token_is_found_and_revoked(Database::Postgres);
}

fn a_leaked_token_is_found_and_revoked(database: Database) {
    let company = Company::new(database);
    let token = company.site.admin.token(&["demo"]);
    let browser = company.as_user(ADMIN);
    browser.go("/org/leaked");
    browser.fill("Token", "nothing in here");
    browser.click(Button, "Find token");
    browser.sees("There is no token in this");
    let typo = if token.value.ends_with('0') { "1" } else { "0" };
    browser.fill("Token", &format!("{}{typo}", &token.value[..40]));
    browser.click(Button, "Find token");
    browser.sees("mistyped or cut short");
    let line =
        format!("conda config --add channels https://conda.example.com/t/{}/demo", token.value);
    browser.fill("Token", &line);
    browser.click(Button, "Find token");
    browser.sees("This value works");
    browser.sees("service-account-channel-demo");
    browser.everyone_can_use_it();
    // The value is nowhere in the page, its address or what the browser keeps.
    let secret = &token.value[12..];
    assert!(!browser.source().contains(secret) && !browser.path().contains(secret));
    let kept = "return JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])";
    assert!(!browser.script(kept, vec![]).to_string().contains(secret));

    browser.click(Link, "Revoke token");
    browser.click(Button, "Delete");
    browser.sees("Confirmed on 1 of 1 gateway in");
    browser.go("/org/leaked");
    browser.fill("Token", &token.value);
    browser.click(Button, "Find token");
    browser.sees("This value no longer works");
    browser.everyone_can_use_it();
    drop(browser);

    // Whoever may not see it learns nothing.
    let browser = company.as_user(OWNER);
    browser.go("/org/leaked");
    browser.fill("Token", &token.value);
    browser.click(Button, "Find token");
    browser.sees_heading("Not one that you may see");
    for (place, text) in
        [("log", company.site.process.stderr()), ("output", company.site.process.stdout())]
    {
        assert!(!text.contains(secret), "the value is in the {place}");
    }
    company.site.stop();
}
