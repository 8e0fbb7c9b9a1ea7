//! The rule as a table, and every combination of what it goes by.

use super::*;
use axum::http::HeaderValue;

const UUID: &str = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";
const PLACEHOLDER: &str = "t1t2t3t4-t5t6-7890-tttt-tttttttttttt";

fn asked(
    method: &str,
    target: &str,
    headers: &[(&'static str, &str)],
    bound: Option<&str>,
) -> Pick {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).expect("a value"));
    }
    pick(&Asked {
        method: &method,
        path,
        query,
        headers: &map,
        bound,
    })
}

#[test]
fn paths_have_their_owners_whatever_comes_along() {
    let rows = [
        ("GET", "/api/v1/wordpress", WISPANEL),
        ("POST", "/api/v1/wordpress/plugins/update", WISPANEL),
        ("POST", "/api/v1/users/ana/api-keys/", WISPANEL),
        ("POST", "/api/v1/auth", WPORCHESTRIX),
        ("DELETE", "/api/v1/auth/", WPORCHESTRIX),
        ("POST", "/api/v1/jwt", WPORCHESTRIX),
        ("POST", "/api/v1/jwt/refresh", WPORCHESTRIX),
        ("PATCH", "/api/v1/sites/site_a", WPORCHESTRIX),
        ("PUT", "/api/v1/sites/site_a", WPORCHESTRIX),
        ("GET", "/api/v1/sites/x/health_checks", WPORCHESTRIX),
        ("PUT", "/api/v1/sites/x/snapshots/y/upload", WPORCHESTRIX),
        (
            "POST",
            "/api/v1/sites/x/upgrade_pipelines/y/approve",
            WPORCHESTRIX,
        ),
        (
            "GET",
            "/api/v1/sites/x/vulnerability_records/y",
            WPORCHESTRIX,
        ),
        ("GET", "/api/v1/activity_logs", WPORCHESTRIX),
        ("POST", "/api/v1/webhook_endpoints", WPORCHESTRIX),
        ("GET", "/api/v1/accounts/acct_x", WPORCHESTRIX),
        ("GET", "/api/v1/users", WPORCHESTRIX),
        ("HEAD", "/api/v1/users", WPORCHESTRIX),
        ("POST", "/api/v1/users", MAPLEPRESS),
        ("GET", "/api/v1/users/7", MAPLEPRESS),
        ("GET", "/health", MAPLEPRESS),
        ("POST", "/api/v1/register", MAPLEPRESS),
        ("POST", "/api/v1/login", MAPLEPRESS),
        ("POST", "/api/v1/refresh", MAPLEPRESS),
        ("POST", "/api/v1/hello", MAPLEPRESS),
        ("GET", "/api/v1/tenants/slug/x", MAPLEPRESS),
        ("POST", "/api/v1/sites/x/rotate-api-key", MAPLEPRESS),
        ("POST", "/api/v1/sites/x/verify", MAPLEPRESS),
        ("GET", "/api/v1/plugin/status", MAPLEPRESS),
        ("GET", "/hosting/user/7/view", PATCHSTACK),
        ("GET", "/sso/abc", PATCHSTACK),
        ("POST", "/oauth/token", PATCHSTACK),
        ("POST", "/api/get-rules", PATCHSTACK),
        ("GET", "/wp-json/captaincore/v1/sites", CAPTAINCORE),
    ];
    for (method, path, owner) in rows {
        for headers in [
            &[][..],
            &[("authorization", "JWT x")],
            &[("authorization", "token x")],
            &[("accept", "application/problem+json")],
        ] {
            for bound in [None, Some(WPORCHESTRIX), Some(MAPLEPRESS)] {
                let picked = asked(method, path, headers, bound);
                let owned = Pick {
                    dialect: Some(owner),
                    path: Known::Owned,
                };
                assert_eq!(picked, owned, "{method} {path}");
            }
        }
    }
    for path in [
        "/api/v1",
        "/api/v1/wordpressy",
        "/api/v1/users//api-keys",
        "/api/v1/users/ana/api-keys/7",
        "/api/v1/sites/x/y",
        "/api/v1/sites//x",
        "/api/v1/authy",
    ] {
        let picked = asked("GET", path, &[], None);
        assert_eq!(picked.dialect, None, "{path}");
        assert_eq!(picked.path, Known::Unknown, "{path}");
    }
}

