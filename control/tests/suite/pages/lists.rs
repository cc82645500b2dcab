//! Lists that are longer than a page: paged, searched and sorted on the server.

use access::Permission;
use control::usecases::{channel, group};

use super::browser::{Browser, Page as Shown};
use crate::world::{World, name, order};

const ACCOUNT: &str = "/service-accounts/service-account-channel-a";
const NEW: &str = "/service-accounts/service-account-channel-a/tokens/new";

/// What follows each time.
fn each<'p>(page: &'p Shown, before: &str, after: &str) -> Vec<&'p str> {
    page.text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

/// The names of the tokens in a page's table.
fn names(page: &Shown) -> Vec<&str> {
    each(page, "<th scope=\"row\"><b>", "<")
}

/// The address of the next page.
fn next(page: &Shown) -> Option<String> {
    let query = *each(page, "<a class=\"btn\" href=\"?", "\" rel=\"next\"").last()?;
    let query = query.rsplit("href=\"?").next()?;
    page.text.contains("rel=\"next\"").then(|| query.replace("&amp;", "&"))
}

/// The address of the previous page.
fn previous(page: &Shown) -> Option<String> {
    let (before, _) = page.text.split_once("\" rel=\"prev\"")?;
    Some(before.rsplit("href=\"?").next()?.replace("&amp;", "&"))
}

/// A hundred and thirty tokens of one account: every fifth is revoked, every seventh deploys.
async fn many(w: &World) -> Vec<String> {
    w.account("a").await;
    let mut all = Vec::new();
    for number in 0..130 {
        let mut order = order(&format!("Token-{number:03}"), Permission::Read, &["a"]);
        if number % 2 == 0 {
            order.name = order.name.to_lowercase();
        }
        order.description = if number % 7 == 0 { "Deploys 100%".into() } else { String::new() };
        all.push(order.name.clone());
        let issued = w.token(&w.admin, "service-account-channel-a", order).await.unwrap();
        if number % 5 == 0 {
            control::usecases::token::revoke(&w.control, &w.admin, issued.token.id).await.unwrap();
        }
    }
    all
}

