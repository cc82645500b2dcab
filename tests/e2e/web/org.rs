//! *Org Settings*, as an admin, as one without rights on a channel, and as a user.

use super::company::{ADMIN, Company, OTHER_ADMIN, OWNER, READER, SEATS};
use crate::browser::Kind::{Button, Field, Heading, Link};
use crate::site::{Database, PASSWORD};

const TABS: [&str; 6] =
    ["Service Accounts", "Users", "Groups", "Gateways", "Audit", "Leaked token"];

#[test]
fn an_admin_runs_the_organisation_on_sqlite() {
    an_admin_runs_the_organisation(Database::Sqlite);
}

#[test]
fn an_admin_runs_the_organisation_on_postgres() {
    an_admin_runs_the_organisation(Database::Postgres);
}

fn an_admin_runs_the_organisation(database: Database) {
    let company = Company::new(database);
    let browser = company.as_user(ADMIN);

    // By the user menu to every tab.
    browser.click(Button, "alice, user menu");
    browser.click(Link, "Org Settings");
    browser.sees_heading("Org Settings");
    for tab in TABS {
        browser.click(Link, tab);
        browser.sees_heading("Org Settings");
        browser.sees_heading(tab);
        browser.everyone_can_use_it();
    }

    // An account for a channel that has none (S3); nothing to press where there is one.
    browser.click(Link, "Service Accounts");
    browser.sees(&format!("8 of {SEATS} seats used"));
    assert!(!browser.is_enabled(Button, "Create Service Account"), "the first channel has one");
    browser.click(Link, "Create Service Account");
    browser.sees_heading("Create Service Account");
    browser.sees("service-account-channel-analytics:staging");
    browser.sees(&format!("Seat 9 of {SEATS}"));
    browser.everyone_can_use_it();
    browser.click(Link, "Cancel");
    browser.sees(&format!("8 of {SEATS} seats used"));
    browser.click(Link, "Create Service Account");
    browser.click(Button, "Create");
    browser.sees_heading("service-account-channel-analytics:staging");
    assert_eq!(browser.path(), "/service-accounts/service-account-channel-analytics:staging");
    // Going back and sending the dialog once more makes no second one.
    browser.back();
    browser.click(Button, "Create");
    browser.sees_heading("service-account-channel-analytics:staging");
    browser.go("/org/service-accounts");
    browser.sees(&format!("9 of {SEATS} seats used"));

    users(&browser);
    groups(&browser);
    what_was_done(&browser);
    company.site.stop();
}

fn users(browser: &crate::browser::Browser) {
    browser.go("/org/users");
    browser.click(Link, "Create User");
    browser.fill("Username", OWNER);
    browser.fill("Full name (optional)", "Somebody Else");
    browser.fill("First password", "short");
    browser.everyone_can_use_it();
    browser.click(Button, "Create User");
    // Each fault stands beside its field, and what was typed is still there.
    browser.sees("Use 8 characters");
    assert_eq!(browser.value("Full name (optional)"), "Somebody Else");
    assert_eq!(browser.value("First password"), "", "a password is never sent back");
    browser.fill("First password", PASSWORD);
    browser.click(Button, "Create User");
    browser.sees(&format!("There is a user {OWNER} already"));
    browser.fill("Username", "lena");
    browser.fill("First password", PASSWORD);
    browser.click(Button, "Create User");
    browser.find(Link, "Edit lena");

    browser.click(Link, "Edit lena");
    browser.sees_heading("lena");
    browser.everyone_can_use_it();
    browser.fill("Email (optional)", "lena@example.com");
    browser.click(Button, "Save");
    browser.sees("lena@example.com");
    // The last admin stays one.
    browser.click(Link, "Delete alice");
    browser.click(Button, "Delete");
    browser.sees("would be left without a user");
    browser.everyone_can_use_it();
    browser.click(Link, "Cancel");
    browser.click(Link, "Delete lena");
    browser.sees("signed out everywhere");
    browser.click(Button, "Delete");
    browser.sees_heading("Users");
    assert!(!browser.has(Link, "Edit lena"));
}

