//! Puts an unpacked tree in the place of the live one, and takes that back.
//!
//! Where it can be, the directory itself is exchanged in one act. Where it cannot –
//! it is the home, a mount point, has an owner, group or access list that ours
//! cannot get, or its parent may not be written to – the names directly inside are
//! exchanged one by one, within milliseconds, under the journal. The journal knows
//! every name by the inode it had on either side, so that whoever comes later can
//! see how far it went and go on in either direction.
//!
//! What was live is kept below `.pressroom/staging`, under the same handle, until
//! [`drop_unpacked`].

use super::{
    manifest::EntryPath,
    planned::{Exchange, Method, Record, staging_dir},
    switch::{
        Places, Side, cannot_be_moved, carry_back, carry_over, go, inode, is_half_done,
        may_be_whole, ours, slots, to_carry,
    },
    tree_hash::hash_without,
};
use crate::{
    Error, Result, core, disk, fence,
    home::Home,
    journal::{self, Entry},
    tree::TreeHash,
    watch::Watch,
};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, path::Path};

/// What an exchange did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanged {
    /// How.
    pub method: Method,
    /// What is live now, by looking, without what was carried over; visitors may
    /// have written to it already. [`TreeHash::absent`] where nothing is.
    pub tree: TreeHash,
    /// Paths that were carried over and are live.
    pub carried: Vec<EntryPath>,
    /// Paths that are only in the tree kept aside, because the directory they were
    /// in is none any more.
    pub not_carried: Vec<EntryPath>,
}

/// Which side is live, by inodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveTree {
    /// The old tree.
    Before,
    /// The new tree.
    After,
    /// Some of each, or something new: [`exchange()`] or [`take_back_exchange`] goes
    /// on from there.
    Mixed,
}

/// An exchange in the journal, as found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveredExchange {
    /// What was to be done.
    pub exchange: Exchange,
    /// What is live now.
    pub live: LiveTree,
}

/// Exchanges the live tree with the unpacked one. Begun already is gone on with;
/// done already is done. A failure on the way is undone.
pub fn exchange(
    home: &Home,
    epoch: Epoch,
    exchange: &Exchange,
    watch: &Watch,
) -> Result<Exchanged> {
    fence::check(home, epoch, watch)?;
    let places = Places::of(home, exchange)?;
    let record = match journal::unfinished_exchange(home, &exchange.staged)? {
        Some(record) if record.exchange != *exchange => {
            return Err(Error::Occupied(exchange.staged.clone()));
        }
        Some(record) => {
            fence::critical(home, epoch, watch, || {
                go(&places, &record, Side::After)?;
                carry_over(&places, &record)
            })?;
            record
        }
        None => begin(home, epoch, exchange, &places, watch)?,
    };
    done(home, &places, &record, Side::After, watch)
}

/// Puts the old tree back, which was kept aside; what is live by now, whoever wrote
/// it, goes aside in its place. Done already is done.
pub fn take_back_exchange(
    home: &Home,
    epoch: Epoch,
    staged: &str,
    watch: &Watch,
) -> Result<Exchanged> {
    fence::check(home, epoch, watch)?;
    staging_dir(home, staged)?;
    let record = journal::unfinished_exchange(home, staged)?
        .ok_or_else(|| Error::Missing(staged.to_owned()))?;
    let places = Places::of(home, &record.exchange)?;
    fence::critical(home, epoch, watch, || {
        carry_back(&places, &record)?;
        go(&places, &record, Side::Before)
    })?;
    done(home, &places, &record, Side::Before, watch)
}

/// Removes what was unpacked, or the old tree that was kept aside under the same
/// handle, and its journal entry; gone already is fine. Refused while the exchange is
/// half done, or what should be live is not to be seen: what lies aside is needed then.
pub fn drop_unpacked(home: &Home, epoch: Epoch, staged: &str, watch: &Watch) -> Result<()> {
    let dir = staging_dir(home, staged)?;
    fence::critical(home, epoch, watch, || {
        if let Some(record) = journal::unfinished_exchange(home, staged)?
            && disk::exists(&dir)?
            && is_half_done(&Places::of(home, &record.exchange)?, &record)?
        {
            return Err(Error::BadInput(format!(
                "`{}` is half exchanged: finish it or take it back first",
                record.exchange.root
            )));
        }
        journal::settle_exchange(home, staged)
    })?;
    disk::remove_tree(&dir)
}

