//! W11, W12: looks at a site.

use crate::world::{ANA, FRED, World, assert_error, worlds};
use pressroom_base::id::ShortId;
use pressroom_fleet::{Caller, Principal, health::Pace};
use pressroom_store::{
    EnvironmentKind, EnvironmentState, NewEnvironment, SiteRow, accounts, environments,
};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Answers every page alike.
async fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut read = vec![0; 8192];
            let _asked = stream.read(&mut read).await;
            let page = "HTTP/1.1 200 OK\r\nContent-Length: 27\r\nConnection: close\r\n\r\n\
                        <title>Shop</title></html>\n";
            let _gone = stream.write_all(page.as_bytes()).await;
        }
    });
    addr
}

async fn site(world: &World, account: &str, addr: SocketAddr) -> SiteRow {
    let store = &world.test.store;
    let account = accounts::by_name(store, account).await.expect("found");
    let account = account.expect("an account").id;
    let tx = store.begin().await.expect("a transaction");
    let name = format!("{addr}");
    let public = pressroom_base::token::hex(16);
    let site = environments::create_site(&tx, account, &public, &name).await;
    let site = site.expect("a site");
    let new = NewEnvironment {
        site_id: site.id,
        account_id: account,
        domain_id: None,
        host_id: None,
        kind: EnvironmentKind::Production,
        panel_id: format!("wp_{}", pressroom_base::token::hex(9)),
        root: format!("/srv/{public}"),
        path: "public_html".into(),
        url: format!("http://{addr}"),
        origin_addr: Some(addr.to_string()),
        origin_host: Some(addr.to_string()),
        unix_user: None,
        state: EnvironmentState::Active,
        db_name: "a".into(),
        db_user: "a".into(),
        db_host: "localhost".into(),
        db_password: None,
        table_prefix: "wp_".into(),
        core_version: "6.5.5".into(),
        locale: "en_US".into(),
        title: String::new(),
    };
    environments::create(&tx, new)
        .await
        .expect("an environment");
    tx.commit().await.expect("committed");
    site
}

/// Looks as the schedule does; not yet closer, which it does after ten minutes.
async fn look(world: &World, times: usize) {
    for _ in 0..times {
        let looked = world.test.fleet.check_due_sites(&Pace::new(4, 4)).await;
        looked.expect("looked");
        world.test.store.advance_clock(Duration::from_mins(6));
    }
}

fn path(site: &SiteRow, rest: &str) -> String {
    format!("/sites/site_{}/health_checks{rest}", site.short_id)
}

