//! Taking access away, and giving it to everybody: asked before, proven after.

use access::{Permission, Privacy};
use control::Role;
use control::usecases::channel::ChannelEdit;
use control::usecases::user::UserEdit;
use control::usecases::{channel, group, user};

use super::browser::Browser;
use crate::world::{World, name, order};

async fn privacy(w: &World, channel: &str) -> Privacy {
    channel::get(&w.control, &w.admin, &name(channel)).await.unwrap().channel.privacy
}

control::on_both_databases! {
    async fn a_member_is_taken_out_after_a_question(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        w.join("a_owners", "alice").await;
        let mut browser = Browser::signed_in(&w, "alice").await;
        let action = format!("/org/groups/a_owners/members/{}/remove", w.admin.name);
        let ask = format!("{action}?return=%2Fchannels%2Fa%2Fmembers");
        browser.get("/channels/a/members").await.shows(200, &[&ask, "Remove root"]);
        let asked = browser.get(&ask).await;
        asked.shows(200, &["Take <b>root</b> out of <b>a_owners</b>?", "<dt>manage</dt><dd>a</dd>", "href=\"/channels/a/members\""]);
        let done = browser.fill(&asked, &action, &[]).await;
        let shown = done.leads_to_proof("/channels/a/members");
        let page = browser.get(&shown).await;
        page.shows(200, &["Access is taken away. No gateway is running that could grant it.", "href=\"/channels/a/members\""]);
        assert!(!page.text.contains("Remove root"));
        // The same form again has nothing more to do.
        browser.fill(&asked, &action, &[]).await.saved_to("/channels/a/members");

        // The last one stays, and the question says so.
        let last = "/org/groups/a_owners/members/alice/remove";
        let asked = browser.get(last).await;
        asked.shows(200, &["href=\"/org/groups/a_owners\""]);
        browser.fill(&asked, last, &[]).await.shows(422, &["would be left without a user", "Take <b>alice</b>"]);

        // It is come back to our own pages alone.
        let asked = browser.get(&format!("{last}?return=%2F%2Fevil.example")).await;
        assert!(!asked.text.contains("evil"), "{}", asked.text);
    }

    async fn a_group_loses_a_channel_after_a_question(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a/b").await.unwrap();
        group::create(&w.control, &w.admin, "readers", "").await.unwrap();
        group::set_permission(&w.control, &w.admin, "readers", &name("a/b"), Some(Permission::Read)).await.unwrap();
        w.join("readers", "alice").await;
        let mut browser = Browser::signed_in(&w, "root").await;
        let ask = "/org/groups/readers/permissions/a:b/remove?return=%2Fchannels%2Fa%3Ab%2Fmembers";
        browser.get("/channels/a:b/members").await.shows(200, &[ask, "Take access away"]);
        let asked = browser.get(ask).await;
        asked.shows(200, &["<b>readers</b>", "Its 1 member loses this", "<dt>read</dt><dd>a/b</dd>"]);
        browser.get("/channels/a:b/members").await.shows(200, &["readers"]);
        let done = browser.fill(&asked, "/org/groups/readers/permissions/a:b/remove", &[]).await;
        let shown = done.leads_to_proof("/channels/a:b/members");
        let page = browser.get(&shown).await;
        page.shows(200, &["Access is taken away."]);
        assert!(!page.text.contains("readers"));
        Browser::signed_in(&w, "alice").await.get("/channels/a:b").await.shows(404, &[]);
    }

    async fn a_permission_is_lowered_after_a_question(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a/b").await.unwrap();
        group::create(&w.control, &w.admin, "builders", "").await.unwrap();
        w.join("builders", "alice").await;
        let mut browser = Browser::signed_in(&w, "root").await;
        let held = async || {
            let group = group::get(&w.control, &w.admin, "builders").await.unwrap();
            group.permissions.first().map(|(_, held)| *held)
        };
        let of_group = ("/org/groups/builders/permissions", "/org/groups/builders", ("channel", "a/b"));
        let of_channel = ("/channels/a:b/members", "/channels/a:b/members", ("group", "builders"));
        for (action, page, what) in [of_group, of_channel] {
            let sent = async |browser: &mut Browser, permission| {
                // The page has other forms that are sent there.
                let hidden = browser.get(page).await.hidden("/sign-out");
                let hidden = hidden.iter().map(|(name, value)| (&**name, &**value));
                let typed = [("do", "permit"), what, ("permission", permission)];
                browser.send(action, &hidden.chain(typed).collect::<Vec<_>>()).await
            };
            // More is given at once.
            sent(&mut browser, "manage").await.saved_to(page);
            let asked = sent(&mut browser, "read").await;
            asked.dialog().shows(200, &["Lower permission", "<b>builders</b>", "<b>a/b</b>", "<dt>Now</dt><dd>manage</dd>", "<dt>Then</dt><dd>read</dd>"]);
            assert_eq!(held().await, Some(Permission::Manage));
            let again = browser.fill(&asked.dialog(), action, &[("confirm", "no")]).await;
            again.shows(200, &["value=\"read\" selected"]);
            assert_eq!(held().await, Some(Permission::Manage));
            let done = browser.fill(&asked.dialog(), action, &[("confirm", "yes")]).await;
            let shown = done.leads_to_proof(page);
            browser.get(&shown).await.shows(200, &["Access is taken away."]);
            assert_eq!(held().await, Some(Permission::Read));
        }
    }

    async fn the_role_is_taken_after_a_question(database: TestDatabase) {
        let w = World::new(database).await;
        let edit = UserEdit { role: Some(Role::Admin), ..UserEdit::default() };
        user::edit(&w.control, &w.admin, "alice", edit).await.unwrap();
        let mut browser = Browser::signed_in(&w, "root").await;
        let typed = [("display_name", "A"), ("email", ""), ("role", "user"), ("active", "yes")];
        let role = async |name: &str| user::get(&w.control, &w.admin, name).await.unwrap().principal.role;
        let own = &*format!("/org/users/{}/edit", "root");
        for (name, words, back) in [
            ("alice", "Make <b>alice</b> a user", "/org/users"),
            ("root", "This is your own role", own),
        ] {
            if name == "root" {
                let edit = UserEdit { role: Some(Role::Admin), ..UserEdit::default() };
                user::edit(&w.control, &w.admin, "alice", edit).await.unwrap();
            }
            let path = format!("/org/users/{name}/edit");
            let form = browser.get(&path).await;
            let asked = browser.fill(&form, &path, &typed).await;
            asked.dialog().shows(200, &["Take role admin away", words]);
            assert_eq!(role(name).await, Some(Role::Admin));
            let done = browser.fill(&asked.dialog(), &path, &[("confirm", "yes")]).await;
            let shown = done.leads_to_proof(back);
            browser.get(&shown).await.shows(200, &["Access is taken away."]);
        }
    }

    async fn a_user_is_locked_out_after_a_question(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        w.join("a_owners", "alice").await;
        let token = w.token(&w.alice, "alice", order("t", Permission::Read, &["a"])).await.unwrap();
        let mut victim = Browser::signed_in(&w, "alice").await;
        let mut browser = Browser::signed_in(&w, "root").await;
        let path = "/org/users/alice/edit";
        let form = browser.get(path).await;
        let typed = [("display_name", "Alice L."), ("email", ""), ("role", "user")];
        let asked = browser.fill(&form, path, &typed).await;
        asked.shows(200, &["Lock <b>alice</b> out?", "1 ends", "1 is revoked for good"]);
        victim.get("/channels").await.shows(200, &[]);
        // Cancelled, what was typed is there still.
        let form = browser.fill(&asked.dialog(), path, &[("confirm", "no")]).await;
        form.shows(200, &["value=\"Alice L.\"", "Set a new password"]);
        victim.get("/channels").await.shows(200, &[]);
        assert!(!w.is_revoked(&token).await);
        let asked = browser.fill(&form, path, &typed).await;
        let done = browser.fill(&asked.dialog(), path, &[("confirm", "yes")]).await;
        let shown = done.leads_to_proof("/org/users");
        browser.get(&shown).await.shows(200, &["Access is taken away.", "Deactivated"]);
        victim.get("/channels").await.leads_to("/sign-in");
        assert!(w.is_revoked(&token).await);
        let now = user::get(&w.control, &w.admin, "alice").await.unwrap();
        assert_eq!((now.display_name.as_str(), now.principal.active), ("Alice L.", false));
        // Who is out already is not asked about.
        let form = browser.get(path).await;
        browser.fill(&form, path, &typed).await.saved_to("/org/users");
    }

    async fn access_is_given_back_after_a_question(database: TestDatabase) {
        let w = World::new(database).await;
        let out = UserEdit { active: Some(false), ..UserEdit::default() };
        user::edit(&w.control, &w.admin, "alice", out).await.unwrap();
        let is = async || {
            let now = user::get(&w.control, &w.admin, "alice").await.unwrap().principal;
            (now.active, now.role)
        };
        let mut browser = Browser::signed_in(&w, "root").await;
        let path = "/org/users/alice/edit";
        let form = browser.get(path).await;
        let asked = browser.fill(&form, path, &[("role", "user"), ("active", "yes")]).await;
        asked.dialog().shows(200, &["Activate user", "Let <b>alice</b> in again?"]);
        let both = browser.fill(&form, path, &[("role", "admin"), ("active", "yes")]).await;
        both.dialog().shows(200, &["Change access", "Let <b>alice</b> in again?", "Make <b>alice</b> an admin?"]);
        assert_eq!(is().await, (false, Some(Role::User)));
        browser.fill(&asked.dialog(), path, &[("confirm", "yes")]).await.saved_to("/org/users");
        assert_eq!(is().await, (true, Some(Role::User)));
        let form = browser.get(path).await;
        let asked = browser.fill(&form, path, &[("role", "admin"), ("active", "yes")]).await;
        asked.dialog().shows(200, &["Give role admin"]);
        browser.fill(&asked.dialog(), path, &[("confirm", "yes")]).await.saved_to("/org/users");
        assert_eq!(is().await, (true, Some(Role::Admin)));
    }

    async fn who_edits_what_another_admin_has_changed_undoes_nothing(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        let mut browser = Browser::signed_in(&w, "root").await;
        let path = "/org/users/alice/edit";
        let form = browser.get(path).await;
        let out = UserEdit { active: Some(false), email: Some("a@example.com".into()), ..UserEdit::default() };
        user::edit(&w.control, &w.admin, "alice", out).await.unwrap();
        let typed = [("display_name", "Alice L."), ("email", ""), ("role", "user"), ("active", "yes")];
        let asked = browser.fill(&form, path, &typed).await;
        asked.shows(422, &["Somebody else has changed this user", "value=\"Alice L.\"", "value=\"a@example.com\"", "Before: ticked", "Before: empty"]);
        let now = async || user::get(&w.control, &w.admin, "alice").await.unwrap();
        assert_eq!(now().await.display_name, "alice");
        let sent = [("display_name", "Alice L."), ("email", "a@example.com"), ("role", "user")];
        browser.fill(&asked, path, &sent).await.saved_to("/org/users");
        // The same form again has nothing more to do.
        browser.fill(&asked, path, &sent).await.saved_to("/org/users");
        let now = now().await;
        assert_eq!((&*now.display_name, &*now.email, now.principal.active), ("Alice L.", "a@example.com", false));

        let path = "/channels/a/settings";
        let form = browser.get(path).await;
        let theirs = ChannelEdit { include_subchannels: Some(true), privacy: Some(Privacy::Public), prefix: Some("b".into()), ..ChannelEdit::default() };
        channel::edit(&w.control, &w.admin, &name("a"), theirs).await.unwrap();
        let typed = [("description", "Mine"), ("privacy", "authenticated"), ("storage", "main"), ("prefix", "a")];
        let asked = browser.fill(&form, path, &typed).await;
        asked.shows(422, &["Somebody else has changed this channel", ">Mine</textarea>", "Now: public", "Before: a", "Before: not ticked"]);
        let sent = [("description", "Mine"), ("privacy", "public"), ("storage", "main"), ("prefix", "b"), ("include_subchannels", "yes")];
        browser.fill(&asked, path, &sent).await.saved_to(path);
        let now = channel::get(&w.control, &w.admin, &name("a")).await.unwrap();
        assert_eq!((&*now.description, &*now.channel.prefix, now.channel.include_subchannels, now.channel.privacy), ("Mine", "b", true, Privacy::Public));
    }

    async fn a_channel_is_opened_after_a_question_and_closed_with_a_proof(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        w.join("a_owners", "alice").await;
        let mut browser = Browser::signed_in(&w, "alice").await;
        let path = "/channels/a/settings";
        let form = browser.get(path).await;
        let with = |privacy| [("description", "Shared"), ("privacy", privacy)];
        let asked = browser.fill(&form, path, &with("public")).await;
        asked.shows(200, &["Make this channel public?", "readable by anybody", "without a token", "Make public"]);
        assert_eq!(privacy(&w, "a").await, Privacy::Private);
        let again = browser.fill(&asked.dialog(), path, &[("confirm", "no")]).await;
        again.shows(200, &[">Shared</textarea>"]);
        assert_eq!(privacy(&w, "a").await, Privacy::Private);
        browser.fill(&asked.dialog(), path, &[("confirm", "yes")]).await.saved_to(path);
        assert_eq!(privacy(&w, "a").await, Privacy::Public);
        // Less for fewer people is done at once, and proven.
        let form = browser.get(path).await;
        let done = browser.fill(&form, path, &with("private")).await;
        let shown = done.leads_to_proof(path);
        browser.get(&shown).await.shows(200, &["Access is taken away."]);
        let form = browser.get(path).await;
        browser.fill(&form, path, &with("authenticated")).await.shows(200, &["any valid token"]);
        browser.fill(&form, path, &with("private")).await.saved_to(path);
    }

    async fn the_proof_of_no_change_is_none(database: TestDatabase) {
        let w = World::new(database).await;
        let mut browser = Browser::signed_in(&w, "alice").await;
        for path in ["/channels?proof=999999", "/channels?proof=x", "/channels?proof=-1"] {
            let page = browser.get(path).await;
            page.shows(200, &["<h1>Channels</h1>"]);
            assert!(!page.text.contains("taken away"), "{path}");
        }
        browser.get("/revisions/x/proof").await.shows(404, &[]);
        Browser::new(&w).get("/revisions/1/proof").await.leads_to("/sign-in?return=%2Frevisions%2F1%2Fproof");
    }
}
