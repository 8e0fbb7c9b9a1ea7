//! What a core update exchanges, and which side of it is live.
//!
//! WordPress' own files are the directories `wp-admin` and `wp-includes` and the
//! files its package has in the root. `wp-content`, the configuration and whatever
//! else lies in a root are the site's.

use super::names::{LANGUAGES, translation};
use crate::{
    Error, Result, disk, fence,
    home::Home,
    package::{
        self,
        layout::{Item, Layout},
    },
    tree::{self, TreeHash},
    watch::Watch,
};
use pressroom_base::Epoch;
use rustix::fs::{Access, AtFlags, CWD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Seek},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// One exchange of a site's core with a staged one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreSwap {
    /// Directory of `wp-load.php`, relative to the home.
    pub root: String,
    /// The staging handle.
    pub staged: String,
    /// What is exchanged, in this order.
    pub items: Vec<CoreItem>,
    /// Core hash ([`combine`]) of what is live before, of these items.
    pub before: String,
    /// Core hash of what is live after.
    pub after: String,
}

/// One thing directly in the root, or a file of translations in
/// [`LANGUAGES`](super::LANGUAGES).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreItem {
    /// Its name, e.g. `wp-includes`, `wp-login.php` or `wp-content/languages/de_DE.mo`.
    pub name: String,
    /// Hash before ([`tree::hash_dir`] or [`tree::hash_file`]); `None` when it is not
    /// there.
    pub before: Option<String>,
    /// Hash after; `None` for a file that this WordPress has no more.
    pub after: Option<String>,
}

/// Which side of a core update is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoreLive {
    /// The old core, whole.
    Before,
    /// The new core, whole.
    After,
    /// Some of each, or something that is neither.
    Mixed,
}

/// An unfinished core update, as found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveredCoreSwap {
    /// The journalled swap.
    pub swap: CoreSwap,
    /// What is live now.
    pub live: CoreLive,
    /// Names that are on neither side: somebody wrote to them meanwhile. Taking back
    /// moves them aside; finishing is refused.
    pub changed: Vec<String>,
}

/// The two directories that are exchanged whole.
pub(crate) const DIRECTORIES: [&str; 2] = ["wp-admin", "wp-includes"];
/// Root files that are the site's even when a package has them.
pub(crate) const KEPT: [&str; 7] = [
    "wp-config.php",
    ".htaccess",
    ".htpasswd",
    ".user.ini",
    "php.ini",
    "web.config",
    ".maintenance",
];
/// PHP loads these before it looks for `.maintenance`: they change places first and
/// close together.
const FIRST: [&str; 4] = [
    "wp-includes",
    "wp-settings.php",
    "wp-load.php",
    "wp-blog-header.php",
];

/// Which side of an item is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Both sides are equal, and that is live.
    Same,
    Before,
    After,
    Other,
}

/// An item as found.
pub(super) struct Found {
    pub(super) live: Option<TreeHash>,
    pub(super) side: Side,
}

impl CoreSwap {
    /// Refuses names that no plan of ours has.
    pub(super) fn check(&self) -> Result<()> {
        let mut seen = std::collections::BTreeSet::new();
        for item in &self.items {
            let is_known = is_item(&item.name) || translation(&item.name).is_some();
            if !is_known || !seen.insert(&item.name) {
                return Err(Error::BadPath(item.name.clone()));
            }
        }
        if package::is_handle(&self.staged) {
            return Ok(());
        }
        Err(Error::BadPath(self.staged.clone()))
    }

    /// The items that are translations, by the name of the file.
    pub fn translations(&self) -> impl Iterator<Item = (&str, &CoreItem)> {
        self.items
            .iter()
            .filter_map(|item| Some((translation(&item.name)?, item)))
    }

    /// The same exchange of WordPress' own files alone.
    #[must_use]
    pub fn without_translations(&self) -> Self {
        let own = |item: &&CoreItem| translation(&item.name).is_none();
        self.with_items(self.items.iter().filter(own).cloned().collect())
    }

    /// The same exchange of these items.
    pub(super) fn with_items(&self, items: Vec<CoreItem>) -> Self {
        let hash = |side: fn(&CoreItem) -> Option<&String>| {
            let trees: Vec<(&str, TreeHash)> = items
                .iter()
                .filter_map(|item| {
                    let hash = side(item)?.clone();
                    let (files, bytes) = (0, 0);
                    Some((&*item.name, TreeHash { hash, files, bytes }))
                })
                .collect();
            combine(trees.iter().map(|(name, tree)| (*name, tree))).hash
        };
        Self {
            root: self.root.clone(),
            staged: self.staged.clone(),
            before: hash(|item| item.before.as_ref()),
            after: hash(|item| item.after.as_ref()),
            items,
        }
    }

    /// Where the staged or kept-aside counterparts lie.
    pub(super) fn aside(&self, home: &Home) -> PathBuf {
        home.state_path("staging").join(&self.staged).join("core")
    }

