//! Objects in Redis, and caches of sites that share something.

use crate::caches::{LOAD, change, config, content, enable, fresh_with, seen};
use anyhow::{Context, Result, ensure};
use pressroom_testkit::{Options, eventually, redis::Redis, site::Site};
use pressroom_tests::fixture::{Fixture, JOB_TIME, install_request};
use pressroom_tests::network::network;
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt};

/// What the site's own code knows of Redis: user, password, prefix.
fn credentials(site: &Site) -> Result<[String; 3]> {
    let said = site.php(&format!(
        "{LOAD} echo PRESSROOM_REDIS_USER, ' ', PRESSROOM_REDIS_PASSWORD, ' ', PRESSROOM_REDIS_PREFIX;"
    ))?;
    let mut words = said.split(' ').map(str::to_owned);
    let mut next = || words.next().context("three words");
    Ok([next()?, next()?, next()?])
}

// Rows: T27, T28, T29, T30
#[tokio::test]
async fn objects_are_in_redis_and_each_site_reaches_its_own() -> Result<()> {
    let mut redis = Redis::start()?;
    let options = Options {
        config: redis.config(),
        ..Options::default()
    };
    let fixture = Fixture::start(options).await?;
    let one = fixture.install("one.press.example").await?;
    let two = fixture.install("two.press.example").await?;
    let before = config(&one)?;
    let on = enable(&fixture, &one, "object").await?;
    assert_eq!(
        on["cache"]["object_cache"],
        json!({ "enabled": true, "engine": "redis" })
    );
    assert_eq!(on["cache"]["page_cache"]["enabled"], false, "{on}");
    let cli = fixture
        .server
        .cli(
            &["cache", "enable", "two.press.example", "--type", "object"],
            "",
        )
        .await?;
    ensure!(cli.code == 0, "{cli:?}");

    // Both fill their own part, and see nothing of the other's.
    for site in [&one, &two] {
        site.front_page_with(&site.url).await?;
    }
    let [user, password, prefix] = credentials(&one)?;
    let [other_user, _, other] = credentials(&two)?;
    ensure!(prefix != other && user != other_user);
    let keys = redis.keys()?;
    let of = |prefix: &str| keys.iter().filter(|key| key.starts_with(prefix)).count();
    ensure!(of(&prefix) > 5 && of(&other) > 5, "{keys:?}");
    ensure!(of(&prefix) + of(&other) == keys.len(), "{keys:?}");
    let theirs = keys
        .iter()
        .find(|key| key.starts_with(&other))
        .context("a key")?;
    for command in [
        vec!["GET", theirs],
        vec!["DEL", theirs],
        vec!["HGETALL", theirs],
        vec!["SCAN", "0"],
        vec!["KEYS", "*"],
        vec!["FLUSHDB"],
        vec!["ACL", "USERS"],
        vec!["CONFIG", "GET", "*"],
    ] {
        let said = redis.cli_as(&user, &password, &command)?;
        ensure!(said.starts_with("NOPERM"), "{command:?}: {said}");
    }
    ensure!(redis.cli_as(&user, "wrong", &["PING"])? != "PONG");
    assert_eq!(
        fs::metadata(one.root.join("wp-config.php"))?
            .permissions()
            .mode()
            & 0o007,
        0
    );

    // Cached between requests, and not for ever wrong.
    let value = one.php(&format!(
        "{LOAD} wp_cache_set('k', ['a' => 1], 'g'); echo (int) wp_using_ext_object_cache();"
    ))?;
    assert_eq!(value, "1");
    assert_eq!(
        one.php(&format!(
            "{LOAD} echo wp_json_encode(wp_cache_get('k', 'g'));"
        ))?,
        r#"{"a":1}"#
    );
    assert_eq!(
        two.php(&format!("{LOAD} var_export(wp_cache_get('k', 'g'));"))?,
        "false"
    );
    one.php(&format!("{LOAD} update_option('blogname', 'Second name');"))?;
    one.front_page_with("<title>Second name").await?;

    // T30.
    one.php(&format!("{LOAD} global $wpdb; $wpdb->query(\"INSERT INTO $wpdb->options (option_name, option_value, autoload) VALUES ('_transient_timeout_old', '1', 'no'), ('_transient_old', 'x', 'no')\");"))?;
    let flushed = change(&fixture, &one, "flush", json!({}))
        .await?
        .expect(200)?
        .body;
    let message = flushed["message"].as_str().unwrap_or_default();
    ensure!(
        message.contains(" keys)") && message.contains("; 1 expired"),
        "{flushed}"
    );
    assert_eq!(
        one.php(&format!("{LOAD} var_export(wp_cache_get('k', 'g'));"))?,
        "false"
    );
    ensure!(
        redis.keys()?.iter().any(|key| key.starts_with(&other)),
        "the other's went with it"
    );

    // Without the server the site goes on, and afterwards it shows what was changed then.
    one.front_page_with("<title>Second name").await?;
    redis.stop();
    one.front_page_with("<title>Second name").await?;
    one.php(&format!("{LOAD} update_option('blogname', 'Third name');"))?;
    one.front_page_with("<title>Third name").await?;
    redis.resume()?;
    one.front_page_with("<title>Third name").await?;
    ensure!(
        redis.keys()?.iter().any(|key| key.starts_with(&prefix)),
        "it does not use the server again"
    );

    // One whose user was lost is told another password.
    redis.cli(&["ACL", "DELUSER", &user])?;
    one.front_page_with("<title>Third name").await?;
    enable(&fixture, &one, "object").await?;
    ensure!(credentials(&one)?[1] != password);

    // T29 takes everything with it.
    let off = change(&fixture, &one, "disable", json!({}))
        .await?
        .expect(200)?
        .body;
    assert_eq!(off["cache"]["enabled"], false, "{off}");
    assert_eq!(config(&one)?, before);
    ensure!(!content(&one, "object-cache.php").exists());
    let users = redis.cli(&["ACL", "USERS"])?;
    ensure!(
        !users.contains(&user) && users.contains(&other_user),
        "{users}"
    );
    ensure!(!redis.keys()?.iter().any(|key| key.starts_with(&prefix)));
    one.front_page_with("<title>Third name").await?;

    // So does removing the site.
    let gone = fixture
        .server
        .cli(&["site", "remove", "two.press.example", "--yes"], "")
        .await?;
    ensure!(gone.code == 0, "{gone:?}");
    ensure!(!redis.cli(&["ACL", "USERS"])?.contains(&other_user));
    assert_eq!(redis.keys()?, Vec::<String>::new());
    Ok(())
}

