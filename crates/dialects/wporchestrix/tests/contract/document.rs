//! The served document and the contract rows behind it.

use crate::world::worlds;
use pressroom_dialect_http::Access;
use pressroom_dialect_wporchestrix::routes;
use reqwest::Method;

#[test]
fn every_path_belongs_to_a_row() {
    let table = routes::documented();
    let covered: Vec<String> = table
        .coverage()
        .map(|(row, method, path)| format!("{row} {method} {path}"))
        .collect();
    insta::assert_snapshot!(covered.join("\n"), @r"
    openapi GET /api/v1/wporchestrix/openapi.json
    W01 POST /api/v1/auth
    W02 DELETE /api/v1/auth
    W03 POST /api/v1/jwt
    W04 POST /api/v1/jwt/refresh
    W05 POST /api/v1/jwt/revoke
    W06 GET /api/v1/sites
    W07 GET /api/v1/sites/{id}
    W08 POST /api/v1/sites
    W09 PATCH /api/v1/sites/{id}
    W09 PUT /api/v1/sites/{id}
    W10 DELETE /api/v1/sites/{id}
    connector GET /api/v1/wporchestrix/connector
    W11 GET /api/v1/sites/{site_id}/health_checks
    W12 GET /api/v1/sites/{site_id}/health_checks/{id}
    W13 GET /api/v1/sites/{site_id}/snapshots
    W14 GET /api/v1/sites/{site_id}/snapshots/{id}
    W15 POST /api/v1/sites/{site_id}/snapshots
    W16 DELETE /api/v1/sites/{site_id}/snapshots/{id}
    W17 PUT /api/v1/sites/{site_id}/snapshots/{id}/upload
    W18 GET /api/v1/sites/{site_id}/upgrade_pipelines
    W19 GET /api/v1/sites/{site_id}/upgrade_pipelines/{id}
    W20 POST /api/v1/sites/{site_id}/upgrade_pipelines
    W21 POST /api/v1/sites/{site_id}/upgrade_pipelines/{id}/approve
    W25 GET /api/v1/activity_logs
    W26 GET /api/v1/webhook_endpoints
    W27 GET /api/v1/webhook_endpoints/{id}
    W28 POST /api/v1/webhook_endpoints
    W29 PATCH /api/v1/webhook_endpoints/{id}
    W30 DELETE /api/v1/webhook_endpoints/{id}
    W31 GET /api/v1/me
    W32 GET /api/v1/accounts
    W33 GET /api/v1/accounts/{id}
    W34 GET /api/v1/users
    ");
}

#[tokio::test]
async fn the_document_describes_what_is_served() {
    worlds(async |world| {
        let path = "/wporchestrix/openapi.json";
        let reply = world.send(Method::GET, path, &[], None).await;
        assert_eq!(reply.status, 200);
        let served = world.test.hosting.http_addr();
        assert!(served.is_err(), "no site is served here");
        let document = &reply.body;
        let version = document["openapi"].as_str().expect("a version");
        assert!(version.starts_with("3.1"), "{version}");
        for route in routes::documented().routes() {
            let method = route.method.as_str().to_lowercase();
            let operation = &document["paths"][route.path][&method];
            // One row is served by two methods, whose operations must differ.
            let id = match route.method {
                Method::PUT if route.row == "W09" => format!("{}-put", route.row),
                _ => route.row.to_owned(),
            };
            assert_eq!(operation["operationId"], id);
            // What a stream says cannot be compared before it was read.
            let changes = !matches!(route.method, Method::GET)
                && route.access != Access::Public
                && !route.streams();
            let parameters = operation["parameters"].as_array();
            let heeds_keys = parameters
                .is_some_and(|all| all.iter().any(|one| one["name"] == "Idempotency-Key"));
            assert_eq!(heeds_keys, changes, "{}", route.row);
            assert!(
                operation["summary"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty())
            );
            let schemes = operation["security"].as_array().map_or(0, Vec::len);
            let expected = if route.access == Access::Public { 0 } else { 2 };
            assert_eq!(schemes, expected, "{}", route.row);
            for status in ["401", "422", "429"] {
                assert!(
                    operation["responses"].get(status).is_some(),
                    "{}",
                    route.row
                );
            }
        }
        for rest in reply.text.split("\"$ref\":\"#").skip(1) {
            let pointer = rest.split('"').next().unwrap_or_default();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    })
    .await;
}