#[tokio::test]
async fn w11_lists_what_w12_shows_in_full() {
    worlds(async |world| {
        let addr = server().await;
        let shop = site(&world, "Acme", addr).await;
        look(&world, 2).await;
        let token = world.sign_in(ANA).await;
        let reply = world.get(&token, &path(&shop, "")).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let rows = reply.body.as_array().expect("a bare array");
        assert_eq!(rows.len(), 2);
        assert_eq!(reply.header("total-count"), Some("2"));
        let row = rows[0].as_object().expect("an object");
        assert!(!row.contains_key("checks"));
        assert_eq!(row["site_id"], format!("site_{}", shop.short_id));
        assert_eq!(row["status"], "passed");
        assert_eq!(row["kind"], "scheduled");
        assert_eq!(row["http_status"], 200);
        assert!(row["response_time_ms"].is_u64() && row["ttfb_ms"].is_u64());
        assert_eq!(row["ssl_expires_at"], Value::Null);
        assert_eq!(row["wp_version"], "6.5.5");
        assert_eq!(row["php_version"], Value::Null);
        assert_eq!(
            (&row["error"], &row["pipeline_id"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(row["checked_at"], row["created_at"]);
        let times: Vec<_> = rows
            .iter()
            .map(|row| row["created_at"].to_string())
            .collect();
        assert!(times.is_sorted_by(|a, b| a >= b), "newest first: {times:?}");

        let id = row["id"].as_str().expect("an id");
        assert!(id.starts_with("hc_") && id.len() == 23, "{id}");
        let one = world.get(&token, &path(&shop, &format!("/{id}"))).await;
        assert_eq!(one.status, 200, "{}", one.text);
        let mut whole = one.body.clone();
        let checks = whole.as_object_mut().and_then(|look| look.remove("checks"));
        assert_eq!(whole, rows[0], "the rest is what the list has");
        let checks = checks.expect("checks");
        let ms = row["response_time_ms"].as_u64().expect("a time");
        assert_eq!(
            checks,
            json!([
                { "name": "http", "status": "passed", "message": format!("200 in {ms} ms"),
                  "data": { "served": 200, "alive": 200 } },
                { "name": "tls", "status": "skipped",
                  "message": "the site's address is without TLS", "data": {} },
                { "name": "fatal_error", "status": "passed",
                  "message": "no page shows one", "data": {} },
            ])
        );

        // Somebody asks: everything is looked at, and what cannot be says so.
        let console = Caller::new(Principal::console());
        let asked = world.test.fleet.check_site(&console, shop.id).await;
        let asked = asked.expect("looked");
        let one = world
            .get(&token, &path(&shop, &format!("/hc_{}", asked.check.id)))
            .await;
        assert_eq!(one.body["kind"], "manual");
        let checks = one.body["checks"].as_array().expect("checks");
        let names: Vec<_> = checks
            .iter()
            .filter_map(|check| check["name"].as_str())
            .collect();
        assert_eq!(
            names,
            [
                "http",
                "tls",
                "dns",
                "rest_api",
                "login_page",
                "fatal_error",
                "database",
                "core_checksums",
                "cron",
                "php_version",
                "disk",
                "updates"
            ]
        );
        let database = &checks[6];
        assert_eq!(database["status"], "skipped", "{database}");
    })
    .await;
}

#[tokio::test]
async fn w11_is_narrowed_and_paged() {
    worlds(async |world| {
        let shop = site(&world, "Acme", server().await).await;
        look(&world, 2).await;
        let token = world.sign_in(ANA).await;
        for (query, found) in [
            ("?status=passed", 2),
            ("?status=failed", 0),
            ("?kind=scheduled", 2),
            ("?kind=manual", 0),
            ("?from=2000-01-01T00:00:00Z&to=2999-01-01", 2),
            ("?to=2000-01-01", 0),
            ("?per_page=1&page=2", 1),
            ("?page=99", 0),
            ("?page=x&status=", 2),
        ] {
            let reply = world.get(&token, &path(&shop, query)).await;
            let rows = reply.body.as_array().map(Vec::len);
            assert_eq!(rows, Some(found), "{query}: {}", reply.text);
        }
        for (query, text) in [
            ("?status=bad", "Status is invalid"),
            ("?kind=bad", "Kind is invalid"),
            ("?from=bad", "From is invalid"),
            ("?to=bad", "To is invalid"),
        ] {
            let reply = world.get(&token, &path(&shop, query)).await;
            assert_eq!(reply.status, 422, "{}", reply.text);
            assert_eq!(reply.body["error"], text);
        }
    })
    .await;
}

#[tokio::test]
async fn w11_w12_are_for_those_of_the_account_and_of_that_site() {
    worlds(async |world| {
        let shop = site(&world, "Acme", server().await).await;
        let other = site(&world, "Acme", server().await).await;
        let foreign = site(&world, "Other", server().await).await;
        look(&world, 1).await;
        let ana = world.sign_in(ANA).await;
        let fred = world.sign_in(FRED).await;
        let reply = world.get(&ana, &path(&shop, "")).await;
        let id = reply.body[0]["id"].as_str().expect("an id").to_owned();
        let none = "Record not found";
        let nobody = ShortId::random();
        for (token, path) in [
            (&fred, path(&shop, "")),
            (&fred, path(&shop, &format!("/{id}"))),
            (&ana, path(&foreign, "")),
            (&ana, path(&other, &format!("/{id}"))),
            (&fred, path(&foreign, &format!("/{id}"))),
            (&ana, path(&shop, &format!("/hc_{nobody}"))),
            (&ana, path(&shop, "/1")),
            (&ana, format!("/sites/site_{nobody}/health_checks")),
            (&ana, "/sites/1/health_checks".to_owned()),
        ] {
            assert_error(&world.get(token, &path).await, 404, none);
        }
        let unknown = world
            .send(reqwest::Method::GET, &path(&shop, ""), &[], None)
            .await;
        assert_error(&unknown, 401, "Unauthorized");
        let posted = world.post_as(&ana, &path(&shop, ""), &json!({})).await;
        assert_eq!(posted.status, 405, "no route makes one");
    })
    .await;
}
