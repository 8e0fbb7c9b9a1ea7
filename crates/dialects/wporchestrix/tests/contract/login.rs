//! W01, W02: a token by signing in, and its end.

use crate::world::{ANA, MIA, OLGA, PASSWORD, World, assert_error, worlds};
use pressroom_store::{tokens, users};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

const BAD: &str = "Invalid email or password";

async fn end(world: &World, authorization: &str) -> pressroom_testkit::api::Reply {
    let headers = [("authorization", authorization)];
    world.send(Method::DELETE, "/auth", &headers, None).await
}

#[tokio::test]
async fn w01_signing_in_gives_a_token() {
    worlds(async |world| {
        for email in [ANA, "  Ana@Example.COM "] {
            let body = json!({ "email": email, "password": PASSWORD, "platform": "ios" });
            let reply = world.post("/auth", &body).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            assert_eq!(reply.body.as_object().map(serde_json::Map::len), Some(1));
            let token = reply.string("token").expect("a token");
            assert_eq!(token.len(), 43, "32 bytes in base 64");
            let row = tokens::by_secret(&world.test.store, &token).await;
            let row = row.expect("found").expect("kept");
            assert_eq!((row.name.as_str(), row.login), ("login", true));
            assert!(!format!("{row:?}").contains(&token));
            let me = world.get(&format!("token {token}"), "/me").await;
            assert_eq!(me.body["email"], ANA, "{}", me.text);
        }
    })
    .await;
}

#[tokio::test]
async fn w01_bodies_come_flat_nested_and_as_forms() {
    worlds(async |world| {
        let nested = json!({ "user": { "email": ANA, "password": PASSWORD } });
        assert_eq!(world.post("/auth", &nested).await.status, 200);
        for body in [
            "email=ana%40example.com&password=correct+horse+battery",
            "user[email]=ana%40example.com&user[password]=correct+horse+battery",
            r#"{"email":"ana@example.com","password":"correct horse battery"}"#,
        ] {
            let (status, told) = world.form("/auth", body).await;
            assert_eq!(status, 200, "{body}: {told}");
        }
        let (status, told) = world.form("/auth", "email=a&email=b").await;
        assert_eq!((status, &told["error"]), (422, &json!("Email is invalid")));
        for (body, status) in [("email=a%00b&password=x", 422), ("%ff=%ff", 401)] {
            assert_eq!(world.form("/auth", body).await.0, status, "{body}");
        }
    })
    .await;
}

#[tokio::test]
async fn w01_nobody_learns_who_there_is() {
    worlds(async |world| {
        for body in [
            json!({ "email": ANA, "password": "wrong" }),
            json!({ "email": "nobody@example.com", "password": PASSWORD }),
            json!({ "email": "", "password": "" }),
            json!({ "email": ANA }),
            json!({ "password": PASSWORD }),
            json!({}),
        ] {
            let reply = world.post("/auth", &body).await;
            assert_error(&reply, 401, BAD);
        }
        // Nor of somebody who may no longer sign in.
        let store = &world.test.store;
        let tx = store.begin().await.expect("a transaction");
        let mia = users::by_email(&tx, MIA).await.expect("found");
        let now = tx.now().await.expect("a time");
        users::set_disabled(&tx, mia.expect("a user").id, Some(now))
            .await
            .expect("disabled");
        tx.commit().await.expect("committed");
        let body = json!({ "email": MIA, "password": PASSWORD });
        assert_error(&world.post("/auth", &body).await, 401, BAD);
    })
    .await;
}

