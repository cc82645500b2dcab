//! The tables beside the API's own description: nothing is missing, nothing is made up.

use std::collections::BTreeMap;
use std::sync::Arc;

use access::SystemClock;
use control::testing::TestDatabase;
use control::{Control, Settings};
use serde_json::Value;

use super::COMMANDS;
use super::verb::{Entry, Input, Kind, Method, Place, Shows, Verb};
use crate::remote::{Remote, Request};

/// What is no command of its own: `login`, `logout`, and what the commands above do by themselves.
const OTHERS: [&str; 3] = ["POST /sessions", "DELETE /sessions/current", "GET /openapi.json"];

/// The description that a control plane serves.
async fn description() -> Value {
    let database = TestDatabase::sqlite();
    let store = database.store().await;
    let control = Control::new(store, Settings::default(), Arc::new(SystemClock));
    let routes = control::api::router(control);
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, routes).await });
    Remote::at(&url).unwrap().ask(Request::get("/openapi.json")).await.unwrap()
}

/// The operations by method and path, the path's names left out.
fn operations(api: &Value) -> BTreeMap<String, &Value> {
    let paths = api["paths"].as_object().unwrap();
    let below = |path: &str| path.strip_prefix("/api/v1").map(unnamed);
    let each = paths.iter().filter_map(|(path, item)| Some((below(path)?, item)));
    each.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, it)| (format!("{} {path}", method.to_uppercase()), it))
    })
    .collect()
}

fn unnamed(path: &str) -> String {
    let segments = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    segments.collect::<Vec<_>>().join("/")
}

/// The properties of a schema, those of its parts too.
fn properties(api: &Value, schema: &Value) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    if let Some(reference) = schema["$ref"].as_str() {
        all.extend(properties(api, api.pointer(reference.trim_start_matches('#')).unwrap()));
    }
    for parts in ["allOf", "oneOf", "anyOf"] {
        for part in schema[parts].as_array().into_iter().flatten() {
            all.extend(properties(api, part));
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        all.insert(name.clone(), property.clone());
    }
    all
}

/// What an operation answers when it is done.
fn answered(api: &Value, operation: &Value) -> BTreeMap<String, Value> {
    let responses = operation["responses"].as_object().unwrap();
    let done = responses.iter().filter(|(status, _)| status.starts_with('2'));
    let schemas = done.map(|(_, response)| &response["content"]["application/json"]["schema"]);
    schemas.flat_map(|schema| properties(api, schema)).collect()
}

fn verbs() -> impl Iterator<Item = &'static Verb> {
    COMMANDS.iter().flat_map(|entry| match entry {
        Entry::Noun { verbs, .. } => *verbs,
        Entry::Verb(verb) => std::slice::from_ref(verb),
    })
}

/// The operations that a verb asks for: two, where a token's holder may be of either kind.
fn of(verb: &Verb) -> Vec<String> {
    let (method, path) = verb.request;
    let holders: &[&str] =
        if path.contains("{holder}") { &["users/{}", "service-accounts/{}"] } else { &[""] };
    let paths = holders.iter().map(|holder| unnamed(&path.replace("{holder}", holder)));
    paths.map(|path| format!("{} {path}", method.as_str())).collect()
}

/// The fields of its request that a verb can give.
fn given(verb: &'static Verb) -> Vec<&'static str> {
    let inputs = verb.takes().flat_map(fields);
    inputs.chain(verb.sends.iter().map(|(field, _)| *field)).collect()
}

/// What an input is called in the request.
fn fields(input: &Input) -> Vec<&'static str> {
    match input.kind {
        Kind::Expiry => vec!["expires_in", "expires_at"],
        Kind::Lines => vec![],
        _ => vec![input.field],
    }
}

/// What is wrong with a verb.
fn faults(api: &Value, verb: &Verb, operation: &Value) -> Vec<String> {
    let (method, path) = verb.request;
    let parameters = operation["parameters"].as_array();
    let query = |field: &str| {
        let named = |parameter: &&Value| parameter["in"] == "query" && parameter["name"] == field;
        parameters.is_some_and(|all| all.iter().any(|parameter| named(&parameter)))
    };
    let body = properties(api, &operation["requestBody"]["content"]["application/json"]["schema"]);
    let in_path = |input: &&Input| path.contains(&format!("{{{}}}", input.name));
    let mut faults = Vec::new();
    let sent = verb.takes().filter(|input| !matches!(input.place, Place::Command | Place::Holder));
    for input in sent.filter(|input| !in_path(input)) {
        let in_query =
            matches!(method, Method::Get | Method::Delete) || input.place == Place::Query;
        for field in fields(input) {
            if !(if in_query { query(field) } else { body.contains_key(field) }) {
                faults.push(format!("takes no `{field}`"));
            }
        }
    }
    if let Some((field, _)) = verb.sends.filter(|(field, _)| !body.contains_key(*field)) {
        faults.push(format!("takes no `{field}`"));
    }
    let mut answer = answered(api, operation);
    let shown = match verb.shows {
        Shows::Fields(fields) => fields,
        Shows::Rows(fields) => {
            answer = properties(api, &answer["items"]["items"]);
            fields
        }
        _ => &[],
    };
    // A column of its own, made of two.
    let there = |field: &str| field == "change" || answer.contains_key(field);
    for field in shown.iter().filter(|field| !there(field)) {
        faults.push(format!("answers no `{field}`"));
    }
    faults
}

/// What an operation takes and no command gives.
fn unreachable(api: &Value, operations: &BTreeMap<String, &Value>) -> Vec<String> {
    // Pages and proofs are the commands' own matter.
    const OWN: [&str; 3] = ["cursor", "limit", "wait"];
    let mut missing = Vec::new();
    for (name, operation) in operations.iter().filter(|(name, _)| !OTHERS.contains(&name.as_str()))
    {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let query = parameters.filter(|parameter| parameter["in"] == "query");
        let query = query.filter_map(|parameter| parameter["name"].as_str()).map(str::to_owned);
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let body = properties(api, body).into_keys();
        let verbs = verbs().filter(|verb| of(verb).contains(name));
        let given: Vec<&str> = verbs.flat_map(given).collect();
        for field in query.chain(body).filter(|field| !OWN.contains(&field.as_str())) {
            if !given.contains(&field.as_str()) {
                missing.push(format!("no command gives `{field}` of {name}"));
            }
        }
    }
    missing
}

#[tokio::test]
async fn every_operation_has_its_command_and_every_command_its_operation() {
    let api = description().await;
    let operations = operations(&api);
    let mut left: Vec<&String> = operations.keys().collect();
    left.retain(|operation| !OTHERS.contains(&operation.as_str()));
    let mut wrong = Vec::new();
    for verb in verbs() {
        for operation in of(verb) {
            left.retain(|other| **other != operation);
            match operations.get(&operation) {
                Some(described) => {
                    let faults = faults(&api, verb, described);
                    wrong.extend(faults.iter().map(|fault| format!("{operation} {fault}")));
                }
                None => wrong.push(format!("{operation} is not there")),
            }
        }
    }
    wrong.extend(unreachable(&api, &operations));
    wrong.extend(left.iter().map(|operation| format!("no command for {operation}")));
    wrong.dedup();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
