//! From what was typed to the request.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::cli::api::{Asked, Input, Kind, Method, Place, account_of};
use crate::failure::Failure;
use crate::remote::{Body, Request, segment};

/// How long an import, or a wait for gateways, may take beyond any other request.
const LONG: Duration = Duration::from_secs(10 * 60);

/// What isn't typed on a command line.
#[derive(Default)]
pub(super) struct Passwords {
    /// The one to be set.
    pub(super) new: Option<String>,
    /// The caller's present one, where they change their own.
    pub(super) own: Option<String>,
}

/// What was typed behind a verb.
pub(super) struct Typed<'a> {
    pub(super) asked: &'a Asked,
}

impl<'a> Typed<'a> {
    pub(super) fn new(asked: &'a Asked) -> Self {
        Self { asked }
    }

    /// The values of an input; none when it wasn't typed and has no default.
    pub(super) fn values(&self, name: &str) -> Vec<&'a Value> {
        let values = self.asked.matches.try_get_many::<Value>(name).ok().flatten();
        values.map(Iterator::collect).unwrap_or_default()
    }

    /// What was typed for an input, for people.
    pub(super) fn text(&self, name: &str) -> String {
        self.values(name).first().map(|value| plain(value)).unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.asked.matches.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or_default()
    }

    /// The input of a kind that a verb has once.
    pub(super) fn input(&self, kind: Kind) -> Option<&'static Input> {
        self.asked.verb.inputs.iter().find(|input| input.kind == kind)
    }

    /// `--limit`
    pub(super) fn limit(&self) -> Option<u64> {
        self.asked.matches.try_get_one::<u64>("limit").ok().flatten().copied()
    }

    /// Whether it matters who the caller is, which has to be asked for.
    pub(super) fn needs_you(&self) -> bool {
        let path = self.asked.verb.request.1;
        (path.contains("{user}") && self.values("user").is_empty())
            || (path.contains("{holder}") && self.holder().is_none())
            || self.input(Kind::OwnPassword).is_some()
    }

    /// The request. `you` is the caller's name, where the path needs it.
    pub(super) fn request(&self, you: &str, passwords: &Passwords) -> Result<Request, Failure> {
        let (method, path) = self.asked.verb.request;
        let mut fields = Map::new();
        let mut query = Map::new();
        let mut body = Body::Empty;
        let in_path = |input: &&Input| path.contains(&format!("{{{}}}", input.name));
        for input in self.asked.verb.takes().filter(|input| !in_path(input)) {
            if input.kind == Kind::Lines {
                body = Body::Lines(lines(&self.text(input.name))?);
                continue;
            }
            let to_query = matches!(method, Method::Get | Method::Delete);
            let to_query = to_query || input.place == Place::Query;
            let into = if to_query { &mut query } else { &mut fields };
            if let Some(value) = self.field(input, passwords) {
                match value {
                    Value::Object(several) => into.extend(several),
                    value => drop(into.insert(input.field.to_owned(), value)),
                }
            }
        }
        if let Some((field, value)) = self.asked.verb.sends {
            fields.insert(field.to_owned(), value.into());
        }
        if method == Method::Patch && fields.is_empty() {
            return Err(Failure::Usage("say what to change; `--help` lists it".to_owned()));
        }
        if !fields.is_empty() || (method == Method::Post && matches!(body, Body::Empty)) {
            body = Body::Json(Value::Object(fields));
        }
        let long = matches!(body, Body::Lines(_)) || query.contains_key("wait");
        Ok(Request {
            method: method.as_str(),
            path: self.path(you) + &written(&query),
            body,
            carries: None,
            wait: if long { LONG } else { Duration::ZERO },
        })
    }

    /// An input's field of the request.
    fn field(&self, input: &Input, passwords: &Passwords) -> Option<Value> {
        let values = self.values(input.name);
        match (input.place, input.kind) {
            (Place::Command | Place::Holder, _) => None,
            (_, Kind::Flag) => self.flag(input.name).then_some(Value::Bool(true)),
            (_, Kind::Password) => passwords.new.as_deref().map(Value::from),
            (_, Kind::OwnPassword) => passwords.own.as_deref().map(Value::from),
            // What must be there is sent also when there is none of it.
            _ if input.many && (!values.is_empty() || input.unless.is_some()) => {
                let given = values.into_iter().filter(|value| *value != "none").cloned();
                Some(Value::Array(given.collect()))
            }
            _ => values.first().map(|value| (*value).clone()),
        }
    }

    fn path(&self, you: &str) -> String {
        let mut path = String::new();
        let mut rest = self.asked.verb.request.1;
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            path.push_str(before);
            match (name, self.values(name).first()) {
                ("holder", _) => {
                    let holder = self.holder().unwrap_or_else(|| ("users", you.to_owned()));
                    path.push_str(&format!("{}/{}", holder.0, segment(&holder.1)));
                }
                // A channel's `/` is `:` in a path (api.md).
                (_, Some(value)) => path.push_str(&segment(&plain(value).replace('/', ":"))),
                (_, None) => path.push_str(&segment(you)),
            }
            rest = after;
        }
        path + rest
    }

    /// Whose tokens these are, where that was typed: the collection and the name.
    pub(super) fn holder(&self) -> Option<(&'static str, String)> {
        let first = |name| self.values(name).first().map(|value| plain(value));
        if let Some(user) = first("user") {
            return Some(("users", user));
        }
        let account = first("service-account").or_else(|| Some(account_of(&first("channel")?)));
        account.map(|name| ("service-accounts", name))
    }
}

