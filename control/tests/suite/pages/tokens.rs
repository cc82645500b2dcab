//! Tokens in the browser: made, shown once, changed, taken back.

use std::num::NonZeroU32;
use std::time::Duration;

use access::{Permission, Timestamp};
use axum::http::header::CACHE_CONTROL;
use control::usecases::token::{self, Expiry, Reissue, TokenEdit, TokenOrder};
use control::usecases::{Page, channel, group};
use control::{Settings, TokenStatus};

use super::browser::{Browser, Page as Shown};
use crate::world::{World, name, order, settings};

const ACCOUNT: &str = "/service-accounts/service-account-channel-a";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const NEW: &str = "/service-accounts/service-account-channel-a/tokens/new";
const TYPED: [(&str, &str); 5] = [
    ("name", "ci"),
    ("description", "runners"),
    ("expires_at", "90d"),
    ("permission", "read"),
    ("channels", "a"),
];

/// The one value of a token that a page shows.
#[track_caller]
fn value(page: &Shown) -> String {
    let at = page.text.find("value=\"cg-").unwrap_or_else(|| panic!("no value in\n{}", page.text));
    page.text[at + 7..][..41].to_owned()
}

async fn tokens(w: &World) -> Vec<control::Token> {
    let account = "service-account-channel-a";
    token::list(&w.control, &w.admin, account, None, &Page::first()).await.unwrap().items
}

