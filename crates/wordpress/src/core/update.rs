//! Core update: stage beside the site, exchange item by item under leased
//! maintenance, verify, take back.
//!
//! Two directories and some twenty files cannot change places in one act, and PHP
//! files of two versions disagree. Therefore intent is journalled, the site goes into
//! maintenance, and all renames follow each other inside one hold of the fence.
//! Stopped anywhere in there, the next worker finds the swap in the journal, mixed,
//! and repeats [`swap_core`] or [`take_back_core`]; both look at every item first and
//! do what is left. Until then the site shows its maintenance page, at most as long
//! as the lease.

use super::{
    CoreItem, CoreSwap,
    items::{self, Found, KEPT, Side},
    read_package,
};
use crate::{
    Error, Result,
    component::Exchange,
    disk, fence,
    home::Home,
    inventory,
    journal::{self, Entry},
    maintenance::{self, Holder, Maintenance},
    package::{self, Spool},
    tree::TreeHash,
    watch::Watch,
};
use pressroom_base::Epoch;
use pressroom_phpdata::tokens::{self, Token};
use rustix::fs::{Access, AtFlags, CWD};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long the site stays in maintenance at most if its worker dies in an update.
const LEASE: Duration = Duration::from_mins(2);
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

/// What an exchange of cores left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwappedCore {
    /// `$wp_version` on disk now; `None` when it cannot be read.
    pub version: Option<String>,
    /// Core hash of what is live now, equal to the side asked for.
    pub tree: TreeHash,
    /// How items changed places; the worst of all.
    pub exchange: Exchange,
    /// The site's maintenance afterwards. Somebody else's is left in force.
    pub maintenance: Maintenance,
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
    refuse_what_cannot_be_exchanged(home, root, &live, &staging)?;
    let dir = staging.join(&staged);
    fs::create_dir(&dir).map_err(|why| Error::io("create", &dir, why))?;
    let aside = dir.join("core");
    let planned = package::unpack(&layout, &mut archive, &aside, watch).and_then(|_| {
        let facts = read_source(&aside.join("wp-includes/version.php"))?;
        let version = tokens::assigned_text(&facts, "wp_version").ok_or_else(|| {
            Error::BadInput("package is not WordPress, its version cannot be read".to_owned())
        })?;
        let package = combined(&names, &aside, watch)?;
        let carried = carry(&live, &aside)?;
        let obsolete = obsolete(home, root, &aside, &names)?;
        let swap = plan(home, root, staged, &names, &obsolete, &aside, watch)?;
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

/// Exchanges the live core with the staged one, under maintenance; what was live is
/// kept aside under the same handle until [`drop_staged`]. Safe to repeat: what is
/// exchanged already stays. Refused, before anything is touched, when an item is on
/// neither side, or while somebody else's update holds the site in maintenance.
pub fn swap_core(home: &Home, epoch: Epoch, swap: &CoreSwap, watch: &Watch) -> Result<SwappedCore> {
    let aside = begin(home, epoch, swap, watch)?;
    let mut acts = Vec::new();
    for (item, found) in swap.items.iter().zip(swap.look(home, watch)?) {
        match found.side {
            Side::Same | Side::After => continue,
            Side::Before => {}
            Side::Other => return Err(changed(swap, item, item.before.as_ref(), &found)),
        }
        let (live, beside) = (swap.live(home, item)?, aside.join(&item.name));
        expect(home, &beside, item.after.as_ref(), watch)?;
        acts.push(match (&item.before, &item.after) {
            (Some(_), Some(_)) => Act::Exchange(live, beside),
            (Some(_), None) => Act::Move(live, beside),
            (None, _) => Act::Move(beside, live),
        });
    }
    let exchange = perform(home, epoch, swap, &acts, watch)?;
    end(home, epoch, swap, exchange, &swap.after, watch)
}

/// Exchanges back: the core becomes what it was before [`swap_core`], hash for hash.
/// What is live goes aside as it is, written to or not. Safe to repeat; runs no PHP.
pub fn take_back_core(
    home: &Home,
    epoch: Epoch,
    swap: &CoreSwap,
    watch: &Watch,
) -> Result<SwappedCore> {
    let aside = begin(home, epoch, swap, watch)?;
    let mut acts = Vec::new();
    for (item, found) in swap.items.iter().zip(swap.look(home, watch)?) {
        if matches!(found.side, Side::Same | Side::Before) {
            continue;
        }
        let (live, beside) = (swap.live(home, item)?, aside.join(&item.name));
        if item.before.is_some() {
            expect(home, &beside, item.before.as_ref(), watch)?;
            acts.push(match found.live {
                Some(_) => Act::Exchange(live, beside),
                None => Act::Move(beside, live),
            });
        } else if disk::exists(&beside)? {
            // Somebody put one there while ours still waited.
            acts.push(Act::Move(live, aside.join(format!(".extra-{}", item.name))));
        } else {
            acts.push(Act::Move(live, beside));
        }
    }
    let exchange = perform(home, epoch, swap, &acts, watch)?;
    end(home, epoch, swap, exchange, &swap.before, watch)
}

/// Removes a staged or kept-aside core and its journal entry; gone already is fine.
/// Refused while the site's core is mixed: what is aside is half of it.
pub fn drop_staged(home: &Home, epoch: Epoch, staged: &str, watch: &Watch) -> Result<()> {
    if !crate::component::is_handle(staged) {
        return Err(Error::BadPath(staged.to_owned()));
    }
    fence::check(home, epoch, watch)?;
    if let Some(swap) = journal::unfinished_core_swap(home, staged)? {
        items::close_gaps(home, epoch, &swap, watch)?;
        let found = swap.look(home, watch)?;
        let has = |side| found.iter().any(|found| found.side == side);
        if has(Side::Before) && has(Side::After) {
            return Err(Error::BadInput(format!(
                "the core in `{}` is half exchanged: finish it or take it back first",
                swap.root
            )));
        }
    }
    fence::critical(home, epoch, watch, || {
        journal::settle_core_swap(home, staged)
    })?;
    disk::remove_tree(&home.state_path("staging").join(staged))
}

/// One rename or exchange.
enum Act {
    /// Of the live path with the one aside.
    Exchange(PathBuf, PathBuf),
    /// To a place where nothing is.
    Move(PathBuf, PathBuf),
}

/// Checks a plan from outside; where its counterparts are.
fn begin(home: &Home, epoch: Epoch, swap: &CoreSwap, watch: &Watch) -> Result<PathBuf> {
    fence::check(home, epoch, watch)?;
    swap.check()?;
    items::core_dir(home, &swap.root).or_else(|why| {
        // Step by step, a directory may be missing just now.
        items::close_gaps(home, epoch, swap, watch)?;
        match home.resolve(&swap.root)? {
            path if path.is_dir() => Ok(path),
            _ => Err(why),
        }
    })?;
    items::close_gaps(home, epoch, swap, watch)?;
    Ok(swap.aside(home))
}

/// All acts, in one hold of the fence: intent first, then maintenance.
fn perform(
    home: &Home,
    epoch: Epoch,
    swap: &CoreSwap,
    acts: &[Act],
    watch: &Watch,
) -> Result<Exchange> {
    let mut worst = Exchange::Atomic;
    if acts.is_empty() {
        return Ok(worst);
    }
    let aside = swap.aside(home);
    fs::create_dir_all(&aside).map_err(|why| Error::io("create", &aside, why))?;
    fence::critical(home, epoch, watch, || {
        let holder = maintenance_holder(home, &swap.root)?;
        journal::write(
            home,
            &Entry::CoreSwap {
                epoch,
                swap: swap.clone(),
            },
        )?;
        if let Some(holder) = holder {
            maintenance::place(home, epoch, &swap.root, LEASE, holder)?;
        }
        for act in acts {
            match act {
                Act::Exchange(live, beside) => worst = worst.max(disk::exchange(live, beside)?),
                Act::Move(from, to) => disk::move_to(from, to)?,
            }
        }
        disk::sync_parent(&aside.join("x"))?;
        disk::sync_parent(&home.resolve(&swap.root)?.join("x"))
    })?;
    Ok(worst)
}

/// As whom to put the site into maintenance; `None` to leave it as it is: somebody
/// has done so for good, or the caller with time enough. Refused while it looks as if
/// somebody else's update were under way.
fn maintenance_holder(home: &Home, root: &str) -> Result<Option<Holder>> {
    let (found, holder) = maintenance::look(home, root)?;
    Ok(match found {
        Maintenance::Foreign {
            seconds_left: Some(left),
        } if left <= maintenance::LONGEST.as_secs() => {
            return Err(Error::BadInput(format!(
                "somebody else holds `{root}` in maintenance, an update may be under way; \
                 that lapses in {left} s"
            )));
        }
        Maintenance::Foreign { .. } => None,
        Maintenance::Leased { seconds_left } => {
            let enough = holder == Holder::Caller && seconds_left >= LEASE.as_secs();
            (!enough).then_some(holder)
        }
        Maintenance::Off | Maintenance::Lapsed { .. } => Some(Holder::CoreUpdate),
    })
}

/// Looks at what is live now; the update's own maintenance ends when that is right.
fn end(
    home: &Home,
    epoch: Epoch,
    swap: &CoreSwap,
    exchange: Exchange,
    expected: &str,
    watch: &Watch,
) -> Result<SwappedCore> {
    let found = swap.look(home, watch)?;
    let tree = items::combine(
        swap.items
            .iter()
            .zip(&found)
            .filter_map(|(item, found)| Some((&*item.name, found.live.as_ref()?))),
    );
    if tree.hash != expected {
        return Err(Error::Changed {
            path: swap.root.clone(),
            expected: expected.to_owned(),
            found: tree.hash,
        });
    }
    let version = inventory::core_version(home, &swap.root)?;
    let maintenance = fence::critical(home, epoch, watch, || {
        maintenance::remove_of_update(home, &swap.root)
    })?;
    Ok(SwappedCore {
        version,
        tree,
        exchange,
        maintenance,
    })
}

fn plan(
    home: &Home,
    root: &str,
    staged: String,
    names: &[String],
    obsolete: &[String],
    aside: &Path,
    watch: &Watch,
) -> Result<CoreSwap> {
    let mut swap = CoreSwap {
        root: root.to_owned(),
        staged,
        items: Vec::new(),
        before: String::new(),
        after: String::new(),
    };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for name in names.iter().chain(obsolete) {
        let live = home
            .resolve(&items::below(root, name))
            .and_then(|path| items::hash(&path, watch))
            .map_err(|why| match why {
                Error::BadPath(path) => Error::BadInput(format!(
                    "`{path}` is a symbolic link: it is not the site's to update"
                )),
                why => why,
            })?;
        let new = items::hash(&aside.join(name), watch)?;
        swap.items.push(CoreItem {
            name: name.clone(),
            before: live.as_ref().map(|tree| tree.hash.clone()),
            after: new.as_ref().map(|tree| tree.hash.clone()),
        });
        before.extend(live.map(|tree| (name, tree)));
        after.extend(new.map(|tree| (name, tree)));
    }
    let hash = |trees: &[(&String, TreeHash)]| {
        items::combine(trees.iter().map(|(name, tree)| (name.as_str(), tree))).hash
    };
    swap.before = hash(&before);
    swap.after = hash(&after);
    Ok(swap)
}

fn combined(names: &[String], dir: &Path, watch: &Watch) -> Result<TreeHash> {
    let mut trees = Vec::new();
    for name in names {
        if let Some(tree) = items::hash(&dir.join(name), watch)? {
            trees.push((name.as_str(), tree));
        }
    }
    Ok(items::combine(
        trees.iter().map(|(name, tree)| (*name, tree)),
    ))
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
fn refuse_what_cannot_be_exchanged(
    home: &Home,
    root: &str,
    live: &Path,
    staging: &Path,
) -> Result<()> {
    let device = |path: &Path| {
        fs::symlink_metadata(path)
            .map(|found| found.dev())
            .map_err(|why| Error::io("look at", path, why))
    };
    let ours = device(staging)?;
    let directories = items::DIRECTORIES.map(|name| (items::below(root, name), live.join(name)));
    for (shown, path) in directories
        .iter()
        .map(|(shown, path)| (shown.as_str(), path.as_path()))
        .chain([(root, live)])
    {
        if device(path)? != ours {
            return Err(Error::BadInput(format!(
                "`{shown}` is on another file system than `{}`, nothing can be exchanged there",
                home.shown(staging)
            )));
        }
        rustix::fs::accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).map_err(|_| {
            Error::BadInput(format!("`{shown}` may not be written by the site's user"))
        })?;
    }
    Ok(())
}

/// Fails unless what lies aside is the side expected (`None` = nothing).
fn expect(home: &Home, path: &Path, expected: Option<&String>, watch: &Watch) -> Result<()> {
    let found = items::hash(path, watch)?.map(|tree| tree.hash);
    if found.as_ref() == expected {
        return Ok(());
    }
    Err(Error::Changed {
        path: home.shown(path),
        expected: expected.map_or_else(|| "absent".to_owned(), Clone::clone),
        found: found.unwrap_or_else(|| "absent".to_owned()),
    })
}

fn changed(swap: &CoreSwap, item: &CoreItem, expected: Option<&String>, found: &Found) -> Error {
    Error::Changed {
        path: items::below(&swap.root, &item.name),
        expected: expected.map_or_else(|| "absent".to_owned(), Clone::clone),
        found: found
            .live
            .as_ref()
            .map_or_else(|| "absent".to_owned(), |tree| tree.hash.clone()),
    }
}

#[cfg(test)]
mod tests;
