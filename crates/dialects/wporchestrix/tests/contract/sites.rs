//! W06 to W08, and who may change a site: the sites of an account. Nothing is ever reached here: what is added stays
//! `pending`, and what is connected stands in the store.

use crate::world::{ANA, FRED, MIA, OLGA, World, assert_error, full, worlds};
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Principal, domains::NewDomain};
use pressroom_store::{
    EnvironmentKind, EnvironmentPatch, EnvironmentRow, EnvironmentState, NewComponent,
    NewEnvironment, accounts, components, environments, tags,
};
use pressroom_testkit::api::Reply;
use reqwest::Method;
use serde_json::{Value, json};

pub fn names(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let rows = reply.body.as_array().expect("a bare array");
    rows.iter()
        .map(|row| row["name"].as_str().expect("a name").to_owned())
        .collect()
}

pub async fn send(world: &World, auth: &str, method: Method, path: &str, body: &Value) -> Reply {
    let headers = [("authorization", auth)];
    let body = Some(body.to_string()).filter(|_| *body != Value::Null);
    world.send(method, path, &headers, body).await
}

/// Adds a site; its id.
pub async fn add(world: &World, auth: &str, name: &str, url: &str) -> String {
    let reply = world
        .post_as(auth, "/sites", &json!({ "name": name, "url": url }))
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.string("id").expect("an id")
}

/// A site of `Acme` that somebody adopted, with what a look at it told.
pub async fn connected(
    world: &World,
    account: &str,
    name: &str,
    state: EnvironmentState,
) -> EnvironmentRow {
    let store = &world.test.store;
    let tx = store.begin().await.expect("a transaction");
    let account = accounts::by_name(&tx, account).await.expect("found");
    let account = account.expect("an account").id;
    let site = environments::create_site(&tx, account, &format!("uuid-{name}"), name).await;
    let new = NewEnvironment {
        site_id: site.expect("a site").id,
        account_id: account,
        domain_id: None,
        host_id: None,
        kind: EnvironmentKind::Production,
        panel_id: format!("wp_{name}"),
        root: format!("/srv/{name}/www"),
        path: "www".into(),
        url: format!("https://{name}.example"),
        origin_addr: None,
        origin_host: None,
        unix_user: None,
        state,
        db_name: "d".into(),
        db_user: "u".into(),
        db_host: "localhost".into(),
        db_password: None,
        table_prefix: "wp_".into(),
        core_version: String::new(),
        locale: "en_US".into(),
        title: name.into(),
    };
    let row = environments::create(&tx, new)
        .await
        .expect("an environment");
    let seen = EnvironmentPatch {
        core_version: Some("6.5.5".into()),
        php_version: Some("8.2.29".into()),
        // Nobody looks at it behind an answer.
        inspected_at: Some(Timestamp::now().plus(std::time::Duration::from_hours(24))),
        ..EnvironmentPatch::default()
    };
    let row = environments::update(&tx, row.id, seen).await.expect("seen");
    let part = |kind: &str, slug: &str, status: &str, newer: Option<&str>| NewComponent {
        kind: kind.into(),
        place: "normal".into(),
        slug: slug.into(),
        name: slug.to_uppercase(),
        version: "1.2".into(),
        status: status.into(),
        new_version: newer.map(str::to_owned),
        offer_unknown: (kind == "theme").then(|| "not asked".to_owned()),
        ..NewComponent::default()
    };
    let parts = vec![
        part("plugin", "akismet", "active", Some("2")),
        part("plugin", "hello", "inactive", None),
        part("theme", "twentytwentyfour", "active", None),
    ];
    components::replace_all(&tx, row.id, parts)
        .await
        .expect("seen");
    tx.commit().await.expect("committed");
    row
}

