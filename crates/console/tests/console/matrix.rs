//! Every route × everybody × own, foreign and unknown things, from the route table.

use crate::world::{CSRF, Reply, Site, Who, World};
use axum::http::{Method, StatusCode};
use pressroom_console::routes::{Auth, ROUTES, Route};
use pressroom_fleet::{authorize::Action, principal::Role};

/// Whose thing an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Own,
    Foreign,
    Unknown,
}

/// What should come of it.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    SignIn,
    Missing,
    Forbidden,
    Let,
}

fn path(route: &Route, world: &World, of: Of) -> String {
    let fill = |site: &Site| {
        let id = if route.path.starts_with("/sites/") {
            site.environment.id.to_string()
        } else if route.path.starts_with("/people/") {
            site.environment.account_id.to_string()
        } else if route.path.starts_with("/pipelines/") {
            site.update.id.clone()
        } else {
            site.job.clone()
        };
        route
            .path
            .replace("{id}", &id)
            .replace("{snapshot}", &site.snapshot)
            .replace("{picture}", &site.update.picture)
    };
    match of {
        Of::Own => fill(&world.own),
        Of::Foreign => fill(&world.foreign),
        Of::Unknown if route.path.starts_with("/pipelines/") => {
            route.path.replace("{id}", "pipe_zzzzzzzzzzzzzzzzzzzz")
        }
        Of::Unknown if !route.path.starts_with("/jobs/") => route.path.replace("{id}", "999999"),
        Of::Unknown => route.path.replace("{id}", "job_zzzzzzzzzzzz"),
    }
    .replace("{*path}", "console.css")
    .replace("{snapshot}", "zzzzzzzzzzzzzzzz")
    .replace("{picture}", "zzzzzzzzzzzzzzzzzzzz")
}

fn expected(route: &Route, who: Who, of: Of) -> Fate {
    let has_id = route.path.contains("{id}");
    let least = route.action.and_then(Action::least_role);
    let weaker = |role: Role| least.is_some_and(|least| role < least);
    match (who, of) {
        // Somebody is known already, and no link was made.
        _ if route.path.contains("{secret}") => Fate::Missing,
        _ if route.auth == Auth::Public => Fate::Let,
        (Who::Nobody | Who::Stale, _) => Fate::SignIn,
        _ if !has_id => Fate::Let,
        (_, Of::Unknown) | (Who::Foreigner, Of::Own) | (Who::Viewer | Who::Member, Of::Foreign) => {
            Fate::Missing
        }
        (Who::Viewer, Of::Own) if weaker(Role::Viewer) => Fate::Forbidden,
        (Who::Member, Of::Own) if weaker(Role::Member) => Fate::Forbidden,
        _ => Fate::Let,
    }
}

fn fate(reply: &Reply) -> Fate {
    let location = reply.header("location");
    match reply.status {
        StatusCode::UNAUTHORIZED => Fate::SignIn,
        StatusCode::SEE_OTHER if location.starts_with("/sign-in") => Fate::SignIn,
        StatusCode::NOT_FOUND => Fate::Missing,
        StatusCode::FORBIDDEN => Fate::Forbidden,
        // A job is at work on each site, and no site answers: what is permitted ends there.
        StatusCode::OK | StatusCode::SEE_OTHER | StatusCode::CONFLICT | StatusCode::BAD_GATEWAY => {
            Fate::Let
        }
        status => panic!("{status}: {}", reply.text),
    }
}

fn protected(reply: &Reply) -> bool {
    reply
        .header("content-security-policy")
        .contains("script-src 'self'; style-src 'self'")
        && reply.header("x-content-type-options") == "nosniff"
        && reply.header("referrer-policy") == "same-origin"
}

#[tokio::test]
async fn every_route_for_everybody() {
    let world = World::new().await;
    let form = format!(
        "csrf={CSRF}&kind=plugin&slug=sample&email=new%40example.com&role=viewer\
         &update=plugin%3Asample&snapshot=yes&seen=none"
    );
    for route in ROUTES {
        // These lead to the entrance whoever asks.
        if ["/", "/sign-in", "/sign-out"].contains(&route.path) {
            continue;
        }
        for of in [Of::Own, Of::Foreign, Of::Unknown] {
            for who in Who::ALL {
                let path = path(route, &world, of);
                let reply = world.ask(who, &route.method, &path, &form).await;
                let case = format!("{who:?}: {} {path}", route.method);
                assert_eq!(fate(&reply), expected(route, who, of), "{case}");
                assert!(protected(&reply), "{case}: {:?}", reply.headers);
            }
        }
    }
}

#[tokio::test]
async fn foreign_things_look_like_none() {
    let world = World::new().await;
    for route in ROUTES.iter().filter(|route| route.path.contains("{id}")) {
        let form = format!("csrf={CSRF}");
        let [foreign, unknown] = [Of::Foreign, Of::Unknown].map(|of| path(route, &world, of));
        let foreign = world.ask(Who::Member, &route.method, &foreign, &form).await;
        let unknown = world.ask(Who::Member, &route.method, &unknown, &form).await;
        assert_eq!(foreign.text, unknown.text, "{}", route.path);
        assert_eq!(foreign.headers, unknown.headers, "{}", route.path);
    }
}

#[tokio::test]
async fn no_form_is_taken_without_token_and_origin() {
    let world = World::new().await;
    let cookie = world.session(Who::Operator).await.expect("a session");
    let cookie = format!("pressroom_session={cookie}");
    let ours = ("sec-fetch-site", "same-origin");
    let with_token = format!("csrf={CSRF}&kind=plugin");
    for route in ROUTES.iter().filter(|route| route.method == Method::POST) {
        let path = path(route, &world, Of::Own);
        for (headers, form) in [
            (vec![("cookie", cookie.as_str())], with_token.as_str()),
            (
                vec![
                    ("cookie", cookie.as_str()),
                    ("sec-fetch-site", "cross-site"),
                ],
                with_token.as_str(),
            ),
            (
                vec![
                    ("cookie", cookie.as_str()),
                    ("origin", "https://evil.example"),
                ],
                with_token.as_str(),
            ),
            (vec![("cookie", cookie.as_str()), ours], ""),
            (
                vec![("cookie", cookie.as_str()), ours],
                "csrf=0123456789abcdee",
            ),
            (vec![("cookie", cookie.as_str()), ours], "csrf=%FF"),
        ] {
            // Whoever signs in, or is the first, has no token yet.
            if route.auth == Auth::Public && headers.contains(&ours) {
                continue;
            }
            let reply = world.post(&path, &headers, form).await;
            assert_eq!(
                reply.status,
                StatusCode::FORBIDDEN,
                "{path} {headers:?} {form}"
            );
            assert!(protected(&reply));
        }
        let huge = format!("{with_token}&x={}", "x".repeat(70_000));
        let reply = world
            .post(&path, &[("cookie", cookie.as_str()), ours], &huge)
            .await;
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
    assert_eq!(
        world.get(Who::Operator, "/fleet").await.status,
        StatusCode::OK
    );
}
