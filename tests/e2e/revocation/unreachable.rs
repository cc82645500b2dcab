//! Gateways that don't answer: a time is told by which they serve no more, and that holds.

use std::net::TcpStream;
use std::time::Duration;

use access::{Clock as _, SystemClock, Timestamp};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::api::Api;
use super::fleet::{Fleet, LEASE};
use crate::site::{Connection, client};

/// How many requests await each gateway that stands still, with each token.
const KNOCKS: usize = 10;
const SECOND: Duration = Duration::from_secs(1);

struct Token {
    id: String,
    path: String,
}

fn make(api: &mut Api, name: &str) -> Token {
    let order =
        json!({"name": name, "expires_in": "1d", "permission": "read", "channels": ["demo"]});
    let made = api.ask("POST", "/service-accounts/service-account-channel-demo/tokens", &order);
    let made = made.unwrap().json();
    let value = made["value"].as_str().unwrap();
    Token { id: made["id"].to_string(), path: format!("/t/{value}/demo/noarch/repodata.json.zst") }
}

fn states(proof: &Value) -> Vec<&str> {
    let gateways = proof["gateways"].as_array().unwrap();
    gateways.iter().map(|gateway| gateway["state"].as_str().unwrap()).collect()
}

fn time(told: &Value) -> Timestamp {
    told.as_str().unwrap().parse().unwrap()
}

/// The next time at which a clock shows this, from a little before `about` on.
fn time_of_day(shown: &str, about: Timestamp) -> Timestamp {
    let from = about.as_millis() / 1000 - 5;
    let seconds = (from..from + 60).map(|second| Timestamp::from_millis(second * 1000));
    seconds.into_iter().find(|time| time.to_string().get(11..19) == Some(shown)).unwrap()
}

/// Sends requests to a gateway that stands still.
fn knock(fleet: &Fleet, gateway: usize, tokens: &[&Token]) -> Vec<Connection<TcpStream>> {
    let send = |token: &&Token| {
        let mut connection = Connection::open(fleet.addresses()[gateway]).unwrap();
        connection.send_get(&token.path, &[]).unwrap();
        connection
    };
    tokens.iter().cycle().take(tokens.len() * KNOCKS).map(send).collect()
}

/// What it answers to these when it goes on.
fn answers(fleet: &Fleet, gateway: usize, waiting: Vec<Connection<TcpStream>>) -> Vec<u16> {
    fleet.signal(gateway, Signal::CONT);
    waiting.into_iter().map(|mut connection| connection.head().unwrap().status).collect()
}

#[test]
fn who_does_not_answer_serves_no_more_by_the_time_that_is_told() {
    let fleet = Fleet::start();
    let mut api = Api::sign_in(fleet.control);
    let [kept, first, second] = ["kept", "first", "second"].map(|name| make(&mut api, name));
    for address in fleet.addresses() {
        for token in [&kept, &first, &second] {
            assert_eq!(client::get(address, &token.path, &[]).status(), 200);
        }
    }
    // What awaits a gateway that stands still for a moment is served, so the refusals below are
    // not for the standing still.
    fleet.signal(1, Signal::STOP);
    let waiting = knock(&fleet, 1, &[&first]);
    assert_eq!(answers(&fleet, 1, waiting), [200; KNOCKS]);

    fleet.signal(1, Signal::STOP);
    fleet.signal(2, Signal::STOP);
    let delete = format!("/tokens/{}?wait=1s", first.id);
    let answer = api.ask("DELETE", &delete, &Value::Null).unwrap();
    let proof = answer.json();
    assert_eq!((answer.status(), &proof["confirmed"]), (202, &json!(false)), "{proof}");
    assert_eq!(states(&proof), ["applied", "waiting", "waiting"]);
    let by = time(&proof["guaranteed_by"]);
    assert_eq!(time(&proof["gateways"][2]["stops_by"]), by);
    assert!(by < SystemClock.now().plus(LEASE + SECOND), "{proof}");

    let output = api.command(&["token", "revoke", &second.id, "--wait", "1s"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    let [done, gw_1, gw_2] = lines[..] else { panic!("{said}") };
    assert!(done.ends_with(" on 1 of 3 gateways"), "{said}");
    let stops = |line: &str, name: &str| {
        let shown = line.strip_prefix(&format!("{name} has not answered; it stops serving by "));
        time_of_day(shown.unwrap_or_else(|| panic!("{said}")), by)
    };
    let shown = stops(gw_1, "gw-1").max(stops(gw_2, "gw-2"));
    assert!(shown >= by && shown <= SystemClock.now().plus(LEASE + SECOND), "{said}");

    // The one goes on when that time has come, the other stands still.
    let waiting = [1, 2].map(|gateway| knock(&fleet, gateway, &[&first, &second]));
    let left = shown.as_millis() - SystemClock.now().as_millis();
    std::thread::sleep(Duration::from_millis(u64::try_from(left).unwrap_or(0)));
    let [at_1, at_2] = waiting;
    refused(&answers(&fleet, 1, at_1));
    let again = format!("/revisions/{}/proof?wait=30s", proof["revision"]);
    let answer = api.ask("GET", &again, &Value::Null).unwrap();
    let proof = answer.json();
    assert_eq!((answer.status(), &proof["confirmed"]), (200, &json!(true)), "{proof}");
    assert_eq!(proof["gateways"].as_array().unwrap().last().unwrap()["state"], "ended", "{proof}");
    refused(&answers(&fleet, 2, at_2));

    fleet.wait_until_ready();
    for address in fleet.addresses() {
        assert_eq!(client::get(address, &kept.path, &[]).status(), 200);
        for token in [&first, &second] {
            assert_eq!(client::get(address, &token.path, &[]).error(), "token-revoked");
        }
    }
    fleet.stop();
}

/// By the token, or by the lease that has ended.
#[track_caller]
fn refused(answers: &[u16]) {
    assert_eq!(answers.len(), 2 * KNOCKS);
    assert!(answers.iter().all(|status| matches!(status, 401 | 503)), "{answers:?}");
}