// Rows: T28, T31
#[tokio::test]
async fn networks_and_sites_below_others_have_caches_of_their_own() -> Result<()> {
    let mut redis = Redis::start()?;
    let options = Options {
        config: redis.config(),
        ..Options::default()
    };
    let fixture = Fixture::start(options).await?;
    let site = fixture.install("net.press.example").await?;
    network(&site, false)?;
    // Has Pressroom serve it as a network.
    ensure!(fixture.update_plugin(&site, "not-there").await?.status == 404);
    let on = change(&fixture, &site, "enable", json!({}))
        .await?
        .expect(200)?
        .body;
    assert_eq!(on["cache"]["page_cache"]["enabled"], true, "{on}");
    assert_eq!(on["cache"]["object_cache"]["enabled"], true, "{on}");
    let second = Site::of_installation(
        &json!({
            "id": site.id, "domain": "net.press.example", "path": site.root,
            "site_url": format!("{}/second", site.url),
        }),
        fixture.server.sites_port(),
    )?;
    for _ in 0..2 {
        site.front_page_with("<title>Site of").await?;
        second.front_page_with("<title>Second").await?;
    }
    seen(&site, "/", "HIT").await?;
    ensure!(
        seen(&second, "/", "HIT")
            .await?
            .body
            .contains("<title>Second")
    );
    // What changes in one is seen there, and the other's pages stay.
    let host = site.url.trim_start_matches("http://").to_owned();
    site.php(&format!(
        "$_SERVER['HTTP_HOST'] = '{host}'; $_SERVER['REQUEST_URI'] = '/second/'; {LOAD} update_option('blogname', 'Other');"
    ))?;
    seen(&site, "/", "HIT").await?;
    fresh_with(&second, "<title>Other").await?;
    let url = json!({ "url": format!("{}/", second.url) });
    let purged = change(&fixture, &site, "purge", url)
        .await?
        .expect(200)?
        .body;
    assert_eq!(purged["purged"], 1, "{purged}");
    seen(&site, "/", "HIT").await?;
    fresh_with(&second, "<title>Other").await?;
    let flushed = change(&fixture, &site, "flush", json!({}))
        .await?
        .expect(200)?
        .body;
    assert_eq!(flushed["success"], true);
    // Without the server each site of the network is served all the same.
    redis.stop();
    for path in ["/wp-login.php", "/?p=1"] {
        ensure!(site.get(path).await?.status < 400, "{path}");
        ensure!(second.get(path).await?.status < 400, "second {path}");
    }
    redis.resume()?;
    change(&fixture, &site, "disable", json!({}))
        .await?
        .expect(200)?;
    ensure!(second.get("/").await?.cache.is_none());

    // A site in a directory.
    fixture.add_domain("below.press.example").await?;
    let mut request = install_request("below.press.example");
    request["path"] = json!("public_html/blog");
    let started = fixture.post("/install", &request).await?.expect(201)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    ensure!(job["status"] == "completed", "{job}");
    let below = fixture.site(&started.string("id")?).await?;
    change(&fixture, &below, "enable", json!({}))
        .await?
        .expect(200)?;
    // What WordPress does by itself after its first page may change something.
    let from_cache = || seen(&below, "/", "HIT");
    eventually("a page from the cache", JOB_TIME, from_cache).await?;
    let outside = json!({ "url": below.url.replace("/blog", "/") });
    let reply = change(&fixture, &below, "purge", outside).await?;
    ensure!(reply.status == 422, "{}", reply.text);
    Ok(())
}
