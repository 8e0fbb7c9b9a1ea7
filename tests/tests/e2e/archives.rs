//! Restores through the job from every kind of place and format: files and tables are
//! those of the snapshot, and the site answers.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::site::Site;
use pressroom_testkit::tree::Tree;
use pressroom_testkit::{Options, Scratch};
use pressroom_tests::fixture::Fixture;
use pressroom_tests::network::network;
use std::fs;

#[path = "../../../crates/archive/tests/archive/cloud.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "a server that the archive's own tests use in full"
)]
mod cloud;

const DOMAIN: &str = "archived.press.example";

/// What a site is: its files, and a hash of every table but for the rows that
/// WordPress writes by itself.
struct State {
    files: Tree,
    tables: String,
}

impl State {
    fn of(site: &Site) -> Result<Self> {
        let host = site.url.trim_start_matches("http://");
        let tables = site.php(&format!(
            "$_SERVER['HTTP_HOST'] = '{host}'; $_SERVER['REQUEST_URI'] = '/'; require 'wp-load.php'; \
             $all = []; foreach ($wpdb->get_col('SHOW TABLES') as $t) {{ \
             $where = str_ends_with($t, 'options') ? \" WHERE option_name NOT LIKE '%transient%' AND option_name <> 'cron'\" \
               : (str_ends_with($t, 'sitemeta') ? \" WHERE meta_key NOT LIKE '%transient%'\" : ''); \
             $all[$t] = md5(serialize($wpdb->get_results(\"SELECT * FROM `$t`$where ORDER BY 1\", ARRAY_A))); }} \
             echo json_encode($all);"
        ))?;
        Ok(Self {
            files: Tree::of_directory(&site.root)?,
            tables,
        })
    }

    fn must_be(&self, other: &Self) -> Result<()> {
        let difference = self.files.difference(&other.files);
        ensure!(difference.is_empty(), "{difference:#?}");
        ensure!(
            self.tables == other.tables,
            "{} is not {}",
            other.tables,
            self.tables
        );
        Ok(())
    }
}

/// Something in the files and in the tables.
fn write(site: &Site, word: &str) -> Result<()> {
    let upload = site.root.join(format!("wp-content/uploads/{word}.txt"));
    fs::create_dir_all(upload.parent().context("uploads")?)?;
    fs::write(&upload, word.repeat(50_000))?;
    site.own(&site.root.join("wp-content/uploads"))?;
    let host = site.url.trim_start_matches("http://");
    site.php(&format!(
        "$_SERVER['HTTP_HOST'] = '{host}'; $_SERVER['REQUEST_URI'] = '/'; require 'wp-load.php'; \
         wp_insert_post(['post_title' => '{word}', 'post_status' => 'publish', \
         'post_content' => str_repeat('{word} ', 1000)]); update_option('word', '{word}');"
    ))?;
    Ok(())
}

/// Takes a snapshot, damages the site, and restores it.
async fn there_and_back(fixture: &Fixture, site: &Site, format: &[&str]) -> Result<()> {
    // Whatever a first look at a site writes is written.
    for path in ["/", "/wp-login.php", "/wp-admin/admin-ajax.php"] {
        site.get(path).await?;
    }
    write(site, "then")?;
    let then = State::of(site)?;
    let create = [&["snapshot", "create", DOMAIN], format].concat();
    let said = fixture.server.cli(&create, "").await?.line()?;
    let name = said.lines().last().context("a name")?.to_owned();

    write(site, "now")?;
    fs::remove_file(site.root.join("wp-content/uploads/then.txt"))?;
    fs::remove_dir_all(site.root.join("wp-includes/css"))?;
    let host = site.url.trim_start_matches("http://");
    site.php(&format!(
        "$_SERVER['HTTP_HOST'] = '{host}'; $_SERVER['REQUEST_URI'] = '/'; require 'wp-load.php'; \
         $wpdb->query(\"DROP TABLE $wpdb->comments\"); \
         $wpdb->query(\"CREATE TABLE {{$wpdb->base_prefix}}later (id INT)\"); \
         $wpdb->query(\"DROP TABLE {{$wpdb->base_prefix}}later\");"
    ))?;
    let restore = ["snapshot", "restore", DOMAIN, &name, "--yes"];
    fixture.server.cli(&restore, "").await?.line()?;
    then.must_be(&State::of(site)?).context(said)?;
    site.front_page_with(DOMAIN).await?;
    let verify = ["snapshot", "verify", &name];
    fixture.server.cli(&verify, "").await?.line()?;
    fixture.server.cli(&["doctor"], "").await?.line()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_comes_back_from_a_bucket_in_either_format() -> Result<()> {
    let scratch = Scratch::new()?;
    let cloud = cloud::Cloud::start(&scratch.path().join("s3")).await;
    let secret = scratch.path().join("secret");
    fs::write(&secret, cloud::SECRET_KEY)?;
    let fixture = Fixture::start(Options {
        config: format!(
            "[archive]\ns3_bucket = \"{}\"\ns3_endpoint = \"http://{}\"\ns3_prefix = \"press\"\n\
             s3_access_key = \"{}\"\ns3_secret_file = \"{}\"\n",
            cloud::BUCKET,
            cloud.address,
            cloud::ACCESS_KEY,
            secret.display()
        ),
        ..Options::default()
    })
    .await?;
    let site = fixture.install(DOMAIN).await?;
    for format in [&[][..], &["--zip"]] {
        there_and_back(&fixture, &site, format).await?;
    }
    // They were in the bucket, and nowhere else.
    ensure!(Tree::of_directory(&cloud.file("press"))?.files() >= 4);
    let here = fixture.server.data().join("archive");
    ensure!(!here.exists() || Tree::of_directory(&here)?.files() == 0);
    Ok(())
}

#[tokio::test]
async fn a_network_comes_back_from_a_zip() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(DOMAIN).await?;
    network(&site, false)?;
    there_and_back(&fixture, &site, &["--zip"]).await?;
    let host = site.url.trim_start_matches("http://");
    let homes = site.php(&format!(
        "$_SERVER['HTTP_HOST'] = '{host}'; $_SERVER['REQUEST_URI'] = '/'; require 'wp-load.php'; \
         echo implode(' ', array_map('get_home_url', $wpdb->get_col(\"SELECT blog_id FROM $wpdb->blogs\")));"
    ))?;
    assert_eq!(homes, format!("{0} {0}/second", site.url));
    Ok(())
}
