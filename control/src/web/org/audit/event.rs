//! An audit event in words: what was done, and the part of its states that matters to a reader.

use serde_json::Value;

use crate::AuditEvent;

/// What can have been done, as the log has it and in words; in the order of the filter's list.
pub(super) const ACTIONS: [(&str, &str); 25] = [
    ("token.create", "Issued a token"),
    ("token.edit", "Edited a token"),
    ("token.reissue", "Reissued a token"),
    ("token.end_old_value", "Ended a token’s old value"),
    ("token.revoke", "Revoked a token"),
    ("token.import", "Imported a token"),
    ("service_account.create", "Created a service account"),
    ("service_account.delete", "Deleted a service account"),
    ("channel.create", "Created a channel"),
    ("channel.edit", "Edited a channel"),
    ("channel.delete", "Deleted a channel"),
    ("group.create", "Created a group"),
    ("group.edit", "Edited a group"),
    ("group.delete", "Deleted a group"),
    ("group.add_member", "Added a member"),
    ("group.remove_member", "Removed a member"),
    ("group.set_permission", "Set a permission"),
    ("user.create", "Created a user"),
    ("user.edit", "Edited a user"),
    ("user.delete", "Deleted a user"),
    ("user.set_password", "Set a password"),
    ("session.create", "Signed in"),
    ("session.end", "Signed out"),
    ("session.refuse", "Sign-in refused"),
    ("gateway.forget", "Forgot a gateway"),
];

/// For what has no words yet, its name in the log.
pub(super) fn what(event: &AuditEvent) -> &str {
    let words = ACTIONS.iter().find(|(action, _)| *action == event.action);
    words.map_or(&event.action, |(_, words)| words)
}

/// By which credential, in words; `token` finds a token's name by its number.
pub(super) fn by(event: &AuditEvent, token: impl Fn(i64) -> Option<String>) -> String {
    let (way, number) = event.via.split_once(':').unwrap_or((&event.via, ""));
    match (way, number.parse().ok().and_then(token)) {
        ("console", _) => "at the machine".to_owned(),
        ("session", _) => "signed in".to_owned(),
        ("password", _) => "by password".to_owned(),
        ("token", Some(name)) => format!("by token {name}"),
        ("token", None) => format!("by token {number}"),
        _ => event.via.clone(),
    }
}

/// What else there is to know: of whom, for what, or what changed into what. Empty where the names
/// say all.
pub(super) fn detail(event: &AuditEvent) -> String {
    let after = event.after.as_ref();
    let state = after.or(event.before.as_ref());
    let text = |field: &str| state.and_then(|state| state.get(field)?.as_str()).unwrap_or_default();
    match &*event.action {
        "token.create" | "token.import" => {
            format!(
                "{} on {} for {}",
                text("permission"),
                list(state, "channels"),
                text("principal")
            )
        }
        "token.revoke" | "token.reissue" | "token.end_old_value" => {
            format!("of {}", text("principal"))
        }
        "group.add_member" | "group.remove_member" => text("member").to_owned(),
        "group.set_permission" if after.is_none() => format!("none on {}", text("channel")),
        "group.set_permission" => format!("{} on {}", text("permission"), text("channel")),
        "service_account.create" | "service_account.delete" => format!("of {}", text("channel")),
        _ => changes(event.before.as_ref(), after),
    }
}

/// `privacy: private → public`, for each field that is not what it was.
fn changes(before: Option<&Value>, after: Option<&Value>) -> String {
    let (Some(Value::Object(before)), Some(Value::Object(after))) = (before, after) else {
        return String::new();
    };
    let differ = after.iter().filter(|(field, value)| before.get(*field) != Some(*value));
    let told = differ.map(|(field, value)| {
        let was = before.get(field).map(shown).unwrap_or_default();
        format!("{}: {was} → {}", field.replace('_', " "), shown(value))
    });
    told.collect::<Vec<_>>().join(", ")
}

fn list(state: Option<&Value>, field: &str) -> String {
    let items = state.and_then(|state| state.get(field)?.as_array());
    let items = items.into_iter().flatten().map(shown).collect::<Vec<_>>();
    if items.is_empty() { "no channel".to_owned() } else { items.join(", ") }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) if text.is_empty() => "none".to_owned(),
        // Times to the minute.
        Value::String(text) if text.parse::<access::Timestamp>().is_ok() => {
            text.get(..16).unwrap_or(text).replace('T', " ")
        }
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use access::Timestamp;
    use serde_json::json;

    use super::*;

    fn event(action: &str, before: Value, after: Value) -> AuditEvent {
        let state = |state: Value| (!state.is_null()).then_some(state);
        AuditEvent {
            id: 1,
            at: Timestamp::from_millis(0),
            revision: None,
            actor: "mira.okafor".into(),
            via: "session:7".into(),
            address: None,
            request_id: None,
            action: action.into(),
            target_kind: "token".into(),
            target_id: 1,
            target: "ci".into(),
            before: state(before),
            after: state(after),
        }
    }

    #[test]
    fn an_event_says_what_matters() {
        let token = json!({
            "principal": "service-account-channel-demo", "permission": "read",
            "channels": ["demo", "demo/dev"], "expires_at": "2026-11-24T12:00:00.000Z",
        });
        let issued = event("token.create", Value::Null, token.clone());
        assert_eq!(what(&issued), "Issued a token");
        assert_eq!(detail(&issued), "read on demo, demo/dev for service-account-channel-demo");
        let mut later = token.clone();
        later["expires_at"] = json!("2026-12-24T12:00:00.000Z");
        let edited = event("token.edit", token, later);
        assert_eq!(detail(&edited), "expires at: 2026-11-24 12:00 → 2026-12-24 12:00");
        let opened =
            event("channel.edit", json!({"privacy": "private"}), json!({"privacy": "public"}));
        assert_eq!(detail(&opened), "privacy: private → public");
        let taken = json!({"channel": "demo", "permission": "read"});
        let taken = event("group.set_permission", taken, Value::Null);
        assert_eq!(detail(&taken), "none on demo");
        assert_eq!(detail(&event("session.refuse", Value::Null, Value::Null)), "");
        assert_eq!(what(&event("new.thing", Value::Null, Value::Null)), "new.thing");
    }

    #[test]
    fn a_token_is_named_where_it_has_a_name() {
        let mut event = event("token.create", Value::Null, Value::Null);
        assert_eq!(by(&event, |_| None), "signed in");
        event.via = "token:12".into();
        assert_eq!(
            by(&event, |id| (id == 12).then(|| "terraform".to_owned())),
            "by token terraform"
        );
        assert_eq!(by(&event, |_| None), "by token 12");
    }
}