#[tokio::test]
async fn w01_what_is_no_login() {
    worlds(async |world| {
        let send = async |body: &str| {
            let sent = world.send(Method::POST, "/auth", &[], Some(body.to_owned()));
            sent.await
        };
        assert_error(&send("{").await, 400, "Invalid JSON");
        assert_eq!(send("[]").await.status, 400);
        let reply = send(r#"{"email":5,"password":"x"}"#).await;
        assert_eq!(reply.status, 422, "{}", reply.text);
        assert_eq!(reply.body["error"], "Email is invalid");
        assert_eq!(reply.body["errors"]["email"], json!(["expected a string"]));
        let long = format!(r#"{{"email":"{}","password":"x"}}"#, "a".repeat(60_000));
        assert_error(&send(&long).await, 401, BAD);
        let too_long = "x".repeat(70_000);
        assert_error(&send(&too_long).await, 413, "Payload too large");
    })
    .await;
}

#[tokio::test]
async fn w01_w03_ten_failures_are_enough() {
    worlds(async |world| {
        let wrong = json!({ "email": ANA, "password": "wrong" });
        let right = json!({ "email": ANA, "password": PASSWORD });
        for attempt in 0..10 {
            let path = if attempt % 2 == 0 { "/auth" } else { "/jwt" };
            assert_error(&world.post(path, &wrong).await, 401, BAD);
        }
        for (path, body) in [("/auth", &wrong), ("/jwt", &right), ("/auth", &right)] {
            let reply = world.post(path, body).await;
            assert_error(&reply, 429, "Too many attempts");
            let after: u64 = reply
                .header("retry-after")
                .and_then(|text| text.parse().ok())
                .expect("seconds");
            assert!((1..=900).contains(&after), "{after}");
        }
        // Others are not touched, and it passes.
        world.sign_in(MIA).await;
        world.test.store.advance_clock(Duration::from_mins(15));
        world.sign_in(ANA).await;
    })
    .await;
}

#[tokio::test]
async fn w01_guesses_at_once_are_no_more_than_in_turn() {
    worlds(async |world| {
        let body = json!({ "email": ANA, "password": "wrong" });
        let guesses = (0..30).map(|_| world.post("/auth", &body));
        let replies = futures_util::future::join_all(guesses).await;
        let told = replies.iter().filter(|reply| reply.status == 401).count();
        assert_eq!(told, 10);
        assert!(
            replies
                .iter()
                .all(|reply| [401, 429].contains(&reply.status))
        );
    })
    .await;
}

#[tokio::test]
async fn w01_twenty_logins_and_the_oldest_goes() {
    worlds(async |world| {
        let made = world.issue(ANA, &[]).await;
        let mut logins = Vec::new();
        for _ in 0..21 {
            logins.push(world.sign_in(ANA).await);
        }
        assert_error(&world.get(&logins[0], "/me").await, 401, "Unauthorized");
        for good in [&logins[1], &logins[20], &made] {
            assert_eq!(world.get(good, "/me").await.status, 200);
        }
    })
    .await;
}

#[tokio::test]
async fn w02_signing_out_ends_the_token_and_no_other() {
    worlds(async |world| {
        let (one, other) = (world.sign_in(ANA).await, world.sign_in(ANA).await);
        let reply = end(&world, &one).await;
        assert_eq!((reply.status, reply.body), (200, json!({})));
        assert_error(&end(&world, &one).await, 401, "Unauthorized");
        assert_eq!(world.get(&other, "/me").await.status, 200);
        let operators = world.sign_in(OLGA).await;
        assert_eq!(end(&world, &operators).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn w02_a_token_made_in_the_settings_lives_on() {
    worlds(async |world| {
        // Called `login` on purpose: it is not the name that tells them apart.
        let made = world.issue(ANA, &["read"]).await;
        for _ in 0..2 {
            let reply = end(&world, &made).await;
            assert_eq!((reply.status, reply.body), (200, json!({})));
        }
        assert_eq!(world.get(&made, "/me").await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn w02_a_signed_token_ends_with_its_family() {
    worlds(async |world| {
        let (access, refresh) = world.pair(ANA).await;
        let bearer = format!("Bearer {access}");
        assert_eq!(end(&world, &bearer).await.status, 200);
        assert_error(&end(&world, &bearer).await, 401, "Unauthorized");
        let reply = world
            .post("/jwt/refresh", &json!({ "refresh_token": refresh }))
            .await;
        assert_error(&reply, 401, "Invalid refresh token");
    })
    .await;
}