/// The second step of the rule, as the contract has it.
const CREDENTIALS: [(&[&str], Option<Name>); 19] = [
    (&["token abc"], Some(WPORCHESTRIX)),
    (&["Token token=\"abc\""], Some(WPORCHESTRIX)),
    (&["TOKEN live_sk_x"], Some(WPORCHESTRIX)),
    (&["JWT e30.e30.x"], Some(MAPLEPRESS)),
    (&["jwt x"], Some(MAPLEPRESS)),
    (&["Bearer live_sk_x"], Some(MAPLEPRESS)),
    (&["bearer test_sk_x"], Some(MAPLEPRESS)),
    (&["Bearer e30.e30.x"], Some(WPORCHESTRIX)),
    (&["BEARER anything"], Some(WPORCHESTRIX)),
    (&["Bearer wsp_x"], None),
    (&["Basic YTpi"], None),
    (&["Digest x"], None),
    (&["token"], None),
    (&["token "], None),
    (&["Bearer"], None),
    (&[""], None),
    (&["abc"], None),
    (&["token a", "JWT b"], None),
    (&[], None),
];

/// The third step: what one sees of a request without a usable credential.
const IDS: [(&str, Option<Name>); 6] = [
    ("", None),
    (UUID, Some(MAPLEPRESS)),
    (PLACEHOLDER, Some(MAPLEPRESS)),
    ("site_abc123", Some(WPORCHESTRIX)),
    ("17", None),
    ("a1b2c3d4-e5f6-7890-abcd-ef12345678", None),
];
const QUERIES: [(&str, Option<Name>); 7] = [
    ("", None),
    ("page=2", Some(WPORCHESTRIX)),
    ("q=x&per_page=5", Some(WPORCHESTRIX)),
    ("page_size=5", Some(MAPLEPRESS)),
    ("page_state=", Some(MAPLEPRESS)),
    ("page=2&page_size=5", Some(MAPLEPRESS)),
    ("pages=1", None),
];
type Fields = &'static [(&'static str, &'static str)];
const ACCEPTS: [(Fields, Option<Name>); 6] = [
    (&[], None),
    (&[("accept", "application/json")], None),
    (
        &[("accept", "application/json, Application/Problem+JSON;q=0.5")],
        Some(MAPLEPRESS),
    ),
    (&[("accept", "*/*")], None),
    (&[("x-tenant-id", "1")], Some(MAPLEPRESS)),
    (
        &[("accept", "application/json"), ("x-tenant-id", "")],
        Some(MAPLEPRESS),
    ),
];

#[test]
fn every_combination_of_credential_id_query_and_accept() {
    let mut tried = 0;
    for (credentials, by_scheme) in CREDENTIALS {
        for (id, by_id) in IDS {
            for (query, by_query) in QUERIES {
                for (accept, by_accept) in ACCEPTS {
                    for method in ["GET", "HEAD", "POST", "DELETE"] {
                        let path = if id.is_empty() {
                            "/api/v1/sites".to_owned()
                        } else {
                            format!("/api/v1/sites/{id}")
                        };
                        let mut headers = accept.to_vec();
                        headers.extend(credentials.iter().map(|value| ("authorization", *value)));
                        let picked = asked(method, &format!("{path}?{query}"), &headers, None);
                        let expected = by_scheme.or(by_id).or(by_query).or(by_accept);
                        assert_eq!(
                            picked.dialect, expected,
                            "{method} {path}?{query} {headers:?}"
                        );
                        let is_shared = match method {
                            "GET" | "HEAD" => true,
                            "POST" => id.is_empty(),
                            _ => !id.is_empty(),
                        };
                        assert_eq!(matches!(picked.path, Known::Shared(_)), is_shared);
                        // The host decides before all that.
                        for bound in [WPORCHESTRIX, MAPLEPRESS] {
                            let picked = asked(method, &path, &headers, Some(bound));
                            assert_eq!(picked.dialect, Some(bound));
                        }
                        tried += 1;
                    }
                }
            }
        }
    }
    assert_eq!(
        tried,
        CREDENTIALS.len() * IDS.len() * QUERIES.len() * ACCEPTS.len() * 4
    );
}

#[test]
fn what_nobody_knows_is_decided_in_the_same_way() {
    for path in ["/api/v1/nothing", "/api/v1", "/api/v1/sites/x/other"] {
        for (credentials, by_scheme) in CREDENTIALS {
            let headers: Vec<_> = credentials
                .iter()
                .map(|value| ("authorization", *value))
                .collect();
            let picked = asked("GET", path, &headers, None);
            assert_eq!(picked.dialect, by_scheme, "{path} {headers:?}");
            assert_eq!(picked.path, Known::Unknown);
        }
    }
    let me = asked("GET", "/api/v1/me/", &[("authorization", "token x")], None);
    assert_eq!(me.dialect, Some(WPORCHESTRIX));
    assert!(matches!(me.path, Known::Shared(_)));
    assert_eq!(
        asked("GET", "/api/v1/me", &[], Some("nobody")).dialect,
        None
    );
}
