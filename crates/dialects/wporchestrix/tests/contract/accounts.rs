//! W31 to W34: who asks, where they belong, and who else does.

use crate::world::{ANA, FRED, MIA, OLGA, World, assert_error, worlds};
use reqwest::Method;
use serde_json::{Value, json};

/// The rows' value of one member.
fn column<'v>(rows: &'v Value, name: &str) -> Vec<&'v Value> {
    let rows = rows.as_array().expect("a bare array");
    rows.iter().map(|row| &row[name]).collect()
}

/// A prefix and 20 characters.
fn is_id(value: &Value, prefix: &str) -> bool {
    value
        .as_str()
        .and_then(|text| text.strip_prefix(prefix))
        .is_some_and(|rest| {
            rest.len() == 20
                && rest
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
        })
}

fn is_time(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T')
}

async fn working_in(
    world: &World,
    token: &str,
    account: &str,
    path: &str,
) -> pressroom_testkit::api::Reply {
    let headers = [("authorization", token), ("x-account-id", account)];
    world.send(Method::GET, path, &headers, None).await
}

#[tokio::test]
async fn w31_the_person_and_where_they_work() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let acme = world.account("Acme").await;
        let reply = world.get(&token, "/me").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let me = &reply.body;
        assert!(
            is_id(&me["id"], "user_") && is_time(&me["created_at"]),
            "{me}"
        );
        for (member, value) in [
            ("name", json!("Ana Maria Lopez")),
            ("first_name", json!("Ana")),
            ("last_name", json!("Maria Lopez")),
            ("email", json!(ANA)),
            ("time_zone", json!("UTC")),
            ("two_factor_enabled", json!(false)),
            ("avatar_url", json!(null)),
        ] {
            assert_eq!(me[member], value, "{member}");
        }
        let account = &me["current_account"];
        assert!(is_time(&account["created_at"]));
        let mut expected = account.clone();
        for (member, value) in [
            ("id", json!(acme)),
            ("name", json!("Acme")),
            ("personal", json!(false)),
            ("owner_id", me["id"].clone()),
            ("role", json!("admin")),
            ("members_count", json!(2)),
            ("sites_count", json!(0)),
            ("current", json!(true)),
        ] {
            expected[member] = value;
        }
        assert_eq!(*account, expected);
        assert_eq!(account.as_object().map(serde_json::Map::len), Some(9));
        // However the credential looks.
        let (access, _) = world.pair(ANA).await;
        for same in [
            format!("Bearer {access}"),
            format!("Bearer {}", &token[6..]),
            format!("Token token=\"{}\"", &token[6..]),
            world.issue(ANA, &["read"]).await,
        ] {
            assert_eq!(world.get(&same, "/me").await.body, reply.body, "{same}");
        }
    })
    .await;
}

#[tokio::test]
async fn w31_another_account_of_ones_own() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let (access, _) = world.pair(ANA).await;
        let zebra = world.account("Zebra").await;
        for token in [token.clone(), format!("Bearer {access}")] {
            let me = working_in(&world, &token, &zebra, "/me").await;
            assert_eq!(me.body["current_account"]["name"], "Zebra", "{}", me.text);
            assert_eq!(me.body["current_account"]["members_count"], 1);
        }
        let other = world.account("Other").await;
        for bad in [
            other.as_str(),
            "acct_00000000000000000000",
            "1",
            "",
            &zebra[5..],
        ] {
            let reply = working_in(&world, &token, bad, "/me").await;
            assert_error(&reply, 404, "Record not found");
        }
    })
    .await;
}

#[tokio::test]
async fn w31_w32_w34_somebody_of_no_account() {
    worlds(async |world| {
        let token = world.sign_in(OLGA).await;
        let me = world.get(&token, "/me").await;
        assert_eq!(
            (me.status, &me.body["current_account"]),
            (200, &Value::Null)
        );
        for path in ["/accounts", "/users", "/activity_logs"] {
            let reply = world.get(&token, path).await;
            assert_eq!((reply.status, &reply.body), (200, &json!([])), "{path}");
        }
        // Operating the installation opens no account here.
        let acme = world.account("Acme").await;
        let reply = working_in(&world, &token, &acme, "/users").await;
        assert_error(&reply, 404, "Record not found");
    })
    .await;
}

