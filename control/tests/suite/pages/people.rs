//! Users in the browser: signing in, their form, and what is found of them.

use std::time::Duration;

use access::Permission;
use axum::http::header::RETRY_AFTER;
use control::usecases::token::{self, Reissue};
use control::usecases::{Page, session, user};

use super::browser::Browser;
use crate::world::{PASSWORD, World, order};

control::on_both_databases! {
    async fn what_was_kept_over_a_sign_in_stays_said_after_a_wrong_password(database: TestDatabase) {
        let w = World::new(database).await;
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get("/channels/new").await;
        w.clock.advance(Duration::from_secs(13 * 3600));
        let expired = browser.fill(&form, "/channels/new", &[("name", "a")]).await;
        expired.shows(401, &["what you typed is kept"]);
        let wrong = [("username", "root"), ("password", "wrong horse")];
        let again = browser.fill(&expired, "/sign-in", &wrong).await;
        again.shows(401, &["what you typed is kept", "The user name or the password is wrong"]);
        let elsewhere = Browser::new(&w).get("/sign-in?return=%2Fme%2Ftokens").await;
        let again = browser.fill(&elsewhere, "/sign-in", &wrong).await;
        again.shows(401, &["Sign in to go on to where you were."]);
        let plain = Browser::new(&w).get("/sign-in").await;
        let again = browser.fill(&plain, "/sign-in", &wrong).await;
        assert!(!again.text.contains("where you were"), "{}", again.text);
    }

    async fn who_guesses_is_told_how_long_to_wait(database: TestDatabase) {
        let w = World::new(database).await;
        let mut browser = Browser::new(&w);
        let wrong = [("username", "alice"), ("password", "wrong horse")];
        for _ in 0..10 {
            browser.send("/sign-in", &wrong).await.shows(401, &[]);
        }
        let refused = browser.send("/sign-in", &wrong).await;
        refused.shows(429, &["Too many attempts have failed here; wait 5\u{a0}min", "value=\"alice\""]);
        let secs: u64 = refused.headers[RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!((290..=301).contains(&secs), "{secs}");
    }

    async fn all_that_is_wrong_with_a_user_is_told_at_once(database: TestDatabase) {
        let w = World::new(database).await;
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get("/org/users/new").await;
        let typed = [
            ("name", "a b"),
            ("display_name", "Ana\u{202e}anA"),
            ("email", "nowhere"),
            ("role", "user"),
            ("password", "short"),
        ];
        browser.fill(&form, "/org/users/new", &typed).await.shows(422, &[
            "Use 1 to 128 letters",
            "Leave out U+202E",
            "Write an address like name@example.com",
            "Use 8 characters to 1024 bytes",
            "value=\"nowhere\"",
        ]);
        let form = browser.get("/org/users/alice/edit").await;
        let typed = [("display_name", "Alice"), ("email", "alice@"), ("role", "user"), ("active", "yes")];
        browser.fill(&form, "/org/users/alice/edit", &typed).await.shows(422, &["Write an address like"]);
        assert_eq!(user::get(&w.control, &w.admin, "alice").await.unwrap().email, "");
        // By which a password manager knows whose password is changed.
        form.shows(200, &["name=\"username\" value=\"alice\" autocomplete=\"username\""]);
    }

    async fn an_old_value_that_still_works_is_told_from_its_token(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let issued = w.token(&w.admin, "service-account-channel-a", order("ci", Permission::Read, &["a"])).await.unwrap();
        let (id, old) = (issued.token.id, issued.secret.reveal());
        let overlap = Duration::from_secs(24 * 60 * 60);
        let reissue = Reissue { overlap, expires: None, seen: None };
        token::reissue(&w.control, &w.admin, id, reissue).await.unwrap();
        let mut browser = Browser::signed_in(&w, "root").await;
        let page = browser.get("/org/leaked").await;
        let found = browser.fill(&page, "/org/leaked", &[("secret", old)]).await;
        found.shows(200, &["This value works", "An old one; a newer one was issued. It ends", "ends both values at once"]);
        w.clock.advance(2 * overlap);
        let mut browser = Browser::signed_in(&w, "root").await;
        let page = browser.get("/org/leaked").await;
        let found = browser.fill(&page, "/org/leaked", &[("secret", old)]).await;
        found.shows(200, &["This value no longer works", "It ended", "ends its newer value at once"]);
        // A letter less is a mistake, and none of it is shown again.
        let short = &old[..30];
        let refused = browser.fill(&page, "/org/leaked", &[("secret", short)]).await;
        refused.shows(422, &["mistyped or cut short"]);
        assert!(!refused.text.contains(short));
    }

    async fn a_leaked_session_is_named_and_ended(database: TestDatabase) {
        let w = World::new(database).await;
        let mut victim = Browser::signed_in(&w, "alice").await;
        let value = victim.cookie.clone().unwrap().split_once('=').unwrap().1.to_owned();
        assert!(value.starts_with("cg-"), "{value}");

        // Whoever is neither its user nor an admin learns nothing.
        w.user("bob").await;
        let mut other = Browser::signed_in(&w, "bob").await;
        let page = other.get("/org/leaked").await;
        let found = other.fill(&page, "/org/leaked", &[("secret", &value)]).await;
        found.shows(200, &["Not one that you may see", "or it is not visible to you"]);
        assert!(!found.text.contains("alice"));
        let sessions = session::list(&w.control, &w.admin, "alice", &Page::first()).await.unwrap().items;
        let end = format!("/org/leaked/sessions/{}/end", sessions[0].id.0);
        let hidden = page.hidden("/org/leaked");
        let fields: Vec<_> = hidden.iter().map(|(n, v)| (&**n, &**v)).collect();
        other.send(&end, &fields).await;
        victim.get("/channels").await.shows(200, &[]);

        let mut admin = Browser::signed_in(&w, "root").await;
        let page = admin.get("/org/leaked").await;
        let line = format!("Cookie: condagate_session={value}; theme=dark");
        let found = admin.fill(&page, "/org/leaked", &[("secret", &line)]).await;
        found.shows(200, &["A session, not a token", ">alice</a>", "End session"]);
        assert!(!found.text.contains(&value) && !found.text.contains("this session"));
        let ended = admin.fill(&found, &end, &[]).await;
        ended.shows(200, &["The session has ended"]);
        victim.get("/channels").await.leads_to("/sign-in");
        let found = admin.fill(&page, "/org/leaked", &[("secret", &value)]).await;
        found.shows(200, &["Not one of ours"]);

        // One's own ends the visit.
        let own = admin.cookie.clone().unwrap().split_once('=').unwrap().1.to_owned();
        let found = admin.fill(&page, "/org/leaked", &[("secret", &own)]).await;
        found.shows(200, &[">root</a> (this session)"]);
        let sessions = session::list(&w.control, &w.admin, "root", &Page::first()).await.unwrap().items;
        let end = format!("/org/leaked/sessions/{}/end", sessions[0].id.0);
        admin.fill(&found, &end, &[]).await.leads_to("/sign-in");
        admin.get("/channels").await.leads_to("/sign-in");
    }

    async fn an_address_that_is_no_text_is_a_page_of_ours(database: TestDatabase) {
        let w = World::new(database).await;
        let mut browser = Browser::signed_in(&w, "alice").await;
        for path in ["/channels/%ff", "/channels/a%00/members", "/org/users/%c3%28/edit", "/org/groups/%00"] {
            browser.get(path).await.shows(404, &["No such thing", "<h1>", "user menu"]);
        }
        // A search for nothing is none.
        for path in ["/channels?q=+%c2%a0", "/channels?q=+&after=9%3Azz", "/channels?after=9%3Azz"] {
            let page = browser.get(path).await;
            page.shows(200, &["<h1>Channels</h1>"]);
            assert!(!page.text.contains("in its name"), "{}", page.text);
        }
        let fields = [("username", "alice"), ("password", PASSWORD)];
        Browser::new(&w).send("/org/groups/%ff/members", &fields).await.shows(404, &["No such thing"]);
    }
}