pub async fn id_of(world: &World, auth: &str, name: &str) -> String {
    let reply = world.get(auth, &format!("/sites?q={name}")).await;
    assert_eq!(names(&reply), [name], "{}", reply.text);
    reply.body[0]["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn w06_every_site_of_the_account_by_name() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let none = world.get(&token, "/sites").await;
        assert_eq!((none.status, &none.body), (200, &json!([])));
        connected(&world, "Acme", "beta", EnvironmentState::Active).await;
        connected(&world, "Acme", "gamma", EnvironmentState::Broken).await;
        connected(&world, "Acme", "undone", EnvironmentState::Failed).await;
        connected(&world, "Other", "foreign", EnvironmentState::Active).await;
        add(&world, &token, "Alpha", "https://alpha.example").await;
        add(&world, &token, "delta", "https://delta.example/blog").await;
        let all = world.get(&token, "/sites").await;
        assert_eq!(names(&all), ["Alpha", "beta", "delta", "gamma"]);
        assert_eq!(all.header("total-count"), Some("4"));
        let beta = &all.body[1];
        assert_eq!(beta.as_object().map(serde_json::Map::len), Some(9));
        for (member, value) in [
            ("url", json!("https://beta.example")),
            ("status", json!("healthy")),
            ("wp_version", json!("6.5.5")),
            ("php_version", json!("8.2.29")),
        ] {
            assert_eq!(beta[member], value, "{member}");
        }
        let pending = &all.body[0];
        assert_eq!(
            (&pending["status"], &pending["wp_version"]),
            (&json!("pending"), &Value::Null)
        );
        assert_eq!(all.body[3]["status"], "down");
        let page = world.get(&token, "/sites?per_page=2&page=2").await;
        assert_eq!(names(&page), ["delta", "gamma"]);
        assert!(
            page.header("link")
                .is_some_and(|link| link.contains("rel=\"prev\""))
        );
        let past = world.get(&token, "/sites?page=9").await;
        assert_eq!((past.status, &past.body), (200, &json!([])));
        // A member sees the same, another account its own, an operator nothing.
        let mias = world.sign_in(MIA).await;
        assert_eq!(world.get(&mias, "/sites").await.body, all.body);
        let freds = world.sign_in(FRED).await;
        assert_eq!(names(&world.get(&freds, "/sites").await), ["foreign"]);
        let olgas = world.sign_in(OLGA).await;
        assert_eq!(world.get(&olgas, "/sites").await.body, json!([]));
        let me = world.get(&token, "/me").await;
        assert_eq!(me.body["current_account"]["sites_count"], 4);
    })
    .await;
}

#[tokio::test]
async fn w06_filters() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let row = connected(&world, "Acme", "beta", EnvironmentState::Active).await;
        let tx = world.test.store.begin().await.expect("a transaction");
        tags::add(&tx, row.id, "shop").await.expect("a tag");
        tx.commit().await.expect("committed");
        let body = json!({ "name": "50%_off Läden", "url": "https://alpha.example", "tags": ["Shop", "vip"] });
        let added = world.post_as(&token, "/sites", &body).await;
        assert_eq!(added.status, 201, "{}", added.text);
        for (query, expected) in [
            ("status=healthy", vec!["beta"]),
            ("status=pending", vec!["50%_off Läden"]),
            ("status=down", vec![]),
            ("status=", vec!["50%_off Läden", "beta"]),
            ("q=BETA", vec!["beta"]),
            ("q=ALPHA.ex", vec!["50%_off Läden"]),
            ("q=%25_", vec!["50%_off Läden"]),
            ("q=_", vec!["50%_off Läden"]),
            ("q=L%C3%A4den", vec!["50%_off Läden"]),
            ("q='", vec![]),
            ("tag=SHOP", vec!["50%_off Läden", "beta"]),
            ("tag=vip&status=pending", vec!["50%_off Läden"]),
            ("tag=no%20tag", vec![]),
        ] {
            let reply = world.get(&token, &format!("/sites?{query}")).await;
            assert_eq!(names(&reply), expected, "{query}");
        }
        let reply = world.get(&token, "/sites?status=nonsense").await;
        assert_eq!((reply.status, &reply.body["error"]), (422, &json!("Status is invalid")));
        let twice = world.get(&token, "/sites?q=a&q=b").await;
        assert_eq!(twice.status, 400, "{}", twice.text);
    })
    .await;
}

#[tokio::test]
async fn w07_all_that_is_known_of_one() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        connected(&world, "Acme", "beta", EnvironmentState::Active).await;
        let id = id_of(&world, &token, "beta").await;
        let reply = world.get(&token, &format!("/sites/{id}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let site = &reply.body;
        for (member, value) in [
            ("id", json!(id)),
            ("connected", json!(true)),
            ("connection_method", json!("local")),
            ("multisite", json!(false)),
            (
                "theme",
                json!({ "slug": "twentytwentyfour", "name": "TWENTYTWENTYFOUR", "version": "1.2" }),
            ),
            // What nobody asked for is not none.
            (
                "updates_available",
                json!({ "core": null, "plugins": 1, "themes": null }),
            ),
            ("open_vulnerabilities", Value::Null),
            ("last_snapshot_at", Value::Null),
            ("active_pipeline_id", Value::Null),
            ("tags", json!([])),
        ] {
            assert_eq!(site[member], value, "{member}");
        }
        assert_eq!(site.as_object().map(serde_json::Map::len), Some(18));
        for bad in [
            "site_00000000000000000000",
            "site_x",
            "1",
            &id[5..],
            "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        ] {
            let reply = world.get(&token, &format!("/sites/{bad}")).await;
            assert_error(&reply, 404, "Record not found");
        }
        for other in [FRED, OLGA] {
            let theirs = world.sign_in(other).await;
            let reply = world.get(&theirs, &format!("/sites/{id}")).await;
            assert_error(&reply, 404, "Record not found");
        }
        // Another account of one's own is another account.
        let zebra = world.account("Zebra").await;
        let headers = [("authorization", token.as_str()), ("x-account-id", &zebra)];
        let path = format!("/sites/{id}");
        let reply = world.send(Method::GET, &path, &headers, None).await;
        assert_error(&reply, 404, "Record not found");
    })
    .await;
}

