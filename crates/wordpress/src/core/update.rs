//! Core update: exchange item by item under leased maintenance, verify, take back.
//!
//! Two directories and some twenty files cannot change places in one act, and PHP
//! files of two versions disagree. Therefore intent is journalled, the site goes into
//! maintenance, and all renames follow each other inside one hold of the fence.
//! Stopped anywhere in there, the next worker finds the swap in the journal, mixed,
//! and repeats [`swap_core`] or [`take_back_core`]; both look at every item first and
//! do what is left. Until then the site shows its maintenance page, at most as long
//! as the lease.
//!
//! Under a pool whose OPcache never looks at files again, old compiled files would
//! meet new ones until the flush: take a lease with [`maintenance::enter`] before the
//! exchange, flush ([`crate::caches`]), then [`maintenance::leave`]. A caller's own
//! lease is prolonged where it is short, and never ended here.

use super::{
    CoreItem, CoreSwap,
    items::{self, Found, Side},
};
use crate::{
    Error, Result,
    component::Exchange,
    disk, fence,
    home::Home,
    inventory,
    journal::{self, Entry},
    maintenance::{self, Holder, Maintenance},
    tree::TreeHash,
    watch::Watch,
};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long the site stays in maintenance at most if its worker dies in an update.
const LEASE: Duration = Duration::from_mins(2);

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
            let name = item.name.replace('/', "-");
            acts.push(Act::Move(live, aside.join(format!(".extra-{name}"))));
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
    if !crate::package::is_handle(staged) {
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
    // That of the translations may have been removed as a whole.
    swap.make_directories(home)?;
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
        swap.directories(home)?
            .iter()
            .try_for_each(|dir| disk::sync_parent(&dir.join("x")))
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
