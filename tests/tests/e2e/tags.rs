//! Tags as people at the command line and a server meet them.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_tests::fixture::Fixture;
use serde_json::Value;
use std::fs;

const DOMAIN: &str = "tagged.press.example";

/// A command that is done, and what it printed.
async fn done(fixture: &Fixture, words: &[&str]) -> Result<String> {
    let ended = fixture.server.cli(words, "").await?;
    ensure!(ended.code == 0, "{words:?}: {ended:?}");
    Ok(ended.stdout)
}

#[tokio::test]
async fn sites_are_found_by_what_people_call_them() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(DOMAIN).await?;
    let config = fs::read(site.root.join("wp-config.php"))?;

    let told = done(&fixture, &["site", "tag", "add", DOMAIN, "Shop", "eu-west"]).await?;
    assert_eq!(told, "eu-west\nshop\n");
    // Given again, it is given once.
    let told = done(&fixture, &["site", "tag", "add", &site.id, "shop", "größe"]).await?;
    assert_eq!(told, "eu-west\ngröße\nshop\n");
    let shown = done(&fixture, &["site", "show", DOMAIN]).await?;
    ensure!(
        shown.contains("tags:         eu-west größe shop\n"),
        "{shown}"
    );
    let json = done(&fixture, &["--json", "site", "show", DOMAIN]).await?;
    let json: Value = serde_json::from_str(&json)?;
    assert_eq!(
        json["tags"],
        serde_json::json!(["eu-west", "größe", "shop"])
    );

    for (selector, found) in [
        ("tag:shop", true),
        ("tag:\"SHOP\" tag:GRÖßE -status:down", true),
        ("-tag:shop", false),
        ("tag:eu-west OR tag:shop", true),
        ("tag!=eu-west", false),
    ] {
        let list = done(&fixture, &["site", "list", selector]).await?;
        assert_eq!(list.contains(&site.id), found, "{selector}: {list}");
    }
    let slip = fixture
        .server
        .cli(&["site", "list", "-tag:shpo"], "")
        .await?;
    assert_eq!(slip.code, 0);
    ensure!(slip.stdout.contains(&site.id), "{slip:?}");
    ensure!(
        slip.stderr
            .contains("no site has the tag `shpo`; did you mean `shop`?"),
        "{slip:?}"
    );

    refusals(&fixture).await?;

    let told = done(
        &fixture,
        &["site", "tag", "remove", DOMAIN, "SHOP", "größe"],
    )
    .await?;
    assert_eq!(told, "eu-west\n");
    let list = done(&fixture, &["site", "list", "tag:shop"]).await?;
    assert_eq!(list, "");
    // They are Pressroom's own: the site knows nothing of them.
    assert_eq!(fs::read(site.root.join("wp-config.php"))?, config);
    let seen = site.php(
        "require 'wp-load.php'; global $wpdb; \
         echo count($wpdb->get_results(\"SELECT * FROM $wpdb->options \
         WHERE option_name LIKE '%eu-west%' OR option_value LIKE '%eu-west%'\"));",
    )?;
    assert_eq!(seen, "0");
    Ok(())
}

/// What is refused changes nothing.
async fn refusals(fixture: &Fixture) -> Result<()> {
    let many: Vec<String> = (0..48).map(|number| format!("t{number}")).collect();
    let mut too_many = vec!["site", "tag", "add", DOMAIN];
    too_many.extend(many.iter().map(String::as_str));
    let long = "x".repeat(51);
    for (words, code, told) in [
        (too_many, 5, "at most 50 tags, and this would be 51"),
        (
            vec!["site", "tag", "add", DOMAIN, "new", "two words"],
            2,
            "`two words` can be no tag",
        ),
        (
            vec!["site", "tag", "add", DOMAIN, &long],
            2,
            "can be no tag",
        ),
        (
            vec!["site", "tag", "remove", DOMAIN, "eu-west", "shpo"],
            3,
            "the site has no tag `shpo`",
        ),
        (
            vec!["site", "tag", "add", "no.press.example", "shop"],
            3,
            "no site has the domain",
        ),
        (
            vec!["site", "list", "tag:\"two words\""],
            2,
            "no tag can be called so",
        ),
    ] {
        let refused = fixture.server.cli(&words, "").await?;
        ensure!(refused.stderr.contains(told), "{words:?}: {refused:?}");
        assert_eq!(refused.code, code, "{words:?}: {refused:?}");
    }
    let json = done(fixture, &["--json", "site", "show", DOMAIN]).await?;
    let json: Value = serde_json::from_str(&json)?;
    let tags = json["tags"].as_array().context("tags")?;
    assert_eq!(tags.len(), 3, "{json}");
    Ok(())
}