#[tokio::test]
async fn w08_a_site_is_added_and_waits() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let body = json!({
            "site": { "name": " My Shop ", "url": "HTTPS://Shop.Example:443/", "tags": ["Vip", "a"],
                      "status": "healthy", "id": "x", "unknown": { "a": 1 } },
            "also": "ignored",
        });
        let reply = world.post_as(&token, "/sites", &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let id = reply.string("id").expect("an id");
        assert_eq!(
            reply.header("location"),
            Some(full(&format!("/sites/{id}")).as_str())
        );
        for (member, value) in [
            ("name", json!("My Shop")),
            ("url", json!("https://shop.example")),
            ("status", json!("pending")),
            ("connected", json!(false)),
            ("connection_method", Value::Null),
            ("wp_version", Value::Null),
            ("multisite", Value::Null),
            ("updates_available", Value::Null),
            ("tags", json!(["a", "vip"])),
        ] {
            assert_eq!(reply.body[member], value, "{member}");
        }
        // Told once, and kept as a hash.
        let connection = &reply.body["connection"];
        let secret = connection["token"].as_str().expect("a token");
        assert_eq!(secret.len(), 43);
        assert!(
            connection["expires_at"]
                .as_str()
                .is_some_and(|at| at.ends_with('Z'))
        );
        let shown = world.get(&token, &format!("/sites/{id}")).await;
        assert_eq!(shown.body.get("connection"), None);
        let mut expected = reply.body.clone();
        expected
            .as_object_mut()
            .expect("an object")
            .remove("connection");
        assert_eq!(shown.body, expected);
        let plugin = connection["plugin_download_url"]
            .as_str()
            .expect("an address");
        let plugin = plugin.strip_prefix("https://press.example").expect("ours");
        let there = world.send(Method::GET, plugin, &[], None).await;
        assert_eq!(there.status, 404);
        assert!(
            there.body["error"]
                .as_str()
                .is_some_and(|text| text.contains("not part of this version"))
        );
        // The log tells, and does not tell the token.
        let log = world
            .get(&token, &format!("/activity_logs?site_id={id}"))
            .await;
        assert_eq!(log.body[0]["event"], "site.created");
        assert_eq!(log.body[0]["subject"]["id"], json!(id));
        assert!(!log.text.contains(secret));
    })
    .await;
}

