//! Things as JSON (api.md): the one place that says what of them is shown.

use access::source::Revision;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::usecases::{Held, Listed};
use crate::{ChannelDetails, ServiceAccount, Token};

/// A thing just made: its JSON and the revision from which gateways know it.
pub(super) fn created(mut thing: Value, revision: Revision) -> Response {
    thing["revision"] = json!(revision.0);
    (StatusCode::CREATED, Json(thing)).into_response()
}

/// What is known of a deciding write once it is committed. Which gateways have applied it is not
/// known yet, so that it isn't said (sync.md, "What a revoke promises").
pub(super) fn committed(revision: Revision) -> Response {
    let body = json!({ "revision": revision.0, "confirmed": false });
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

pub(super) fn listed<T>(list: Listed<T>, item: impl Fn(&T) -> Value) -> Json<Value> {
    let items: Vec<_> = list.items.iter().map(item).collect();
    Json(json!({ "items": items, "next_cursor": list.next_cursor }))
}

pub(super) fn channel(details: &ChannelDetails) -> Value {
    let channel = &details.channel;
    json!({
        "name": channel.name.as_str(),
        "description": details.description,
        "privacy": channel.privacy.as_str(),
        "storage": &*channel.storage,
        "prefix": &*channel.prefix,
        "include_subchannels": channel.include_subchannels,
        "created_at": details.created_at.to_string(),
        "permission": details.permission.map(|held| held.as_str()),
    })
}

pub(super) fn service_account(account: &ServiceAccount) -> Value {
    json!({
        "name": account.name,
        "channel": account.channel.as_str(),
        "created_at": account.created_at.to_string(),
    })
}

pub(super) fn me(held: &Held) -> Value {
    let channel = |channel: &ChannelDetails| {
        json!({
            "name": channel.channel.name.as_str(),
            "permission": channel.permission.map(|held| held.as_str()),
        })
    };
    json!({
        "name": held.principal.name,
        "kind": held.principal.kind.as_str(),
        "role": held.principal.role.map(|role| role.as_str()),
        "admin": held.is_admin,
        "channels": held.channels.iter().map(channel).collect::<Vec<_>>(),
    })
}

/// A token as api.md fixes it; never its value.
pub(super) fn token(token: &Token, now: access::Timestamp) -> Value {
    let status = if token.revoked.is_some() {
        "revoked"
    } else if token.expires_at <= now {
        "expired"
    } else {
        "active"
    };
    let held = |channel: &crate::TokenChannel| {
        let permission = channel.effective.filter(|_| status == "active")?;
        Some(json!({ "channel": channel.name.as_str(), "permission": permission.as_str() }))
    };
    json!({
        "id": token.id.0,
        "name": token.name,
        "description": token.description,
        "principal": token.principal,
        "hint": token.hint.to_string(),
        "permission": token.permission.as_str(),
        "channels": token.channels.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
        "admin": token.admin,
        "created_at": token.created_at.to_string(),
        "created_by": token.created_by,
        "created_by_token": token.created_by_token.map(|id| id.0),
        "expires_at": token.expires_at.to_string(),
        "revoked_at": token.revoked.map(|(at, _)| at.to_string()),
        "last_used_at": token.last_used.as_ref().map(|(at, _)| at.to_string()),
        "last_used_from": token.last_used.as_ref().map(|(_, from)| from),
        "effective": token.channels.iter().filter_map(held).collect::<Vec<_>>(),
        "status": status,
    })
}
