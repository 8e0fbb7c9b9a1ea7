//! What the site itself remembers of unfinished acts.
//!
//! An entry is written and synced before an act and removed after it is settled.
//! Recovery decides by looking at the disk (hashes), not by how far the entry says
//! the act went.

use crate::{
    Error, Result,
    archive::{self, ExchangeRecord, RecoveredExchange},
    component::{self, Swap},
    core::{self, CoreSwap, Record, RecoveredCoreSwap},
    disk, fence,
    home::Home,
    package,
    watch::Watch,
};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// What recovery found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Swaps that were under way, and which side is live now.
    pub swaps: Vec<RecoveredSwap>,
    /// Core swaps that were under way, and which side is live now. A mixed one is
    /// finished by [`core::swap_core`] or undone by [`core::take_back_core`].
    #[serde(default)]
    pub core_swaps: Vec<RecoveredCoreSwap>,
    /// Staged trees without a journalled swap that were removed.
    pub dropped_stages: u32,
    /// Why others could not be removed; they are tried again each time.
    #[serde(default)]
    pub stuck: Vec<String>,
    /// Exchanges of whole trees that were under way, and which side is live now.
    #[serde(default)]
    pub exchanges: Vec<RecoveredExchange>,
    /// Whether a half-done core unpacking was found; [`crate::core::remove`] undoes it.
    pub unfinished_core: bool,
}

/// One unfinished swap, as found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveredSwap {
    /// The journalled swap.
    pub swap: Swap,
    /// What is live now.
    pub live: Live,
}

/// Which side of a swap is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Live {
    /// The old tree, whole.
    Before,
    /// The new tree, whole.
    After,
    /// Neither: somebody wrote in between.
    Other,
}

/// An entry of the journal, one file each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub(crate) enum Entry {
    /// A component may be on its way in or back out.
    Swap {
        /// Who wrote it.
        epoch: Epoch,
        /// The swap.
        swap: Swap,
    },
    /// A core is on its way in.
    Core {
        /// Who wrote it.
        epoch: Epoch,
        /// What it will have put there.
        record: Record,
    },
    /// A core update may be on its way in or back out.
    CoreSwap {
        /// Who wrote it.
        epoch: Epoch,
        /// The swap.
        swap: CoreSwap,
    },
    /// A tree may be on its way in or back out.
    Exchange {
        /// Who wrote it.
        epoch: Epoch,
        /// What goes where.
        record: ExchangeRecord,
    },
}

const SWAP: &str = "swap-";
const CORE: &str = "core-";
const CORE_SWAP: &str = "update-";
const EXCHANGE: &str = "exchange-";
const END: &str = ".json";
pub(crate) const MAX_ENTRY: u64 = 1024 * 1024;

/// Takes the fence and settles what earlier sessions left.
///
/// Swaps are only looked at: whoever plans them decides, by [`component::swap`],
/// [`component::take_back`] and [`component::drop_staged`], which are safe to
/// repeat. Staged trees of *lower* epochs that no journalled swap names are removed,
/// and whatever of the old workers' private files is left. An entry whose place cannot
/// be reached any more keeps what it staged and is told as neither side.
pub fn recover(home: &Home, epoch: Epoch, watch: &Watch) -> Result<Recovery> {
    fence::take(home, epoch, watch)?;
    home.prepare()?;
    let mut found = Recovery::default();
    let mut keep = Vec::new();
    // Inside the fence, where nobody is in the middle of writing one.
    for (_, entry) in fence::critical(home, epoch, watch, || entries(home))? {
        match entry {
            Entry::Swap { swap, .. } => {
                keep.push(swap.staged.clone());
                let live = look(home, epoch, &swap, watch)?;
                found.swaps.push(RecoveredSwap { swap, live });
            }
            Entry::Core { .. } => found.unfinished_core = true,
            Entry::CoreSwap { swap, .. } => {
                keep.push(swap.staged.clone());
                let recovered = core::look_at_swap(home, epoch, swap, watch)?;
                found.core_swaps.push(recovered);
            }
            Entry::Exchange { record, .. } => {
                keep.push(record.staged().to_owned());
                found
                    .exchanges
                    .push(archive::look_at_exchange(home, record)?);
            }
        }
    }
    let staging = home.state_subdir("staging")?;
    for entry in fs::read_dir(&staging).map_err(|why| Error::io("list", &staging, why))? {
        watch.check()?;
        let entry = entry.map_err(|why| Error::io("list", &staging, why))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            continue;
        };
        let older = package::handle_epoch(name).is_none_or(|owner| owner < epoch);
        if !older || keep.iter().any(|kept| kept == name) {
            continue;
        }
        if let Err(why) = disk::remove_tree(&entry.path()) {
            // Something in it is another user's. Were that a failure, nobody could work
            // in the home any more.
            found.stuck.push(why.to_string());
            continue;
        }
        // Trash of a removal and half-received packages are no staged trees.
        if component::is_handle(name) {
            found.dropped_stages += 1;
        }
    }
    Ok(found)
}

