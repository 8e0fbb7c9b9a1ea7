//! Whole trees: verified, packed, exchanged.

use crate::{
    rival::WpCli,
    site,
    table::{Row, Table},
    timing,
};
use anyhow::{Context, Result, anyhow, ensure};
use md5::{Digest as _, Md5};
use pressroom_agent::protocol::SiteRef;
use pressroom_base::Epoch;
use pressroom_carrier::{CancellationToken, Place, Session};
use pressroom_lab::{Site, Wordpress};
use pressroom_wordpress::{
    archive::Format,
    checksums::{Expected, Subject},
    component::{ComponentKind, Swap, Target},
    database::dump::DumpOptions,
    snapshot::{Contents, SnapshotOptions},
};
use serde_json::{Map, Value, json};
use std::{
    cell::Cell,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};
use tokio::runtime::Runtime;

/// Stands in for the part of WP-CLI that asks wordpress.org: the same list from a
/// file, so that neither the network nor TLS is in its time.
const LOCAL_LIST: &str = "<?php\nnamespace WP_CLI;\nclass WpOrgApi {\n\
    function __construct($options = []) {}\n\
    function get_core_checksums($version, $locale = 'en_US') {\n\
    return json_decode(file_get_contents(__DIR__ . '/list.json'), true)['checksums']; } }\n";

/// Core held against the list of its files.
pub fn checksums(table: &mut Table) -> Result<()> {
    let runtime = Runtime::new()?;
    let site = site::with_plugins()?;
    let place = site::place(site.home())?;
    let tree = Wordpress::V6_5.tree()?;
    let mut list = Map::new();
    for path in files_below(&tree)? {
        let name = path.strip_prefix(&tree)?.to_str().context("a plain name")?;
        let sum = hex::encode(Md5::digest(fs::read(&path)?));
        list.insert(name.to_owned(), Value::String(sum));
    }
    let compared: Vec<PathBuf> = list
        .keys()
        .filter(|name| !name.starts_with("wp-content/"))
        .map(|name| site.path().join(name))
        .collect();
    let json = serde_json::to_vec(&json!({ "checksums": list }))?;
    let expected = Expected::from_json(&mut json.as_slice())?;
    let open = || runtime.block_on(open(&place));
    let verify = |session: &Session| {
        let report =
            runtime.block_on(session.verify_checksums(site.root(), Subject::Core, &expected))?;
        ensure!(
            report.is_clean() && report.intact == compared.len() as u64,
            "core is not as its list says: {report:?}"
        );
        Ok(report.bytes)
    };
    let from_nothing = || {
        let session = open()?;
        verify(&session)?;
        runtime.block_on(session.close());
        Ok(())
    };
    let what = format!("verify core, {} files", compared.len());
    if let Some(wp) = WpCli::find() {
        let dir = tempfile::tempdir()?;
        fs::write(dir.path().join("list.json"), &json)?;
        let stand_in = dir.path().join("local.php");
        fs::write(&stand_in, LOCAL_LIST)?;
        let require = format!("--require={}", stand_in.display());
        let cache = tempfile::tempdir()?;
        for (name, wp) in [
            ("`wp core verify-checksums`, list at hand,", wp.clone()),
            (
                "the same with OPcache's file cache",
                wp.with_file_cache(cache.path()),
            ),
        ] {
            let theirs = || {
                let said = wp.run(
                    &site.path(),
                    &[
                        &require,
                        "core",
                        "verify-checksums",
                        "--version=6.5.5",
                        "--locale=en_US",
                    ],
                )?;
                ensure!(said.contains("verifies against"), "WP-CLI said: {said}");
                Ok(())
            };
            let (ours, other) = timing::side_by_side(7, from_nothing, theirs)?;
            table.push(Row::faster(&what, ours, Some((name, other)), 10.0));
        }
    } else {
        let ours = timing::median(7, from_nothing)?;
        table.push(Row::faster(&what, ours, None, 10.0));
    }
    let session = open()?;
    let bytes = verify(&session)?;
    ensure!(
        hash_all(&compared)? == bytes,
        "not the same bytes were hashed"
    );
    let (ours, other) = timing::side_by_side(
        15,
        || verify(&session).map(drop),
        || hash_all(&compared).map(drop),
    )?;
    let what = format!("verify core, {} MB, in an open session", bytes / 1_000_000);
    let other = Some(("MD5 of the same bytes on all cores", other));
    table.push(Row::faster(&what, ours, other, 0.7));
    runtime.block_on(session.close());
    Ok(())
}

