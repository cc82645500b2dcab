//! The API's description (OpenAPI): whole, and the same as what is served.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::world::World;

async fn read(w: &World, path: &str) -> (StatusCode, String) {
    let router = control::api::router(w.control.clone());
    let response = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn description() -> (World, control::testing::TestDatabase, Value) {
    let database = control::testing::TestDatabase::sqlite();
    let w = World::new(&database).await;
    let (status, text) = read(&w, "/api/v1/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    let api = serde_json::from_str(&text).unwrap();
    (w, database, api)
}

/// Every operation: method, path, declaration.
fn operations(api: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = api["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(|(method, it)| (method.as_str(), path.as_str(), it))
    });
    all.collect()
}

#[tokio::test]
async fn every_operation_has_an_id_a_summary_and_its_problems() {
    let (_w, _database, api) = description().await;
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = std::collections::HashSet::new();
    for (method, path, operation) in operations(&api) {
        let at = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{at}: id given twice");
        assert!(operation["summary"].is_string(), "{at}: no summary");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
            let is_problem = problem == "#/components/schemas/Problem";
            assert_eq!(is_problem, status.as_str() >= "400", "{at}: {status}");
        }
    }
}

#[tokio::test]
async fn bodies_refuse_unknown_fields_in_the_description_too() {
    let (_w, _database, api) = description().await;
    for (method, path, operation) in operations(&api) {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(reference) = body.as_str() else { continue };
        let schema = api.pointer(reference.trim_start_matches('#')).unwrap();
        assert_eq!(schema["additionalProperties"], false, "{method} {path}: {reference}");
    }
}

#[tokio::test]
async fn every_reference_leads_to_a_schema() {
    let (_w, _database, api) = description().await;
    fn check(api: &Value, value: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    let found = api.pointer(reference.trim_start_matches('#'));
                    assert!(found.is_some(), "{reference}");
                }
                members.values().for_each(|value| check(api, value));
            }
            Value::Array(items) => items.iter().for_each(|value| check(api, value)),
            _ => {}
        }
    }
    check(&api, &api);
}

#[tokio::test]
async fn the_page_shows_every_operation_and_asks_no_other_host() {
    let (w, _database, api) = description().await;
    let (status, page) = read(&w, "/api/docs").await;
    assert_eq!(status, StatusCode::OK);
    for (_, path, operation) in operations(&api) {
        assert!(page.contains(&format!("<code>{path}</code>")), "{path}");
        assert!(page.contains(operation["summary"].as_str().unwrap()), "{path}");
    }
    assert!(!page.contains("//"), "a page of our own names no other host");
    assert_eq!(read(&w, "/api/docs/style.css").await.0, StatusCode::OK);
}