    /// Where an item is live. The name was checked, the way to it is checked here; what
    /// lies there may be a link, which is renamed and never followed.
    pub(super) fn live(&self, home: &Home, item: &CoreItem) -> Result<PathBuf> {
        Ok(match translation(&item.name) {
            Some(name) => home.resolve(&below(&self.root, LANGUAGES))?.join(name),
            None => home.resolve(&self.root)?.join(&item.name),
        })
    }

    /// The directories that items are in, live and aside.
    pub(super) fn directories(&self, home: &Home) -> Result<Vec<PathBuf>> {
        let mut all = vec![home.resolve(&self.root)?, self.aside(home)];
        if self.translations().next().is_some() {
            all.push(home.resolve(&below(&self.root, LANGUAGES))?);
            all.push(self.aside(home).join(LANGUAGES));
        }
        Ok(all)
    }

    /// Makes those of them that are missing.
    pub(super) fn make_directories(&self, home: &Home) -> Result<()> {
        for path in self.directories(home)? {
            fs::create_dir_all(&path).map_err(|why| Error::io("create", &path, why))?;
        }
        Ok(())
    }

    /// Looks at every item.
    pub(super) fn look(&self, home: &Home, watch: &Watch) -> Result<Vec<Found>> {
        self.items
            .iter()
            .map(|item| {
                let live = match hash(&self.live(home, item)?, watch) {
                    // A link, or a file where a directory belongs, is on neither side.
                    Err(Error::BadInput(_)) => {
                        return Ok(Found {
                            live: Some(TreeHash::absent()),
                            side: Side::Other,
                        });
                    }
                    other => other?,
                };
                let now = live.as_ref().map(|tree| &tree.hash);
                let side = match (now == item.before.as_ref(), now == item.after.as_ref()) {
                    (true, true) => Side::Same,
                    (true, false) => Side::Before,
                    (false, true) => Side::After,
                    (false, false) => Side::Other,
                };
                Ok(Found { live, side })
            })
            .collect()
    }
}

/// The hash of several things in one root: SHA-256 over `pressroom-core-1\n` and, for
/// each in byte order of names, the length of the name (u32, big endian), the name,
/// and its hash in lower-case hex ([`tree::hash_dir`] for a directory,
/// [`tree::hash_file`] for a file).
pub fn combine<'a>(things: impl IntoIterator<Item = (&'a str, &'a TreeHash)>) -> TreeHash {
    let sorted: BTreeMap<&str, &TreeHash> = things.into_iter().collect();
    let mut all = Sha256::new();
    all.update(b"pressroom-core-1\n");
    let (mut files, mut bytes) = (0, 0);
    for (name, tree) in sorted {
        all.update(u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes());
        all.update(name);
        all.update(&tree.hash);
        files += tree.files;
        bytes += tree.bytes;
    }
    TreeHash {
        hash: hex::encode(all.finalize()),
        files,
        bytes,
    }
}

/// The core hash that an update with this package leaves, where nothing of the site
/// had to be carried over; compare it with [`super::StagedCore::package`].
pub fn package_core<R: Read + Seek>(zip: R, watch: &Watch) -> Result<TreeHash> {
    let (mut layout, mut archive) = super::read_package(zip)?;
    let mut trees = Vec::new();
    for name in package_items(&mut layout)? {
        let part = if is_directory(&name) {
            layout.below(name.as_bytes())
        } else {
            layout.only(name.as_bytes())
        };
        trees.push((name, part.hash(&mut archive, watch)?));
    }
    Ok(combine(trees.iter().map(|(name, tree)| (&**name, tree))))
}

/// Leaves in a package what an update exchanges; the names, in the order in which
/// they are exchanged.
pub(super) fn package_items(layout: &mut Layout) -> Result<Vec<String>> {
    layout.leave_out(|path| {
        path.starts_with(b"wp-content/") || KEPT.iter().any(|kept| path == kept.as_bytes())
    });
    let mut names = Vec::new();
    for name in layout.top_names() {
        let is_file = matches!(layout.items.get(&name), Some(Item::File(_) | Item::Link(_)));
        let name = String::from_utf8(name)
            .map_err(|_| Error::BadInput("package has a name that is not UTF-8".to_owned()))?;
        if !is_item(&name) || is_directory(&name) == is_file {
            return Err(Error::BadInput(format!(
                "package has `{name}`, which is no part of WordPress"
            )));
        }
        names.push(name);
    }
    names.sort_by_key(|name| {
        FIRST
            .iter()
            .position(|first| first == name)
            .unwrap_or(FIRST.len())
    });
    Ok(names)
}

