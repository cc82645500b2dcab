//! What no table can say: tokens with their values, proofs, imports.

use std::time::Duration;

use access::{Timestamp, TokenSecret};
use serde_json::Value;

use super::request::Typed;
use super::show::{cell, table};
use crate::cli::api::Shows;
use crate::failure::Failure;
use crate::remote::{Remote, Request};
use crate::terminal::{first_line, hidden};
use control::ClientCommands;

/// How clients reach the gateway, where the control plane doesn't say it.
const GATEWAY_URL: &str = "CONDAGATE_GATEWAY_URL";

/// A token's value that somebody found, from the standard input.
pub(super) fn from_input() -> Result<TokenSecret, Failure> {
    use std::io::IsTerminal as _;
    let what = "token";
    let text = match std::io::stdin().is_terminal() {
        true => hidden("Token: ", what, "give it on the standard input")?,
        false => first_line(std::io::stdin().lock(), what)?,
    };
    let token = TokenSecret::parse(text.trim());
    token.map_err(|error| Failure::Usage(format!("the standard input: {error}")))
}

/// A token that was issued, its value, and the lines to type into each client.
pub(super) fn issued(gateway_url: &str, made: &Value) -> String {
    let text = |key: &str| cell(key, &made[key]);
    let value = made["value"].as_str().unwrap_or_default();
    let mut shown = format!(
        "token {id} of {principal}: {permission} until {until}\n\
         \n\
         \x20 {value}\n\
         \n\
         This is the only time that it is shown. What its holder types:\n",
        id = text("id"),
        principal = text("principal"),
        permission = text("permission"),
        until = text("expires_at"),
    );
    let channels = made["channels"].as_array().map(Vec::as_slice).unwrap_or_default();
    for channel in channels.iter().filter_map(Value::as_str) {
        let token = Some(value);
        shown.push_str(&ClientCommands { gateway_url, channel, token }.setup());
    }
    shown
}

/// How clients reach the gateway: as the command line or the environment says, else as the control
/// plane does.
pub(super) async fn gateway_url(typed: &Typed<'_>, remote: &Remote) -> Result<String, Failure> {
    let typed = typed.values("gateway-url").first().and_then(|url| url.as_str());
    if let Some(url) = typed.map(str::to_owned).or_else(|| std::env::var(GATEWAY_URL).ok()) {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let me = remote.ask(Request::get("/me")).await?;
    // A control plane apart from its gateways, that isn't told where they are.
    Ok(me["gateway_url"].as_str().unwrap_or("https://GATEWAY").to_owned())
}

/// Where a change is in force (sync.md, "What a revoke promises").
pub(in crate::command) fn proof(done: &str, answer: &Value) -> String {
    let proof = proof_in(answer);
    let gateways = proof["gateways"].as_array().map(Vec::as_slice).unwrap_or_default();
    let (ended, serving): (Vec<_>, Vec<_>) =
        gateways.iter().partition(|gateway| gateway["state"] == "ended");
    let applied = serving.iter().filter(|gateway| gateway["state"] == "applied").count();
    let mut text = match (serving.len(), proof["waited_ms"].as_u64()) {
        (0, _) => format!("{done}; no gateway is known that serves"),
        (all, Some(ms)) if applied == all => {
            format!("{done} on {all} of {all} gateways in {ms} ms")
        }
        (all, _) => format!("{done} on {applied} of {all} gateways"),
    };
    let name = |gateway: &Value| gateway["name"].as_str().unwrap_or("a gateway").to_owned();
    for gateway in serving.into_iter().filter(|gateway| gateway["state"] == "waiting") {
        let by = gateway["stops_by"].as_str().unwrap_or("the end of its lease");
        let (name, by) = (name(gateway), second_of_day(by));
        text.push_str(&format!("\n{name} has not answered; it stops serving by {by}"));
    }
    for gateway in ended {
        text.push_str(&format!("\n{} has ended; it serves no more", name(gateway)));
    }
    text
}

/// The time of the day, to the second that it is over by.
fn second_of_day(time: &str) -> String {
    let over = time.parse::<Timestamp>().map(|time| time.plus(Duration::from_millis(999)));
    let over = over.map_or_else(|_unread| time.to_owned(), |over| over.to_string());
    over.get(11..19).unwrap_or(&over).to_owned()
}

/// The proof, where the answer is the thing that was changed, or the proof itself.
fn proof_in(answer: &Value) -> &Value {
    answer.get("proof").unwrap_or(answer)
}

/// What became of an import.
pub(super) fn imported(answer: &Value) -> String {
    let lines = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    let count = |status: &str| lines.iter().filter(|line| line["status"] == status).count();
    let summary = format!(
        "created {}, there already {}, refused {}",
        count("created"),
        count("exists"),
        count("refused")
    );
    let refused: Vec<Value> =
        lines.iter().filter(|line| line["status"] == "refused").cloned().collect();
    match refused.is_empty() {
        true => summary,
        false => format!("{}\n\n{summary}", table(&["line", "detail"], &refused)),
    }
}

/// Whether what was answered is what was wanted; for the exit status.
pub(super) fn judge(typed: &Typed<'_>, answer: &Value) -> Result<(), Failure> {
    if typed.flag("require-proof") && proof_in(answer)["confirmed"] != true {
        return Err(Failure::NotProven);
    }
    match typed.asked.verb.shows {
        Shows::Import => {
            let lines = answer.as_array().map(Vec::as_slice).unwrap_or_default();
            let refused = lines.iter().filter(|line| line["status"] == "refused").count();
            match refused {
                0 => Ok(()),
                refused => Err(Failure::Import { refused, lines: lines.len() }),
            }
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_proof_says_how_many_gateways_and_who_is_missing() {
        let gateway = |name: &str, state: &str| json!({ "name": name, "state": state, "stops_by": "2026-11-24T12:00:30.001Z" });
        let proven = json!({
            "confirmed": true,
            "waited_ms": 41,
            "gateways": [gateway("gw-1", "applied"), gateway("gw-2", "ended")],
        });
        assert_eq!(
            proof("revoked", &proven),
            "revoked on 1 of 1 gateways in 41 ms\ngw-2 has ended; it serves no more"
        );
        let late = json!({
            "confirmed": false,
            "gateways": [gateway("gw-1", "applied"), gateway("gw-2", "waiting")],
        });
        assert_eq!(
            proof("revoked", &late),
            "revoked on 1 of 2 gateways\ngw-2 has not answered; it stops serving by 12:00:31"
        );
        let nobody = proof("revoked", &json!({ "confirmed": true, "gateways": [] }));
        assert_eq!(nobody, "revoked; no gateway is known that serves");
        let gone = json!({ "confirmed": true, "gateways": [gateway("gw-1", "ended")] });
        assert_eq!(
            proof("revoked", &gone),
            "revoked; no gateway is known that serves\ngw-1 has ended; it serves no more"
        );
    }

    #[test]
    fn an_import_names_the_lines_that_were_refused() {
        let answer = json!([
            { "line": 1, "status": "created", "id": 7 },
            { "line": 2, "status": "refused", "detail": "no channel `x`" },
        ]);
        let text = imported(&answer);
        assert!(text.contains("2     no channel `x`"), "{text}");
        assert!(text.ends_with("created 1, there already 0, refused 1"), "{text}");
    }
}
