//! Language packs of a new WordPress, exchanged with it and taken back with it.

use crate::{
    core_updates::{offer_other, older},
    pipelines::{is, nothing_left, place},
};
use anyhow::{Context, Result, ensure};
use pressroom_testkit::{
    Options,
    packages::{OLDER_WORDPRESS, WORDPRESS},
    site::Site,
    wordpress_org::{Translation, WordPressOrg, catalogue, zip_of},
};
use pressroom_tests::{client::Client, fixture::Fixture};
use reqwest::Method;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs};

/// A text of every front page.
const TEXT: &str = "%1$s %2$s Comments Feed";

/// A server that gets its language packs from here.
fn options(org: &WordPressOrg) -> Options {
    let mut options = Options {
        config: "[updates]\npictures = \"off\"\n".to_owned(),
        ..Options::default()
    };
    let address = org.base_url.trim_end_matches('/').to_owned();
    let name = "PRESSROOM_PACKAGES__WORDPRESS_ORG";
    options.env.push((name.into(), address));
    options
}

/// Every translation at the site, by name.
fn languages(site: &Site) -> Result<BTreeMap<String, Vec<u8>>> {
    let dir = site.root.join("wp-content/languages");
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(&dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.insert(name, fs::read(entry.path())?);
    }
    Ok(files)
}

/// The site in five languages, shown in German.
fn speak(site: &Site) -> Result<()> {
    let dir = site.root.join("wp-content/languages");
    fs::create_dir_all(&dir)?;
    for (locale, since) in [
        ("de_DE", "2023-11-07 09:00:00"),
        ("es_ES", "2024-05-01 09:00:00"),
        ("fr_FR", "2023-11-07 09:00:00"),
        ("it_IT", "2023-11-07 09:00:00"),
        ("nl_NL", "2023-11-07 09:00:00"),
    ] {
        let translated = format!("%1$s %2$s {locale} of {OLDER_WORDPRESS}");
        let (mo, po) = catalogue(locale, since, &[(TEXT, &translated)])?;
        fs::write(dir.join(format!("{locale}.mo")), mo)?;
        fs::write(dir.join(format!("{locale}.po")), po)?;
    }
    fs::write(dir.join("de_DE-0123456789abcdef.json"), "{}")?;
    site.own(&dir)?;
    site.php("require 'wp-load.php'; update_option('WPLANG', 'de_DE');")?;
    Ok(())
}

fn pack(locale: &str, version: &str, updated: &str) -> Result<Translation> {
    let translated = format!("%1$s %2$s {locale} of {version}");
    Translation::core(locale, version, updated, &[(TEXT, &translated)])
}

/// Begins an update of everything, says yes, and waits for how it ends.
async fn update(client: &Client, ending: &str) -> Result<Value> {
    let place = place(client).await?;
    let made = client.make(&place, &json!({ "all": true })).await?;
    let here = format!("{place}/{}", made["id"].as_str().context("an id")?);
    let waits = is(client, &here, "awaiting_approval").await?;
    assert_eq!(waits["status"], "awaiting_approval", "{waits}");
    let approve = format!("{here}/approve");
    let yes = client.send(Method::POST, &approve, None).await?;
    yes.expect(200)?;
    let over = is(client, &here, ending).await?;
    assert_eq!(over["status"], ending, "{over}");
    Ok(over)
}

/// The languages that a pipeline says were left as they were, and why.
fn left(over: &Value) -> Result<BTreeMap<String, String>> {
    let findings = over["findings"].as_array().context("findings")?;
    Ok(findings
        .iter()
        .filter(|found| found["severity"] == "note")
        .filter_map(|found| {
            let message = found["message"].as_str()?.to_owned();
            let whole = found.to_string();
            let locales = ["de_DE", "es_ES", "fr_FR", "it_IT", "nl_NL"];
            let locale = locales.iter().find(|it| whole.contains(**it))?;
            Some(((*locale).to_owned(), message))
        })
        .collect())
}

#[tokio::test]
async fn translations_come_with_a_new_wordpress_and_go_with_it() -> Result<()> {
    let org = WordPressOrg::start(Vec::new()).await?;
    let fixture = Fixture::start(options(&org)).await?;
    let site = older(&fixture, "sprache.press.example").await?;
    let client = Client::of(&fixture.server).await?;
    speak(&site)?;
    let old = languages(&site)?;
    site.front_page_with(&format!("de_DE of {OLDER_WORDPRESS}"))
        .await?;

    org.translate(pack("de_DE", "6.5", "2024-04-02 20:12:41")?);
    // What the site has is newer.
    org.translate(pack("es_ES", "6.5", "2024-04-02 20:12:41")?);
    // There is no French; two packs are none.
    for (locale, name) in [("it_IT", "evil.php"), ("nl_NL", "../x.php")] {
        let mut hostile = pack(locale, "6.5", "2024-04-02 20:12:41")?;
        hostile.zip = zip_of(&[
            (format!("{locale}.mo"), b"bad".to_vec()),
            (name.to_owned(), b"<?php evil();".to_vec()),
        ])?;
        org.translate(hostile);
    }
    let over = update(&client, "completed").await?;
    assert_eq!(over["targets"][0]["status"], "updated", "{over}");
    site.front_page_with("de_DE of 6.5").await?;
    let served = site.get("/").await?;
    ensure!(!served.body.contains(OLDER_WORDPRESS), "{}", served.body);
    let new = languages(&site)?;
    let (mo, po) = catalogue(
        "de_DE",
        "2024-04-02 20:12:41",
        &[(TEXT, "%1$s %2$s de_DE of 6.5")],
    )?;
    let mut expected = old.clone();
    expected.insert("de_DE.mo".into(), mo);
    expected.insert("de_DE.po".into(), po);
    // As WordPress' own updater does: what the pack has no more goes.
    expected.remove("de_DE-0123456789abcdef.json");
    ensure!(new == expected, "{:?}", new.keys());
    ensure!(!site.root.join("wp-content/x.php").exists());
    let said = left(&over)?;
    ensure!(
        said.keys().eq(["fr_FR", "it_IT", "nl_NL"]),
        "{said:?} of {over}"
    );
    ensure!(said["fr_FR"].contains("no language pack"), "{said:?}");
    ensure!(said["it_IT"].contains("evil.php"), "{said:?}");
    ensure!(said["nl_NL"].contains("../x.php"), "{said:?}");
    // In the clone, and at the site.
    let asked = format!("/translations/core/1.0/?version={WORDPRESS}");
    let times = org.asked().iter().filter(|it| **it == asked).count();
    assert_eq!(times, 2);
    nothing_left(&site).await?;

    // A version that dies at the site alone.
    org.translate(pack("de_DE", "6.5.9", "2024-07-01 10:00:00")?);
    let only_live = "if (false === strpos(__DIR__, '.pressroom')) { nobody_has_this(); }";
    offer_other(&fixture, "6.5.9", only_live)?;
    let over = update(&client, "rolled_back").await?;
    assert_eq!(over["targets"][0]["status"], "rolled_back", "{over}");
    ensure!(languages(&site)? == new, "not the bytes from before");
    site.front_page_with("de_DE of 6.5").await?;
    nothing_left(&site).await
}
