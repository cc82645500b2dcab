//! Users, their sessions and passwords, and groups.

use super::{Here, PASSWORD};
use crate::site::Database;

#[test]
fn users_come_change_and_go_on_sqlite() {
    users_come_change_and_go(Database::Sqlite);
}

#[test]
fn users_come_change_and_go_on_postgres() {
    users_come_change_and_go(Database::Postgres);
}

fn users_come_change_and_go(database: Database) {
    let here = Here::new(database);
    here.sign_in();
    let create = |name: &str, password: &str| {
        let line = ["user", "create", name, "--email", "b@example.com", "--password-stdin"];
        here.run(&line, &[], password)
    };
    assert!(create("bob", "bob's own password").status.success());
    let again = create("bob", "bob's own password");
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(said.contains("there is a user `bob` already"), "{said}");

    let bob = here.json("user show bob");
    assert_eq!((&bob["role"], &bob["active"]), (&"user".into(), &true.into()), "{bob}");
    assert_eq!(here.json("user list").as_array().unwrap().len(), 2);
    assert_eq!(here.json("user list --beginning b")[0]["name"], "bob");
    here.done("user edit bob --role admin --display-name Robert");
    let bob = here.json("user show bob");
    assert_eq!((&bob["role"], &bob["display_name"]), (&"admin".into(), &"Robert".into()));

    here.done("user deactivate bob");
    assert!(!here.signs_in("bob", "bob's own password"));
    here.done("user activate bob");
    assert!(here.signs_in("bob", "bob's own password"));
    here.sign_in();
    here.done("user delete bob");
    assert!(here.ends(1, &["user", "show", "bob"]).contains("no user `bob`"));
    // An admin remains.
    let last = here.ends(1, &["user", "deactivate", "alice"]);
    assert!(last.contains("admin"), "{last}");
    here.site.stop();
}

#[test]
fn passwords_are_changed_and_sessions_ended() {
    let here = Here::new(Database::Sqlite);
    here.sign_in();
    let sessions = here.json("session list");
    assert_eq!(sessions.as_array().unwrap().len(), 1, "{sessions}");

    // One's own password asks for the present one; a wrong one changes nothing.
    let own = ["user", "password", "alice", "--password-stdin"];
    let wrong = here.run(&own, &[], "wrong horse battery\nanother password\n");
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    let other = here.session();
    here.sign_in();
    let changed = here.run(&own, &[], &format!("{PASSWORD}\nanother password\n"));
    assert!(changed.status.success(), "{changed:?}");
    let (url, ended) = (here.url(), ("CONDAGATE_TOKEN", other.as_str()));
    let ended = here.run(&["me"], &[("CONDAGATE_URL", &url), ended], "");
    assert_eq!(ended.status.code(), Some(1), "the other session ended: {ended:?}");
    assert!(here.signs_in("alice", "another password"));

    let sessions = here.json("session list alice");
    let sessions = sessions.as_array().unwrap();
    let current = sessions.iter().find(|session| session["current"] == true).unwrap();
    here.done(&format!("session end {}", current["id"]));
    assert!(here.ends(1, &["me"]).contains("condagate login"));
    here.site.stop();
}

#[test]
fn groups_say_who_may_do_what() {
    let here = Here::new(Database::Sqlite);
    here.sign_in();
    here.done("group create analysts --description people");
    here.done("group permit analysts demo read");
    here.done("group add-member analysts service-account-channel-demo");
    let group = here.json("group show analysts");
    assert_eq!(group["members"][0]["name"], "service-account-channel-demo", "{group}");
    assert_eq!(group["permissions"][0]["permission"], "read", "{group}");
    let shown = here.done("group show analysts");
    assert!(shown.contains("permissions  demo:read"), "{shown}");
    here.done("group permit analysts demo write");
    assert_eq!(here.json("group show analysts")["permissions"][0]["permission"], "write");
    here.done("group edit analysts --rename readers");
    here.done("group forbid readers demo");
    here.done("group remove-member readers service-account-channel-demo");
    let group = here.json("group show readers");
    assert!(group["permissions"].as_array().unwrap().is_empty(), "{group}");
    let list = here.done("group list --beginning demo");
    assert!(list.contains("demo_owners") && !list.contains("readers"), "{list}");
    here.done("group delete readers");
    here.ends(1, &["group", "show", "readers"]);
    here.site.stop();
}
