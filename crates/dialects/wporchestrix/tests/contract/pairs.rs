//! W03 to W05: pairs of tokens.

use crate::world::{ANA, FRED, MIA, PASSWORD, World, assert_error, tokens, worlds};
use pressroom_testkit::api::Reply;
use serde_json::json;
use std::time::Duration;

const REFUSED: &str = "Invalid refresh token";

async fn refresh(world: &World, token: &str) -> Reply {
    let body = json!({ "refresh_token": token });
    world.post("/jwt/refresh", &body).await
}

async fn revoke(world: &World, authorization: &str, token: &str) {
    let reply = world
        .post_as(authorization, "/jwt/revoke", &json!({ "token": token }))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.body, json!({ "message": "Token revoked" }));
}

async fn opens(world: &World, access: &str) -> bool {
    let reply = world.get(&format!("Bearer {access}"), "/me").await;
    if reply.status != 200 {
        assert_error(&reply, 401, "Unauthorized");
    }
    reply.status == 200
}

#[tokio::test]
async fn w03_the_pair_opens_things_and_is_refused_as_a_login_is() {
    worlds(async |world| {
        let (access, refresh) = world.pair(ANA).await;
        assert!(opens(&world, &access).await);
        // Each is for its own use, and under its own scheme.
        assert!(!opens(&world, &refresh).await);
        let as_token = world.get(&format!("token {access}"), "/me").await;
        assert_error(&as_token, 401, "Unauthorized");
        let other = world.get(&format!("JWT {access}"), "/accounts").await;
        assert_error(&other, 401, "Unauthorized");
        for body in [
            json!({ "email": ANA, "password": "wrong" }),
            json!({ "email": "nobody@example.com", "password": PASSWORD }),
        ] {
            let reply = world.post("/jwt", &body).await;
            assert_error(&reply, 401, "Invalid email or password");
        }
    })
    .await;
}

#[tokio::test]
async fn w03_a_quarter_of_an_hour_and_a_week() {
    worlds(async |world| {
        let (access, first) = world.pair(ANA).await;
        world.test.store.advance_clock(Duration::from_secs(890));
        assert!(opens(&world, &access).await);
        world.test.store.advance_clock(Duration::from_secs(20));
        assert!(!opens(&world, &access).await);
        let (access, second) = tokens(&refresh(&world, &first).await);
        assert!(opens(&world, &access).await);
        world.test.store.advance_clock(Duration::from_hours(7 * 24));
        assert_error(&refresh(&world, &second).await, 401, REFUSED);
    })
    .await;
}

#[tokio::test]
async fn w04_both_tokens_are_new_and_the_old_one_is_dead() {
    worlds(async |world| {
        let (access, first) = world.pair(ANA).await;
        let (new_access, second) = tokens(&refresh(&world, &first).await);
        assert!(access != new_access && first != second);
        // What was issued before opens things for the rest of its time.
        assert!(opens(&world, &access).await && opens(&world, &new_access).await);
        let (third_access, third) = tokens(&refresh(&world, &second).await);
        // Somebody else has the first one: all that came of it ends.
        assert_error(&refresh(&world, &first).await, 401, REFUSED);
        assert_error(&refresh(&world, &third).await, 401, REFUSED);
        for dead in [&access, &new_access, &third_access] {
            assert!(!opens(&world, dead).await);
        }
        // Another family of the same person goes on.
        let (other, _) = world.pair(ANA).await;
        assert!(opens(&world, &other).await);
    })
    .await;
}

#[tokio::test]
async fn w04_of_two_exchanges_at_once_one_succeeds() {
    worlds(async |world| {
        let (_, token) = world.pair(ANA).await;
        let (one, other) =
            futures_util::future::join(refresh(&world, &token), refresh(&world, &token)).await;
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
    })
    .await;
}

#[tokio::test]
async fn w04_what_cannot_be_exchanged() {
    worlds(async |world| {
        let (access, token) = world.pair(ANA).await;
        let plain = world.sign_in(ANA).await;
        for bad in ["x", "a.b.c", &access, &plain[6..], &format!("{token}x")] {
            assert_error(&refresh(&world, bad).await, 401, REFUSED);
        }
        for body in [json!({}), json!({ "refresh_token": " " })] {
            let reply = world.post("/jwt/refresh", &body).await;
            assert_error(&reply, 422, "Refresh token is required");
        }
        let reply = world
            .post("/jwt/refresh", &json!({ "refresh_token": 5 }))
            .await;
        assert_eq!(reply.status, 422, "{}", reply.text);
        assert_eq!(reply.body["error"], "Refresh token is invalid");
        // None of that was a replay.
        let form = format!("refresh_token={token}");
        let (status, told) = world.form("/jwt/refresh", &form).await;
        assert_eq!(status, 200, "{told}");
    })
    .await;
}

#[tokio::test]
async fn w04_exchanging_ends_after_thirty_days() {
    worlds(async |world| {
        let (_, mut token) = world.pair(ANA).await;
        for day in 0..5 {
            world.test.store.advance_clock(Duration::from_hours(6 * 24));
            let reply = refresh(&world, &token).await;
            if day == 4 {
                assert_error(&reply, 401, REFUSED);
            } else {
                token = tokens(&reply).1;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn w05_an_access_token_is_denied_and_its_family_goes_on() {
    worlds(async |world| {
        let (access, token) = world.pair(ANA).await;
        let bearer = format!("Bearer {access}");
        revoke(&world, &bearer, &access).await;
        assert!(!opens(&world, &access).await);
        let (next, _) = tokens(&refresh(&world, &token).await);
        assert!(opens(&world, &next).await);
    })
    .await;
}

#[tokio::test]
async fn w05_a_refresh_token_ends_its_family() {
    worlds(async |world| {
        let (access, token) = world.pair(ANA).await;
        let plain = world.sign_in(ANA).await;
        revoke(&world, &plain, &token).await;
        revoke(&world, &plain, &token).await;
        assert!(!opens(&world, &access).await);
        assert_error(&refresh(&world, &token).await, 401, REFUSED);
    })
    .await;
}

#[tokio::test]
async fn w05_only_ones_own_tokens_are_touched() {
    worlds(async |world| {
        let (access, token) = world.pair(ANA).await;
        let freds = world.sign_in(FRED).await;
        let mias = world.sign_in(MIA).await;
        for bad in [&access, &token, "a.b.c", "nothing", &mias[6..]] {
            revoke(&world, &freds, bad).await;
        }
        assert!(opens(&world, &access).await);
        assert_eq!(world.get(&mias, "/me").await.status, 200);
        tokens(&refresh(&world, &token).await);
        // One of the other kind is revoked as well, if it is one's own.
        let (freds_access, _) = world.pair(FRED).await;
        revoke(&world, &format!("Bearer {freds_access}"), &freds[6..]).await;
        assert_error(&world.get(&freds, "/me").await, 401, "Unauthorized");
    })
    .await;
}

#[tokio::test]
async fn w05_what_is_no_request() {
    worlds(async |world| {
        let nobody = world.post("/jwt/revoke", &json!({ "token": "x" })).await;
        assert_error(&nobody, 401, "Unauthorized");
        let token = world.sign_in(ANA).await;
        for body in [json!({}), json!({ "token": "" })] {
            let reply = world.post_as(&token, "/jwt/revoke", &body).await;
            assert_error(&reply, 422, "Token is required");
        }
    })
    .await;
}
