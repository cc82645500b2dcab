//! Pictures of the pages: ten for `docs/images/`, and all of them in every look to be looked at.

use std::path::{Path, PathBuf};

use crate::browser::Kind::{Button, Field, Link};
use crate::browser::{Browser, Scheme, Width};
use crate::site::{Database, patience};

use super::company::{ADMIN, Company};

/// Pages by their address.
const PAGES: [(&str, &str); 30] = [
    ("channels", "/channels"),
    ("channels-none-found", "/channels?q=nothing"),
    ("channel-new", "/channels/new"),
    ("channel", "/channels/analytics:prod/packages"),
    ("channel-service-accounts", "/channels/analytics:prod/service-accounts"),
    ("channel-service-accounts-none", "/channels/analytics:staging/service-accounts"),
    ("channel-members", "/channels/analytics:prod/members"),
    ("channel-usage", "/channels/analytics:prod/usage"),
    ("channel-usage-none", "/channels/geo/usage"),
    ("channel-settings", "/channels/analytics:prod/settings"),
    ("service-account", "/service-accounts/service-account-channel-analytics:prod"),
    ("service-account-none", "/service-accounts/service-account-channel-bioinfo"),
    ("token-new", "/service-accounts/service-account-channel-analytics:prod/tokens/new"),
    ("token-edit", "/tokens/1/edit"),
    ("token-delete", "/tokens/1/delete"),
    ("my-tokens", "/me/tokens"),
    ("org-service-accounts", "/org/service-accounts"),
    ("org-service-accounts-create", "/org/service-accounts/geo/new"),
    ("org-users", "/org/users"),
    ("org-user-new", "/org/users/new"),
    ("org-user-edit", "/org/users/jonas.lindqvist/edit"),
    ("org-user-delete", "/org/users/jonas.lindqvist/delete"),
    ("org-groups", "/org/groups"),
    ("org-group", "/org/groups/prod-readers"),
    ("org-group-member-remove", "/org/groups/prod-readers/members/ana.ferreira/remove"),
    ("channels-after-a-change", "/channels?proof=2"),
    ("org-group-delete", "/org/groups/prod-readers/delete"),
    ("org-gateways", "/org/gateways"),
    ("org-audit", "/org/audit"),
    ("no-such-page", "/nothing/here"),
];

/// Those that are shown in the documentation, on a desk and in light.
const SHOWN: [&str; 10] = [
    "channels",
    "channel",
    "service-account",
    "token-new",
    "token-notification",
    "token-revoked",
    "channel-usage",
    "org-service-accounts",
    "org-gateways",
    "org-audit",
];

#[test]
#[ignore = "writes docs/images and target/pictures"]
fn pictures() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (images, looks) = (root.join("docs/images"), root.join("target/pictures"));
    for folder in [&images, &looks] {
        std::fs::create_dir_all(folder).unwrap();
    }
    let gallery = Gallery { images, looks };
    let company = Company::with_more_gateways(Database::Postgres);
    let browser = company.as_nobody();
    browser.go("/sign-in");
    gallery.add(&browser, "sign-in");
    browser.sign_in(ADMIN, crate::site::PASSWORD);
    // Signing in is not done again and again: the log shows what was done.
    for (name, path) in PAGES {
        browser.go(path);
        gallery.add(&browser, name);
    }
    gallery.asked(&browser);
    gallery.leaked(&browser, &company.site.admin.token(&["demo"]).value);
    gallery.token(&browser);
    browser.go("/channels");
    browser.click(Button, "alice, user menu");
    gallery.add(&browser, "user-menu");
    let missing: Vec<_> =
        SHOWN.iter().filter(|name| !gallery.images.join(format!("{name}.png")).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

struct Gallery {
    images: PathBuf,
    looks: PathBuf,
}

impl Gallery {
    /// The page as it stands, in every look.
    fn add(&self, browser: &Browser, name: &str) {
        for (width, scheme) in [
            (Width::Phone, Scheme::Light),
            (Width::Phone, Scheme::Dark),
            (Width::Desk, Scheme::Dark),
            (Width::Desk, Scheme::Light),
        ] {
            browser.look(width, scheme);
            let picture = browser.picture();
            let look = format!("{name}-{}-{scheme:?}.png", width as u64).to_lowercase();
            std::fs::write(self.looks.join(look), &picture).unwrap();
            if (width, scheme) == (Width::Desk, Scheme::Light) && SHOWN.contains(&name) {
                std::fs::write(self.images.join(format!("{name}.png")), &picture).unwrap();
            }
        }
        println!("{name}: {}", browser.path());
    }

    /// What is asked about after it was sent.
    fn asked(&self, browser: &Browser) {
        browser.go("/channels/analytics:prod/settings");
        browser.click(Field, "Public");
        browser.click(Button, "Save");
        browser.sees_heading("Make this channel public?");
        self.add(browser, "channel-settings-public");
        browser.click(Button, "Cancel");
        browser.go("/org/users/jonas.lindqvist/edit");
        browser.click(Field, "Active");
        browser.click(Button, "Save");
        browser.sees_heading("Deactivate user");
        self.add(browser, "org-user-deactivate");
        browser.click(Button, "Cancel");
    }

    fn leaked(&self, browser: &Browser, value: &str) {
        browser.go("/org/leaked");
        self.add(browser, "org-leaked");
        browser.fill("Token", value);
        browser.click(Button, "Find token");
        browser.sees("This value works");
        self.add(browser, "org-leaked-found");
    }

    /// A token's life: the notification, and the proof of its end.
    fn token(&self, browser: &Browser) {
        let account = "/service-accounts/service-account-channel-analytics:prod";
        browser.go(account);
        browser.click(Link, "Generate Token");
        browser.click(Button, "Create");
        self.add(browser, "token-new-refused");
        browser.fill("Name", "nightly-publish");
        browser.click(Button, "Create");
        browser.sees_heading("Copy your token now");
        self.add(browser, "token-notification");
        browser.click(Button, "Copy");
        browser.click(Link, "Close");
        browser.click(Link, "Delete nightly-publish");
        browser.click(Button, "Delete");
        patience::until("the proof", || browser.text().contains("Confirmed on").then_some(()));
        self.add(browser, "token-revoked");
    }
}
