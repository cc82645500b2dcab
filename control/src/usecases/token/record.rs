//! What the audit log says of a token: never its value.

use access::{Timestamp, TokenId};
use serde_json::{Value, json};

use crate::Actor;
use crate::store::{self, Change, Connection, Event, Target, Token};
use crate::usecases::{Error, seen};

/// The token of that id, whoever asks.
pub(super) async fn find(db: &mut Connection, id: TokenId, now: Timestamp) -> Result<Token, Error> {
    store::find_token(db, id, now).await?.ok_or_else(|| Error::not_found("token", id.0))
}

pub(super) async fn audit(
    change: &mut Change,
    actor: &Actor,
    token: &Token,
    action: &'static str,
    (before, after): (Option<Value>, Option<Value>),
) -> Result<(), Error> {
    let target = Target { kind: "token", id: token.id.0, name: &token.name };
    Ok(change.audit(actor, Event { action, target, before, after }).await?)
}

/// What of a token can be changed, its value too, as one word: another one after every change.
pub fn fingerprint(token: &Token) -> String {
    seen::fingerprint(&shown(token))
}

/// Refuses whoever saw something else of the token than what is there now.
pub(super) fn check_seen(seen: Option<&str>, token: &Token) -> Result<(), Error> {
    seen::check(seen, &fingerprint(token), ("token", &token.name))
}

pub(super) fn shown(token: &Token) -> Value {
    let channels: Vec<_> = token.channels.iter().map(|channel| channel.name.as_str()).collect();
    let networks: Vec<_> = token.limits.networks.iter().map(ToString::to_string).collect();
    json!({
        "principal": token.principal,
        "name": token.name,
        "description": token.description,
        "hint": token.hint.to_string(),
        "permission": token.permission.as_str(),
        "admin": token.admin,
        "channels": channels,
        "networks": networks,
        "requests_per_second": token.limits.requests_per_second,
        "bytes_per_day": token.limits.bytes_per_day,
        "expires_at": token.expires_at.to_string(),
        "revoked_at": token.revoked.map(|(at, _)| at.to_string()),
    })
}