/// Reads and hashes files on all processors; the bytes.
fn hash_all(files: &[PathBuf]) -> Result<u64> {
    let (next, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
    let hash = || {
        let mut buffer = vec![0; 128 * 1024];
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut file = fs::File::open(path)?;
            let mut sum = Md5::new();
            loop {
                let count = file.read(&mut buffer)?;
                if count == 0 {
                    break;
                }
                sum.update(&buffer[..count]);
                bytes.fetch_add(count as u64, Ordering::Relaxed);
            }
            std::hint::black_box(sum.finalize());
        }
        Ok(())
    };
    let processors = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..processors).map(|_| scope.spawn(hash)).collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .map_err(|_| anyhow!("a hashing thread panicked"))?
        })
    })
    .map(|()| bytes.into_inner())
}

/// The files of a site in one archive. Ours also holds a manifest with a SHA-256 of
/// every file, and the tables of an empty WordPress (100 kB).
pub fn snapshot(table: &mut Table) -> Result<()> {
    let runtime = Runtime::new()?;
    let site = site::with_plugins()?;
    let place = site::place(site.home())?;
    let results = site::scratch()?;
    let (ours, theirs) = (results.path().join("ours"), results.path().join("theirs"));
    let options = SnapshotOptions {
        contents: Contents::Full,
        format: Format::TarZst,
        dump: DumpOptions::default(),
        usual_excludes: false,
        exclude: Vec::new(),
    };
    let take = || {
        runtime.block_on(async {
            let session = open(&place).await?;
            let mut out = tokio::fs::File::create(&ours).await?;
            let report = session
                .take_snapshot(reference(&site), options.clone(), &mut out)
                .await?;
            tokio::io::AsyncWriteExt::flush(&mut out).await?;
            session.close().await;
            Ok::<_, anyhow::Error>(report)
        })
    };
    let pack = || {
        let mut tar = Command::new("tar")
            .arg("-C")
            .arg(site.home())
            .args(["-c", site.root()])
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run `tar`")?;
        let zstd = Command::new("zstd")
            .args(["-3", "-T0", "-q", "-f", "-o"])
            .arg(&theirs)
            .stdin(tar.stdout.take().context("tar has no output")?)
            .status()
            .context("cannot run `zstd`")?;
        ensure!(tar.wait()?.success() && zstd.success(), "tar failed");
        Ok(())
    };
    let report = take()?;
    let files = files_below(&site.path())?;
    let mut bytes = 0;
    for file in &files {
        bytes += fs::metadata(file)?.len();
    }
    let packed = &report.files.totals;
    let tables = report.database.map_or(0, |dump| dump.bytes);
    ensure!(
        packed.files == files.len() as u64 + 1 && packed.bytes == bytes + tables,
        "not every byte was packed: {packed:?}, {} files with {bytes} bytes",
        files.len()
    );
    let (our_time, other) = timing::side_by_side(7, || take().map(drop), pack)?;
    let what = format!(
        "snapshot of a site's {} files, {} MB, every file hashed (to {} MB; tar's {} MB)",
        files.len(),
        bytes / 1_000_000,
        fs::metadata(&ours)?.len() / 1_000_000,
        fs::metadata(&theirs)?.len() / 1_000_000,
    );
    let other = Some(("`tar c` piped into `zstd -3 -T0`", other));
    table.push(Row::faster(&what, our_time, other, 1.0));
    Ok(())
}

