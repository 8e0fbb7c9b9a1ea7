//! Every route × everybody who could call × own, foreign and unknown things. What is
//! expected follows from the action and target that the route declares.

use crate::world::{Site, Who, World, running_job, worlds};
use pressroom_dialect_http::{Access, Place, Route, Target};
use pressroom_dialect_wispanel::routes;
use pressroom_fleet::principal::Role;
use reqwest::Method;
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    Foreign,
    Unknown,
}

const WHOSE: [Whose; 3] = [Whose::Own, Whose::Foreign, Whose::Unknown];

/// What a route answers to somebody who may, with a body that leads no further than
/// that. A row that is missing here fails the test: nobody has thought about it.
fn permitted(row: &str) -> Option<(u16, Value)> {
    Some(match row {
        "openapi" | "T01" | "T02" | "T03" | "T04" | "T15" | "T21" | "T32" => (200, Value::Null),
        "T05" => (400, json!({ "path": "..", "db_name": "x" })),
        "T13" => (422, json!({ "redirect": "https://else.example/" })),
        "T09" => (400, json!({})),
        "T12" => (422, json!({ "username": "ops", "email": "nobody" })),
        "T14" => (422, json!({ "username": "ops", "password": "short" })),
        // Somebody works on every site here.
        "T11" => (409, Value::Null),
        "T30" | "T37" | "T38" | "T40" => (409, json!({})),
        "T33" => (400, json!({ "note": "x".repeat(201) })),
        "T06" | "T34" => (400, Value::Null),
        // There is no agent here to look at or update anything with.
        "T10" => (
            502,
            json!({ "search": "cat", "replace": "dog", "dry_run": true }),
        ),
        "T07" | "T08" | "T27" | "T35" | "T36" => (502, Value::Null),
        "T28" | "T29" => (400, json!({ "type": "browser" })),
        "T31" => (422, json!({ "url": "nowhere" })),
        "T39" => (422, json!({ "slug": "wp-login" })),
        "T16" | "T17" | "T18" | "T19" | "T20" => (502, json!({ "plugin": "akismet" })),
        "T22" | "T23" | "T24" | "T25" | "T26" => (502, json!({ "theme": "twentytwentyfour" })),
        "S6" => (201, json!({ "name": "another" })),
        _ => return None,
    })
}

#[tokio::test]
async fn every_route_permits_and_refuses_as_declared() {
    worlds(async |world| {
        for site in [&world.own, &world.foreign] {
            running_job(&world.test.store, &site.environment, "site_install").await;
        }
        let table = routes::table();
        let mut wrong = Vec::new();
        let mut tried = 0;
        for route in table.routes() {
            let (status, body) = permitted(row(route))
                .unwrap_or_else(|| panic!("row {} has no expectation in this test", route.row));
            for path in route.paths() {
                for who in Who::ALL {
                    for whose in WHOSE {
                        let expected = expected(route, who, whose).unwrap_or(status);
                        let got = call(&world, route, path, who, whose, &body).await;
                        tried += 1;
                        if got != expected {
                            wrong.push(format!(
                                "{} {path} {who:?} {whose:?}: {got}, not {expected}",
                                route.row
                            ));
                        }
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(
            tried,
            table.coverage().count() * Who::ALL.len() * WHOSE.len()
        );
    })
    .await;
}

#[test]
fn a_route_without_an_expectation_is_noticed() {
    assert!(permitted("T99").is_none());
}

fn row(route: &Route) -> &'static str {
    route.row
}

/// The status of a refusal; `None` when it is permitted.
fn expected(route: &Route, who: Who, whose: Whose) -> Option<u16> {
    let Access::Granted(action) = route.access else {
        return None;
    };
    let (scoped, roles) = match who {
        Who::Nobody | Who::UnknownKey | Who::ExpiredKey | Who::DisabledKey => return Some(401),
        Who::ScopedElsewhere => return Some(403),
        Who::ReadOnly => (action.is_read(), [Some(Role::Member), None]),
        Who::Member => (true, [Some(Role::Member), None]),
        Who::Viewer => (true, [Some(Role::Viewer), None]),
        Who::Foreigner => (true, [None, Some(Role::Owner)]),
        Who::Operator => (true, [Some(Role::Owner), Some(Role::Owner)]),
    };
    if !scoped {
        return Some(403);
    }
    if matches!(route.target, Target::Nothing | Target::OwnList) {
        return None;
    }
    if matches!(route.target, Target::Person(_)) {
        // One's own, and for an operator anybody's.
        return match whose {
            Whose::Own => None,
            Whose::Foreign if who == Who::Operator => None,
            Whose::Foreign | Whose::Unknown => Some(404),
        };
    }
    let role = match whose {
        Whose::Own => roles[0],
        Whose::Foreign => roles[1],
        Whose::Unknown => None,
    };
    match (role, action.least_role()) {
        (None, _) => Some(404),
        (Some(role), Some(least)) if role >= least => None,
        (Some(_), _) => Some(403),
    }
}

async fn call(
    world: &World,
    route: &Route,
    path: &str,
    who: Who,
    whose: Whose,
    body: &Value,
) -> u16 {
    let (mut path, mut body) = (path.to_owned(), body.clone());
    let site = match whose {
        Whose::Own => Some(&world.own),
        Whose::Foreign => Some(&world.foreign),
        Whose::Unknown => None,
    };
    if let Some((place, name)) =
        person(route.target, who, whose).or_else(|| named(route.target, site))
    {
        match place {
            Place::Path(param) => path = path.replace(&format!("{{{param}}}"), &name),
            Place::Query(param) => path = format!("{path}?{param}={name}"),
            Place::Body(member) => body[member] = name.into(),
        }
    }
    let method = Method::from_bytes(route.method.as_str().as_bytes()).expect("a method");
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    world.send(who, method, &path, &body).await.status
}

/// Somebody as seen by a caller.
fn person(target: Target, who: Who, whose: Whose) -> Option<(Place, String)> {
    let Target::Person(place) = target else {
        return None;
    };
    let name = match (whose, who) {
        (Whose::Unknown, _) => "nobody@example.com",
        (Whose::Foreign, Who::Foreigner) => "mia@example.com",
        (Whose::Foreign, _) | (Whose::Own, Who::Foreigner) => "fred@example.com",
        (Whose::Own, Who::Viewer) => "vic@example.com",
        (Whose::Own, Who::Operator) => "olga@example.com",
        (Whose::Own, _) => "mia@example.com",
    };
    Some((place, name.to_owned()))
}

fn named(target: Target, site: Option<&Site>) -> Option<(Place, String)> {
    let or = |known: Option<String>, unknown: &str| known.unwrap_or_else(|| unknown.to_owned());
    match target {
        Target::Nothing | Target::OwnList | Target::Person(_) => None,
        Target::Installation(place) => {
            let known = site.map(|site| site.environment.panel_id.clone());
            Some((place, or(known, "wp_000000000")))
        }
        Target::Job(place) => Some((
            place,
            or(site.map(|site| site.job.clone()), "job_000000000000"),
        )),
        Target::Domain(place) => Some((
            place,
            or(site.map(|site| site.domain.clone()), "unknown.example"),
        )),
    }
}