/// Which side of a journalled exchange is live.
pub(crate) fn look(home: &Home, record: Record) -> Result<RecoveredExchange> {
    let places = match Places::of(home, &record.exchange) {
        Ok(places) => places,
        // Something else is in the way by now: neither tree.
        Err(Error::BadPath(_) | Error::Missing(_)) => {
            return Ok(RecoveredExchange {
                exchange: record.exchange,
                live: LiveTree::Mixed,
            });
        }
        Err(why) => return Err(why),
    };
    let (mut before, mut after) = (true, true);
    for slot in &record.slots {
        let now = inode(&places.live_of(slot))?;
        before &= now == slot.before;
        after &= now == slot.after;
    }
    Ok(RecoveredExchange {
        exchange: record.exchange,
        live: match (before, after) {
            (true, _) => LiveTree::Before,
            (false, true) => LiveTree::After,
            (false, false) => LiveTree::Mixed,
        },
    })
}

fn begin(
    home: &Home,
    epoch: Epoch,
    exchange: &Exchange,
    places: &Places,
    watch: &Watch,
) -> Result<Record> {
    let changed = |path: &Path, expected: &str, found: TreeHash| Error::Changed {
        path: home.shown(path),
        expected: expected.to_owned(),
        found: found.hash,
    };
    let staged = hash_without(&places.aside, &[], watch)?;
    if staged == TreeHash::absent() {
        return Err(Error::Missing(home.shown(&places.aside)));
    }
    if staged.hash != exchange.after {
        return Err(changed(&places.aside, &exchange.after, staged));
    }
    if let Some(before) = &exchange.before {
        let live = hash_without(&places.live, &ours(&exchange.root), watch)?;
        if live.hash != *before {
            return Err(changed(&places.live, before, live));
        }
    }
    for path in &exchange.keep {
        // Deeper ones could lead out of the tree by a link in it.
        if path.bytes().contains(&b'/') {
            return Err(Error::BadPath(path.to_string()));
        }
        disk::remove_file(&places.aside.join(OsStr::from_bytes(path.bytes())))?;
    }
    // What is switched to must survive a power cut that the switch survives.
    fs::File::open(&places.aside)
        .and_then(|dir| Ok(rustix::fs::syncfs(&dir)?))
        .map_err(|why| Error::io("sync", &places.aside, why))?;
    let whole = may_be_whole(home, places)?;
    fence::critical(home, epoch, watch, || {
        if exchange.vacant {
            core::occupants(&places.live, &exchange.root)?;
        }
        let mut method = if whole { Method::Whole } else { Method::ByName };
        loop {
            let record = Record {
                exchange: exchange.clone(),
                method,
                slots: slots(places, method)?,
                carry: to_carry(places, exchange, method)?,
            };
            write(home, epoch, &record)?;
            let why =
                match go(places, &record, Side::After).and_then(|()| carry_over(places, &record)) {
                    Ok(()) => return Ok(record),
                    Err(why) => why,
                };
            // Back at once; if that fails, the journal tells our successor.
            carry_back(places, &record)?;
            go(places, &record, Side::Before)?;
            journal::settle_exchange(home, &exchange.staged)?;
            if method == Method::ByName || !cannot_be_moved(&why) {
                return Err(why);
            }
            method = Method::ByName;
        }
    })
}

fn write(home: &Home, epoch: Epoch, record: &Record) -> Result<()> {
    let entry = Entry::Exchange {
        epoch,
        record: record.clone(),
    };
    let size = serde_json::to_vec(&entry).map_or(usize::MAX, |bytes| bytes.len());
    if size as u64 > journal::MAX_ENTRY / 2 {
        return Err(Error::BadInput(format!(
            "`{}` has too many names directly in it, or too much to carry over, to be exchanged",
            record.exchange.root
        )));
    }
    journal::write(home, &entry)
}

/// Looks at what is live now.
fn done(
    home: &Home,
    places: &Places,
    record: &Record,
    side: Side,
    watch: &Watch,
) -> Result<Exchanged> {
    let mut skip = ours(&home.shown(&places.live));
    let (mut carried, mut not_carried) = (Vec::new(), Vec::new());
    if side == Side::After {
        for path in record.exchange.carried() {
            let below = OsStr::from_bytes(path.bytes());
            if disk::exists(&places.aside.join(below))? {
                not_carried.push(path.clone());
            } else if disk::exists(&places.live.join(below))? {
                carried.push(path.clone());
                skip.push(path.bytes().to_vec());
            }
        }
    }
    Ok(Exchanged {
        method: record.method,
        tree: hash_without(&places.live, &skip, watch)?,
        carried,
        not_carried,
    })
}
