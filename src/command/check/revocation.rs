//! `condagate check revocation`: shows on the running installation that a revoked token is refused,
//! by making one, using it, revoking it and using it again.

use std::time::Duration;

use access::TokenSecret;
use axum::http::StatusCode;
use config::BaseUrl;
use serde_json::{Value, json};

use super::finding::{self, Finding, Level};
use crate::cli::CheckRevocation;
use crate::command::api::proof_sentence;
use crate::failure::Failure;
use crate::process;
use crate::remote::{Body, Remote, Request, ask_gateway, segment};
use crate::terminal::print;

/// When the token ends by itself, should nothing be able to revoke it.
const LIFESPAN: &str = "15m";
/// The longest that an answer may wait for its proof (api.md).
const WAIT: &str = "60s";
const WAITS: Duration = Duration::from_secs(60);

pub(super) fn run(options: &CheckRevocation) -> Result<(), Failure> {
    let remote = Remote::find(&options.credential)?;
    let findings = process::block_on(look(&remote, options))?;
    print(&if options.json { finding::json(&findings) } else { finding::lines(&findings) })?;
    match findings.iter().any(|finding| finding.level == Level::Error) {
        true => Err(Failure::Findings),
        false => Ok(()),
    }
}

/// A token that was made for this.
struct Made {
    id: i64,
    value: TokenSecret,
}

async fn look(remote: &Remote, options: &CheckRevocation) -> Result<Vec<Finding>, Failure> {
    let gateways = gateways(remote, &options.gateway).await?;
    let path = format!("{}/{}", options.channel, options.path.trim_start_matches('/'));
    let made = make(remote, options).await?;
    let about = format!("token {}", made.id);
    let mut findings = vec![Finding::ok(
        &about,
        format!("made for this; it may read `{}` for {LIFESPAN}", options.channel),
    )];
    // The token must not be left behind, whatever happens while it is used.
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {
            findings.push(Finding::error(&about, "interrupted before it was used everywhere"));
        }
        () = async {
            for gateway in &gateways {
                findings.push(is_served(gateway, &path, &made.value).await);
            }
        } => {}
    }
    let method = "DELETE";
    let (at, body) = (format!("/tokens/{}?wait={WAIT}", made.id), Body::Empty);
    let revoke = Request { method, path: at, body, wait: WAITS, ..Request::default() };
    match remote.ask(revoke).await {
        Ok(proof) => {
            findings.extend(is_proven(&about, &proof, gateways.len()));
            for gateway in &gateways {
                findings.push(is_refused(gateway, &path, &made.value).await);
            }
        }
        Err(why) => findings.push(Finding::error(
            &about,
            format!(
                "it could not be revoked, and ends by itself in {LIFESPAN}: {why}; try \
                 `condagate token revoke {}`",
                made.id
            ),
        )),
    }
    Ok(findings)
}

/// Where to ask: as the command line says, else where the control plane sends clients.
async fn gateways(remote: &Remote, given: &[String]) -> Result<Vec<BaseUrl>, Failure> {
    let parse = |url: &str| {
        url.parse().map_err(|error: config::BaseUrlError| {
            Failure::Usage(format!("the gateway's URL is {error}; like http://127.0.0.1:8080"))
        })
    };
    if !given.is_empty() {
        return given.iter().map(|url| parse(url)).collect();
    }
    let me = remote.ask(Request::get("/me")).await?;
    match me["gateway_url"].as_str() {
        Some(url) => Ok(vec![parse(url)?]),
        None => Err(Failure::Usage(
            "where are the gateways? The control plane doesn't know; give --gateway URL for each"
                .to_owned(),
        )),
    }
}