#[tokio::test]
async fn w08_what_cannot_be_added() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let console = Caller::new(Principal::console());
        for (name, account) in [("own.example", "Acme"), ("their.example", "Other")] {
            let domain = NewDomain { name: name.into(), account: account.into(), root: None };
            world.test.fleet.add_domain(&console, domain).await.expect("a domain");
        }
        add(&world, &token, "First", "https://taken.example/x").await;
        connected(&world, "Acme", "beta", EnvironmentState::Active).await;
        let ok = "https://ok.example";
        for (body, error) in [
            (json!({}), "Name can't be blank"),
            (json!({ "name": null, "url": ok }), "Name can't be blank"),
            (json!({ "name": "  ", "url": ok }), "Name can't be blank"),
            (json!({ "name": 5, "url": ok }), "Name is invalid"),
            (json!({ "name": "a\u{1}b", "url": ok }), "Name is invalid"),
            (json!({ "name": "x".repeat(256), "url": ok }), "Name is too long (maximum is 255 characters)"),
            (json!({ "name": "x" }), "Url is invalid"),
            (json!({ "name": "x", "url": "ok.example" }), "Url is invalid"),
            (json!({ "name": "x", "url": "ftp://ok.example" }), "Url is invalid"),
            (json!({ "name": "x", "url": "https://u:p@ok.example" }), "Url is invalid"),
            (json!({ "name": "x", "url": "https://ok.example/?q" }), "Url is invalid"),
            (json!({ "name": "x", "url": "https://ok.example/#f" }), "Url is invalid"),
            (json!({ "name": "x", "url": format!("{ok}/{}", "a".repeat(2048)) }), "Url is invalid"),
            (json!({ "name": "x", "url": "https://TAKEN.example/x/" }), "Url has already been taken"),
            (json!({ "name": "x", "url": "https://beta.example" }), "Url has already been taken"),
            (json!({ "name": "x", "url": "http://127.0.0.1:8080" }), "Url is not allowed"),
            (json!({ "name": "x", "url": "http://[::1]/" }), "Url is not allowed"),
            (json!({ "name": "x", "url": "http://10.1.2.3" }), "Url is not allowed"),
            (json!({ "name": "x", "url": "http://169.254.169.254/latest" }), "Url is not allowed"),
            (json!({ "name": "x", "url": "http://localhost" }), "Url is not allowed"),
            (json!({ "name": "x", "url": "http://a.localhost" }), "Url is not allowed"),
            (json!({ "name": "x", "url": ok, "tags": ["no tag!"] }), "Tags is invalid"),
            (json!({ "name": "x", "url": ok, "tags": "a" }), "Tags is invalid"),
            (json!({ "name": "x", "url": ok, "connection_method": "ftp" }), "Connection method is invalid"),
            (json!({ "name": "x", "url": ok, "connection_method": "ssh" }), "Ssh can't be blank"),
            (json!({ "name": "x", "url": ok, "ssh": { "host": "nowhere" } }), "Ssh names no host of this account"),
            (
                json!({ "name": "x", "url": "https://their.example", "connection_method": "local" }),
                "Url is at no domain of this account on this machine",
            ),
        ] {
            let reply = world.post_as(&token, "/sites", &body).await;
            assert_eq!((reply.status, &reply.body["error"]), (422, &json!(error)), "{body}");
            assert!(reply.body["errors"].is_object(), "{}", reply.text);
        }
        let body = json!({ "name": "", "url": "x", "tags": ["!"] });
        let all = world.post_as(&token, "/sites", &body).await;
        assert_eq!(
            all.body["errors"],
            json!({ "name": ["can't be blank"], "url": ["is invalid"], "tags": ["is invalid"] })
        );
        let body = json!({ "name": "x", "url": ok, "connection_method": "connector" });
        let connector = world.post_as(&token, "/sites", &body).await;
        assert_eq!(connector.status, 422);
        assert!(connector.body["error"].as_str().is_some_and(|text| text.contains("not part of this version")));
        // A domain of the account makes a site local, and nothing is asked outside then.
        let body = json!({ "name": "Own", "url": "http://own.example:8080" });
        let own = world.post_as(&token, "/sites", &body).await;
        assert_eq!(own.status, 201, "{}", own.text);
        assert_eq!((&own.body["connection_method"], &own.body["connection"]), (&json!("local"), &Value::Null));
        // Another account may have a site at the same address.
        let freds = world.sign_in(FRED).await;
        add(&world, &freds, "x", "https://taken.example/x").await;
        let names = names(&world.get(&token, "/sites").await);
        assert_eq!(names, ["beta", "First", "Own"]);
    })
    .await;
}

#[tokio::test]
async fn w08_w09_w10_a_member_may_only_look() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let id = add(&world, &token, "First", "https://first.example").await;
        let path = format!("/sites/{id}");
        let mias = world.sign_in(MIA).await;
        let site = json!({ "name": "x", "url": "https://x.example" });
        let name = json!({ "name": "x" });
        for (method, path, body) in [
            (Method::POST, "/sites", &site),
            (Method::PATCH, &path, &name),
            (Method::PUT, &path, &name),
            (Method::DELETE, &path, &Value::Null),
        ] {
            let reply = send(&world, &mias, method, path, body).await;
            assert_error(&reply, 403, "Not authorized");
        }
        let reading = world.issue(ANA, &["read"]).await;
        let reply = send(&world, &reading, Method::DELETE, &path, &Value::Null).await;
        assert_error(&reply, 403, "Not authorized");
        let freds = world.sign_in(FRED).await;
        for method in [Method::PATCH, Method::PUT, Method::DELETE] {
            let reply = send(&world, &freds, method, &path, &name).await;
            assert_error(&reply, 404, "Record not found");
        }
        assert_eq!(world.get(&token, &path).await.body["name"], "First");
    })
    .await;
}
