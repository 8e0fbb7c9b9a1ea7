//! Sites whose code lies, shouts, or points elsewhere.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::plugin::{Behaviour, PluginPackage};
use pressroom_testkit::tree::Tree;
use pressroom_tests::fixture::{Fixture, JOB_TIME};
use serde_json::json;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::Instant;

#[tokio::test]
async fn a_perfect_fake_frame_makes_nothing_verified() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    let site = fixture.install("liar.press.example").await?;
    let liar = PluginPackage::new("liar").behaviour(Behaviour::FakeFrame);
    site.plant_plugin(&liar, "liar")?;
    site.front_page_with(&liar.mark()).await?;

    // The plugin says that a login was issued; none was stored, so none is given.
    let reply = fixture.post("/auto-login", &json!({"id": site.id})).await?;
    ensure!(reply.status == 502, "{}: {}", reply.status, reply.text);
    ensure!(reply.body.get("url").is_none(), "{}", reply.text);

    // An update needs no word of the site, and is judged by what is on disk.
    let new = liar.clone().version("1.1.0").files(5);
    fixture.offer(&new)?;
    let reply = fixture.update_plugin(&site, "liar").await?.expect(200)?;
    assert_eq!(reply.body["new_version"], "1.1.0");
    let packed = Tree::of_package(&new.zip(), "liar")?;
    assert_eq!(
        packed.difference(&site.plugin_tree("liar")?),
        Vec::<String>::new()
    );
    site.front_page_with(&new.mark()).await?;
    fixture.touched_no_site()
}

#[tokio::test]
async fn ten_kilobytes_of_noise_disturb_nothing() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    let site = fixture.install("noise.press.example").await?;
    let noise = PluginPackage::new("noise").behaviour(Behaviour::Noise);
    site.plant_plugin(&noise, "noise")?;
    let reply = fixture
        .post("/auto-login", &json!({"id": site.id}))
        .await?
        .expect(200)?;
    let page = site.get_url(&reply.string("url")?).await?;
    ensure!(
        page.location
            .as_deref()
            .is_some_and(|to| to.contains("/wp-admin/")),
        "the login leads to {:?}",
        page.location
    );
    let new = noise.clone().version("1.1.0");
    fixture.offer(&new)?;
    fixture.update_plugin(&site, "noise").await?.expect(200)?;
    site.front_page_with(&new.mark()).await?;
    fixture.touched_no_site()
}

#[tokio::test]
async fn a_planted_link_is_neither_followed_nor_changed() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    let site = fixture.install("link.press.example").await?;
    let old = PluginPackage::new("linked").files(3);
    site.plant_plugin(&old, "linked")?;

    // A file that only root may read, a directory with a file that must survive, and
    // a loop; all planted by the site's owner.
    let precious = fixture.server.scratch().join("precious");
    fs::create_dir(&precious)?;
    let keep = precious.join("keep");
    fs::write(&keep, "kept")?;
    fs::set_permissions(&keep, fs::Permissions::from_mode(0o600))?;
    let directory = site.plugin_directory("linked");
    symlink("/etc/shadow", directory.join("shadow.txt"))?;
    symlink(&precious, directory.join("elsewhere"))?;
    symlink(&keep, directory.join("keep.txt"))?;
    symlink(".", directory.join("loop"))?;
    site.own(&directory)?;
    let before = (identity(&keep)?, rights(Path::new("/etc/shadow"))?);

    let new = old.clone().version("1.1.0");
    fixture.offer(&new)?;
    let started = Instant::now();
    let reply = fixture.update_plugin(&site, "linked").await?.expect(200)?;
    ensure!(started.elapsed() < JOB_TIME, "it went round in the loop");
    assert_eq!(reply.body["new_version"], "1.1.0");
    let packed = Tree::of_package(&new.zip(), "linked")?;
    assert_eq!(
        packed.difference(&site.plugin_tree("linked")?),
        Vec::<String>::new()
    );

    assert_eq!(fs::read_to_string(&keep)?, "kept");
    // The shadow file's inode and time are other tests' to change: they add Unix users.
    let after = (identity(&keep)?, rights(Path::new("/etc/shadow"))?);
    assert_eq!(before, after);
    nowhere_below(site.root.parent().context("a home")?, "root:")?;
    fixture.touched_no_site()
}

#[tokio::test]
async fn a_package_with_a_link_out_of_itself_is_refused() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    let site = fixture.install("trojan.press.example").await?;
    let old = PluginPackage::new("trojan");
    site.plant_plugin(&old, "trojan")?;
    let before = site.plugin_tree("trojan")?;
    fixture.offer(
        &old.clone()
            .version("1.1.0")
            .behaviour(Behaviour::Symlink("/etc/shadow".to_owned())),
    )?;
    let reply = fixture.update_plugin(&site, "trojan").await?;
    ensure!(
        (400..600).contains(&reply.status) && reply.body["success"] == false,
        "{}: {}",
        reply.status,
        reply.text
    );
    assert_eq!(
        before.difference(&site.plugin_tree("trojan")?),
        Vec::<String>::new()
    );
    site.front_page_with(&old.mark()).await?;
    fixture.touched_no_site()
}

/// Mode, owner and group.
type Rights = (u32, u32, u32);

/// What replacing, writing or touching a file changes: inode, size, time in
/// nanoseconds, and its [`Rights`].
fn identity(path: &Path) -> Result<(u64, u64, i64, Rights)> {
    let of = fs::metadata(path)?;
    Ok((of.ino(), of.len(), of.mtime_nsec(), rights(path)?))
}

fn rights(path: &Path) -> Result<Rights> {
    let of = fs::metadata(path)?;
    Ok((of.mode(), of.uid(), of.gid()))
}

/// No regular file below `directory` holds what only the shadow file has.
fn nowhere_below(directory: &Path, needle: &str) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let kind = path.symlink_metadata()?;
        if kind.is_dir() {
            nowhere_below(&path, needle)?;
        } else if kind.is_file() {
            let content = fs::read(&path)?;
            ensure!(
                !content.starts_with(needle.as_bytes()),
                "{} is a copy of it",
                path.display()
            );
        }
    }
    Ok(())
}
