//! The first half of a core update: unpack beside the site, and plan the exchange.

use super::{
    CoreItem, CoreSwap,
    items::{self, KEPT},
    read_package,
};
use crate::{
    Error, Result, disk, fence,
    home::Home,
    inventory,
    package::{self, Spool},
    tree::TreeHash,
    watch::Watch,
};
use pressroom_base::Epoch;
use pressroom_phpdata::tokens::{self, Token};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// A server's configuration for a directory is no larger.
const MAX_CARRIED: u64 = 1024 * 1024;
const MAX_SOURCE: u64 = 1024 * 1024;

/// A core that was unpacked beside the site, and the plan to exchange it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedCore {
    /// The plan.
    pub swap: CoreSwap,
    /// `$wp_version` of the package.
    pub version: String,
    /// `$wp_version` that is live; `None` when it cannot be read.
    pub version_before: Option<String>,
    /// `$required_php_version` of the package; whether the site's PHP is new enough is
    /// for the caller to ask.
    pub requires_php: Option<String>,
    /// `$required_mysql_version` of the package.
    pub requires_mysql: Option<String>,
    /// Core hash of the package itself, as [`super::package_core`] computes it.
    pub package: TreeHash,
    /// Files of a server's configuration in `wp-admin` and `wp-includes` that no
    /// package has (`wp-admin/.htaccess`): they were copied to the staged directories,
    /// so that no guard of them is lost. Without any, `swap.after` is `package.hash`.
    pub carried: Vec<String>,
    /// PHP files of older WordPress versions in the root that go, by the list in the
    /// package.
    pub obsolete: Vec<String>,
}

/// Unpacks WordPress beside the site and plans its exchange. `wp-content` of the
/// package is left out, and so is whatever a site keeps in its root (`wp-config.php`,
/// `.htaccess`). `root` is the directory of `wp-load.php`.
pub fn stage_core(
    home: &Home,
    epoch: Epoch,
    root: &str,
    package: &Spool,
    watch: &Watch,
) -> Result<StagedCore> {
    fence::check(home, epoch, watch)?;
    let root = root.trim_end_matches('/');
    let live = items::core_dir(home, root)?;
    let (mut layout, mut archive) = read_package(package.reader())?;
    let names = items::package_items(&mut layout)?;
    let staged = package::handle(epoch)?;
    let staging = home.state_subdir("staging")?;
    refuse_what_cannot_be_exchanged(home, root, &live)?;
    let dir = staging.join(&staged);
    fs::create_dir(&dir).map_err(|why| Error::io("create", &dir, why))?;
    let aside = dir.join("core");
    let planned = package::unpack(&layout, &mut archive, &aside, watch).and_then(|_| {
        let facts = read_source(&aside.join("wp-includes/version.php"))?;
        let version = tokens::assigned_text(&facts, "wp_version").ok_or_else(|| {
            Error::BadInput("package is not WordPress, its version cannot be read".to_owned())
        })?;
        let mut trees = hashes(&names, &aside, watch)?;
        let package = items::combine(trees.iter().map(|(name, tree)| (name.as_str(), tree)));
        let carried = carry(&live, &aside)?;
        for path in &carried {
            let directory = path.split('/').take(1).map(str::to_owned);
            trees.extend(hashes(&directory.collect::<Vec<_>>(), &aside, watch)?);
        }
        let obsolete = obsolete(home, root, &aside, &names)?;
        let swap = plan(
            home,
            root,
            staged,
            names.iter().chain(&obsolete),
            &trees,
            watch,
        )?;
        Ok(StagedCore {
            swap,
            version,
            version_before: inventory::core_version(home, root)?,
            requires_php: tokens::assigned_text(&facts, "required_php_version"),
            requires_mysql: tokens::assigned_text(&facts, "required_mysql_version"),
            package,
            carried,
            obsolete,
        })
    });
    if planned.is_err() {
        // The failure matters more than what is left of it; recovery sweeps.
        let _ = disk::remove_tree(&dir);
    }
    planned
}