control::on_both_databases! {
    async fn tokens_are_read_page_by_page(database: TestDatabase) {
        let w = World::new(database).await;
        let all = many(&w).await;
        let active: Vec<_> = all.iter().enumerate().filter(|(n, _)| n % 5 > 0).map(|(_, name)| name.as_str()).collect();
        let mut browser = Browser::signed_in(&w, "root").await;
        for sort in ["name", "-name", "permission", "-permission", "created", "-created", "expires", "-expires", "used", "-used"] {
            let mut page = browser.get(&format!("{ACCOUNT}?show=active&sort={sort}")).await;
            page.shows(200, &["Active 104", "Expired 0", "Revoked 26", "All 130"]);
            let mut found: Vec<_> = names(&page).into_iter().map(str::to_owned).collect();
            while let Some(query) = next(&page) {
                page = browser.get(&format!("{ACCOUNT}?{query}")).await;
                page.shows(200, &["Previous page"]);
                found.extend(names(&page).into_iter().map(str::to_owned));
            }
            let mut back: Vec<_> = names(&page).into_iter().rev().map(str::to_owned).collect();
            while let Some(query) = previous(&page) {
                page = browser.get(&format!("{ACCOUNT}?{query}")).await;
                back.extend(names(&page).into_iter().rev().map(str::to_owned));
            }
            back.reverse();
            assert_eq!(back, found, "{sort}, and back");
            // They were made in the order of their names, small and capital letters alike.
            if sort.starts_with('-') {
                found.reverse();
            }
            assert_eq!(found, active, "{sort}");
        }
    }

    async fn tokens_are_found_by_name_description_and_state(database: TestDatabase) {
        let w = World::new(database).await;
        many(&w).await;
        let mut browser = Browser::signed_in(&w, "root").await;
        let found = browser.get(&format!("{ACCOUNT}?q=EN-00&sort=-name")).await;
        let expected = ["Token-009", "token-008", "Token-007", "token-006", "token-004", "Token-003", "token-002", "Token-001"];
        assert_eq!(names(&found), expected);
        found.shows(200, &["Active 8", "Revoked 2"]);
        let found = browser.get(&format!("{ACCOUNT}?q=100%25")).await;
        found.shows(200, &["Active 15", "All 19", "aria-sort=\"ascending\""]);
        let found = browser.get(&format!("{ACCOUNT}?q=token-005")).await;
        found.shows(200, &["Active 0", "Revoked 1", "Token-005"]);
        // Searching and sorting keep one another, and the state.
        let found = browser.get(&format!("{ACCOUNT}?q=token&show=revoked&sort=-created")).await;
        found.shows(200, &["?q=token&amp;show=revoked&amp;sort=created", "name=\"sort\" value=\"-created\"", "?q=token&amp;show=all&amp;sort=-created"]);
        browser.get(&format!("{ACCOUNT}?q=nothing")).await.shows(200, &["No such token", "Show all tokens"]);
        browser.get(&format!("{ACCOUNT}?show=expired")).await.shows(200, &["No such token"]);
        browser.get(&format!("{ACCOUNT}?after=x")).await.shows(422, &[]);
        browser.get(&format!("{ACCOUNT}?sort=secret&show=all")).await.shows(200, &["token-000"]);
    }

    async fn whoever_changes_a_token_comes_back_to_the_list_that_they_left(database: TestDatabase) {
        let w = World::new(database).await;
        many(&w).await;
        let mut browser = Browser::signed_in(&w, "root").await;
        let list = "?q=token&sort=-name&after=104%3Atoken-103&before=";
        let page = browser.get(&format!("{ACCOUNT}{list}")).await;
        assert_eq!(names(&page)[0], "token-102");
        let edit = each(&page, "href=\"/tokens/103/edit", "\"")[0].to_owned();
        let back = format!("{ACCOUNT}?q=token&sort=-name&after=104%3Atoken-103&before=");
        let form = browser.get(&format!("/tokens/103/edit{edit}")).await;
        form.shows(200, &[&back.replace('&', "&amp;")]);
        let action = format!("/tokens/103/edit{edit}");
        let day = each(&form, "type=\"date\" value=\"", "\"")[0];
        browser.fill(&form, &action, &[("name", "token-102"), ("expires_at", day)]).await.saved_to(&format!("{back}&made=103"));
        let asked = browser.get(&action.replace("edit", "delete")).await.dialog();
        let delete = action.replace("edit", "delete");
        let proof = browser.fill(&asked, &delete, &[]).await;
        proof.leads_to(&delete.replace("/delete", "/revoked"));
        let proof = browser.get(&delete.replace("/delete", "/revoked")).await;
        proof.dialog().shows(200, &[&back.replace('&', "&amp;")]);
        assert_eq!(names(&proof)[0], "Token-101", "and what it shows is under the proof");
    }

    async fn a_new_token_is_seen_in_the_list(database: TestDatabase) {
        let w = World::new(database).await;
        many(&w).await;
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get(NEW).await;
        let typed = [("name", "zz"), ("expires_at", "30d"), ("permission", "read"), ("channels", "a")];
        let made = browser.fill(&form, NEW, &typed).await;
        made.shows(201, &["Copy your token now", "<tr class=\"made\">", "?sort=-created&amp;made=131"]);
        assert_eq!(names(&made)[0], "zz");
        // A new value marks its token where it stood.
        let form = browser.get("/tokens/131/edit?back=q%3Dzz").await;
        let day = each(&form, "type=\"date\" value=\"", "\"")[0];
        let typed = [("name", "zz"), ("expires_at", day), ("reissue", "yes"), ("overlap", "900"), ("confirm", "yes")];
        let made = browser.fill(&form, "/tokens/131/edit?back=q%3Dzz", &typed).await;
        made.shows(201, &["<tr class=\"made\">", "?q=zz&amp;made=131"]);
    }

    async fn lists_of_the_organisation_are_searched_and_sorted(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("b").await;
        for (at, channel) in ["team/ci", "ci-a", "zoo"].into_iter().enumerate() {
            w.channel(&w.admin, channel).await.unwrap();
            w.clock.advance(std::time::Duration::from_secs(1 + at as u64));
        }
        let mut browser = Browser::signed_in(&w, "root").await;
        let channels = async |browser: &mut Browser, query: &str| {
            let page = browser.get(&format!("/channels?{query}")).await;
            page.shows(200, &[]);
            let found = each(&page, "<th scope=\"row\"><a href=\"/channels/", "\"");
            found.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(channels(&mut browser, "").await, ["b", "ci-a", "team:ci", "zoo"]);
        assert_eq!(channels(&mut browser, "sort=-name").await, ["zoo", "team:ci", "ci-a", "b"]);
        assert_eq!(channels(&mut browser, "q=CI&sort=-name").await, ["team:ci", "ci-a"]);
        assert_eq!(channels(&mut browser, "sort=account").await, ["team:ci", "ci-a", "zoo", "b"]);
        assert_eq!(channels(&mut browser, "sort=-account").await[0], "b");
        assert_eq!(channels(&mut browser, "sort=privacy&after=2%3A0").await, ["ci-a", "zoo"]);
        assert_eq!(channels(&mut browser, "q=100%25").await.len(), 0);
        for sort in ["name", "-name", "email", "-email", "role", "-role", "status", "-status", "created", "-created"] {
            let page = browser.get(&format!("/org/users?q=o&sort={sort}")).await;
            page.shows(200, &["<b>root</b>", "aria-sort"]);
            assert!(!page.text.contains("<b>alice</b>"), "{sort}");
        }
        let users = browser.get("/org/users?sort=-role").await;
        assert_eq!(names(&users)[0], "alice", "admins are first in the other order");
        let groups = browser.get("/org/groups?q=CI&sort=-created").await;
        let found = each(&groups, "<th scope=\"row\"><a href=\"/org/groups/", "\"");
        assert_eq!(found, ["ci-a_owners", "team:ci_owners"]);
        let managed = browser.get("/org/service-accounts?q=I&sort=-account").await;
        managed.shows(200, &["team/</span>ci", "ci-a"]);
        for path in ["/channels", "/org/users", "/org/groups", "/org/service-accounts"] {
            browser.get(&format!("{path}?after=x")).await.shows(422, &[]);
        }
    }

    async fn channels_for_a_token_are_searched_with_all_that_was_typed_kept(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        for number in 0..30 {
            let channel = format!("team/x{number:02}");
            w.channel(&w.admin, &channel).await.unwrap();
            w.join(&format!("team:x{number:02}_owners"), "service-account-channel-a").await;
        }
        let mut browser = Browser::signed_in(&w, "root").await;
        let form = browser.get(NEW).await;
        form.shows(200, &["aria-label=\"Search channels\"", "The first 20", "team/x18", "value=\"a\" checked"]);
        assert!(!form.text.contains("team/x19"));
        let typed = [
            ("name", "ci"), ("expires_at", "180d"), ("permission", "write"), ("channels", "a"),
            ("channels", "team/x03"), ("channel_search", "X2"), ("bytes_per_day", "1 GiB"),
        ];
        // By the key Enter, and by the button.
        for more in [&[][..], &[("find", "yes")]] {
            let typed: Vec<_> = typed.iter().chain(more).copied().collect();
            let found = browser.fill(&form, NEW, &typed).await;
            found.shows(200, &["team/x29", "value=\"a\" checked", "value=\"team/x03\" checked",
                "value=\"180d\" selected", "value=\"write\" checked", "value=\"ci\"", "value=\"1 GiB\""]);
            assert!(!found.text.contains("team/x10"));
        }
        let found = browser.fill(&form, NEW, &typed).await;
        let typed: Vec<_> = typed.iter().copied().chain([("channels", "team/x29")]).collect();
        let made = browser.fill(&found, NEW, &typed).await;
        made.shows(201, &["Copy your token now"]);
        browser.get("/tokens/1/edit").await.shows(200, &["write on a, team/x03, team/x29"]);
        // What the account reaches is on a page of its own.
        browser.get(ACCOUNT).await.shows(200, &["All channels it reaches"]);
        let reached = browser.get(&format!("{ACCOUNT}/channels?q=team/x2")).await;
        reached.shows(200, &["team:x29_owners"]);
        assert!(!reached.text.contains("team:x10_owners"));
    }

    async fn a_channels_groups_are_read_page_by_page(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        for number in 0..12 {
            let group = format!("g{number:02}");
            group::create(&w.control, &w.admin, &group, "").await.unwrap();
            let permission = if number % 2 == 0 { Permission::Read } else { Permission::Manage };
            group::set_permission(&w.control, &w.admin, &group, &name("a"), Some(permission)).await.unwrap();
        }
        let mut browser = Browser::signed_in(&w, "root").await;
        let first = browser.get("/channels/a/members").await;
        first.shows(200, &["<h2>a_owners</h2>", "<h2>g11</h2>", "<h2>g04</h2>"]);
        assert!(!first.text.contains("<h2>g06</h2>"), "the mightiest first");
        let rest = browser.get(&format!("/channels/a/members?{}", next(&first).unwrap())).await;
        rest.shows(200, &["<h2>g06</h2>", "<h2>g10</h2>"]);
        assert!(!rest.text.contains("<h2>g04</h2>") && next(&rest).is_none());
        let found = browser.get("/channels/a/members?q=G1").await;
        found.shows(200, &["<h2>g10</h2>", "<h2>g11</h2>", "value=\"G1\""]);
        assert!(!found.text.contains("<h2>g01</h2>"));
        browser.get("/channels/a/members?q=zz").await.shows(200, &["No such group"]);
        assert_eq!(channel::get(&w.control, &w.admin, &name("a")).await.unwrap().permission, Some(Permission::Manage));
    }
}
