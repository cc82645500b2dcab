//! What is offered to whom: a form that would be refused is refused when it is opened, and says who
//! can do it.

use std::time::Duration;

use access::GrantSource as _;
use access::Permission;
use access::lease::{Instance, LeaseSource as _, LeaseTerms, Registration, Renewal};
use control::usecases::{group, service_account};
use control::{Observer, Settings};
use serde_json::json;

use super::browser::Browser;
use crate::client::Client;
use crate::world::{World, name, order, settings};

control::on_both_databases! {
    async fn a_gateway_that_is_gone_stays_told_until_it_is_forgotten_or_back(database: TestDatabase) {
        let w = World::new(database).await;
        let source = w.control.store().gateway_source(w.clock.clone());
        let (lease, hour) = (Duration::from_secs(180), Duration::from_secs(3600));
        let terms = LeaseTerms { lease, serve_known: Duration::ZERO, public_grace: Duration::ZERO };
        let starts = async |instance: &str, name: &str| {
            let (instance, name) = (Instance(instance.to_owned()), name.to_owned());
            let registration = Registration { instance, name, version: "1".to_owned(), terms };
            source.register(registration).await.unwrap();
        };
        for name in ["gw-1", "gw-2", "gw-3"] {
            starts(name, name).await;
        }
        source.end(Instance("gw-3".to_owned())).await.unwrap();
        let mut observer = Observer::new(w.control.store().clone(), w.clock.clone());
        observer.look().await.unwrap();
        let made = group::create(&w.control, &w.admin, "g", "").await.unwrap().revision;
        let applied = source.begin(0).await.unwrap().applied;
        source.acknowledge(Instance("gw-1".to_owned()), applied).await.unwrap();
        w.clock.advance(lease);
        assert_eq!(source.renew(Instance("gw-1".to_owned())).await.unwrap(), Renewal::Committed);
        observer.look().await.unwrap();

        let mut browser = Browser::signed_in(&w, "root").await;
        let page = browser.get("/org/gateways").await;
        page.shows(200, &["gw-2 is gone</span>", "1 of 1", "Ended", "Its lease ran out", "not stopped cleanly", "Forget gw-2"]);
        assert!(!page.text.contains("gw-3"), "it was stopped cleanly");
        let proof = browser.get(&format!("/channels?proof={}", made.0)).await;
        proof.shows(200, &["Confirmed on 1 of 2 gateways in", "; 1 was stopped by its lease."]);
        // After an hour it is told on its page alone, after a day nowhere.
        w.clock.advance(2 * hour);
        assert_eq!(source.renew(Instance("gw-1".to_owned())).await.unwrap(), Renewal::Committed);
        let page = browser.get("/org/gateways").await;
        page.shows(200, &["1 gateway serves", "Forget gw-2"]);
        // Back under its name, it is not gone.
        starts("again", "gw-2").await;
        let page = browser.get("/org/gateways").await;
        assert!(!page.text.contains("not stopped cleanly"), "{}", page.text);
        w.clock.advance(lease);
        observer.look().await.unwrap();
        w.clock.advance(lease);
        observer.look().await.unwrap();
        let page = browser.get("/org/gateways").await;
        page.shows(200, &["No gateway serves", "No gateway is running", "/org/gateways/again/forget", "/org/gateways/gw-1/forget"]);
        assert!(!page.text.contains("/org/gateways/gw-2/forget"), "{}", page.text);
        let path = "/org/gateways/again/forget";
        let asked = browser.get(path).await;
        browser.fill(&asked, path, &[]).await.leads_to("/org/gateways");
        assert_eq!(w.audit().await.last().unwrap(), &("gateway.forget".into(), "gw-2".into()));
        let page = browser.get("/org/gateways").await;
        page.shows(200, &["/org/gateways/gw-1/forget"]);
        assert!(!page.text.contains("gw-2"), "{}", page.text);
        w.clock.advance(9 * hour);
        let mut browser = Browser::signed_in(&w, "root").await;
        browser.get("/org/gateways").await.shows(200, &["/org/gateways/gw-1/forget"]);
        w.clock.advance(16 * hour);
        let mut browser = Browser::signed_in(&w, "root").await;
        assert!(!browser.get("/org/gateways").await.text.contains("gw-1"));
    }

    async fn who_holds_nothing_is_told_whom_to_ask_for_a_token(database: TestDatabase) {
        let w = World::new(database).await;
        let mut browser = Browser::signed_in(&w, "alice").await;
        let page = browser.get("/me/tokens/new").await;
        page.shows(200, &["You hold no permission yet", "Ask", "<button class=\"btn\" disabled"]);
        assert!(!page.text.contains("name=\"permission\""), "{}", page.text);
        // An admin’s own may act with the role alone.
        let mut admin = Browser::signed_in(&w, "root").await;
        let form = admin.get("/me/tokens/new").await;
        let typed = [("name", "script"), ("expires_at", "30d"), ("permission", "read"), ("admin", "yes")];
        form.shows(200, &["name=\"permission\" value=\"read\" checked aria"]);
        admin.fill(&form, "/me/tokens/new", &typed).await.shows(201, &["Copy your token now"]);
    }

    async fn a_form_that_would_be_refused_is_refused_when_opened(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        w.channel(&w.admin, "b").await.unwrap();
        group::create(&w.control, &w.admin, "readers", "").await.unwrap();
        group::set_permission(&w.control, &w.admin, "readers", &name("a"), Some(Permission::Read)).await.unwrap();
        w.join("readers", "alice").await;
        let mut reader = Browser::signed_in(&w, "alice").await;
        for (path, why) in [
            ("/channels/new", "an admin can give it"),
            ("/org/users/new", "an admin can give it"),
            ("/org/groups/new", "admin"),
            ("/org/groups/readers/delete", "admin"),
            ("/org/groups/readers/members/alice/remove", "on every channel of"),
            ("/org/groups/readers/permissions/a/remove", "a_owners"),
            ("/channels/a/settings/delete", "a_owners"),
            ("/channels/a/service-accounts/new", "admin"),
            ("/org/service-accounts/a/new", "admin"),
        ] {
            let page = reader.get(path).await;
            page.shows(403, &["Not permitted", why]);
            assert!(!page.text.contains("<dialog"), "{path}");
        }
        // What they may see has nothing to press that is refused.
        let page = reader.get("/org/groups/readers").await;
        page.shows(200, &["decided by admins", "alice"]);
        for absent in ["Remove alice", "Add member", "Set permission", "Delete Group"] {
            assert!(!page.text.contains(absent), "{absent}");
        }
        assert!(!reader.get("/channels").await.text.contains("Create Channel"));

        // Who manages a channel changes what is the channel's alone.
        w.join("a_owners", "alice").await;
        group::set_permission(&w.control, &w.admin, "readers", &name("b"), Some(Permission::Read)).await.unwrap();
        let members = reader.get("/channels/a/members").await;
        members.shows(200, &["Add to a_owners", "Take access away", "more channels than you manage"]);
        assert!(!members.text.contains("Add to readers"));
        reader.get("/org/groups/readers/members/alice/remove").await.shows(403, &["on every channel of"]);
        reader.get("/org/groups/readers/permissions/a/remove").await.shows(200, &["Its 1 member loses"]);
        let account = reader.get("/service-accounts/service-account-channel-a").await;
        account.shows(200, &["disabled aria-describedby=\"why-it-stays\"", ">This needs", "Generate Token"]);
        assert!(!account.text.contains("service-account-channel-a/delete"));
        reader.get("/service-accounts/service-account-channel-a/delete").await.shows(403, &["admin"]);
    }

    async fn who_may_not_issue_sees_why_before_filling_anything_in(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let issued = w.token(&w.admin, "service-account-channel-a", order("ci", Permission::Read, &["a"])).await.unwrap();
        let (account, id) = ("/service-accounts/service-account-channel-a", issued.token.id.0);
        let mut admin = Browser::signed_in(&w, "root").await;
        admin.get(account).await.shows(200, &[&format!("href=\"{account}/tokens/new\""), &format!("href=\"/tokens/{id}/edit\"")]);
        w.join("a_owners", "alice").await;
        group::remove_member(&w.control, &w.admin, "a_owners", "root").await.unwrap();
        let page = admin.get(account).await;
        page.shows(200, &["<p class=\"small\" id=\"why-no-token\">This needs", "Generate Token</button>", "disabled aria-label=\"Edit ci\"",
            // An admin takes back what leaked, wherever.
            &format!("href=\"/tokens/{id}/delete\"")]);
        for absent in [format!("{account}/tokens/new"), format!("/tokens/{id}/edit")] {
            assert!(!page.text.contains(&absent), "{absent}");
        }
        for path in [format!("{account}/tokens/new"), format!("/tokens/{id}/edit")] {
            admin.get(&path).await.shows(403, &["Not permitted", "a_owners"]);
        }
    }

    async fn what_has_no_seat_is_refused_when_opened(database: TestDatabase) {
        let w = World::with(database, Settings { seats: Some(2), ..settings() }).await;
        w.channel(&w.admin, "a").await.unwrap();
        let mut admin = Browser::signed_in(&w, "root").await;
        for path in ["/org/users/new", "/org/service-accounts/a/new", "/channels/a/service-accounts/new"] {
            admin.get(path).await.shows(409, &["All seats are taken: 2 of 2"]);
        }
        // What would be refused can't be pressed, and says why.
        for path in ["/org/users", "/org/service-accounts", "/channels/a/service-accounts"] {
            let page = admin.get(path).await;
            page.shows(200, &["title=\"All seats are taken: deactivate a user", "disabled"]);
            assert!(!page.text.contains("/new\""), "{path}");
        }
    }

    async fn where_there_is_no_channel_yet_an_admin_is_told_to_create_one(database: TestDatabase) {
        let w = World::new(database).await;
        let page = Browser::signed_in(&w, "root").await.get("/org/service-accounts").await;
        page.shows(200, &["No channel to manage", "Create one, or add yourself"]);
        let page = Browser::signed_in(&w, "alice").await.get("/org/service-accounts").await;
        page.shows(200, &["No channel to manage", "Whoever owns one can add you"]);
    }

    async fn who_is_not_there_is_said_in_words(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        let mut admin = Browser::signed_in(&w, "root").await;
        for (page, to) in [("/channels/a/members", "/channels/a/members"), ("/org/groups/a_owners", "/org/groups/a_owners/members")] {
            let form = admin.get(page).await;
            let typed = [("do", "add"), ("group", "a_owners"), ("member", "nobodyx")];
            let refused = admin.fill(&form, to, &typed).await;
            refused.shows(422, &["No user or service account is named <code>nobodyx</code>."]);
        }
    }

    async fn an_admin_takes_a_channel_openly_or_not_at_all(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        w.join("a_owners", "alice").await;
        group::remove_member(&w.control, &w.admin, "a_owners", "root").await.unwrap();
        // S1: role admin alone doesn't make an account, whoever offers it.
        let api = Client::sign_in(&w, "root").await;
        let body = json!({ "channel": "a" });
        let refused = api.post("/api/v1/service-accounts", body.clone()).await;
        refused.is_problem(403, "not-permitted");
        let mut admin = Browser::signed_in(&w, "root").await;
        admin.get("/channels/a/service-accounts").await.shows(200, &["disabled", "add yourself to its owners"]);
        admin.get("/channels/a/service-accounts/new").await.shows(403, &["a_owners"]);
        admin.get("/org/service-accounts").await.shows(200, &["No channel to manage"]);

        // The step before it is one of its own: its owners see it, and the log has it.
        let members = admin.get("/channels/a/members").await;
        let typed = [("do", "add"), ("group", "a_owners"), ("member", "root")];
        admin.fill(&members, "/channels/a/members", &typed).await.saved_to("/channels/a/members");
        let owner = Browser::signed_in(&w, "alice").await.get("/channels/a/members").await;
        owner.shows(200, &["Remove root"]);
        let last = w.audit().await.into_iter().rfind(|(action, _)| action.starts_with("group."));
        assert_eq!(last, Some(("group.add_member".to_owned(), "a_owners".to_owned())));
        admin.get("/channels/a/service-accounts/new").await.shows(200, &["Takes 1 seat"]);
        assert_eq!(api.post("/api/v1/service-accounts", body).await.status, 201);
        service_account::get(&w.control, &w.alice, "service-account-channel-a").await.unwrap();
    }

    async fn admins_see_on_every_page_whether_the_gateways_are_well(database: TestDatabase) {
        let w = World::new(database).await;
        let mut admin = Browser::signed_in(&w, "root").await;
        admin.get("/channels").await.shows(200, &["No gateway serves"]);
        let gateway = w.control.store().gateway_source(w.clock.clone());
        let terms = LeaseTerms {
            lease: Duration::from_secs(180), serve_known: Duration::ZERO, public_grace: Duration::ZERO,
        };
        let instance = Instance("i".to_owned());
        gateway.register(Registration {
            instance: instance.clone(), name: "gw-1".to_owned(), version: "1".to_owned(), terms,
        }).await.unwrap();
        assert!(matches!(gateway.renew(instance.clone()).await.unwrap(), Renewal::Committed));
        // A change is on its way for a moment.
        w.user("bob").await;
        admin.get("/channels").await.shows(200, &["1 gateway serves", "hx-get=\"/org/gateways/state\""]);
        w.clock.advance(Duration::from_secs(6));
        admin.get("/org/gateways/state").await.shows(200, &["gw-1 is behind", "warn"]);
        w.clock.advance(Duration::from_secs(180));
        admin.get("/channels").await.shows(200, &["gw-1 is silent"]);

        let user = Browser::signed_in(&w, "alice").await.get("/channels").await;
        assert!(!user.text.contains("gw-1") && !user.text.contains("gateways/state"));
        Browser::signed_in(&w, "alice").await.get("/org/gateways/state").await.shows(403, &[]);
        // A session that ended doesn't take away what is being typed.
        Browser::new(&w).get("/org/gateways/state").await.shows(204, &[]);
    }
}
