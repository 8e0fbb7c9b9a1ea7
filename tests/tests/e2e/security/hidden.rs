//! Login pages at addresses of their own.

use super::{done, logged_in, seen, set};
use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::site::Site;
use pressroom_tests::fixture::Fixture;
use pressroom_tests::network::network;
use serde_json::json;
use std::fs;

/// What WordPress leads to its login page, and a form that says two things at once.
async fn no_way_around(site: &Site) -> Result<()> {
    for path in ["/wp-signup.php", "/wp-activate.php", "/wp-register.php/"] {
        let page = site.get(path).await?;
        ensure!(
            page.status == 404,
            "{path} is {} {:?}",
            page.status,
            page.location
        );
    }
    let form = [
        ("post_password", "x"),
        ("action", "login"),
        ("log", "editor"),
        ("pwd", "a long enough password"),
    ];
    let path = "/wp-login.php?action=postpass";
    let (page, cookies) = site.browse(path, "", Some(&form)).await?;
    ensure!(
        page.status == 404 && cookies.is_empty(),
        "{} {cookies:?}",
        page.status
    );
    for more in ["checkemail=confirm", "key=x&login=editor"] {
        let form = Some(&[("post_password", "x")][..]);
        let (page, _) = site.browse(&format!("{path}&{more}"), "", form).await?;
        ensure!(page.status == 404, "{more} is {}", page.status);
    }
    Ok(())
}

/// What visitors get where WordPress has its login page.
async fn is_hidden(site: &Site) -> Result<bool> {
    let mut missing = Vec::new();
    for path in [
        "/wp-login.php",
        "/wp-login.php?action=lostpassword",
        "/wp-login.php?action=postpass",
        "/wp-admin/",
        "/wp-admin/index.php",
        "/wp-admin/post.php",
        "/wp-admin/upgrade.php",
    ] {
        let page = site.get(path).await?;
        ensure!(
            page.location
                .as_deref()
                .is_none_or(|to| !to.contains("side-door"))
        );
        missing.push(page.status == 404);
    }
    // What is meant for visitors stays.
    let ajax = site.get("/wp-admin/admin-ajax.php").await?;
    ensure!(
        ajax.status == 400 && ajax.body == "0",
        "{} {}",
        ajax.status,
        ajax.body
    );
    ensure!(site.get("/wp-admin/admin-post.php").await?.status < 300);
    ensure!(site.get("/").await?.status == 200);
    for guess in ["/login", "/admin", "/dashboard"] {
        let to = site.get(guess).await?.location.unwrap_or_default();
        ensure!(!to.contains("side-door"), "{guess} leads to {to}");
    }
    ensure!(missing.iter().all(|one| *one == missing[0]), "{missing:?}");
    Ok(missing[0])
}

/// What the site answers already is no place for its login page.
async fn taken_places(fixture: &Fixture, site: &Site) -> Result<()> {
    let plugin = site.root.join("wp-content/mu-plugins/places.php");
    fs::create_dir_all(plugin.parent().context("a directory")?)?;
    fs::write(
        &plugin,
        "<?php add_action('init', function () { \
           register_post_type('book', ['public' => true, 'label' => 'Books', 'has_archive' => 'books']); \
           add_feed('news-feed', function () { header('Content-Type: text/xml'); echo '<rss/>'; }); \
           if ('/old-door/' === strtok($_SERVER['REQUEST_URI'] ?? '', '?')) { wp_redirect(home_url('/hello-world/')); exit; } \
           if ('/away/' === strtok($_SERVER['REQUEST_URI'] ?? '', '?')) { wp_redirect('http://other.example/x'); exit; } \
         });",
    )?;
    site.own(&site.root.join("wp-content/mu-plugins"))?;
    site.php("require 'wp-load.php'; flush_rewrite_rules();")?;
    let hidden = site
        .root
        .join("wp-content/mu-plugins/pressroom-hide-login.php");
    for slug in ["books", "news-feed", "old-door", "away", "hello-world"] {
        let refused = set(fixture, site, "hide-login", json!({ "slug": slug })).await?;
        let refused = refused.expect(422)?;
        ensure!(
            refused.text.contains(&format!("`/{slug}/` is in use")),
            "{}",
            refused.text
        );
        ensure!(!hidden.exists(), "{slug}");
    }
    fs::remove_file(&plugin)?;

    // A site that answers everything with its front page has places all the same.
    let permalinks = |structure: &str| {
        site.php(&format!(
            "require 'wp-load.php'; global $wp_rewrite; \
             $wp_rewrite->set_permalink_structure('{structure}'); flush_rewrite_rules();"
        ))
    };
    permalinks("")?;
    ensure!(site.get("/side-door/").await?.status == 200);
    done(fixture, site, "hide-login", json!({ "slug": "side-door" })).await?;
    done(fixture, site, "hide-login", json!({ "enabled": false })).await?;
    permalinks("/%postname%/")?;
    Ok(())
}

