//! W25: what happened in an account.

use crate::world::{ANA, FRED, MIA, World, assert_error, worlds};
use pressroom_fleet::{Caller, Principal, domains::NewDomain};
use pressroom_testkit::api::Reply;
use serde_json::{Value, json};

fn events(reply: &Reply) -> Vec<&str> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let rows = reply.body.as_array().expect("a bare array");
    rows.iter()
        .map(|row| row["event"].as_str().expect("an event"))
        .collect()
}

async fn logs(world: &World, token: &str, query: &str) -> Reply {
    world.get(token, &format!("/activity_logs?{query}")).await
}

async fn add_domain(world: &World, account: &str, name: &str) {
    let new = NewDomain {
        name: name.into(),
        account: account.into(),
        root: Some(format!("/srv/pressroom-test/{name}").into()),
    };
    let console = Caller::new(Principal::console());
    let added = world.test.fleet.add_domain(&console, new).await;
    added.expect("a domain");
}

#[tokio::test]
async fn w25_what_was_done_is_there_at_once() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let reply = logs(&world, &token, "").await;
        assert_eq!(
            events(&reply),
            ["token.created", "user.signed_in", "account.created"]
        );
        let line = &reply.body[1];
        let me = world.get(&token, "/me").await;
        assert!(line["id"].as_str().is_some_and(|id| id.starts_with("log_")));
        assert_eq!(
            line["actor"],
            json!({ "type": "user", "id": me.body["id"], "name": "Ana Maria Lopez" })
        );
        assert_eq!(
            line["subject"],
            json!({ "type": "user", "id": me.body["id"] })
        );
        assert_eq!(line["ip_address"], "127.0.0.1");
        assert_eq!(line["site_id"], Value::Null);
        assert_eq!(line["metadata"]["to"], "api");
        assert_eq!(line["metadata"].get("user_id"), None, "a row's number");
        let members = line.as_object().map(serde_json::Map::len);
        assert_eq!(members, Some(8), "{line}");
        assert_eq!(reply.body[2]["actor"]["type"], "system");

        // Pairs, exchanges that were replayed, revocations, and signing out.
        let (access, refresh) = world.pair(MIA).await;
        let bearer = format!("Bearer {access}");
        world
            .post_as(&bearer, "/jwt/revoke", &json!({ "token": access }))
            .await;
        for _ in 0..2 {
            world
                .post("/jwt/refresh", &json!({ "refresh_token": refresh }))
                .await;
        }
        let headers = [("authorization", token.as_str())];
        let other = world.sign_in(ANA).await;
        world
            .send(reqwest::Method::DELETE, "/auth", &headers, None)
            .await;
        let reply = logs(&world, &other, "").await;
        assert_eq!(
            events(&reply)[..6],
            [
                "token.revoked",
                "token.created",
                "user.signed_in",
                "token.replayed",
                "token.revoked",
                "user.signed_in"
            ]
        );
        assert_eq!(reply.body[0]["actor"]["type"], "api_token");
        assert_eq!(reply.body[0]["actor"]["id"], me.body["id"]);
        assert!(!reply.text.contains(&token[6..]) && !reply.text.contains(&refresh));
    })
    .await;
}

#[tokio::test]
async fn w25_filters_narrow_it() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        add_domain(&world, "Acme", "blog.example").await;
        world.sign_in(MIA).await;
        let me = world.get(&token, "/me").await;
        let id = me.string("id").expect("an id");
        for (query, found) in [
            ("event=user.signed_in".to_owned(), 2),
            ("event=user.*".into(), 2),
            ("event=token.*".into(), 2),
            ("event=user".into(), 0),
            ("event=use.*".into(), 0),
            ("event=u%25".into(), 0),
            ("event=domain.created".into(), 1),
            (format!("actor_id={id}"), 2),
            (format!("actor_id={id}&event=token.*"), 1),
            ("actor_id=user_00000000000000000000".into(), 0),
            ("actor_id=nobody".into(), 0),
            ("site_id=site_00000000000000000000".into(), 0),
            ("site_id=1".into(), 0),
            ("from=2000-01-01T00:00:00Z".into(), 6),
            ("to=2000-01-01T00:00:00Z".into(), 0),
            ("from=2000-01-01&to=2999-01-01".into(), 6),
            ("from=&to=".into(), 6),
        ] {
            let reply = logs(&world, &token, &query).await;
            assert_eq!(events(&reply).len(), found, "{query}: {}", reply.text);
            assert_eq!(
                reply.header("total-count"),
                Some(found.to_string().as_str())
            );
        }
        for name in ["from", "to"] {
            let reply = logs(&world, &token, &format!("{name}=yesterday")).await;
            assert_eq!(reply.status, 422, "{}", reply.text);
            let capital = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
            assert_eq!(reply.body["error"], format!("{capital} is invalid"));
        }
        let page = logs(&world, &token, "per_page=2&page=2").await;
        assert_eq!(events(&page).len(), 2);
        assert_eq!(page.header("total-pages"), Some("3"));
    })
    .await;
}

#[tokio::test]
async fn w25_an_account_sees_its_own() {
    worlds(async |world| {
        let freds = world.sign_in(FRED).await;
        add_domain(&world, "Acme", "blog.example").await;
        let reply = logs(&world, &freds, "").await;
        assert_eq!(
            events(&reply),
            ["token.created", "user.signed_in", "account.created"]
        );
        assert!(!reply.text.contains(ANA));
        let nobody = world
            .send(reqwest::Method::GET, "/activity_logs", &[], None)
            .await;
        assert_error(&nobody, 401, "Unauthorized");
    })
    .await;
}
