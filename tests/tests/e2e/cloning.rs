//! Installations copied to another domain: the source does not notice.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{Options, ledger::Ledger, site::Site, tree::Tree};
use pressroom_tests::fixture::Fixture;
use pressroom_tests::network::network;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs};

/// Runs PHP code inside the booted WordPress; what it printed, as JSON.
fn wordpress(site: &Site, code: &str) -> Result<Value> {
    let host = site.url.trim_start_matches("http://");
    let host = host.split('/').next().unwrap_or_default();
    let text = site.php(&format!(
        "$_SERVER['HTTP_HOST'] = '{host}'; $_SERVER['REQUEST_URI'] = '/'; require 'wp-load.php'; {code}"
    ))?;
    serde_json::from_str(&text).with_context(|| text)
}

/// What the server says of every table, by its credentials alone, for WordPress itself
/// would write: checksum and rows.
fn tables(site: &Site) -> Result<BTreeMap<String, (String, String)>> {
    let text = site.php(
        "$text = file_get_contents('wp-config.php'); \
         $of = fn($name) => preg_match(\"/define\\(\\s*'$name',\\s*'([^']*)'/\", $text, $found) ? $found[1] : ''; \
         [$host, $socket] = array_pad(explode(':', $of('DB_HOST'), 2), 2, null); \
         $db = new mysqli($host, $of('DB_USER'), $of('DB_PASSWORD'), $of('DB_NAME'), 0, $socket); \
         $all = array(); foreach ($db->query('SHOW TABLES')->fetch_all() as $row) { \
           $all[$row[0]] = array($db->query(\"CHECKSUM TABLE `$row[0]`\")->fetch_row()[1], \
             $db->query(\"SELECT COUNT(*) FROM `$row[0]`\")->fetch_row()[0]); } \
         echo json_encode($all);",
    )?;
    serde_json::from_str(&text).with_context(|| text)
}

/// Everything of a source that a copy must not change.
struct Untouched {
    root: Tree,
    own: Tree,
    tables: BTreeMap<String, (String, String)>,
}

impl Untouched {
    async fn of(site: &Site) -> Result<Self> {
        // What a first visit sets going, such as WP-Cron, is over by the second.
        for _ in 0..2 {
            ensure!(site.get("/").await?.status == 200, "it does not answer");
            ensure!(site.get("/wp-login.php").await?.status == 200);
            site.get("/wp-admin/admin-ajax.php").await?;
        }
        site.php("require 'wp-load.php'; spawn_cron(); wp_cron();")?;
        site.get("/wp-cron.php?doing_wp_cron").await?;
        Ok(Self {
            root: Tree::of_directory(&site.root)?,
            own: Tree::of_directory(&state(site)?)?,
            tables: tables(site)?,
        })
    }

    fn is_so_still(&self, site: &Site) -> Result<()> {
        let none = Vec::<String>::new();
        assert_eq!(self.root.difference(&Tree::of_directory(&site.root)?), none);
        assert_eq!(
            self.own.difference(&Tree::of_directory(&state(site)?)?),
            none
        );
        assert_eq!(self.tables, tables(site)?);
        Ok(())
    }
}

fn state(site: &Site) -> Result<std::path::PathBuf> {
    Ok(site.root.parent().context("a home")?.join(".pressroom"))
}

/// Puts a file of its owner's into a site.
fn letter(site: &Site) -> Result<()> {
    let letter = site.root.join("letter.txt");
    fs::write(&letter, "dear reader")?;
    site.own(&letter)
}

async fn cloned(fixture: &Fixture, body: &Value) -> Result<(Site, Value)> {
    let started = fixture.change("/clone", body).await?.expect(201)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    ensure!(job["status"] == "completed", "{job}");
    ensure!(job["type"] == "clone", "{job}");
    let id = started.string("id")?;
    ensure!(job["result"]["installation"]["id"] == id.as_str(), "{job}");
    Ok((fixture.site(&id).await?, job))
}