/// The plan for these names in this order; `after` has what is staged.
fn plan<'a>(
    home: &Home,
    root: &str,
    staged: String,
    names: impl Iterator<Item = &'a String>,
    after: &BTreeMap<String, TreeHash>,
    watch: &Watch,
) -> Result<CoreSwap> {
    let mut swap = CoreSwap {
        root: root.to_owned(),
        staged,
        items: Vec::new(),
        before: String::new(),
        after: String::new(),
    };
    let mut before = BTreeMap::new();
    for name in names {
        let live = home
            .resolve(&items::below(root, name))
            .and_then(|path| items::hash(&path, watch))
            .map_err(|why| match why {
                Error::BadPath(path) => Error::BadInput(format!(
                    "`{path}` is a symbolic link: it is not the site's to update"
                )),
                why => why,
            })?;
        swap.items.push(CoreItem {
            name: name.clone(),
            before: live.as_ref().map(|tree| tree.hash.clone()),
            after: after.get(name).map(|tree| tree.hash.clone()),
        });
        before.extend(live.map(|tree| (name.clone(), tree)));
    }
    let hash = |trees: &BTreeMap<String, TreeHash>| {
        items::combine(trees.iter().map(|(name, tree)| (name.as_str(), tree))).hash
    };
    swap.before = hash(&before);
    swap.after = hash(after);
    Ok(swap)
}

/// The hash of each thing that is in a directory, by its name.
fn hashes(names: &[String], dir: &Path, watch: &Watch) -> Result<BTreeMap<String, TreeHash>> {
    let mut found = BTreeMap::new();
    for name in names {
        if let Some(tree) = items::hash(&dir.join(name), watch)? {
            found.insert(name.clone(), tree);
        }
    }
    Ok(found)
}

/// Copies a server's configuration files of the live directories to the staged ones.
fn carry(live: &Path, aside: &Path) -> Result<Vec<String>> {
    let mut carried = Vec::new();
    for directory in items::DIRECTORIES {
        for name in KEPT {
            let relative = format!("{directory}/{name}");
            let (from, to) = (live.join(&relative), aside.join(&relative));
            let is_file = fs::symlink_metadata(&from)
                .is_ok_and(|found| found.is_file() && found.len() <= MAX_CARRIED);
            if is_file && !disk::exists(&to)? {
                fs::copy(&from, &to).map_err(|why| Error::io("copy", &from, why))?;
                carried.push(relative);
            }
        }
    }
    Ok(carried)
}

/// PHP files directly in the root that WordPress itself lists as gone, and that are
/// there. Its list also has texts (`README.txt`); those may well be the site's.
fn obsolete(home: &Home, root: &str, aside: &Path, names: &[String]) -> Result<Vec<String>> {
    let source = read_source(&aside.join("wp-admin/includes/update-core.php"))?;
    let mut obsolete = BTreeSet::new();
    for name in old_files(&source) {
        if !items::is_item(&name) || !name.as_bytes().ends_with(b".php") || names.contains(&name) {
            continue;
        }
        let is_file = home
            .resolve(&items::below(root, &name))
            .is_ok_and(|path| path.is_file());
        if is_file {
            obsolete.insert(name);
        }
    }
    Ok(obsolete.into_iter().collect())
}

/// The texts of the array `$_old_files`.
fn old_files(source: &[u8]) -> Vec<String> {
    let tokens = tokens::tokenize(source);
    let start = tokens.windows(2).position(
        |two| matches!(two, [Token::Variable(name), Token::Sign(b'=')] if name == b"_old_files"),
    );
    tokens[start.unwrap_or(tokens.len())..]
        .iter()
        .take_while(|token| **token != Token::Sign(b';'))
        .filter_map(|token| match token {
            Token::Text(Some(text)) => String::from_utf8(text.clone()).ok(),
            _ => None,
        })
        .collect()
}

/// A file of the staged package, which we have just written; empty when it has none.
fn read_source(path: &Path) -> Result<Vec<u8>> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() && found.len() <= MAX_SOURCE => {
            fs::read(path).map_err(|why| Error::io("read", path, why))
        }
        _ => Ok(Vec::new()),
    }
}

/// Says now what would stop the renames half-way.
fn refuse_what_cannot_be_exchanged(home: &Home, root: &str, live: &Path) -> Result<()> {
    let directories = items::DIRECTORIES.map(|name| (items::below(root, name), live.join(name)));
    for (shown, path) in directories
        .iter()
        .map(|(shown, path)| (shown.as_str(), path.as_path()))
        .chain([(root, live)])
    {
        items::refuse_fixed(home, shown, path)?;
    }
    Ok(())
}