// Rows: T13, T39
#[tokio::test]
async fn a_hidden_login_page_is_a_whole_one() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("hidden.press.example").await?;
    let file = site
        .root
        .join("wp-content/mu-plugins/pressroom-hide-login.php");
    site.php(
        "require 'wp-load.php'; \
         wp_insert_post(['post_type' => 'page', 'post_title' => 'Taken', 'post_name' => 'taken', 'post_status' => 'draft']); \
         wp_insert_post(['post_type' => 'post', 'post_title' => 'Locked', 'post_name' => 'locked', 'post_status' => 'publish', 'post_password' => 'sesame', 'post_content' => 'TREASURE']);",
    )?;
    fs::create_dir(site.root.join("shop"))?;
    site.own(&site.root)?;
    for slug in ["taken", "shop"] {
        let refused = set(&fixture, &site, "hide-login", json!({ "slug": slug })).await?;
        let refused = refused.expect(422)?;
        ensure!(refused.text.contains(slug), "{}", refused.text);
        ensure!(!file.exists());
    }
    taken_places(&fixture, &site).await?;
    // Somebody else's file stays, and nothing is changed.
    fs::create_dir_all(file.parent().context("a directory")?)?;
    fs::write(&file, "<?php // mine")?;
    site.own(file.parent().context("a directory")?)?;
    set(
        &fixture,
        &site,
        "hide-login",
        json!({ "slug": "side-door" }),
    )
    .await?
    .expect(409)?;
    let off = done(&fixture, &site, "hide-login", json!({ "enabled": false })).await?;
    assert_eq!(
        off["security"]["hide_login"],
        json!({ "enabled": false, "slug": null })
    );
    assert_eq!(fs::read_to_string(&file)?, "<?php // mine");
    fs::remove_file(&file)?;

    for _ in 0..2 {
        let on = done(
            &fixture,
            &site,
            "hide-login",
            json!({ "slug": "side-door" }),
        )
        .await?;
        assert_eq!(
            on["security"]["hide_login"],
            json!({ "enabled": true, "slug": "side-door" })
        );
        ensure!(
            on["message"]
                .as_str()
                .is_some_and(|said| said.ends_with("/side-door/")),
            "{on}"
        );
        ensure!(is_hidden(&site).await?);
    }
    no_way_around(&site).await?;
    // Without a slug it keeps the one it has.
    let again = done(&fixture, &site, "hide-login", json!({})).await?;
    assert_eq!(again["security"]["hide_login"]["slug"], "side-door");

    // Log in, work, log out; every address on the way is the new one.
    let page = site.get("/side-door/").await?;
    ensure!(
        page.status == 200 && page.body.contains("id=\"loginform\""),
        "{}",
        page.body
    );
    ensure!(!page.body.contains("wp-login.php"), "{}", page.body);
    ensure!(site.get("/side-door").await?.body.contains("loginform"));
    ensure!(site.get("/?side-door").await?.body.contains("loginform"));
    let cookies = logged_in(&site, "/side-door/").await?;
    let (admin, _) = site.browse("/wp-admin/", &cookies, None).await?;
    ensure!(admin.status == 200, "{}", admin.status);
    let logout = admin
        .body
        .split(['"', '\''])
        .find(|part| part.contains("action=logout"))
        .context("an address to log out at")?
        .replace("&#038;", "&");
    ensure!(logout.contains("/side-door/?action=logout"), "{logout}");
    let path = logout.strip_prefix(&site.url).context("on this site")?;
    let (left, _) = site.browse(path, &cookies, None).await?;
    let to = left.location.context("somewhere to go")?;
    ensure!(
        left.status == 302 && to.contains("/side-door/?loggedout=true"),
        "{to}"
    );
    let wrong = [("log", "editor"), ("pwd", "wrong"), ("testcookie", "1")];
    let (refused, _) = site
        .browse(
            "/side-door/",
            "wordpress_test_cookie=WP%20Cookie%20check",
            Some(&wrong),
        )
        .await?;
    ensure!(
        refused.status == 200 && refused.body.contains("login_error"),
        "{}",
        refused.body
    );
    let lost = site.get("/side-door/?action=lostpassword").await?;
    ensure!(lost.body.contains("lostpasswordform") && !lost.body.contains("wp-login.php"));
    // A mail leads to the new address too.
    let addresses = site.php(
        "require 'wp-load.php'; echo network_site_url('wp-login.php?action=rp&key=k&login=l', 'login'), ' ', wp_login_url('/x', true), ' ', site_url('wp-login.php?action=postpass', 'login_post');",
    )?;
    let addresses: Vec<_> = addresses.split(' ').collect();
    assert_eq!(
        addresses[0],
        format!("{}/side-door/?action=rp&key=k&login=l", site.url)
    );
    ensure!(
        addresses[1].starts_with(&format!("{}/side-door/?", site.url)),
        "{addresses:?}"
    );
    assert_eq!(
        addresses[2],
        format!("{}/wp-login.php?action=postpass", site.url)
    );

    // Passwords of single posts.
    let locked = site.get("/locked/").await?;
    ensure!(locked.body.contains("action=postpass") && !locked.body.contains("TREASURE"));
    let form = [("post_password", "sesame")];
    let (opened, cookies) = site
        .browse("/wp-login.php?action=postpass", "", Some(&form))
        .await?;
    ensure!(opened.status < 400, "{}", opened.status);
    let (open, _) = site.browse("/locked/", &cookies.join("; "), None).await?;
    ensure!(open.body.contains("TREASURE"), "{}", open.body);

    // A login link of Pressroom's needs no address.
    let token = fixture.fresh_token().await?;
    let link = fixture
        .server
        .api(Some(&token))?
        .post("/api/v1/wordpress/auto-login", &json!({ "id": site.id }))
        .await?
        .expect(200)?
        .string("url")?;
    let path = link.strip_prefix(&site.url).context("on this site")?;
    let (entered, cookies) = site.browse(path, "", None).await?;
    ensure!(
        entered
            .location
            .as_deref()
            .is_some_and(|to| to.ends_with("/wp-admin/")),
        "{entered:?}"
    );
    let (admin, _) = site.browse("/wp-admin/", &cookies.join("; "), None).await?;
    ensure!(admin.status == 200, "{}", admin.status);

    // Plain permalinks have an address too.
    site.php("require 'wp-load.php'; global $wp_rewrite; $wp_rewrite->set_permalink_structure(''); flush_rewrite_rules();")?;
    let page = site.get("/?side-door").await?;
    ensure!(
        page.body.contains("loginform") && page.body.contains("/?side-door"),
        "{}",
        page.body
    );
    logged_in(&site, "/?side-door").await?;
    site.php("require 'wp-load.php'; global $wp_rewrite; $wp_rewrite->set_permalink_structure('/%postname%/'); flush_rewrite_rules();")?;

    // Other jobs judge the site all the same, and another address takes the place.
    let moved = done(
        &fixture,
        &site,
        "hide-login",
        json!({ "slug": "other-door" }),
    )
    .await?;
    assert_eq!(moved["security"]["hide_login"]["slug"], "other-door");
    ensure!(!site.get("/side-door/").await?.body.contains("loginform"));
    let snapshot = fixture
        .server
        .cli(&["snapshot", "create", "hidden.press.example"], "")
        .await?;
    let snapshot = snapshot.stdout.lines().last().context("a name")?.to_owned();
    for _ in 0..2 {
        let off = done(&fixture, &site, "hide-login", json!({ "enabled": false })).await?;
        assert_eq!(
            off["security"]["hide_login"],
            json!({ "enabled": false, "slug": null })
        );
        ensure!(!file.exists() && !is_hidden(&site).await?);
        ensure!(!site.get("/?other-door").await?.body.contains("loginform"));
    }
    let back = fixture
        .server
        .cli(
            &[
                "snapshot",
                "restore",
                "hidden.press.example",
                &snapshot,
                "--yes",
            ],
            "",
        )
        .await?;
    ensure!(back.code == 0, "{back:?}");
    ensure!(is_hidden(&site).await?);
    assert_eq!(
        seen(&fixture, &site).await?["hide_login"]["slug"],
        "other-door"
    );

    // What cannot be verified is taken back.
    done(&fixture, &site, "hide-login", json!({ "enabled": false })).await?;
    let spoiler = site.root.join("wp-content/mu-plugins/a-spoiler.php");
    fs::write(
        &spoiler,
        "<?php add_action('login_init', function () { status_header(503); exit('closed'); });",
    )?;
    site.own(spoiler.parent().context("a directory")?)?;
    let refused = set(
        &fixture,
        &site,
        "hide-login",
        json!({ "slug": "side-door" }),
    )
    .await?;
    let refused = refused.expect(502)?;
    ensure!(refused.text.contains("taken back"), "{}", refused.text);
    ensure!(!file.exists());
    Ok(())
}

