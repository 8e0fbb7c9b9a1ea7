//! WordPress itself on disk: unpack into an empty root and take away again; update
//! in place ([`stage_core`], [`swap_core`], [`take_back_core`]), its translations with it
//! ([`stage_translation`]).

use crate::{
    Error, Result, disk, fence,
    home::Home,
    inventory,
    journal::{self, Entry},
    package::{
        self, Spool,
        layout::{Layout, TopFolder},
    },
    tree::{self, TreeHash},
    watch::Watch,
};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder},
    io::{self, Read, Seek},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

pub(crate) mod items;
mod names;
pub(crate) mod record;
mod stage;
mod translations;
mod update;

pub use items::{CoreItem, CoreLive, CoreSwap, RecoveredCoreSwap, combine, package_core};
pub(crate) use items::{below, look_at_swap};
pub use names::LANGUAGES;
pub(crate) use record::{Record, root_key};
pub use stage::{StagedCore, stage_core};
pub use translations::{
    InstalledTranslation, installed as installed_translations, package_translation,
    stage_translation,
};
pub use update::{SwappedCore, drop_staged, swap_core, take_back_core};

/// A core that was unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledCore {
    /// `$wp_version` as found on disk afterwards.
    pub version: String,
    /// The tree as found on disk afterwards.
    pub tree: TreeHash,
}

/// Pages that a host puts into an empty root, and how large they may be.
const PLACEHOLDERS: [&str; 4] = [
    "index.html",
    "index.htm",
    "index.nginx-debian.html",
    "default.html",
];
const MAX_PLACEHOLDER: u64 = 64 * 1024;
/// What WordPress and the engine add to a root later.
const WRITTEN_LATER: [&str; 2] = ["wp-config.php", ".maintenance"];

/// Unpacks WordPress into `root`, which must be absent, empty, or hold nothing but
/// a placeholder page; that is kept aside and comes back with [`remove`].
pub fn install(
    home: &Home,
    epoch: Epoch,
    root: &str,
    package: &Spool,
    watch: &Watch,
) -> Result<InstalledCore> {
    fence::check(home, epoch, watch)?;
    let root = root.trim_end_matches('/');
    let path = home.resolve(root)?;
    let placeholders = occupants(&path, root)?;
    let (layout, mut archive) = read_package(package.reader())?;
    let names = layout
        .top_names()
        .into_iter()
        .map(|name| {
            String::from_utf8(name)
                .map_err(|_| Error::BadInput("package has a name that is not UTF-8".to_owned()))
        })
        .collect::<Result<Vec<String>>>()?;
    let staging = home
        .state_subdir("staging")?
        .join(package::handle(epoch)? + "-core");
    let record = Record {
        root: root.to_owned(),
        names,
        placeholders,
        made: missing_dirs(home, root)?,
    };
    let unpacked = package::unpack(&layout, &mut archive, &staging, watch)?;
    let placed = fence::critical(home, epoch, watch, || {
        // Looked at again: the unpacking took its time.
        if occupants(&path, root)? != record.placeholders {
            return Err(Error::Occupied(root.to_owned()));
        }
        journal::write(
            home,
            &Entry::Core {
                epoch,
                record: record.clone(),
            },
        )?;
        place(home, &record, &staging, &path)
    });
    let installed = placed.and_then(|()| verify(home, root, &path, &unpacked, watch));
    let settled = installed.and_then(|installed| {
        fence::critical(home, epoch, watch, || {
            let file = home
                .state_subdir("installed")?
                .join(format!("{}.json", root_key(root)));
            disk::write_json(&file, &record)?;
            journal::settle_core(home, root)
        })?;
        Ok(installed)
    });
    if settled.is_err() {
        // Undone here if we still may; otherwise the journal tells our successor.
        // The caller's watch may have run out: the undoing gets time of its own.
        let patience = Watch::lasting(std::time::Duration::from_secs(30));
        if journal::unfinished_core(home, root).is_ok_and(|found| found.is_some()) {
            let _ = remove(home, epoch, root, &patience);
        }
    }
    let _ = disk::remove_tree(&staging);
    settled
}

