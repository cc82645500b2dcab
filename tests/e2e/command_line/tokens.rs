//! Tokens: of service accounts and of people, limited, changed, reissued, imported, found, revoked.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::Here;
use crate::site::{Database, patience, port};

#[test]
fn a_token_has_limits_that_can_be_changed() {
    let here = Here::new(Database::Sqlite);
    here.sign_in();
    let made = here.json(
        "token create --channel demo --name ci --description builds --expires 30d \
         --network 10.0.0.0/8 --network 2001:db8::/32 --requests-per-second 50 --bytes-per-day 1GiB",
    );
    assert_eq!(made["networks"], json!(["10.0.0.0/8", "2001:db8::/32"]), "{made}");
    assert_eq!(made["bytes_per_day"], 1_u64 << 30, "{made}");
    let shown = here.done(&format!("token show {}", made["id"]));
    assert!(shown.contains("bytes per day        1 GiB"), "{shown}");
    assert!(!shown.contains(made["value"].as_str().unwrap()), "{shown}");

    here.done(&format!(
        "token edit {} --name build --network none --bytes-per-day none",
        made["id"]
    ));
    let token = here.json(&format!("token show {}", made["id"]));
    assert_eq!((&token["name"], &token["bytes_per_day"]), (&json!("build"), &Value::Null));
    assert_eq!(token["networks"], json!([]), "{token}");
    assert_eq!(token["requests_per_second"], 50, "what isn't named stays: {token}");
    let refused = here.ends(1, &["token", "create", "--channel", "demo", "--name", "build"]);
    assert!(refused.contains("already"), "{refused}");
    let refused =
        here.ends(1, &["token", "create", "--channel", "demo", "--name", "x", "--expires", "400d"]);
    assert!(refused.contains("365 days"), "{refused}");
    here.site.stop();
}

#[test]
fn a_personal_token_takes_the_place_of_a_login() {
    let here = Here::new(Database::Sqlite);
    here.sign_in();
    let made = here
        .json("token create --user alice --channel demo --name script --permission manage --admin");
    let value = made["value"].as_str().unwrap();
    let url = here.url();
    let environment = [("CONDAGATE_URL", url.as_str()), ("CONDAGATE_TOKEN", value)];
    let me = here.run(&["me", "--json"], &environment, "");
    let me: Value = serde_json::from_slice(&me.stdout).unwrap();
    assert_eq!((&me["name"], &me["admin"]), (&json!("alice"), &json!(true)), "{me}");
    assert_eq!(here.json("token list")[0]["name"], "script");

    // What it issues goes with it.
    let issue = "token create --channel demo --name issued --expires 30d --json";
    let issue: Vec<&str> = issue.split(' ').collect();
    let issued = here.run(&issue, &environment, "");
    let issued: Value = serde_json::from_slice(&issued.stdout).unwrap();
    here.done(&format!("token revoke {} --with-issued", made["id"]));
    assert_eq!(here.json(&format!("token show {}", issued["id"]))["status"], "revoked");
    assert_eq!(here.run(&["me"], &environment, "").status.code(), Some(1));
    here.site.stop();
}

#[test]
fn a_new_value_is_printed_with_the_lines_for_each_client() {
    let here = Here::new(Database::Sqlite);
    here.sign_in();
    let made = here.json("token create --channel demo --name ci");
    let text = here.done(&format!("token reissue {} --overlap 5s", made["id"]));
    let host = format!("http://{}/t/cg-", here.site.gateway);
    for client in ["conda config --add channels", "mamba", "pixi", "curl -fsS"] {
        let line = text.lines().find(|line| line.contains(client));
        assert!(line.is_some_and(|line| line.contains(&host)), "{client}: {text}");
    }
    let proven = here.done(&format!("token revoke {} --require-proof", made["id"]));
    assert!(proven.contains(" on 1 of 1 gateways in "), "{proven}");
    // Again it is the same proof.
    let proof = here.json(&format!("token revoke {}", made["id"]));
    assert_eq!(proof["gateways"][0]["state"], "applied", "{proof}");
    here.site.stop();
}

#[test]
fn what_is_not_proven_names_the_gateway_that_is_waited_for() {
    let here = Here::running("control", Database::Sqlite);
    here.sign_in();
    let made = here.json("token create --channel demo --name ci");
    let metrics = port::free().to_string();
    let beside =
        [("CONDAGATE_METRICS__LISTEN", metrics.as_str()), ("CONDAGATE_GATEWAY__NAME", "gw-2")];
    let gateway = here.site.run(&["gateway"], &beside);
    patience::until("the gateway to be listed", || {
        here.done("gateways list").contains("gw-2").then_some(())
    });
    let id = made["id"].to_string();
    let said = patience::until("the gateway to be stopped beside its writing", || {
        gateway.signal(Signal::STOP);
        let said = here.ends(1, &["token", "revoke", &id, "--wait", "1s", "--require-proof"]);
        // Stopped while it renews its lease, it has the file locked.
        let is_locked = said.contains("another change");
        if is_locked {
            gateway.signal(Signal::CONT);
        }
        (!is_locked).then_some(said)
    });
    assert!(said.contains("on 0 of 1 gateways"), "{said}");
    assert!(said.contains("gw-2 has not answered; it stops serving by "), "{said}");
    gateway.signal(Signal::CONT);
    let said = here.done(&format!("token revoke {id} --require-proof"));
    assert!(said.contains("on 1 of 1 gateways"), "{said}");
    here.site.stop();
}

#[test]
fn values_of_another_system_are_imported_and_found() {
    let here = Here::new(Database::Sqlite);
    here.sign_in();
    let old = "from-the-old-system-0001";
    let line = |value: &str, name: &str, channel: &str| {
        json!({
            "value": value,
            "service_account": "service-account-channel-demo",
            "name": name,
            "permission": "read",
            "channels": [channel],
            "expires_in": "90d",
        })
        .to_string()
    };
    let good = line(old, "old-1", "demo");
    let bad = line("from-the-old-system-0002", "old-2", "nothing");
    let file = here.home().join("tokens.ndjson");
    std::fs::write(&file, format!("{good}\n{bad}\n")).unwrap();
    let file = file.to_str().unwrap();

    let said = here.ends(1, &["token", "import", file, "--atomic"]);
    assert!(said.contains("refused"), "{said}");
    assert_eq!(here.json("token list --channel demo"), json!([]), "all or nothing");
    let said = here.ends(1, &["token", "import", file]);
    assert!(said.contains("created 1, there already 0, refused 1"), "{said}");
    assert!(said.contains("1 of 2 lines were refused") && said.contains("nothing"), "{said}");
    let output = here.run(&["token", "import", "-", "--json"], &[], &format!("{good}\n"));
    let lines: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &lines[0]["status"]), (Some(0), &json!("exists")));

    let found = here.run(&["token", "lookup", "--json"], &[], &format!("{old}\n"));
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(found["name"], "old-1", "{found}");
    let unknown = here.run(&["token", "lookup"], &[], "from-the-old-system-0003\n");
    assert_eq!(unknown.status.code(), Some(1), "{unknown:?}");
    here.site.stop();
}
