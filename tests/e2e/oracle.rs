//! Nothing tells an unknown channel from one without a grant: not a byte, and not the time
//! (wire.md, "Refusals").

use access::Privacy;

use crate::site::{Answer, Database, Setup, patience};

/// Requests in all, of either kind in turn.
const REQUESTS: usize = 10_000;
/// Far above the noise of two halves of the same measurement, far below a lookup.
const RATIO_MAX: f64 = 1.2;

/// Names of one length, so that a difference in it is none.
const HIDDEN: &str = "hidden";
const NOBODY: &str = "nobody";

fn path(token: &str, channel: &str, file: &str) -> String {
    format!("/t/{token}/{channel}/{file}")
}

/// An answer without what may differ.
fn told(answer: &Answer, channel: &str) -> String {
    let body = answer.text().replace(&answer.request_id(), "ID").replace(channel, "CHANNEL");
    format!("{} {:?} {body}", answer.status(), answer.head.lasting_fields())
}

#[test]
fn w4_an_unknown_and_an_ungranted_channel_give_the_same_bytes() {
    let setup = Setup::with_demo_channel(Database::Sqlite);
    setup.admin.channel(HIDDEN, Privacy::Private, "main", "demo");
    setup.admin.channel(&format!("{HIDDEN}/below"), Privacy::Private, "main", "demo");
    let token = setup.admin.token(&["demo"]).value;
    let site = setup.start();
    for file in [
        "noarch/repodata.json",
        "noarch/absent-1.0-0.conda",
        "label/rc/noarch/repodata.json",
        "channeldata.json",
        "below/noarch/repodata.json",
        "no/file/of/any/shape",
        "readme.txt",
        "notices.json",
    ] {
        for token in [&token, "", "cg-0000000000000000000000000000000"] {
            let mut answers = [HIDDEN, NOBODY].map(|channel| {
                let path = match token {
                    "" => format!("/{channel}/{file}"),
                    token => path(token, channel, file),
                };
                told(&site.get(&path), channel)
            });
            answers.sort_unstable();
            assert_eq!(answers[0], answers[1], "{file}");
            assert!(!answers[0].starts_with("200"), "{file}: {answers:?}");
        }
    }
    site.stop();
}

#[test]
fn no_difference_in_time_over_ten_thousand_requests() {
    let mut setup = Setup::with_demo_channel(Database::Sqlite);
    setup.text("gateway.access_log", "off");
    setup.admin.channel(HIDDEN, Privacy::Private, "main", "demo");
    let token = setup.admin.token(&["demo"]).value;
    let site = setup.start();
    let mut connection = site.connect();
    let file = "noarch/repodata.json";
    let paths = [path(&token, HIDDEN, file), path(&token, NOBODY, file)];
    let mut micros: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for n in 0..REQUESTS {
        // Now one first, now the other: what the machine does meanwhile meets both.
        let which = (n / 2 + n) % 2;
        let began = patience::now();
        let answer = connection.get(&paths[which], &[]).unwrap();
        let took = patience::now().since(began);
        assert_eq!(answer.status(), 403);
        micros[which].push(took.as_secs_f64() * 1e6);
    }
    let [hidden, nobody] = micros.map(median);
    println!("403 for an ungranted channel: {hidden:.1} µs, for an unknown one: {nobody:.1} µs");
    let ratio = (hidden / nobody).max(nobody / hidden);
    assert!(ratio < RATIO_MAX, "{hidden:.1} and {nobody:.1} µs");
    site.stop();
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