/// Removes what [`install`] put into `root`, by its record: the package's top-level
/// names, `wp-config.php` and WordPress' own `.htaccess`. Placeholders come back,
/// foreign files stay, directories that were made go when they are empty. Nothing
/// recorded is nothing to do.
pub fn remove(home: &Home, epoch: Epoch, root: &str, watch: &Watch) -> Result<()> {
    fence::check(home, epoch, watch)?;
    let root = root.trim_end_matches('/');
    let path = home.resolve(root)?;
    let installed = home
        .state_path("installed")
        .join(format!("{}.json", root_key(root)));
    let record = match journal::unfinished_core(home, root)? {
        Some(record) => Some(record),
        None => read_record(&installed)?,
    };
    let Some(record) = record else {
        return Ok(());
    };
    let trash = home
        .state_subdir("staging")?
        .join(package::handle(epoch)? + "-removed");
    fs::create_dir(&trash).map_err(|why| Error::io("create", &trash, why))?;
    let removed = fence::critical(home, epoch, watch, || {
        clear(home, &record, &path, &trash)?;
        // The record goes last: until then, a repetition finds everything again.
        disk::remove_file(&installed)?;
        journal::settle_core(home, root)
    });
    let swept = disk::remove_tree(&trash);
    removed.and(swept)
}

/// Writes down that everything in `root`, which [`super::archive::exchange()`] filled
/// while it was vacant, is ours: [`remove`] takes it away like an installation. Adopted
/// already is adopted anew.
pub fn adopt(home: &Home, epoch: Epoch, root: &str, watch: &Watch) -> Result<()> {
    let root = root.trim_end_matches('/');
    let path = home.resolve(root)?;
    let ways = root.match_indices('/').map(|(at, _)| &root[..at]);
    fence::critical(home, epoch, watch, || {
        let mut names = Vec::new();
        for entry in fs::read_dir(&path).map_err(|why| Error::io("list", &path, why))? {
            let entry = entry.map_err(|why| Error::io("list", &path, why))?;
            // What no name of ours can be is left, as what is foreign.
            names.extend(entry.file_name().into_string());
        }
        names.sort();
        let record = Record {
            root: root.to_owned(),
            names,
            placeholders: Vec::new(),
            // They go only when they are empty.
            made: ways.chain([root]).map(str::to_owned).collect(),
        };
        let file = home
            .state_subdir("installed")?
            .join(format!("{}.json", root_key(root)));
        disk::write_json(&file, &record)
    })
}

/// The tree that [`install`] leaves in the root for this package; compare it with
/// [`InstalledCore::tree`].
pub fn package_tree<R: Read + Seek>(zip: R, watch: &Watch) -> Result<TreeHash> {
    let (layout, mut archive) = read_package(zip)?;
    layout.hash(&mut archive, watch)
}

fn read_package<R: Read + Seek>(zip: R) -> Result<(Layout, zip::ZipArchive<R>)> {
    let (mut layout, archive) = Layout::read(zip, TopFolder::Maybe("wordpress"))?;
    // Ready-made builds carry a configuration and a database of their own.
    layout.leave_out(|path| path == b"wp-config.php" || path.starts_with(b"wp-content/database/"));
    for needed in [
        "wp-load.php",
        "wp-includes/version.php",
        "wp-admin/install.php",
    ] {
        if !layout.items.contains_key(needed.as_bytes()) {
            return Err(Error::BadInput(format!(
                "package is not WordPress, `{needed}` is missing"
            )));
        }
    }
    Ok((layout, archive))
}

/// The placeholder pages in a root; anything else in it is refused.
pub(crate) fn occupants(path: &Path, root: &str) -> Result<Vec<String>> {
    let dir = match fs::read_dir(path) {
        Ok(dir) => dir,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) if why.kind() == io::ErrorKind::NotADirectory => {
            return Err(Error::Occupied(root.to_owned()));
        }
        Err(why) => return Err(Error::io("list", path, why)),
    };
    let mut found = Vec::new();
    for entry in dir {
        let entry = entry.map_err(|why| Error::io("list", path, why))?;
        let details = fs::symlink_metadata(entry.path())
            .map_err(|why| Error::io("look at", entry.path(), why))?;
        let name = entry.file_name().into_string().unwrap_or_default();
        let harmless = details.is_file()
            && details.len() <= MAX_PLACEHOLDER
            && PLACEHOLDERS.contains(&name.as_str());
        if !harmless {
            return Err(Error::Occupied(root.to_owned()));
        }
        found.push(name);
    }
    found.sort();
    Ok(found)
}

