//! What a form would have done whose session had ended: in words, by its address and its fields, so
//! that its visitor knows what *Continue* sends.

use maud::{Markup, html};

use super::dialog::CONFIRM;
use super::fields::Fields;

/// The fields that are told, with their words; the others only carry a form on.
const TOLD: [(&str, &str); 17] = [
    ("name", "Name"),
    ("display_name", "Full name"),
    ("email", "Email"),
    ("role", "Role"),
    ("description", "Description"),
    ("group", "Group"),
    ("member", "Member"),
    ("permission", "Permission"),
    ("channel", "Channel"),
    ("channels", "Channels"),
    ("privacy", "Privacy"),
    ("storage", "Storage"),
    ("prefix", "Folder in the storage"),
    ("expires_at", "Expires"),
    ("expires_on", "Expiry date"),
    ("requests_per_second", "Requests per second"),
    ("bytes_per_day", "Bytes per day"),
];

/// What is sent to `target`, with what was typed.
pub(super) fn told(target: &str, typed: &Fields) -> Markup {
    let fields = TOLD.map(|(name, words)| {
        // Which date is told by its own field.
        let values = typed.all(name).filter(|value| !matches!(*value, "" | "date"));
        (words, values.map(|value| in_words(name, value)).collect::<Vec<_>>().join(", "))
    });
    html! {
        p { "What you sent: " b { (action(target, typed)) } "." }
        dl.kv {
            @for (words, values) in fields.iter().filter(|(_, values)| !values.is_empty()) {
                dt { (words) } dd { (values) }
            }
        }
    }
}

/// A value as the form showed it.
fn in_words(name: &str, value: &str) -> String {
    match (name, value.strip_suffix('d').map(str::parse::<u32>)) {
        ("expires_at", Some(Ok(days))) => format!("in {days} days"),
        ("expires_at" | "expires_on", _) => format!("at the end of {value}, UTC"),
        _ => value.to_owned(),
    }
}

fn action(target: &str, typed: &Fields) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let parts: Vec<_> = path.split('/').skip(1).collect();
    let name = typed.text("name");
    let channel = |segment: &str| segment.replace(':', "/");
    let words = match parts.as_slice() {
        ["channels", "new"] => format!("create the channel “{name}”"),
        ["channels", of, "service-accounts", "new"] | ["org", "service-accounts", of, "new"] => {
            format!("create the service account of {}", channel(of))
        }
        ["channels", of, "members"] => format!("change who may use {}", channel(of)),
        ["channels", of, "settings"] => format!("save the settings of {}", channel(of)),
        ["channels", of, "settings", "delete"] => format!("delete the channel {}", channel(of)),
        ["service-accounts", of, "tokens", "new"] => format!("create the token “{name}” of {of}"),
        ["service-accounts", of, "delete"] => format!("delete the service account {of}"),
        ["me", "tokens", "new"] => format!("create the token “{name}” of your own"),
        ["tokens", number, "edit"] if name.is_empty() => format!("change the token {number}"),
        ["tokens", _, "edit"] => format!("change the token “{name}”"),
        ["tokens", number, "old-value", "end"] => {
            format!("end the old value of the token {number}")
        }
        ["tokens", number, "delete"] => format!("delete the token {number}"),
        ["org", "users", "new"] => format!("create the user “{name}”"),
        ["org", "users", of, "edit"] => format!("change the user {of}"),
        ["org", "users", of, "password"] => format!("set the password of {of}"),
        ["org", "users", of, "delete"] => format!("delete the user {of}"),
        ["org", "groups", "new"] => format!("create the group “{name}”"),
        ["org", "groups", of, "members", member, "remove"] => format!("remove {member} from {of}"),
        ["org", "groups", of, "permissions", on, "remove"] => {
            format!("remove the permission of {of} on {}", channel(on))
        }
        ["org", "groups", of, "members"] => format!("add a member to {of}"),
        ["org", "groups", of, "permissions"] => format!("set a permission of {of}"),
        ["org", "groups", of, "description"] => format!("describe the group {of}"),
        ["org", "groups", of, "delete"] => format!("delete the group {of}"),
        ["org", "gateways", of, "forget"] => format!("forget the gateway {of}"),
        ["org", "leaked"] => "find the leaked token".to_owned(),
        ["org", "leaked", "sessions", ..] => "end the session that leaked".to_owned(),
        ["sign-out"] => "sign out".to_owned(),
        _ => format!("the form at {path}"),
    };
    match typed.text(CONFIRM) {
        "no" => format!("go back, and do not {words}"),
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_told_in_words() {
        let typed = Fields::parse(
            b"once=k&name=ci&channels=demo&channels=geo&description=&expires_at=90d&back=x",
        );
        let told = told("/service-accounts/service-account-channel-demo/tokens/new", &typed);
        assert_eq!(
            told.into_string(),
            "<p>What you sent: <b>create the token “ci” of service-account-channel-demo</b>.</p>\
             <dl class=\"kv\"><dt>Name</dt><dd>ci</dd><dt>Channels</dt><dd>demo, geo</dd><dt>Expires</dt><dd>in 90 days</dd></dl>"
        );
        let none = Fields::default();
        assert_eq!(action("/tokens/5/delete?back=x", &none), "delete the token 5");
        assert_eq!(action("/channels/a:b/settings/delete", &none), "delete the channel a/b");
        assert_eq!(action("/new/page", &none), "the form at /new/page");
        let no = Fields::parse(b"confirm=no");
        assert_eq!(
            action("/channels/demo/settings", &no),
            "go back, and do not save the settings of demo"
        );
    }
}