/// Looks at a journalled swap, after making a stepwise exchange whole that was
/// stopped between its renames.
pub(crate) fn look_at_swap(
    home: &Home,
    epoch: Epoch,
    swap: CoreSwap,
    watch: &Watch,
) -> Result<RecoveredCoreSwap> {
    match swap.check().and_then(|()| swap.directories(home)) {
        Ok(_) => {}
        // Something else is in the way by now: all of it is on neither side.
        Err(Error::BadPath(_) | Error::Missing(_)) => {
            let changed = swap.items.iter().map(|item| item.name.clone()).collect();
            return Ok(RecoveredCoreSwap {
                swap,
                live: CoreLive::Mixed,
                changed,
            });
        }
        Err(why) => return Err(why),
    }
    close_gaps(home, epoch, &swap, watch)?;
    let found = swap.look(home, watch)?;
    let all = |side| {
        found
            .iter()
            .all(|found| found.side == side || found.side == Side::Same)
    };
    let live = if all(Side::After) {
        CoreLive::After
    } else if all(Side::Before) {
        CoreLive::Before
    } else {
        CoreLive::Mixed
    };
    let changed = swap
        .items
        .iter()
        .zip(&found)
        .filter(|(_, found)| found.side == Side::Other)
        .map(|(item, _)| item.name.clone())
        .collect();
    Ok(RecoveredCoreSwap {
        swap,
        live,
        changed,
    })
}

pub(super) fn close_gaps(home: &Home, epoch: Epoch, swap: &CoreSwap, watch: &Watch) -> Result<()> {
    let aside = swap.aside(home);
    fence::critical(home, epoch, watch, || {
        for item in &swap.items {
            disk::close_gap(&swap.live(home, item)?, &aside.join(&item.name))?;
        }
        Ok(())
    })
}

/// Hash of a directory or a file, whichever its name says; `None` when nothing is
/// there.
pub(super) fn hash(path: &Path, watch: &Watch) -> Result<Option<TreeHash>> {
    match path.file_name().and_then(|name| name.to_str()) {
        Some(name) if is_directory(name) => tree::hash_dir(path, watch),
        _ => tree::hash_file(path, watch),
    }
}

/// Refuses a directory in which nothing can be exchanged with what is staged.
pub(super) fn refuse_fixed(home: &Home, shown: &str, path: &Path) -> Result<()> {
    let device = |path: &Path| {
        fs::symlink_metadata(path)
            .map(|found| found.dev())
            .map_err(|why| Error::io("look at", path, why))
    };
    let staging = home.state_subdir("staging")?;
    if device(path)? != device(&staging)? {
        return Err(Error::BadInput(format!(
            "`{shown}` is on another file system than `{}`, nothing can be exchanged there",
            home.shown(&staging)
        )));
    }
    rustix::fs::accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS)
        .map_err(|_| Error::BadInput(format!("`{shown}` may not be written by the site's user")))
}

/// The directory of a core; refused with the reason when there is none to update.
pub(super) fn core_dir(home: &Home, root: &str) -> Result<PathBuf> {
    let path = home.resolve(root)?;
    if !path.is_dir() {
        return Err(Error::Missing(root.to_owned()));
    }
    for name in DIRECTORIES {
        match fs::symlink_metadata(path.join(name)) {
            Ok(found) if found.is_dir() => {}
            Ok(found) if found.is_symlink() => {
                return Err(Error::BadInput(format!(
                    "`{}` is a symbolic link: this core is shared and not the site's to update",
                    below(root, name)
                )));
            }
            Ok(_) => return Err(no_core(home, root, &path)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                return Err(no_core(home, root, &path));
            }
            Err(why) => return Err(Error::io("look at", path.join(name), why)),
        }
    }
    Ok(path)
}

/// Says where the core is instead, when it is in a directory of its own.
fn no_core(home: &Home, root: &str, path: &Path) -> Error {
    let shown = if root.is_empty() { "." } else { root };
    let beside = fs::read_dir(path).ok().and_then(|entries| {
        entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .map(|name| below(root, &name))
            .find(|dir| {
                home.resolve(&below(dir, "wp-includes/version.php"))
                    .is_ok_and(|file| file.is_file())
            })
    });
    Error::BadInput(match beside {
        Some(dir) => {
            format!("`{shown}` holds no WordPress core, it is in `{dir}`: name that directory")
        }
        None => format!("`{shown}` holds no WordPress core"),
    })
}

pub(crate) fn below(root: &str, name: &str) -> String {
    match root.trim_end_matches('/') {
        "" | "." => name.to_owned(),
        root => format!("{root}/{name}"),
    }
}

fn is_directory(name: &str) -> bool {
    DIRECTORIES.contains(&name)
}

/// Whether a name can be one that an update exchanges.
pub(super) fn is_item(name: &str) -> bool {
    !matches!(
        name,
        "" | "." | ".." | "wp-content" | crate::home::STATE_DIR
    ) && name.len() <= 255
        && !name.contains(['/', '\0'])
        && !KEPT.contains(&name)
}
