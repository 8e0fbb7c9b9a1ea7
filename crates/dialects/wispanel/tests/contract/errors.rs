//! §1.1: what is malformed, whatever the route.

use crate::world::{Who, World, assert_error, worlds};
use pressroom_dialect_http::{Access, Route};
use pressroom_dialect_wispanel::routes;
use pressroom_testkit::api::Reply;
use reqwest::Method;
use serde_json::{Value, json};

fn acting() -> Vec<Route> {
    let table = routes::table();
    table
        .routes()
        .iter()
        .filter(|route| route.writes())
        .cloned()
        .collect()
}

#[tokio::test]
async fn s1_1_bodies_that_are_no_objects() {
    worlds(async |world| {
        for route in acting() {
            for body in [
                "{",
                "nope",
                "{\"id\":}",
                "{}{}",
                "\u{feff}{}",
                "{\"a\":\"\\ud800\"}",
            ] {
                let reply = world
                    .send(Who::Member, Method::POST, route.path, body)
                    .await;
                assert_error(&reply, 400, "VALIDATION_ERROR", "Invalid JSON");
            }
            for body in ["[]", "null", "\"x\"", "1"] {
                let reply = world
                    .send(Who::Member, Method::POST, route.path, body)
                    .await;
                let text = "The request body must be a JSON object";
                assert_error(&reply, 400, "VALIDATION_ERROR", text);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn s1_1_bodies_that_are_too_deep_or_too_long() {
    worlds(async |world| {
        for route in acting() {
            let deep = format!("{{\"x\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
            let reply = world
                .send(Who::Member, Method::POST, route.path, &deep)
                .await;
            assert_error(&reply, 400, "VALIDATION_ERROR", "Invalid JSON");
            let long = format!("{{\"x\":\"{}\"}}", "x".repeat(route.body_limit));
            let reply = world
                .send(Who::Nobody, Method::POST, route.path, &long)
                .await;
            let text = format!("Request body is larger than {} bytes", route.body_limit);
            assert_error(&reply, 413, "VALIDATION_ERROR", &text);
        }
    })
    .await;
}

#[tokio::test]
async fn s1_1_nul_characters_and_members_given_twice() {
    worlds(async |world| {
        for route in acting() {
            let reply = world
                .send(
                    Who::Member,
                    Method::POST,
                    route.path,
                    r#"{"x":{"y":["a\u0000"]}}"#,
                )
                .await;
            let text = "Invalid value for `x.y[0]`: contains a NUL character";
            assert_error(&reply, 400, "VALIDATION_ERROR", text);
        }
        let twice = r#"{"id":"wp_000000000","id":"wp_111111111"}"#;
        let reply = world
            .send(Who::Member, Method::POST, "/auto-login", twice)
            .await;
        let text = "Invalid value for `id`: given more than once";
        assert_error(&reply, 400, "VALIDATION_ERROR", text);
    })
    .await;
}

/// Every member that the served document names is sent with every type that it is not.
#[tokio::test]
async fn s1_1_members_of_the_wrong_type_are_named() {
    worlds(async |world| {
        let document = world.get(Who::Nobody, "/openapi.json").await.body;
        let mut tried = 0;
        for route in acting() {
            for (member, types) in members(&document, route.path) {
                for (kind, value) in wrong(&types) {
                    let reply = world
                        .post(Who::Member, route.path, &json!({ &member: value }))
                        .await;
                    assert_names(&reply, &member, &format!("{} {member} {kind}", route.row));
                    tried += 1;
                }
            }
        }
        assert!(tried > 60, "only {tried} members were tried");
    })
    .await;
}

#[track_caller]
fn assert_names(reply: &Reply, member: &str, what: &str) {
    assert_eq!(reply.status, 400, "{what}: {}", reply.text);
    let error = reply.body["error"].as_str().expect("a text");
    let begins = format!("Invalid value for `{member}");
    assert!(error.starts_with(&begins), "{what}: {error}");
    assert!(
        !error.contains("hunter2"),
        "{what}: the value is not repeated"
    );
}

/// The members of a route's body with their JSON types.
fn members(document: &Value, path: &str) -> Vec<(String, Vec<String>)> {
    let body = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"];
    let reference = body["schema"]["$ref"].as_str().expect("a named schema");
    let name = reference.rsplit('/').next().expect("a name");
    let properties = &document["components"]["schemas"][name]["properties"];
    let properties = properties.as_object().expect("an object's members");
    properties
        .iter()
        .map(|(member, schema)| {
            let types = match &schema["type"] {
                Value::String(one) => vec![one.clone()],
                Value::Array(all) => all
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
                other => panic!("{member} has no type: {other}"),
            };
            (member.clone(), types)
        })
        .collect()
}

fn wrong(types: &[String]) -> Vec<(&'static str, Value)> {
    let all = [
        ("string", json!("hunter2")),
        ("number", json!(4711)),
        ("boolean", json!(true)),
        ("array", json!([{ "hunter2": 1 }])),
        ("object", json!({ "hunter2": "hunter2" })),
    ];
    let fits = |kind: &str| {
        let is = |own: &String| own == kind || (own == "integer" && kind == "number");
        types.iter().any(is)
    };
    // An array of the wrong things is wrong too.
    all.into_iter()
        .filter(|(kind, _)| !fits(kind) || *kind == "array")
        .collect()
}

#[tokio::test]
async fn s1_1_every_route_that_acts_or_names_something_asks_for_it() {
    worlds(async |world| {
        let table = routes::table();
        for route in table.routes() {
            let expected = match route.row {
                "T05" => r#"Missing fields. Got: domain_name="", path="", db_name="", domain="""#,
                "T03" | "T13" | "T15" | "T19" | "T36" => "Installation ID is required",
                "S6" => "Name is required",
                _ => continue,
            };
            for body in ["", "{}", r#"{"unknown":1}"#] {
                let reply = world
                    .send(Who::Member, route.method.clone(), route.path, body)
                    .await;
                assert_error(&reply, 400, "VALIDATION_ERROR", expected);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn s1_1_a_broken_store_is_told_by_its_reference_only() {
    let fleet = crate::fleet::TestFleet::sqlite().await;
    let world = World::new(fleet, crate::world::generous()).await;
    world.test.store.close().await.expect("closed");
    let reply = world.get(Who::Member, "/installations").await;
    let reference = reply.header("x-request-id").expect("a reference");
    let text = format!("Internal server error (reference {reference})");
    assert_error(&reply, 500, "INTERNAL_ERROR", &text);
    // What is refused before the store is asked is refused as ever.
    assert_eq!(
        world
            .send(Who::Nobody, Method::OPTIONS, "/install", "")
            .await
            .status,
        204
    );
}

#[test]
fn every_acting_route_needs_a_credential() {
    assert!(
        acting()
            .iter()
            .all(|route| matches!(route.access, Access::Granted(_)))
    );
    assert!(acting().len() >= 3);
}
