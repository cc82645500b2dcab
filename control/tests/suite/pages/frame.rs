//! What every page has: who may see it, what it says to browsers, and forms that only their visitor
//! can send.

use std::time::Duration;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
};
use control::Control;
use control::usecases::{Page, channel, session};

use super::browser::Browser;
use crate::world::{PASSWORD, World, settings};

control::on_both_databases! {
    async fn whoever_is_signed_out_signs_in_and_goes_on(database: TestDatabase) {
        let w = World::new(database).await;
        let mut browser = Browser::new(&w);
        browser.get("/").await.leads_to("/channels");
        browser.get("/channels").await.leads_to("/sign-in");
        browser.get("/channels?q=a&after=b").await
            .leads_to("/sign-in?return=%2Fchannels%3Fq%3Da%26after%3Db");
        let page = browser.get("/sign-in?return=%2Fchannels%3Fq%3Da").await;
        page.shows(200, &["<label for=\"f-username\">Username</label>", ">Password</label>", ">Sign in</button>"]);
        let wrong = browser.fill(&page, "/sign-in", &[("username", "alice"), ("password", "wrong")]).await;
        wrong.shows(401, &["the user name or the password is wrong".replace("the user", "The user").as_str(), "value=\"alice\""]);
        assert!(!wrong.text.contains("wrong\""), "a password is not filled in again");
        let typed = [("username", "alice"), ("password", PASSWORD)];
        browser.fill(&wrong, "/sign-in", &typed).await.leads_to("/channels?q=a");
        let page = browser.get("/channels?q=a").await;
        page.shows(200, &["<h1>Channels</h1>", "My tokens", "Sign out"]);
        browser.get("/sign-in").await.leads_to("/channels");
        browser.fill(&page, "/sign-out", &[]).await.leads_to("/sign-in");
        browser.get("/channels").await.leads_to("/sign-in");
    }

    async fn a_sign_in_leads_to_no_other_server(database: TestDatabase) {
        let w = World::new(database).await;
        for back in ["https://evil.example", "//evil.example", "/\\evil.example", "/sign-out"] {
            let fields = [("username", "alice"), ("password", PASSWORD), ("return", back)];
            Browser::new(&w).send("/sign-in", &fields).await.leads_to("/channels");
        }
        let fields = [("username", "alice"), ("password", PASSWORD)];
        Browser::new(&w).send_from("cross-site", "/sign-in", &fields).await.shows(403, &[]);
    }

    async fn a_link_to_the_sign_in_plants_nothing_to_be_sent_after_it(database: TestDatabase) {
        let w = World::new(database).await;
        let link = "/sign-in?return=%2Fchannels&then=%2Forg%2Fusers%2Fnew&typed=name%3Devil%26role%3Dadmin";
        let mut browser = Browser::new(&w);
        let page = browser.get(link).await;
        page.shows(200, &[]);
        assert!(!page.text.contains("evil") && !page.text.contains("/org/users/new"), "{}", page.text);
        let typed = [("username", "root"), ("password", PASSWORD)];
        browser.fill(&page, "/sign-in", &typed).await.leads_to("/channels");
    }

    async fn users_reach_their_own_account(database: TestDatabase) {
        let w = World::new(database).await;
        let mut browser = Browser::signed_in(&w, "alice").await;
        browser.get("/channels").await.shows(200, &["href=\"/org/users/alice/edit\"", "My account"]);
        let page = browser.get("/org/users/alice/edit").await;
        page.shows(200, &["Set a new password", "Your other sessions end"]);
        assert!(!page.text.contains("Role"), "only admins give roles");
        let back = "/org/users/alice/edit";
        let password = [("old_password", PASSWORD), ("password", "another horse of mine")];
        browser.fill(&page, "/org/users/alice/password", &password).await.saved_to(back);
        browser.get("/org/users/alice/edit?saved=yes").await.shows(200, &["role=\"status\"", "Saved."]);
        assert!(!page.text.contains("Saved."));
    }

    async fn a_tokens_value_is_no_session(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        let order = crate::world::order("t", access::Permission::Manage, &["a"]);
        let issued = w.token(&w.admin, "root", order).await.unwrap();
        let mut browser = Browser::new(&w);
        browser.cookie = Some(format!("condagate_session={}", issued.secret.reveal()));
        browser.get("/channels").await.leads_to("/sign-in");
    }

    async fn the_first_run_tells_how_an_admin_is_made(database: TestDatabase) {
        let w = World::new(database).await;
        Browser::new(&w).get("/welcome").await.leads_to("/sign-in");
        let empty = Control::new(database.store().await, settings(), w.clock.clone());
        sqlx::query("UPDATE users SET role = 'user'").execute(&empty.store().pool()).await.unwrap();
        let mut browser = Browser::new(&w);
        browser.get("/sign-in").await.leads_to("/welcome");
        browser.get("/welcome").await.shows(200, &["condagate admin create NAME"]);
    }

    async fn a_page_is_kept_nowhere_and_runs_no_strangers_script(database: TestDatabase) {
        let w = World::new(database).await;
        let mut browser = Browser::signed_in(&w, "alice").await;
        for path in ["/channels", "/nothing", "/channels/a"] {
            let page = browser.get(path).await;
            assert_eq!(page.headers[CACHE_CONTROL], "no-store", "{path}");
            let policy = page.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
            for forbidden in [" style=", " onclick=", "<style", "<script>", "http://", "https://"] {
                assert!(!page.text.contains(forbidden), "{path} has `{forbidden}`:\n{}", page.text);
            }
        }
        let page = browser.get("/channels").await;
        assert!(!page.headers.contains_key(CONTENT_ENCODING), "a page has a secret in it");
        for asset in page.assets() {
            let file = Browser::new(&w).get(asset).await;
            assert_eq!(file.status, 200, "{asset}");
            let kept = file.headers[CACHE_CONTROL].to_str().unwrap();
            assert!(kept.contains("immutable"), "{asset}: {kept}");
            assert_eq!(file.headers[VARY], "accept-encoding", "{asset}");
        }
    }

    async fn what_is_not_there_is_a_page_for_people_and_a_problem_for_programs(database: TestDatabase) {
        let w = World::new(database).await;
        let mut browser = Browser::signed_in(&w, "alice").await;
        browser.get("/nothing").await.shows(404, &["No such thing", "There is nothing at this address."]);
        Browser::new(&w).get("/nothing").await.shows(404, &["No such thing"]);
        let page = browser.get("/api/nothing").await;
        assert_eq!((page.status, &page.headers[CONTENT_TYPE]), (404, &"application/problem+json".parse().unwrap()));
        assert_eq!(browser.get("/healthz").await.text, "ok\n");
        browser.get("/api/v1/me").await.shows(200, &["\"name\":\"alice\""]);
    }

    async fn a_form_of_another_site_is_refused(database: TestDatabase) {
        let w = World::new(database).await;
        let mut browser = Browser::signed_in(&w, "alice").await;
        let page = browser.get("/channels").await;
        let hidden = page.hidden("/sign-out");
        let fields: Vec<_> = hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        for site in ["cross-site", "same-site", "none"] {
            let refused = browser.send_from(site, "/sign-out", &fields).await;
            refused.shows(403, &["Another site", "open the page here and do it again"]);
            assert!(!refused.text.contains("Bearer"), "that is for programs");
        }
        // Without its token it is asked about.
        browser.send("/sign-out", &[]).await.shows(200, &["Not sent yet"]);
        browser.get("/channels").await.shows(200, &[]);
        browser.send("/sign-out", &fields).await.leads_to("/sign-in");
    }

    async fn a_session_that_ends_in_the_middle_of_a_form_costs_nothing(database: TestDatabase) {
        let w = World::new(database).await;
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get("/channels/new").await;
        w.clock.advance(Duration::from_secs(13 * 3600));
        let typed = [("name", "analytics"), ("description", "a & \"b\""), ("privacy", "private"), ("storage", "main")];
        let expired = browser.fill(&form, "/channels/new", &typed).await;
        expired.shows(401, &["what you typed is kept"]);
        assert!(channel::list(&w.control, &w.admin, &Page::first()).await.unwrap().items.is_empty());
        let again = browser.fill(&expired, "/sign-in", &[("username", "root"), ("password", PASSWORD)]).await;
        again.shows(200, &["Not sent yet", "<b>root</b>"]);
        browser.fill(&again, "/channels/new", &[]).await.leads_to("/channels/analytics");
        let made = channel::list(&w.control, &w.admin, &Page::first()).await.unwrap().items;
        assert_eq!(made[0].description, "a & \"b\"");
    }

    async fn a_session_ended_elsewhere_ends_here(database: TestDatabase) {
        let w = World::new(database).await;
        let mut browser = Browser::signed_in(&w, "alice").await;
        let sessions = session::list(&w.control, &w.admin, "alice", &Page::first()).await.unwrap();
        session::end(&w.control, &w.admin, sessions.items[0].id).await.unwrap();
        browser.get("/channels").await.leads_to("/sign-in");
    }
}
