//! Signing in and out.

use crate::world::{CSRF, PASSWORD, Reply, Who, World};
use axum::http::StatusCode;
use pressroom_console::ConsoleConfig;

const OURS: (&str, &str) = ("origin", "http://console.example");

async fn sign_in(world: &World, password: &str, next: &str) -> Reply {
    let form = format!("email=MIA%40example.com&password={password}&next={next}");
    let password_in_form = form.replace(' ', "+");
    world.post("/sign-in", &[OURS], &password_in_form).await
}

/// The cookie's pair, without its attributes.
fn cookie(reply: &Reply) -> String {
    let cookie = reply.header("set-cookie");
    cookie.split(';').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_right_password_opens_and_signing_out_closes() {
    let world = World::new().await;
    let reply = sign_in(&world, PASSWORD, "%2Fjobs").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
    assert_eq!(reply.header("location"), "/jobs");
    let attributes = "; Path=/; HttpOnly; SameSite=Lax";
    assert!(reply.header("set-cookie").ends_with(attributes));
    let cookie = cookie(&reply);
    let headers = [("cookie", cookie.as_str()), OURS];

    let page = world
        .send(&axum::http::Method::GET, "/jobs", &headers, "")
        .await;
    assert_eq!(page.status, StatusCode::OK);
    let field = "name=\"csrf\" value=\"";
    let token = page
        .text
        .split(field)
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let token = token.expect("a token in the page");
    assert_ne!(token, CSRF);

    let out = world
        .post("/sign-out", &headers, &format!("csrf={token}"))
        .await;
    assert_eq!(out.header("location"), "/sign-in");
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    let page = world
        .send(&axum::http::Method::GET, "/jobs", &headers, "")
        .await;
    assert_eq!(page.header("location"), "/sign-in?next=%2Fjobs");
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_the_host() {
    let config = ConsoleConfig {
        secure_cookies: true,
    };
    let world = World::with(config).await;
    let reply = sign_in(&world, PASSWORD, "").await;
    assert_eq!(reply.header("location"), "/fleet");
    assert!(
        reply
            .header("set-cookie")
            .starts_with("__Host-pressroom_session=")
    );
    assert!(reply.header("set-cookie").contains("; Secure"));
    let plain = cookie(&reply).replace("__Host-", "");
    let headers = [("cookie", plain.as_str())];
    let page = world
        .send(&axum::http::Method::GET, "/fleet", &headers, "")
        .await;
    assert!(page.header("location").starts_with("/sign-in"));
}

#[tokio::test]
async fn wrong_passwords_are_refused_then_limited() {
    let world = World::new().await;
    for _ in 0..5 {
        let reply = sign_in(&world, "wrong", "%2Fjobs").await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert_eq!(reply.header("set-cookie"), "");
        assert!(
            reply
                .text
                .contains("Email address or password is not right")
        );
        assert!(
            reply.text.contains("value=\"/jobs\""),
            "the destination is kept"
        );
        assert!(
            !reply.text.contains("wrong"),
            "the password is not repeated"
        );
    }
    let reply = sign_in(&world, PASSWORD, "").await;
    assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(reply.text.contains("Too many attempts"));
}

#[tokio::test]
async fn another_sites_form_signs_nobody_in() {
    let world = World::new().await;
    let form = format!(
        "email=mia%40example.com&password={}",
        PASSWORD.replace(' ', "+")
    );
    for headers in [
        &[][..],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        let reply = world.post("/sign-in", headers, &form).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{headers:?}");
        assert_eq!(reply.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn the_root_leads_where_one_belongs() {
    let world = World::new().await;
    for (who, target) in [
        (Who::Nobody, "/sign-in"),
        (Who::Stale, "/sign-in"),
        (Who::Viewer, "/fleet"),
    ] {
        assert_eq!(
            world.get(who, "/").await.header("location"),
            target,
            "{who:?}"
        );
    }
    let reply = world.get(Who::Member, "/sign-in?next=//evil.example").await;
    assert_eq!(reply.header("location"), "/fleet");
}
