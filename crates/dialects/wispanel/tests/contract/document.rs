//! The served document and the contract rows behind it.

use crate::world::{Who, worlds};
use pressroom_dialect_wispanel::routes;

#[test]
fn every_path_belongs_to_a_row() {
    let table = routes::table();
    let covered: Vec<String> = table
        .coverage()
        .map(|(row, method, path)| format!("{row} {method} {path}"))
        .collect();
    insta::assert_snapshot!("coverage", covered.join("\n"));
}

#[tokio::test]
async fn the_document_describes_what_is_served() {
    worlds(async |world| {
        let reply = world.get(Who::Nobody, "/openapi.json").await;
        assert_eq!(reply.status, 200);
        let paths = reply.body["paths"].as_object().expect("paths");
        let table = routes::table();
        let mut operations = std::collections::BTreeSet::new();
        for route in table.routes() {
            let method = route.method.as_str().to_lowercase();
            let operation = &paths[route.path][&method];
            let id = operation["operationId"].as_str().unwrap_or_default();
            assert!(
                id == route.row || id == format!("{}-{method}", route.row),
                "{id}"
            );
            assert!(operations.insert(id.to_owned()), "{id} is there twice");
            assert!(
                !operation["summary"].as_str().unwrap_or("").is_empty(),
                "{}",
                route.row
            );
        }
        let installation = &reply.body["components"]["schemas"]["InstallationOut"];
        let members = installation["properties"].as_object().expect("members");
        assert_eq!(members.len(), 14);
        assert_eq!(installation["required"].as_array().map(Vec::len), Some(14));
        assert_every_reference_resolves(&reply.text, &reply.body);
        assert_no_answer_is_of_two_shapes(&reply.body);
    })
    .await;
}

fn assert_every_reference_resolves(text: &str, document: &serde_json::Value) {
    for rest in text.split("\"$ref\":\"#").skip(1) {
        let pointer = rest.split('"').next().unwrap_or_default();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

/// `oneOf` promises exactly one: a client that tries them in turn must not take one shape
/// for another.
fn assert_no_answer_is_of_two_shapes(document: &serde_json::Value) {
    let schemas = document["components"]["schemas"]
        .as_object()
        .expect("schemas");
    let mut unions = 0;
    for (name, schema) in schemas {
        let shapes: Vec<&serde_json::Value> = schema["oneOf"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|shape| resolved(document, shape))
            .collect();
        unions += usize::from(!shapes.is_empty());
        for (at, one) in shapes.iter().enumerate() {
            for other in shapes.iter().skip(at + 1) {
                assert!(
                    has_what_is_foreign_to(one, other) || has_what_is_foreign_to(other, one),
                    "{name}: one answer may be of two of its shapes:\n{one:#}\n{other:#}"
                );
            }
        }
    }
    assert!(unions > 0, "no union was looked at");
}

/// Whether every `one` has a member that no `other` has.
fn has_what_is_foreign_to(one: &serde_json::Value, other: &serde_json::Value) -> bool {
    other["additionalProperties"] == false
        && one["required"].as_array().is_some_and(|required| {
            required
                .iter()
                .filter_map(serde_json::Value::as_str)
                .any(|member| other["properties"].get(member).is_none())
        })
}

fn resolved<'a>(
    document: &'a serde_json::Value,
    shape: &'a serde_json::Value,
) -> &'a serde_json::Value {
    shape["$ref"]
        .as_str()
        .and_then(|reference| document.pointer(reference.strip_prefix('#')?))
        .unwrap_or(shape)
}