fn groups(browser: &crate::browser::Browser) {
    browser.go("/org/groups");
    browser.click(Link, "Create Group");
    browser.fill("Name", "data science");
    browser.click(Button, "Create Group");
    browser.sees("letters, digits");
    browser.fill("Name", "data-science");
    browser.click(Button, "Create Group");
    browser.sees_heading("data-science");
    browser.sees("No members yet");
    browser.everyone_can_use_it();
    browser.fill("User or service account", "nobody.here");
    browser.click(Button, "Add member");
    browser.sees("No user or service account is named nobody.here");
    assert_eq!(browser.value("User or service account"), "nobody.here");
    browser.fill("User or service account", READER);
    browser.click(Button, "Add member");
    browser.find(Link, &format!("Remove {READER}"));
    browser.fill("Channel", "ml-base");
    browser.fill("Permission", "write: read, for upload tools of your own");
    browser.click(Button, "Set permission");
    browser.find(Link, "Remove the permission on ml-base");
    browser.everyone_can_use_it();
    browser.click(Link, &format!("Remove {READER}"));
    browser.sees("They lose what it gives them");
    browser.everyone_can_use_it();
    browser.click(Button, "Remove");
    browser.sees("No members yet");
    browser.sees("Access is taken away. Confirmed on 1 of 1 gateway in");
    browser.everyone_can_use_it();
    browser.click(Link, "Delete Group");
    browser.sees("Its 0 members lose");
    browser.click(Button, "Delete");
    browser.sees_heading("Groups");
    browser.sees_no("data-science");
    // The owners of a channel come and go with it.
    browser.click(Link, "analytics_owners");
    browser.sees("comes and goes with its channel");
    assert!(!browser.has(Link, "Delete Group"));
}

/// All of it is in the log, newest first.
fn what_was_done(browser: &crate::browser::Browser) {
    browser.go("/org/audit");
    browser.sees("Deleted a group");
    browser.fill("Action", "Set a permission");
    browser.fill("Target", "data-science");
    browser.click(Button, "Filter");
    browser.sees("write on ml-base");
    let rows = "return document.querySelectorAll('tbody tr').length";
    assert_eq!(browser.script(rows, vec![]), 1);
    assert_eq!(browser.value("Target"), "data-science");
    browser.fill("Target", "nothing-of-that-name");
    browser.click(Button, "Filter");
    browser.sees_heading("Nothing like that has happened");
    browser.everyone_can_use_it();
    browser.click(Link, "Show all events");
    browser.sees("Deleted a group");
    let export = "return fetch('/org/audit/export?action=group.delete').then(
        async (answer) => [answer.headers.get('content-type'), await answer.text()])";
    let export = browser.script(export, vec![]);
    assert_eq!(export[0], "application/x-ndjson");
    let line: serde_json::Value = serde_json::from_str(export[1].as_str().unwrap()).unwrap();
    assert_eq!(line["action"], "group.delete");
    assert!(export[1].as_str().unwrap().contains("data-science"));
}

#[test]
fn who_may_less_is_offered_less_on_sqlite() {
    who_may_less_is_offered_less(Database::Sqlite);
}

#[test]
fn who_may_less_is_offered_less_on_postgres() {
    who_may_less_is_offered_less(Database::Postgres);
}

fn who_may_less_is_offered_less(database: Database) {
    let company = Company::new(database);
    // An admin sees only the channels that they manage (S3), and can't make an account for others.
    let browser = company.as_user(OTHER_ADMIN);
    browser.go("/org/service-accounts");
    browser.find(Link, "analytics/prod");
    assert!(!browser.has(Link, "robotics"));
    browser.sees("This channel already has one");
    browser.go("/org/service-accounts/robotics/new");
    browser.sees("This needs manage on robotics");
    drop(browser);

    // A user has the tabs that hold something for them.
    let browser = company.as_user(READER);
    browser.go("/org/service-accounts");
    browser.sees_heading("No channel to manage");
    browser.everyone_can_use_it();
    for tab in ["Users", "Gateways", "Audit"] {
        assert!(!browser.has(Link, tab), "{tab}");
    }
    for path in ["/org/users", "/org/users/new", "/org/gateways", "/org/audit", "/org/audit/export"]
    {
        browser.go(path);
        browser.sees("This needs role admin");
    }
    browser.click(Link, "Go to Channels");
    drop(browser);

    let browser = company.as_nobody();
    for path in ["/org/service-accounts", "/org/users", "/org/leaked"] {
        browser.go(path);
        browser.sees_heading("Sign in");
    }
    browser.fill("Username", OWNER);
    browser.fill("Password", PASSWORD);
    browser.click(Button, "Sign in");
    browser.sees_heading("Leaked token");
    assert!(browser.has(Field, "Token") && !browser.has(Heading, "Sign in"));
    company.site.stop();
}
