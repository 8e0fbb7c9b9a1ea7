//! Plugins and themes on disk: stage beside the site, exchange, take back.
//!
//! A plugin is a directory, or one PHP file directly in `plugins`. The latter's slug
//! is its file name (`hello.php`), and its hash that of a tree with this one file
//! ([`tree::hash_file`]). Must-use plugins are no components: whoever put one there
//! keeps it.

use crate::{
    Error, Result,
    config::{Directories, below},
    disk, fence,
    home::Home,
    inventory,
    journal::{self, Entry},
    package::{
        self, Spool,
        layout::{Layout, TopFolder},
    },
    tree::TreeHash,
    watch::Watch,
};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{Read, Seek},
    path::PathBuf,
};
use zip::ZipArchive;

mod single;
pub(crate) mod target;

pub use crate::{disk::Exchange, kind::ComponentKind};
pub use target::{Swap, Target};

/// A package unpacked beside the site, ready to go live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// Handle for the later calls of this component.
    pub staged: String,
    /// Version in the staged main file's header.
    pub version: String,
    /// The staged tree.
    pub tree: TreeHash,
}

/// What an exchange left live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanged {
    /// The tree that is live now, by looking.
    #[serde(flatten)]
    pub tree: TreeHash,
    /// How it got there; [`Exchange::Atomic`] when it was there already.
    #[serde(default)]
    pub exchange: Exchange,
}

/// Unpacks a package beside the site. Its one top folder must be the slug, and it
/// must hold a plugin or theme as WordPress recognizes them. For a plugin of one
/// file the package may hold that one PHP file and texts, which are left out.
pub fn stage(
    home: &Home,
    epoch: Epoch,
    target: &Target,
    package: &Spool,
    watch: &Watch,
) -> Result<Staged> {
    fence::check(home, epoch, watch)?;
    live_path(home, target)?;
    let (layout, mut archive) = read_package(package.reader(), target)?;
    let staged = package::handle(epoch)?;
    let dir = home.state_subdir("staging")?.join(&staged);
    let path = dir.join(&target.slug);
    // A single file lies in the handle's directory as a directory's tree would.
    let dest = if target.is_file() { &dir } else { &path };
    if !target.is_file() {
        fs::create_dir(&dir).map_err(|why| Error::io("create", &dir, why))?;
    }
    let unpacked = package::unpack(&layout, &mut archive, dest, watch).and_then(|tree| {
        let version = if target.is_file() {
            single::version(&path)?
        } else {
            inventory::package_version(&path, target.kind)?
        };
        Ok(Staged {
            staged,
            version,
            tree,
        })
    });
    if unpacked.is_err() {
        // The failure matters more than what is left of it; recovery sweeps.
        let _ = disk::remove_tree(&dir);
    }
    unpacked
}

/// The tree that [`stage`] makes of a package.
pub fn package_tree<R: Read + Seek>(zip: R, target: &Target, watch: &Watch) -> Result<TreeHash> {
    let (layout, mut archive) = read_package(zip, target)?;
    layout.hash(&mut archive, watch)
}

fn read_package<R: Read + Seek>(zip: R, target: &Target) -> Result<(Layout, ZipArchive<R>)> {
    if target.is_file() {
        single::read(zip, &target.slug)
    } else {
        Layout::read(zip, TopFolder::Exactly(&target.slug))
    }
}

/// The tree that is live; `None` when there is none.
pub fn live(home: &Home, target: &Target, watch: &Watch) -> Result<Option<TreeHash>> {
    target.hash(&live_path(home, target)?, watch)
}

/// As [`exchange`]; returns only the tree that is live now.
pub fn swap(home: &Home, epoch: Epoch, swap: &Swap, watch: &Watch) -> Result<TreeHash> {
    Ok(exchange(home, epoch, swap, watch)?.tree)
}

/// Exchanges the live tree with the staged one; what was live is kept aside under
/// the same handle until [`drop_staged`]. Done already is done: it only looks.
pub fn exchange(home: &Home, epoch: Epoch, swap: &Swap, watch: &Watch) -> Result<Exchanged> {
    fence::check(home, epoch, watch)?;
    close_gap(home, epoch, swap, watch)?;
    let live = live_path(home, &swap.target)?;
    let staged = staged_path(home, &swap.staged, &swap.target.slug)?;
    let now = swap.target.hash(&live, watch)?;
    if let Some(now) = &now
        && now.hash == swap.after
    {
        return Ok(Exchanged {
            tree: now.clone(),
            exchange: Exchange::default(),
        });
    }
    let aside = swap.target.hash(&staged, watch)?;
    expect(home, &live, swap.before.as_deref(), now.as_ref())?;
    let Some(aside) = aside else {
        return Err(Error::Missing(home.shown(&staged)));
    };
    expect(home, &staged, Some(&swap.after), Some(&aside))?;
    let container = live.parent().unwrap_or(&live).to_owned();
    let exchange = fence::critical(home, epoch, watch, || {
        enter(home, epoch, swap)?;
        let exchange = if now.is_some() {
            disk::exchange(&live, &staged)?
        } else {
            fs::create_dir_all(&container).map_err(|why| Error::io("create", &container, why))?;
            disk::move_to(&staged, &live)?;
            Exchange::Atomic
        };
        disk::sync_parent(&live)?;
        Ok(exchange)
    })?;
    let tree = swap.target.hash(&live, watch)?;
    Ok(Exchanged {
        tree: tree.ok_or_else(|| Error::Missing(home.shown(&live)))?,
        exchange,
    })
}