async fn make(remote: &Remote, options: &CheckRevocation) -> Result<Made, Failure> {
    let account = match &options.account {
        Some(account) => account.clone(),
        None => format!("service-account-channel-{}", options.channel.replace('/', ":")),
    };
    let mut random = [0; 4];
    getrandom::fill(&mut random)?;
    let order = json!({
        "name": format!("check-revocation-{:08x}", u32::from_ne_bytes(random)),
        "description": "made by `condagate check revocation`",
        "expires_in": LIFESPAN,
        "permission": "read",
        "channels": [options.channel],
    });
    let path = format!("/service-accounts/{}/tokens?wait={WAIT}", segment(&account));
    let body = Body::Json(order);
    let request = Request { method: "POST", path, body, wait: WAITS, ..Request::default() };
    let made = remote.ask(request).await?;
    let value = made["value"].as_str().and_then(|text| TokenSecret::parse(text).ok());
    match (made["id"].as_i64(), value) {
        (Some(id), Some(value)) => Ok(Made { id, value }),
        _ => Err(Failure::Usage(format!("{} is no control plane of this version", remote.url()))),
    }
}

async fn is_served(gateway: &BaseUrl, path: &str, token: &TokenSecret) -> Finding {
    let about = gateway.to_string();
    match ask_gateway(gateway, path, token).await {
        Ok(answer) if answer.status.is_success() => Finding::ok(about, "serves with it"),
        Ok(answer) if answer.status == StatusCode::NOT_FOUND => Finding::error(
            about,
            format!("there is no {path}, so nothing is shown; name another file with --path"),
        ),
        Ok(answer) => Finding::error(
            about,
            format!(
                "doesn't serve with it ({}{}), so nothing is shown",
                answer.status,
                because(answer.error.as_deref())
            ),
        ),
        Err(why) => Finding::error(about, format!("can't be asked: {why}")),
    }
}

fn is_proven(about: &str, proof: &Value, asked: usize) -> Vec<Finding> {
    let said = proof_sentence("revoked", proof);
    if proof["confirmed"] != true {
        let by = proof["guaranteed_by"].as_str().unwrap_or_default();
        return vec![Finding::error(
            about,
            format!("{said}; not proven within {WAIT}, bound {by}"),
        )];
    }
    let mut findings = vec![Finding::ok(about, said)];
    let gateways = proof["gateways"].as_array().map(Vec::as_slice).unwrap_or_default();
    let serving = gateways.iter().filter(|gateway| gateway["state"] == "applied").count();
    if serving != asked {
        findings.push(Finding::warn(
            "gateways",
            format!(
                "{serving} serve, and {asked} URLs are asked; give the URL of each with --gateway \
                 to see every one refuse"
            ),
        ));
    }
    findings
}

async fn is_refused(gateway: &BaseUrl, path: &str, token: &TokenSecret) -> Finding {
    let about = gateway.to_string();
    match ask_gateway(gateway, path, token).await {
        Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => {
            Finding::ok(about, format!("refuses it now{}", because(answer.error.as_deref())))
        }
        Ok(answer) if answer.status.is_success() => Finding::error(
            about,
            "STILL SERVES with it: is it a gateway of this control plane, without a cache in front?",
        ),
        Ok(answer) => Finding::error(
            about,
            format!(
                "doesn't say that it is revoked ({}{})",
                answer.status,
                because(answer.error.as_deref())
            ),
        ),
        Err(why) => Finding::error(about, format!("can't be asked: {why}")),
    }
}

fn because(error: Option<&str>) -> String {
    error.map(|error| format!(": {error}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_judged_by_itself_and_by_how_many_were_asked() {
        let gateway = |state: &str| json!({ "name": "gw", "state": state });
        let levels = |proof: &Value, asked| -> Vec<Level> {
            is_proven("token 7", proof, asked).iter().map(|finding| finding.level).collect()
        };
        let gateways = json!([gateway("applied"), gateway("ended")]);
        let proven = json!({ "confirmed": true, "gateways": gateways });
        assert_eq!(levels(&proven, 1), [Level::Ok]);
        assert_eq!(levels(&proven, 2), [Level::Ok, Level::Warn]);
        let late = json!({ "confirmed": false, "gateways": [gateway("waiting")] });
        assert_eq!(levels(&late, 1), [Level::Error]);
    }
}