/// The directories on the way to `root` that do not exist, outermost first.
fn missing_dirs(home: &Home, root: &str) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    for (at, _) in root.match_indices('/').chain([(root.len(), "")]) {
        let part = &root[..at];
        if !disk::exists(&home.resolve(part)?)? {
            missing.push(part.to_owned());
        }
    }
    Ok(missing)
}

/// Where the placeholders of a root wait.
fn kept_dir(home: &Home, root: &str) -> PathBuf {
    home.state_path("kept").join(root_key(root))
}

/// Puts the unpacked names in place, one rename each.
fn place(home: &Home, record: &Record, staging: &Path, path: &Path) -> Result<()> {
    for dir in &record.made {
        let dir = home.resolve(dir)?;
        DirBuilder::new()
            .mode(0o755)
            .create(&dir)
            .and_then(|()| fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)))
            .map_err(|why| Error::io("create", &dir, why))?;
    }
    if !record.placeholders.is_empty() {
        home.state_subdir("kept")?;
        let kept = kept_dir(home, &record.root);
        fs::create_dir_all(&kept).map_err(|why| Error::io("create", &kept, why))?;
        for name in &record.placeholders {
            fs::rename(path.join(name), kept.join(name))
                .map_err(|why| Error::io("move", path.join(name), why))?;
        }
    }
    for name in &record.names {
        disk::move_to(&staging.join(name), &path.join(name))?;
    }
    disk::sync_parent(&path.join("x"))
}

/// Looks at what is on disk now.
fn verify(
    home: &Home,
    root: &str,
    path: &Path,
    unpacked: &TreeHash,
    watch: &Watch,
) -> Result<InstalledCore> {
    let tree = tree::hash_dir(path, watch)?.unwrap_or_else(TreeHash::absent);
    if tree != *unpacked {
        return Err(Error::Changed {
            path: root.to_owned(),
            expected: unpacked.hash.clone(),
            found: tree.hash,
        });
    }
    let version = inventory::core_version(home, root)?.ok_or_else(|| {
        Error::BadInput("package is not WordPress, its version cannot be read".to_owned())
    })?;
    Ok(InstalledCore { version, tree })
}

/// Moves what is ours out of the root and puts back what was there.
fn clear(home: &Home, record: &Record, path: &Path, trash: &Path) -> Result<()> {
    let mut ours: Vec<&str> = record.names.iter().map(String::as_str).collect();
    ours.extend(WRITTEN_LATER);
    if is_wordpress_htaccess(home, &record.root)? {
        ours.push(".htaccess");
    }
    for name in ours {
        match fs::rename(path.join(name), trash.join(name)) {
            Ok(()) => {}
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => return Err(Error::io("remove", path.join(name), why)),
        }
    }
    let kept = kept_dir(home, &record.root);
    for name in &record.placeholders {
        let waiting = kept.join(name);
        if disk::exists(&waiting)? && disk::exists(path)? && !disk::exists(&path.join(name))? {
            disk::move_to(&waiting, &path.join(name))?;
        }
    }
    disk::remove_tree(&kept)?;
    for dir in record.made.iter().rev() {
        if !disk::remove_if_empty(&home.resolve(dir)?)? {
            break;
        }
    }
    Ok(())
}

/// Whether a `.htaccess` holds WordPress' own block and nothing else.
fn is_wordpress_htaccess(home: &Home, root: &str) -> Result<bool> {
    let path = format!("{root}/.htaccess");
    // A link of that name is foreign.
    let bytes = match home.read_start(path.trim_start_matches('/'), 64 * 1024) {
        Ok(Some(bytes)) => bytes,
        Ok(None) | Err(Error::BadPath(_)) => return Ok(false),
        Err(why) => return Err(why),
    };
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim();
    Ok(text.is_empty()
        || (text.starts_with("# BEGIN WordPress")
            && text.ends_with("# END WordPress")
            && text.matches("# END WordPress").count() == 1))
}

fn read_record(path: &Path) -> Result<Option<Record>> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|why| Error::BadInput(format!("`{}` cannot be read: {why}", path.display()))),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(Error::io("read", path, why)),
    }
}

#[cfg(test)]
mod tests;