/// A text as it is, and anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A query, its `?` before it.
fn written(query: &Map<String, Value>) -> String {
    let pair = |(name, value): (&String, &Value)| format!("{name}={}", segment(&plain(value)));
    match query.is_empty() {
        true => String::new(),
        false => format!("?{}", query.iter().map(pair).collect::<Vec<_>>().join("&")),
    }
}

/// The lines of a file, or of the standard input.
fn lines(file: &str) -> Result<String, Failure> {
    let path = Path::new(file);
    if file != "-" {
        return std::fs::read_to_string(path).map_err(Failure::file(path, "read"));
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(Failure::file(Path::new("the standard input"), "read"))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::json;

    use super::*;
    use crate::cli::{Cli, Command};

    /// Method, path and body of a command line's request.
    fn request(line: &str) -> Result<(String, Value), Failure> {
        let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();
        let Command::Api(asked) = cli.command else { panic!("{line}") };
        let passwords = Passwords { new: Some("secret".into()), own: None };
        let request = Typed::new(&asked).request("alice", &passwords)?;
        let body = match request.body {
            Body::Json(body) => body,
            Body::Empty | Body::Lines(_) => Value::Null,
        };
        Ok((format!("{} {}", request.method, request.path), body))
    }

    #[track_caller]
    fn sends(line: &str, target: &str, body: Value) {
        assert_eq!(request(&format!("condagate {line}")).unwrap(), (target.to_owned(), body));
    }

    #[test]
    fn what_is_typed_is_sent_in_the_path_the_query_or_the_body() {
        sends(
            "user create bob --email b@example.com",
            "POST /users?wait=10s",
            json!({ "name": "bob", "email": "b@example.com", "role": "user", "password": "secret" }),
        );
        sends("user deactivate bob", "PATCH /users/bob?wait=10s", json!({ "active": false }));
        sends("user list", "GET /users", Value::Null);
        sends("session list", "GET /users/alice/sessions", Value::Null);
        sends(
            "group permit analysts a/b read",
            "PUT /groups/analysts/permissions/a:b?wait=10s",
            json!({ "permission": "read" }),
        );
        sends(
            "group add-member a:b_owners bob",
            "PUT /groups/a:b_owners/members/bob?wait=10s",
            Value::Null,
        );
        sends(
            "channel edit a/b --include-subchannels false",
            "PATCH /channels/a:b?wait=10s",
            json!({ "include_subchannels": false }),
        );
        sends("usage --channel a/b", "GET /usage?by=day&channel=a%2Fb", Value::Null);
        sends(
            "token revoke 7 --with-issued --require-proof",
            "DELETE /tokens/7?wait=10s&with_issued=true",
            Value::Null,
        );
    }

    #[test]
    fn a_tokens_holder_is_an_account_a_user_or_the_first_channels_account() {
        for (line, path) in [
            ("--channel a/b --channel c", "service-accounts/service-account-channel-a:b"),
            ("--channel a/b --service-account c", "service-accounts/service-account-channel-c"),
            ("--channel a/b --user bob", "users/bob"),
        ] {
            let (target, body) =
                request(&format!("condagate token create --name ci {line}")).unwrap();
            assert_eq!(target, format!("POST /{path}/tokens?wait=10s"));
            assert_eq!((&body["channels"][0], &body["expires_in"]), (&json!("a/b"), &json!("90d")));
        }
        sends("token list", "GET /users/alice/tokens", Value::Null);
        let (target, body) =
            request("condagate token create --name script --admin --expires 7d").unwrap();
        assert_eq!(target, "POST /users/alice/tokens?wait=10s");
        assert_eq!((&body["channels"], &body["admin"]), (&json!([]), &json!(true)));
    }

    #[test]
    fn limits_are_given_and_taken_away() {
        sends(
            "token edit 7 --network 10.0.0.0/8 --network 2001:db8::/32 --bytes-per-day 1GiB",
            "PATCH /tokens/7?wait=10s",
            json!({ "networks": ["10.0.0.0/8", "2001:db8::/32"], "bytes_per_day": 1 << 30 }),
        );
        sends(
            "token edit 7 --network none --requests-per-second none --expires 2027-01-31",
            "PATCH /tokens/7?wait=10s",
            json!({
                "networks": [],
                "requests_per_second": null,
                "expires_at": "2027-01-31T00:00:00.000Z",
            }),
        );
    }

    #[test]
    fn an_edit_without_a_change_is_wrong_usage() {
        let refused = request("condagate channel edit a").unwrap_err();
        assert!(matches!(refused, Failure::Usage(_)), "{refused}");
    }
}