// Rows: T04, T06
// Rows: T06
#[tokio::test]
async fn a_copy_is_a_site_of_its_own_and_the_source_does_not_notice() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    let source = fixture.install("model.press.example").await?;
    letter(&source)?;
    let config = source.root.join("wp-config.php");
    // As a plugin for objects has it.
    let text = fs::read_to_string(&config)?.replacen(
        "<?php",
        "<?php\ndefine('WP_REDIS_PREFIX', 'model:'); define('WP_CACHE_KEY_SALT', 'model:');",
        1,
    );
    fs::write(&config, text)?;
    let cache = source.root.join("wp-content/cache/page.html");
    fs::create_dir_all(cache.parent().context("a directory")?)?;
    fs::write(&cache, "cached")?;
    source.own(&source.root.join("wp-content/cache"))?;
    let url = &source.url;
    wordpress(
        &source,
        &format!(
            "update_option('elsewhere', array('address' => '{url}/hello-world/', 'deep' => serialize(array('{url}')))); \
             update_option('told', json_encode(array('at' => '{url}/x'))); \
             wp_insert_post(array('post_type' => 'page', 'post_status' => 'publish', 'post_name' => 'where', \
               'post_title' => 'Where', 'post_content' => 'Come to {url}/hello-world/ soon, not to http://model.press.example.org/')); \
             echo 1;"
        ),
    )?;
    fixture.add_domain("copy.press.example").await?;
    let before = Untouched::of(&source).await?;

    let body = json!({ "source_id": source.id, "target_domain": "copy.press.example" });
    let (copy, job) = cloned(&fixture, &body).await?;
    before.is_so_still(&source)?;
    assert_eq!(job["result"]["outgoing_mail"], false);
    assert_eq!(job["result"]["noindex"], true);

    // Every file but the configuration and caches, and every row.
    let mut gone = before.root.difference(&Tree::of_directory(&copy.root)?);
    gone.retain(|line| !line.contains("wp-config.php") && !line.contains("wp-content/cache"));
    assert_eq!(gone, Vec::<String>::new());
    ensure!(!copy.root.join("wp-content/cache/page.html").exists());
    let rows = |all: BTreeMap<String, (String, String)>| -> BTreeMap<String, String> {
        all.into_iter()
            .filter(|(name, _)| !name.ends_with("options"))
            .map(|(name, (_, rows))| (name, rows))
            .collect()
    };
    assert_eq!(rows(before.tables), rows(tables(&copy)?));

    let page = copy.front_page_with("Site of model.press.example").await?;
    ensure!(
        !page.body.contains(&format!("{url}/")),
        "it leads to the source"
    );
    let page = copy.get("/where/").await?;
    ensure!(page.status == 200, "no permalinks");
    ensure!(
        page.body.contains(&format!(
            "Come to {}/hello-world/ soon, not to http://model.press.example.org/",
            copy.url
        )),
        "{}",
        page.body
    );
    let own = "'db' => DB_NAME, 'user' => DB_USER, 'password' => DB_PASSWORD, 'salt' => AUTH_SALT, \
               'redis' => WP_REDIS_PREFIX, 'keys' => WP_CACHE_KEY_SALT";
    let told = wordpress(
        &copy,
        &format!(
            "$sent = wp_mail('somebody@press.example', 'a', 'b'); $else = get_option('elsewhere'); \
             echo json_encode(array('home' => home_url(), 'address' => $else['address'], \
             'deep' => unserialize($else['deep'])[0], 'told' => json_decode(get_option('told'))->at, \
             'public' => get_option('blog_public'), 'mail' => $sent, 'prefix' => $wpdb->prefix, {own}, \
             'guid' => $wpdb->get_var(\"SELECT guid FROM $wpdb->posts ORDER BY ID LIMIT 1\")));"
        ),
    )?;
    let theirs = wordpress(
        &source,
        &format!(
            "echo json_encode(array('public' => get_option('blog_public'), 'prefix' => $wpdb->prefix, {own}));"
        ),
    )?;
    assert_eq!(told["home"], copy.url);
    assert_eq!(told["address"], format!("{}/hello-world/", copy.url));
    assert_eq!(told["deep"], copy.url);
    assert_eq!(told["told"], format!("{}/x", copy.url));
    assert_eq!(
        (&told["public"], &theirs["public"]),
        (&json!("0"), &json!("1"))
    );
    assert_eq!(told["mail"], false);
    assert_eq!(told["prefix"], theirs["prefix"]);
    for own in ["db", "user", "password", "salt", "redis", "keys"] {
        ensure!(told[own] != theirs[own], "the same {own}");
    }
    ensure!(
        told["guid"]
            .as_str()
            .is_some_and(|guid| guid.starts_with(url.as_str())),
        "{told}"
    );
    let ledger = Ledger::of(&fixture.server).await?;
    assert_eq!(ledger.names("database").len(), 2);
    assert_eq!(ledger.names("database-user").len(), 2);
    let staging = state(&copy)?.join("staging");
    assert_eq!(fs::read_dir(&staging).map_or(0, Iterator::count), 0);

    // What holds something is no place for a copy.
    let again = fixture.change("/clone", &body).await?.expect(409)?;
    assert_eq!(again.body["code"], "CONFLICT");

    // Below another site, by the command line, found by search engines.
    let cli = [
        "site",
        "clone",
        "model.press.example",
        "copy.press.example",
        "--path",
        "public_html/down",
        "--index",
    ];
    let said = fixture.server.cli(&cli, "").await?;
    ensure!(said.code == 0, "{said:?}");
    let all = fixture.installations().await?;
    let down = all
        .iter()
        .find(|one| one["site_url"] == format!("{}/down", copy.url))
        .with_context(|| format!("{all:?}"))?;
    let down = fixture.site(down["id"].as_str().context("an id")?).await?;
    down.front_page_with("Site of model.press.example").await?;
    ensure!(down.get("/where/").await?.status == 200);
    let public = wordpress(&down, "echo json_encode(get_option('blog_public'));")?;
    assert_eq!(public, "1");
    copy.front_page_with("Site of model.press.example").await?;
    fixture.server.cli(&["doctor"], "").await?.line()?;
    fixture.touched_no_site()
}