/// Which side of a swap is live, by its hash, after an exchange that was stopped
/// half-way is made whole.
fn look(home: &Home, epoch: Epoch, swap: &Swap, watch: &Watch) -> Result<Live> {
    let live = match component::live_path(home, &swap.target) {
        Ok(live) => live,
        // The way there is gone, or a link: neither tree. Were that a failure, nobody
        // could work in the home any more, not even to bring the way back.
        Err(Error::Missing(_) | Error::BadPath(_)) => return Ok(Live::Other),
        Err(why) => return Err(why),
    };
    component::close_gap(home, epoch, swap, watch)?;
    let found = match swap.target.hash(&live, watch) {
        Ok(found) => found.map(|tree| tree.hash),
        // Something else of that name is neither tree.
        Err(Error::BadInput(_)) => return Ok(Live::Other),
        Err(why) => return Err(why),
    };
    Ok(if found.as_deref() == Some(&swap.after) {
        Live::After
    } else if found == swap.before {
        Live::Before
    } else {
        Live::Other
    })
}

/// Writes an entry, synced. Call it inside the fence.
pub(crate) fn write(home: &Home, entry: &Entry) -> Result<()> {
    let path = home.state_subdir("journal")?.join(file_name(entry));
    disk::write_json(&path, entry)
}

/// Removes the entry of a swap.
pub(crate) fn settle_swap(home: &Home, staged: &str) -> Result<()> {
    disk::remove_file(
        &home
            .state_path("journal")
            .join(format!("{SWAP}{staged}{END}")),
    )
}

/// Removes the entry of a core update.
pub(crate) fn settle_core_swap(home: &Home, staged: &str) -> Result<()> {
    let name = format!("{CORE_SWAP}{staged}{END}");
    disk::remove_file(&home.state_path("journal").join(name))
}

/// The swap in the entry of a core update.
pub(crate) fn unfinished_core_swap(home: &Home, staged: &str) -> Result<Option<CoreSwap>> {
    let name = format!("{CORE_SWAP}{staged}{END}");
    Ok(match read(&home.state_path("journal").join(name))? {
        Some(Entry::CoreSwap { swap, .. }) => Some(swap),
        _ => None,
    })
}

/// Removes the entry of an exchange.
pub(crate) fn settle_exchange(home: &Home, staged: &str) -> Result<()> {
    let name = format!("{EXCHANGE}{staged}{END}");
    disk::remove_file(&home.state_path("journal").join(name))
}

/// The record in the entry of an exchange.
pub(crate) fn unfinished_exchange(home: &Home, staged: &str) -> Result<Option<ExchangeRecord>> {
    let name = format!("{EXCHANGE}{staged}{END}");
    Ok(match read(&home.state_path("journal").join(name))? {
        Some(Entry::Exchange { record, .. }) => Some(record),
        _ => None,
    })
}

/// Removes the entry of a core.
pub(crate) fn settle_core(home: &Home, root: &str) -> Result<()> {
    let name = format!("{CORE}{}{END}", core::root_key(root));
    disk::remove_file(&home.state_path("journal").join(name))
}

/// The record in the entry of an unfinished core.
pub(crate) fn unfinished_core(home: &Home, root: &str) -> Result<Option<Record>> {
    let name = format!("{CORE}{}{END}", core::root_key(root));
    Ok(match read(&home.state_path("journal").join(name))? {
        Some(Entry::Core { record, .. }) => Some(record),
        _ => None,
    })
}

fn file_name(entry: &Entry) -> String {
    match entry {
        Entry::Swap { swap, .. } => format!("{SWAP}{}{END}", swap.staged),
        Entry::Core { record, .. } => format!("{CORE}{}{END}", core::root_key(&record.root)),
        Entry::CoreSwap { swap, .. } => format!("{CORE_SWAP}{}{END}", swap.staged),
        Entry::Exchange { record, .. } => format!("{EXCHANGE}{}{END}", record.staged()),
    }
}

/// All entries by name. A file that is no entry of ours stops recovery: guessing
/// past it could lose a tree.
fn entries(home: &Home) -> Result<Vec<(PathBuf, Entry)>> {
    let dir = home.state_subdir("journal")?;
    let mut found = Vec::new();
    for file in fs::read_dir(&dir).map_err(|why| Error::io("list", &dir, why))? {
        let path = file.map_err(|why| Error::io("list", &dir, why))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.ends_with(END) {
            // An entry that was not yet put in place: its act never began.
            disk::remove_file(&path)?;
            continue;
        }
        if let Some(entry) = read(&path)? {
            found.push((path, entry));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

fn read(path: &Path) -> Result<Option<Entry>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file
            .take(MAX_ENTRY)
            .read_to_end(&mut bytes)
            .map_err(|why| Error::io("read", path, why))?,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(Error::io("open", path, why)),
    };
    parse(path, &bytes).map(Some)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Entry> {
    serde_json::from_slice(bytes).map_err(|why| {
        Error::BadInput(format!(
            "journal entry `{}` cannot be read: {why}",
            path.display()
        ))
    })
}

#[doc(hidden)]
/// For [`crate::fuzzing`]: an entry, read and written again.
pub fn entry_again(bytes: &[u8]) -> Result<Vec<u8>> {
    let entry = parse(Path::new("entry"), bytes)?;
    serde_json::to_vec(&entry).map_err(|why| Error::BadInput(why.to_string()))
}