control::on_both_databases! {
    async fn an_owner_hands_out_a_token_in_three_clicks(database: TestDatabase) {
        let gateway_url = Some("https://conda.example.com".to_owned());
        let w = World::with(database, Settings { gateway_url, ..settings() }).await;
        w.account("a").await;
        w.join("a_owners", "alice").await;
        let mut browser = Browser::signed_in(&w, "alice").await;
        browser.get("/channels/a").await.shows(200, &["Service Accounts"]);
        let tab = browser.get("/channels/a/service-accounts").await;
        tab.shows(200, &["href=\"/service-accounts/service-account-channel-a\"", "1 seat"]);
        browser.get(ACCOUNT).await.shows(200, &["<h1>service-account-channel-a</h1>", "Generate Token", "No tokens yet"]);
        let form = browser.get(NEW).await;
        form.shows(200, &[">Name</label>", ">Description (optional)</label>", ">Expires</label>",
            "<legend>Permission</legend>", "<legend>Channels</legend>", ">Networks</label>",
            ">Requests per second</label>", ">Bytes per day</label>", ">Create</button>"]);
        let made = browser.fill(&form, NEW, &TYPED).await;
        made.shows(201, &["Copy your token now", "Close</a>", "mamba", "pixi", "curl",
            "conda config --add channels https://conda.example.com/t/cg-"]);
        assert_eq!(made.headers[CACHE_CONTROL], "no-store");
        let value = value(&made);
        let listed = browser.get(ACCOUNT).await;
        listed.shows(200, &["<b>ci</b>", "runners", "in 90 days", "Never used", "aria-label=\"Edit ci\"", "aria-label=\"Delete ci\""]);
        assert!(!listed.text.contains(&value), "it can't be had again");
    }

    async fn a_form_that_is_sent_twice_makes_one_token_and_shows_it_once(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get(NEW).await;
        let value = value(&browser.fill(&form, NEW, &TYPED).await);
        let again = browser.fill(&form, NEW, &TYPED).await;
        again.shows(409, &["This token was made already", "Issue a new token"]);
        assert!(!again.text.contains(&value));
        assert_eq!(tokens(&w).await.len(), 1);
        // The way back with something else typed is another request, in words for people.
        let other: Vec<_> = TYPED.iter().copied().filter(|(n, _)| *n != "name").chain([("name", "other")]).collect();
        let refused = browser.fill(&form, NEW, &other).await;
        refused.shows(409, &["This form was sent before", "open the form again"]);
        assert!(!refused.text.contains("Idempotency-Key"));
        assert_eq!(tokens(&w).await.len(), 1);
    }

    async fn what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get(NEW).await;
        for (field, wrong, message) in [
            ("name", "", "Use 1 to 128 characters"),
            ("expires_at", "400d", "Choose when it ends"),
            ("channels", "b", "not visible to you"),
            ("networks", "10.0.0.1/8", "has bits behind its prefix"),
            ("bytes_per_day", "lots", "Write a size like 20 GiB"),
        ] {
            let typed: Vec<_> = TYPED.iter().copied().filter(|(n, _)| *n != field).chain([(field, wrong)]).collect();
            let page = browser.fill(&form, NEW, &typed).await;
            page.shows(422, &[message, "aria-invalid=\"true\"", "value=\"runners\""]);
        }
        assert!(tokens(&w).await.is_empty());
        let taken = order("ci", Permission::Read, &["a"]);
        w.token(&w.admin, "service-account-channel-a", taken).await.unwrap();
        browser.fill(&form, NEW, &TYPED).await.shows(422, &["already"]);
    }

    async fn nobody_is_offered_more_than_they_hold(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        w.channel(&w.admin, "b").await.unwrap();
        group::create(&w.control, &w.admin, "readers", "").await.unwrap();
        group::set_permission(&w.control, &w.admin, "readers", &name("b"), Some(Permission::Read)).await.unwrap();
        w.join("readers", "alice").await;
        let mut browser = Browser::signed_in(&w, "alice").await;
        browser.get(ACCOUNT).await.shows(404, &["not visible to you"]);
        browser.get(NEW).await.shows(404, &[]);
        let own = browser.get("/me/tokens/new").await;
        own.shows(200, &["up to read", "You can only grant what you hold."]);
        assert!(!own.text.contains("role admin"));
        let typed = [("name", "mine"), ("expires_at", "30d"), ("permission", "write"), ("channels", "b")];
        browser.fill(&own, "/me/tokens/new", &typed).await.shows(422, &["id=\"e-permission\"", "not hold"]);
    }

    async fn what_the_account_lacks_stands_beside_the_channels(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        w.channel(&w.admin, "b").await.unwrap();
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get(NEW).await;
        let typed: Vec<_> = TYPED.iter().copied().chain([("channels", "b")]).collect();
        let refused = browser.fill(&form, NEW, &typed).await;
        refused.shows(422, &["id=\"e-channels\"", "does not hold", "Chosen before"]);
        assert!(!refused.text.contains("e-permission"));
    }

    async fn all_that_is_wrong_is_told_at_once(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get(NEW).await;
        let typed = [
            ("name", ""), ("expires_at", "date"), ("expires_on", "2020-01-01"), ("permission", "x"),
            ("networks", "here"), ("requests_per_second", "0"), ("bytes_per_day", "lots"),
        ];
        browser.fill(&form, NEW, &typed).await.shows(422, &["e-name", "Choose a day from today to",
            "e-permission", "e-channels", "e-networks", "e-requests_per_second", "e-bytes_per_day"]);
        let issued = w.token(&w.admin, "service-account-channel-a", order("ci", Permission::Read, &["a"])).await.unwrap();
        let path = format!("/tokens/{}/edit", issued.token.id.0);
        let form = browser.get(&path).await;
        let typed = [("name", ""), ("expires_at", "soon"), ("bytes_per_day", "lots")];
        browser.fill(&form, &path, &typed).await.shows(422, &["e-name", "e-expires_at", "e-bytes_per_day"]);
    }

    async fn what_is_revoked_or_expired_says_what_can_be_done_next(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let account = "service-account-channel-a";
        let issued = w.token(&w.admin, account, order("ci", Permission::Read, &["a"])).await.unwrap();
        let path = format!("/tokens/{}/edit", issued.token.id.0);
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get(&path).await;
        token::revoke(&w.control, &w.admin, issued.token.id).await.unwrap();
        let was = browser.get(&path).await;
        was.shows(200, &["<h1>ci</h1>", "A revoked token never comes back", "Generate another token", "Never"]);
        assert!(!was.text.contains("name=\"name\""), "nothing to fill in");
        browser.fill(&form, &path, &[("name", "x"), ("expires_at", "")]).await.shows(422, &["A revoked token never"]);

        let ended = w.token(&w.admin, account, order("old", Permission::Read, &["a"])).await.unwrap();
        let path = format!("/tokens/{}/edit", ended.token.id.0);
        w.clock.advance(91 * DAY);
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get(&path).await;
        form.shows(200, &["It expired", "A later day brings it back"]);
        let later = w.now().plus(30 * DAY).date();
        browser.fill(&form, &path, &[("name", "old"), ("expires_at", &later)]).await.saved_to(&format!("{ACCOUNT}?made={}", ended.token.id.0));
        assert_eq!(token::get(&w.control, &w.admin, ended.token.id).await.unwrap().status, TokenStatus::Active);
        w.clock.advance(300 * DAY);
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get(&path).await;
        form.shows(200, &["only a new token brings it back"]);
        let was = token::get(&w.control, &w.admin, ended.token.id).await.unwrap().expires_at;
        let was = was.minus(Duration::from_millis(1)).date();
        let with = |day| [("name", "old"), ("expires_at", day), ("reissue", "yes"), ("overlap", "0"), ("confirm", "yes")];
        browser.fill(&form, &path, &with(&was)).await.shows(422, &["Choose a day from"]);
        let later = w.now().plus(30 * DAY).date();
        browser.fill(&form, &path, &with(&later)).await.shows(201, &["Copy your token now"]);
    }

    async fn only_who_can_issue_is_asked_for_what_it_issued(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let mut browser = Browser::signed_in(&w, "root").await;
        for (permission, asks) in [(Permission::Read, false), (Permission::Write, false), (Permission::Manage, true)] {
            let issued = w.token(&w.admin, "service-account-channel-a", order(permission.as_str(), permission, &["a"])).await.unwrap();
            let asked = browser.get(&format!("/tokens/{}/delete", issued.token.id.0)).await;
            asked.shows(200, &["Cancel"]);
            assert_eq!(asked.text.contains("that it issued"), asks, "{permission}");
        }
    }

    async fn two_admins_who_edit_one_token_do_not_undo_each_other(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let issued = w.token(&w.admin, "service-account-channel-a", order("ci", Permission::Read, &["a"])).await.unwrap();
        let path = format!("/tokens/{}/edit", issued.token.id.0);
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get(&path).await;
        let their_end = w.now().plus(30 * DAY);
        let theirs = TokenEdit {
            description: Some("theirs".into()),
            expires: Some(Expiry::At(their_end)),
            requests_per_second: Some(NonZeroU32::new(7)),
            ..TokenEdit::default()
        };
        token::edit(&w.control, &w.admin, issued.token.id, theirs).await.unwrap();
        let last_day = |end: Timestamp| end.minus(Duration::from_millis(1)).date();
        let (day, their_day) = (last_day(issued.token.expires_at), last_day(their_end));
        let limits = [("networks", ""), ("requests_per_second", ""), ("bytes_per_day", "")];
        let mine = |day| [("name", "renamed"), ("description", "mine"), ("expires_at", day)].into_iter().chain(limits).collect::<Vec<_>>();
        let asked = browser.fill(&form, &path, &mine(&day)).await;
        // What was left as it was is theirs; what both have changed is asked about.
        asked.shows(422, &["Somebody else has changed this token", "Now: theirs", "value=\"mine\"",
            &format!("value=\"{their_day}\""), &format!("Before: {day}"), "value=\"7\"", "Before: empty"]);
        assert_eq!(tokens(&w).await[0].name, "ci");
        // What is wrong with the rest doesn't make theirs seen by whoever has not seen it.
        let wrong = [mine(&day), vec![("bytes_per_day", "lots")]].concat();
        browser.fill(&form, &path, &wrong).await.shows(422, &["Somebody else has changed this token"]);
        let seven: Vec<_> = mine(&their_day).into_iter().map(|(name, typed)| (name, if name == "requests_per_second" { "7" } else { typed })).collect();
        let mine = |_| seven.clone();
        browser.fill(&asked, &path, &mine(&day)).await.saved_to(&format!("{ACCOUNT}?made={}", tokens(&w).await[0].id.0));
        let now = &tokens(&w).await[0];
        assert_eq!((&*now.name, &*now.description, now.expires_at), ("renamed", "mine", their_end));
        assert_eq!(now.limits.requests_per_second, NonZeroU32::new(7));
        // The same form again has nothing more to do.
        browser.fill(&asked, &path, &mine(&day)).await.saved_to(&format!("{ACCOUNT}?made={}", tokens(&w).await[0].id.0));
    }

    async fn a_new_value_is_shown_once_too(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let issued = w.token(&w.admin, "service-account-channel-a", order("ci", Permission::Read, &["a"])).await.unwrap();
        let path = format!("/tokens/{}/edit", issued.token.id.0);
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get(&path).await;
        let day = issued.token.expires_at.minus(Duration::from_millis(1)).date();
        let typed = [("name", "ci2"), ("description", ""), ("expires_at", day.as_str()), ("reissue", "yes"), ("overlap", "0")];
        // What ends, and what runs on it, is said before.
        let asked = browser.fill(&form, &path, &typed).await;
        asked.shows(200, &["Issue a new token?", "Ends at once on every gateway", "Last used", "data-cancel autofocus>Cancel",
            &format!("Works until {day} (UTC)"), "the day that it ends now"]);
        let later: Vec<_> = typed[..4].iter().copied().chain([("overlap", "86400")]).collect();
        browser.fill(&form, &path, &later).await.shows(200, &["Issue a new token?", "Works on; it ends"]);
        let back: Vec<_> = typed.into_iter().chain([("confirm", "no")]).collect();
        browser.fill(&form, &path, &back).await.shows(200, &["value=\"ci2\"", "<h1>Edit ci</h1>"]);
        assert_eq!(tokens(&w).await[0].name, "ci");
        let typed: Vec<_> = typed.into_iter().chain([("confirm", "yes")]).collect();
        let made = browser.fill(&form, &path, &typed).await;
        made.shows(201, &["Copy your token now", "Access is taken away"]);
        assert_ne!(value(&made), issued.secret.reveal());
        let now = &tokens(&w).await[0];
        assert_eq!((&*now.name, now.expires_at), ("ci2", issued.token.expires_at), "the day in the form");
        browser.fill(&form, &path, &typed).await.shows(409, &["made already"]);
        // A new value may end a year from now.
        w.clock.advance(10 * DAY);
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get(&path).await;
        let year = w.now().plus(365 * DAY).date();
        form.shows(200, &[&format!("max=\"{year}\""), &format!("with a new one until {year}")]);
        let with = |more| [("name", "ci2"), ("expires_at", &*year), ("overlap", "0"), more];
        browser.fill(&form, &path, &with(("reissue", "yes"))).await.shows(200, &[&format!("Works until {year} (UTC), ")]);
        let yes: Vec<_> = with(("reissue", "yes")).into_iter().chain([("confirm", "yes")]).collect();
        browser.fill(&form, &path, &yes).await.shows(201, &["Copy your token now"]);
        assert_eq!(tokens(&w).await[0].expires_at.date(), year);
    }

    async fn an_old_value_that_works_on_is_told_and_ended(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let issued = w.token(&w.admin, "service-account-channel-a", order("ci", Permission::Read, &["a"])).await.unwrap();
        let id = issued.token.id;
        let again = Reissue { overlap: DAY, ..Reissue::default() };
        let second = token::reissue(&w.control, &w.admin, id, again.clone()).await.unwrap();
        let mut browser = Browser::signed_in(&w, "root").await;
        let hint = issued.secret.hint().to_string();
        for page in [ACCOUNT.to_owned(), format!("/tokens/{}/edit", id.0)] {
            browser.get(&page).await.shows(200, &[&format!("The old value {hint} still works; it ends"), "in 1 day", ">End it now</a>"]);
        }
        browser.get(&format!("/tokens/{}/delete", id.0)).await.shows(200, &[&format!("{hint} still works"), "it ends with the token"]);
        let path = format!("/tokens/{}/old-value/end", id.0);
        let asked = browser.get(&path).await;
        asked.shows(200, &["End the old value of ci?", &hint, "The new value goes on", "Last used"]);
        // Whoever issues another value is told that this one ends; then the one that was to go on is the old one.
        let edit = format!("/tokens/{}/edit", id.0);
        let form = browser.get(&edit).await;
        let day = issued.token.expires_at.date();
        let typed = [("name", "ci"), ("expires_at", &*day), ("overlap", "0"), ("reissue", "yes")];
        browser.fill(&form, &edit, &typed).await.shows(200, &[&format!("{hint} still works, and ends at once")]);
        token::reissue(&w.control, &w.admin, id, again).await.unwrap();
        let hint = second.value.secret.hint().to_string();
        browser.fill(&asked, &path, &[]).await.shows(422, &["omebody else has changed", &hint]);
        let asked = browser.get(&path).await;
        let done = browser.fill(&asked, &path, &[]).await;
        assert_eq!(done.status, 303, "{}", done.text);
        let shown = browser.get(done.headers["location"].to_str().unwrap()).await;
        shown.shows(200, &["Access is taken away.", "<b>ci</b>"]);
        assert!(!shown.text.contains(&hint));
        browser.get(&path).await.shows(200, &["No old value of it works any more"]);
        browser.fill(&asked, &path, &[]).await.saved_to(ACCOUNT);
    }

    async fn limits_are_told_in_the_table(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let networks = ["10.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24"].map(|net| net.parse().unwrap());
        let limits = access::Limits {
            networks: networks.into(),
            requests_per_second: NonZeroU32::new(1),
            bytes_per_day: std::num::NonZeroU64::new(20 << 30),
        };
        let bound = TokenOrder { limits, ..order("ci", Permission::Read, &["a"]) };
        w.token(&w.admin, "service-account-channel-a", bound).await.unwrap();
        w.token(&w.admin, "service-account-channel-a", order("free", Permission::Read, &["a"])).await.unwrap();
        let page = Browser::signed_in(&w, "root").await.get(ACCOUNT).await;
        page.shows(200, &["Limited to 10.0.0.0/8, 192.0.2.0/24 and 1 more network; 1 request a second; 20 GiB a day"]);
        assert_eq!(page.text.matches("Limited to").count(), 1);
    }

    async fn a_new_value_that_is_refused_changes_nothing_and_can_be_asked_for_again(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let issued = w.token(&w.admin, "service-account-channel-a", order("ci", Permission::Read, &["a"])).await.unwrap();
        let path = format!("/tokens/{}/edit", issued.token.id.0);
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get(&path).await;
        let with = |day, overlap| [("name", "ci2"), ("expires_at", day), ("reissue", "yes"), ("overlap", overlap), ("confirm", "yes")];
        let day = issued.token.expires_at.minus(Duration::from_millis(1)).date();
        let mut refused = browser.fill(&form, &path, &with("2099-01-01", "0")).await;
        refused.shows(422, &["Choose a day from", "value=\"ci2\""]);
        refused = browser.fill(&refused, &path, &with(&day, "999999999")).await;
        refused.shows(422, &["Choose one of the list"]);
        assert_eq!(tokens(&w).await[0].name, "ci");
        browser.fill(&refused, &path, &with(&day, "0")).await.shows(201, &["Copy your token now"]);
        assert_eq!(tokens(&w).await[0].name, "ci2");
    }

    async fn a_revoke_asks_first_and_shows_its_proof(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let issued = w.token(&w.admin, "service-account-channel-a", order("ci", Permission::Read, &["a"])).await.unwrap();
        let path = format!("/tokens/{}/delete", issued.token.id.0);
        let mut browser = Browser::signed_in(&w, "root").await;
        let asked = browser.get(&path).await;
        asked.shows(200, &["Delete ci?", "Last used", "Never", "Cancel"]);
        assert!(!w.is_revoked(&issued).await);
        let proof = format!("/tokens/{}/revoked", issued.token.id.0);
        browser.fill(&asked, &path, &[]).await.leads_to(&proof);
        assert!(w.is_revoked(&issued).await);
        browser.get(&proof).await.shows(200, &["Revoked. No gateway is running"]);
        browser.fill(&asked, &path, &[]).await.leads_to(&proof);
        browser.get(&path).await.leads_to(&proof);
    }

    async fn a_channel_is_made_seen_and_deleted(database: TestDatabase) {
        let w = World::new(database).await;
        let mut browser = Browser::signed_in(&w, "root").await;
        browser.get("/channels").await.shows(200, &["No channels yet", "Create Channel"]);
        let form = browser.get("/channels/new").await;
        browser.fill(&form, "/channels/new", &[("name", "Big"), ("privacy", "private")]).await
            .shows(422, &["aria-invalid=\"true\"", "value=\"Big\""]);
        // All that is wrong is told at once, beside its fields.
        let (long, faulty) = ("x".repeat(1001), [("privacy", "private"), ("storage", "attic"), ("prefix", "/x")]);
        let faulty = [&faulty[..], &[("name", "Big"), ("description", &long)]].concat();
        let told = ["e-name", "e-storage", "e-prefix", "e-description"].map(|id| format!("id=\"{id}\""));
        browser.fill(&form, "/channels/new", &faulty).await.shows(422, &told.each_ref().map(String::as_str));
        let typed = [("name", "a/b"), ("privacy", "public"), ("storage", "main")];
        browser.fill(&form, "/channels/new", &typed).await.leads_to("/channels/a:b");
        browser.fill(&form, "/channels/new", &typed).await.leads_to("/channels/a:b");
        browser.get("/channels/a:b").await.shows(200, &["Public"]);
        let taken = [("name", "a/b"), ("privacy", "private"), ("storage", "main"), ("prefix", "/x")];
        let form = browser.get("/channels/new").await;
        browser.fill(&form, "/channels/new", &taken).await.shows(422, &["id=\"e-name\"", "id=\"e-prefix\""]);
        let members = browser.get("/channels/a:b/members").await;
        members.shows(200, &["a:b_owners"]);
        let add = [("do", "add"), ("group", "a:b_owners"), ("member", "nobody")];
        let hidden = members.hidden("/sign-out");
        let fields: Vec<_> = hidden.iter().map(|(n, v)| (&**n, &**v)).chain(add).collect();
        browser.send("/channels/a:b/members", &fields).await.shows(422, &["nobody"]);
        let dialog = browser.get("/channels/a:b/service-accounts/new").await;
        dialog.shows(200, &["service-account-channel-a:b", "1 seat"]);
        browser.fill(&dialog, "/channels/a:b/service-accounts/new", &[]).await
            .leads_to("/service-accounts/service-account-channel-a:b");
        let settings = browser.get("/channels/a:b/settings/delete").await;
        browser.fill(&settings, "/channels/a:b/settings/delete", &[]).await
            .leads_to_proof("/channels");
        assert!(channel::list(&w.control, &w.admin, &Page::first()).await.unwrap().items.is_empty());
    }
}