#[tokio::test]
async fn w32_ones_own_accounts_by_name() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let reply = world.get(&token, "/accounts").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(column(&reply.body, "name"), ["Acme", "Zebra"]);
        assert_eq!(column(&reply.body, "current"), [true, false]);
        let zebra = world.account("Zebra").await;
        let there = working_in(&world, &token, &zebra, "/accounts").await;
        assert_eq!(column(&there.body, "current"), [false, true]);
        let mias = world.sign_in(MIA).await;
        let reply = world.get(&mias, "/accounts").await;
        assert_eq!(column(&reply.body, "name"), ["Acme"]);
        assert_eq!(column(&reply.body, "role"), ["member"]);
    })
    .await;
}

#[tokio::test]
async fn w32_pages_say_where_one_is() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let host = world.base.strip_prefix("http://").expect("an address");
        let first = world.get(&token, "/accounts?per_page=1&x=1").await;
        assert_eq!(column(&first.body, "name"), ["Acme"]);
        for (name, value) in [
            ("current-page", "1"),
            ("page-items", "1"),
            ("total-pages", "2"),
            ("total-count", "2"),
        ] {
            assert_eq!(first.header(name), Some(value), "{name}");
        }
        // The scheme is the public address's, whose server may speak for this one.
        let base = format!("https://{host}/api/v1/accounts?per_page=1&x=1");
        assert_eq!(
            first.header("link"),
            Some(
                format!(
                    "<{base}&page=1>; rel=\"first\", <{base}&page=2>; rel=\"next\", \
                     <{base}&page=2>; rel=\"last\""
                )
                .as_str()
            )
        );
        let second = world.get(&token, "/accounts?per_page=1&page=2").await;
        assert_eq!(column(&second.body, "name"), ["Zebra"]);
        for past in ["3", "99999999999999999"] {
            let reply = world
                .get(&token, &format!("/accounts?per_page=1&page={past}"))
                .await;
            assert_eq!((reply.status, &reply.body), (200, &json!([])));
            assert_eq!(reply.header("total-count"), Some("2"));
        }
        for odd in ["page=x", "page=0", "page=-1", "page=", "per_page=1000"] {
            let reply = world.get(&token, &format!("/accounts?{odd}")).await;
            assert_eq!(column(&reply.body, "name"), ["Acme", "Zebra"], "{odd}");
        }
        let many = world.get(&token, "/accounts?per_page=1000").await;
        assert_eq!(many.header("page-items"), Some("100"));
    })
    .await;
}

#[tokio::test]
async fn w33_one_account_and_nobody_elses() {
    worlds(async |world| {
        let token = world.sign_in(MIA).await;
        let acme = world.account("Acme").await;
        let reply = world.get(&token, &format!("/accounts/{acme}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let list = world.get(&token, "/accounts").await;
        assert_eq!(reply.body, list.body[0]);
        let other = world.account("Other").await;
        for bad in [
            &other,
            "acct_00000000000000000000",
            "1",
            "acct_x",
            &acme[5..],
        ] {
            let reply = world.get(&token, &format!("/accounts/{bad}")).await;
            assert_error(&reply, 404, "Record not found");
        }
        let freds = world.sign_in(FRED).await;
        let reply = world.get(&freds, &format!("/accounts/{other}")).await;
        assert_eq!(reply.body["name"], "Other");
    })
    .await;
}

#[tokio::test]
async fn w34_the_people_of_the_account() {
    worlds(async |world| {
        let token = world.sign_in(MIA).await;
        let reply = world.get(&token, "/users").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        // Who was added last comes first.
        assert_eq!(column(&reply.body, "email"), [MIA, ANA]);
        assert_eq!(column(&reply.body, "role"), ["member", "admin"]);
        assert_eq!(reply.header("total-count"), Some("2"));
        let me = world.get(&token, "/me").await;
        assert_eq!(reply.body[0]["id"], me.body["id"]);
        assert_eq!(reply.body[0]["last_name"], "");
        let page = world.get(&token, "/users?per_page=1&page=2").await;
        assert_eq!(column(&page.body, "email"), [ANA]);
        let anas = world.sign_in(ANA).await;
        let zebra = world.account("Zebra").await;
        let there = working_in(&world, &anas, &zebra, "/users").await;
        assert_eq!(column(&there.body, "email"), [ANA]);
    })
    .await;
}