/// A plugin of 140 files replaced by another version from a zip. Ours: agent
/// started, fence taken, package sent, unpacked and hashed, exchanged, old tree
/// removed, agent gone.
pub fn plugin_update(table: &mut Table) -> Result<()> {
    const SLUG: &str = "bench-14";
    let runtime = Runtime::new()?;
    let site = site::with_plugins()?;
    let place = site::place(site.home())?;
    let live = format!("{}/wp-content/plugins/{SLUG}", site.root());
    let results = site::scratch()?;
    let packages = [
        package(&site, SLUG, "2.0.0", results.path())?,
        package(&site, SLUG, "2.1.0", results.path())?,
    ];
    let turn = Cell::new(0_i64);
    // Each apply brings the other version, whoever applies it.
    let next = || {
        turn.set(turn.get() + 1);
        let even = turn.get() % 2 == 0;
        (
            Epoch::new(turn.get()),
            &packages[usize::from(even)],
            if even { "2.1.0" } else { "2.0.0" },
        )
    };
    let main_file = site.home().join(&live).join(format!("{SLUG}.php"));
    let check = |version: &str| {
        ensure!(
            fs::read_to_string(&main_file)?.contains(&format!("Version: {version}\n")),
            "version {version} is not live"
        );
        Ok(())
    };
    let apply = || {
        let (epoch, package, version) = next();
        let target = Target {
            root: site.root().to_owned(),
            kind: ComponentKind::Plugin,
            slug: SLUG.to_owned(),
        };
        runtime.block_on(async {
            let session = open(&place).await?;
            session.recover(epoch).await?;
            let before = session.tree_hash(&live).await?.map(|tree| tree.hash);
            let zip = tokio::fs::File::open(package).await?;
            let staged = session.stage_component(epoch, target.clone(), zip).await?;
            let swap = Swap {
                target,
                staged: staged.staged.clone(),
                before,
                after: staged.tree.hash,
            };
            session.swap_component(epoch, swap).await?;
            session.drop_staged(epoch, &staged.staged).await?;
            session.close().await;
            Ok::<_, anyhow::Error>(())
        })?;
        check(version)
    };
    let what = "plugin update, apply step, 132 files";
    let Some(wp) = WpCli::find() else {
        let ours = timing::median(7, apply)?;
        table.push(Row::faster(what, ours, None, 5.0));
        return Ok(());
    };
    let cache = site::scratch()?;
    for (name, wp) in [
        ("`wp plugin install ZIP --force`", wp.clone()),
        (
            "the same with OPcache's file cache",
            wp.with_file_cache(cache.path()),
        ),
    ] {
        let install = || {
            let (_, package, version) = next();
            let zip = package.to_str().context("a plain path")?;
            wp.run_as_owner(&site.path(), &["plugin", "install", zip, "--force"])?;
            check(version)
        };
        let (ours, other) = timing::side_by_side(7, apply, install)?;
        table.push(Row::faster(what, ours, Some((name, other)), 5.0));
    }
    Ok(())
}

/// A zip of a plugin as it is, but for its version.
fn package(site: &Site, slug: &str, version: &str, dir: &Path) -> Result<PathBuf> {
    let from = site.path().join("wp-content/plugins").join(slug);
    let top = dir.join(version).join(slug);
    fs::create_dir_all(dir.join(version))?;
    ensure!(
        Command::new("cp")
            .arg("-r")
            .arg(&from)
            .arg(&top)
            .status()?
            .success(),
        "cannot copy a plugin"
    );
    let main = top.join(format!("{slug}.php"));
    let text: Vec<String> = fs::read_to_string(&main)?
        .lines()
        .map(|line| {
            if line.starts_with(" * Version:") {
                format!(" * Version: {version}")
            } else {
                line.to_owned()
            }
        })
        .collect();
    fs::write(&main, text.join("\n") + "\n")?;
    let zip = dir.join(format!("{slug}.{version}.zip"));
    ensure!(
        Command::new("zip")
            .arg("-qr")
            .arg(&zip)
            .arg(slug)
            .current_dir(dir.join(version))
            .status()
            .context("cannot run `zip`")?
            .success(),
        "cannot pack a plugin"
    );
    Ok(zip)
}

async fn open(place: &Place) -> Result<Session> {
    Ok(Session::open(place, CancellationToken::new()).await?)
}

fn reference(site: &Site) -> SiteRef {
    SiteRef {
        root: site.root().to_owned(),
        php: None,
    }
}

/// Every regular file below a directory.
fn files_below(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.append(&mut files_below(&entry.path())?);
        } else if entry.file_type()?.is_file() {
            found.push(entry.path());
        }
    }
    Ok(found)
}