// Rows: T06
// Rows: T06
#[tokio::test]
async fn a_copy_that_does_not_answer_is_gone() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let source = fixture.install("sick.press.example").await?;
    let fatal = source.root.join("wp-content/mu-plugins/fatal.php");
    fs::create_dir_all(fatal.parent().context("a directory")?)?;
    // It minds where it lies, and only in front of visitors.
    fs::write(
        &fatal,
        "<?php if (PHP_SAPI !== 'cli' && strpos(__DIR__, 'sick.press.example') === false) { this_is_no_function(); }",
    )?;
    source.own(&source.root.join("wp-content/mu-plugins"))?;
    letter(&source)?;
    fixture.add_domain("never.press.example").await?;
    let before = Ledger::of(&fixture.server).await?;
    let same = Untouched::of(&source).await?;
    let body = json!({ "source_id": source.id, "target_domain": "never.press.example" });
    let started = fixture.change("/clone", &body).await?.expect(201)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    ensure!(job["status"] == "failed", "{job}");
    let error = job["error"].as_str().context("an error")?;
    ensure!(error.contains("does not answer as its source"), "{error}");
    let after = Ledger::of(&fixture.server).await?;
    assert_eq!(before.difference(&after), Vec::<String>::new());
    ensure!(
        !fixture
            .server
            .data()
            .join("sites/never.press.example")
            .exists()
    );
    assert_eq!(fixture.installations().await?.len(), 1);
    same.is_so_still(&source)?;

    // A link out of the site is not followed, and not copied.
    fs::remove_file(&fatal)?;
    let link = source.root.join("wp-content/uploads/shared");
    fs::create_dir_all(link.parent().context("a directory")?)?;
    std::os::unix::fs::symlink("/etc", &link)?;
    source.own(&source.root.join("wp-content/uploads"))?;
    let started = fixture.change("/clone", &body).await?.expect(201)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    ensure!(job["status"] == "failed", "{job}");
    let error = job["error"].as_str().context("an error")?;
    ensure!(error.contains("a link that leaves the tree"), "{error}");
    assert_eq!(fixture.installations().await?.len(), 1);

    // Where something lies already, nothing is put.
    fs::remove_file(&link)?;
    let inside = json!({
        "source_id": source.id, "target_domain": "sick.press.example",
        "target_path": "public_html/copy",
    });
    fixture.change("/clone", &inside).await?.expect(400)?;
    fixture.server.cli(&["doctor"], "").await?.line()?;
    Ok(())
}

// Rows: T06
// Rows: T06
#[tokio::test]
async fn a_network_below_one_address_is_copied_whole() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let source = fixture.install("grid.press.example").await?;
    network(&source, false)?;
    ensure!(
        source.get("/").await?.status == 200,
        "the network does not work"
    );
    fixture.add_domain("grid2.press.example").await?;
    let body = json!({ "source_id": source.id, "target_domain": "grid2.press.example" });
    let (copy, _) = cloned(&fixture, &body).await?;
    copy.front_page_with(&copy.url).await?;
    let second = copy.get("/second/").await?;
    ensure!(
        second.status == 200 && second.body.contains("<title>Second"),
        "{} {}",
        second.status,
        second.body
    );
    let host = copy.url.trim_start_matches("http://").to_owned();
    let said = wordpress(
        &copy,
        "echo json_encode([$wpdb->get_col(\"SELECT domain FROM $wpdb->blogs\"), \
         $wpdb->get_col(\"SELECT domain FROM $wpdb->site\"), DOMAIN_CURRENT_SITE, get_home_url(2), \
         get_blog_option(1, 'blog_public'), get_blog_option(2, 'blog_public')]);",
    )?;
    assert_eq!(
        said,
        json!([
            [host, host],
            [host],
            host,
            format!("{}/second", copy.url),
            "0",
            "0"
        ])
    );
    source.front_page_with(&source.url).await?;

    // Sites with names of their own would need new ones.
    let config = source.root.join("wp-config.php");
    let text = fs::read_to_string(&config)?.replace(
        "define('SUBDOMAIN_INSTALL', false)",
        "define('SUBDOMAIN_INSTALL', true)",
    );
    fs::write(&config, text)?;
    fixture.add_domain("grid3.press.example").await?;
    let body = json!({ "source_id": source.id, "target_domain": "grid3.press.example" });
    let refused = fixture.change("/clone", &body).await?.expect(422)?;
    ensure!(
        refused.string("error")?.contains("names of their own"),
        "{}",
        refused.text
    );
    Ok(())
}