// Rows: T39
#[tokio::test]
async fn every_site_of_a_network_has_its_login_page() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("hiddennet.press.example").await?;
    network(&site, false)?;
    // Seen to be a network, it is served as one.
    let on = done(&fixture, &site, "file-protection", json!({})).await?;
    assert_eq!(on["security"]["file_protection"], true, "{on}");
    done(
        &fixture,
        &site,
        "hide-login",
        json!({ "slug": "side-door" }),
    )
    .await?;
    for base in ["", "/second"] {
        let page = site.get(&format!("{base}/side-door/")).await?;
        ensure!(
            page.status == 200 && page.body.contains("loginform"),
            "{base}: {} {}",
            page.status,
            page.body.chars().take(800).collect::<String>()
        );
        ensure!(
            page.body
                .contains(&format!("{}{base}/side-door/", site.url)),
            "{base}"
        );
        for path in ["/wp-login.php", "/wp-admin/", "/wp-admin/network/"] {
            if base == "/second" && path == "/wp-admin/network/" {
                continue;
            }
            let page = site.get(&format!("{base}{path}")).await?;
            ensure!(page.status == 404, "{base}{path}: {}", page.status);
        }
    }
    let cookies = logged_in(&site, "/second/side-door/").await?;
    let (admin, _) = site.browse("/second/wp-admin/", &cookies, None).await?;
    ensure!(admin.status == 200, "{}", admin.status);
    let off = done(&fixture, &site, "hide-login", json!({ "enabled": false })).await?;
    assert_eq!(off["security"]["hide_login"]["enabled"], false);
    ensure!(site.get("/second/wp-login.php").await?.status == 200);
    Ok(())
}