/// As [`exchange_back`]; returns only the tree that is live now.
pub fn take_back(home: &Home, epoch: Epoch, swap: &Swap, watch: &Watch) -> Result<TreeHash> {
    Ok(exchange_back(home, epoch, swap, watch)?.tree)
}

/// Exchanges back: live becomes what it was before [`exchange`]. What is live may
/// have been written to since; it goes aside as it is, and is kept until
/// [`drop_staged`]. Tells the tree that is live now, [`TreeHash::absent`] where there
/// was none before.
pub fn exchange_back(home: &Home, epoch: Epoch, swap: &Swap, watch: &Watch) -> Result<Exchanged> {
    fence::check(home, epoch, watch)?;
    close_gap(home, epoch, swap, watch)?;
    let live = live_path(home, &swap.target)?;
    let staged = staged_path(home, &swap.staged, &swap.target.slug)?;
    let now = swap.target.hash(&live, watch)?;
    if now.as_ref().map(|tree| &tree.hash) == swap.before.as_ref() {
        return Ok(Exchanged {
            tree: now.unwrap_or_else(TreeHash::absent),
            exchange: Exchange::default(),
        });
    }
    let aside = swap.target.hash(&staged, watch)?;
    if swap.before.is_some() && aside.is_none() {
        return Err(Error::Missing(home.shown(&staged)));
    }
    expect(home, &staged, swap.before.as_deref(), aside.as_ref())?;
    let exchange = fence::critical(home, epoch, watch, || {
        // A tree that was never exchanged is taken out as well: without an entry the next
        // recovery would take it for one that nobody wants.
        enter(home, epoch, swap)?;
        let mut exchange = Exchange::Atomic;
        match (&swap.before, &now) {
            (Some(_), Some(_)) => exchange = disk::exchange(&live, &staged)?,
            (Some(_), None) => disk::move_to(&staged, &live)?,
            (None, _) => {
                let dir = staged.parent().unwrap_or(&staged);
                fs::create_dir_all(dir).map_err(|why| Error::io("create", dir, why))?;
                disk::move_to(&live, &staged)?;
            }
        }
        disk::sync_parent(&live)?;
        Ok(exchange)
    })?;
    let tree = swap.target.hash(&live, watch)?;
    Ok(Exchanged {
        tree: tree.unwrap_or_else(TreeHash::absent),
        exchange,
    })
}

/// Makes an exchange whole that was stopped between its renames. An exchange in one
/// act leaves nothing to do.
pub(crate) fn close_gap(home: &Home, epoch: Epoch, swap: &Swap, watch: &Watch) -> Result<()> {
    let live = live_path(home, &swap.target)?;
    let staged = staged_path(home, &swap.staged, &swap.target.slug)?;
    fence::critical(home, epoch, watch, || {
        if disk::close_gap(&live, &staged)? {
            disk::sync_parent(&live)?;
        }
        Ok(())
    })
}

/// Writes into the journal what is about to be exchanged.
fn enter(home: &Home, epoch: Epoch, swap: &Swap) -> Result<()> {
    let swap = swap.clone();
    journal::write(home, &Entry::Swap { epoch, swap })
}

/// Removes a staged or kept-aside tree and its journal entry; gone already is fine.
pub fn drop_staged(home: &Home, epoch: Epoch, staged: &str, watch: &Watch) -> Result<()> {
    let dir = staging_dir(home, staged)?;
    fence::critical(home, epoch, watch, || journal::settle_swap(home, staged))?;
    disk::remove_tree(&dir)
}

/// Where a component lives.
pub(crate) fn live_path(home: &Home, target: &Target) -> Result<PathBuf> {
    let slug = &target.slug;
    if slug.is_empty()
        || slug.starts_with('.')
        || slug.contains(['/', '\\', '\0'])
        || slug.len() > 200
    {
        return Err(Error::BadPath(slug.clone()));
    }
    let directories = Directories::told(home, &target.root);
    let container = directories.holding(target.kind).reachable()?;
    // A component goes into a site that is there, never makes one up.
    let around = container.rsplit_once('/').map_or("", |(around, _)| around);
    if !home.resolve(around)?.is_dir() {
        return Err(Error::Missing(around.to_owned()));
    }
    home.resolve(&below(container, slug))
}

fn staging_dir(home: &Home, staged: &str) -> Result<PathBuf> {
    if !package::is_handle(staged) {
        return Err(Error::BadPath(staged.to_owned()));
    }
    Ok(home.state_path("staging").join(staged))
}

fn staged_path(home: &Home, staged: &str, slug: &str) -> Result<PathBuf> {
    Ok(staging_dir(home, staged)?.join(slug))
}

/// Fails unless a tree is the one expected (`None` = none).
fn expect(
    home: &Home,
    path: &std::path::Path,
    expected: Option<&str>,
    found: Option<&TreeHash>,
) -> Result<()> {
    let found = found.map(|tree| tree.hash.as_str());
    if expected == found {
        return Ok(());
    }
    Err(Error::Changed {
        path: home.shown(path),
        expected: expected.unwrap_or("absent").to_owned(),
        found: found.unwrap_or("absent").to_owned(),
    })
}

#[cfg(test)]
mod tests;
