//! What the site itself remembers of unfinished acts.
//!
//! An entry is written and synced before an act and removed after it is settled.
//! Recovery decides by looking at the disk (hashes), not by how far the entry says
//! the act went ([`crate::recovery`]).

use crate::{
    Error, Result,
    archive::planned::Record as ExchangeRecord,
    cage::record::Record as Rehearsal,
    component::target::Swap,
    core::{
        items::CoreSwap,
        record::{Record, root_key},
    },
    disk,
    home::Home,
};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

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
    /// A clone is there, or on its way.
    Rehearsal {
        /// Who wrote it.
        epoch: Epoch,
        /// All that may have been made.
        record: Box<Rehearsal>,
    },
}

impl Entry {
    /// What it staged, if it is about something in this directory of the home.
    pub(crate) fn staged_in(&self, directory: &str) -> Option<&str> {
        let (root, staged) = match self {
            Self::Swap { swap, .. } => (&swap.target.root, &swap.staged),
            Self::CoreSwap { swap, .. } => (&swap.root, &swap.staged),
            Self::Core { .. } | Self::Exchange { .. } | Self::Rehearsal { .. } => return None,
        };
        let rest = root.strip_prefix(directory)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(staged)
    }
}

const SWAP: &str = "swap-";
const CORE: &str = "core-";
const CORE_SWAP: &str = "update-";
const EXCHANGE: &str = "exchange-";
const REHEARSAL: &str = "rehearsal-";
const END: &str = ".json";
pub(crate) const MAX_ENTRY: u64 = 1024 * 1024;

/// Writes an entry, synced. Call it inside the fence.
pub(crate) fn write(home: &Home, entry: &Entry) -> Result<()> {
    let path = home.state_subdir("journal")?.join(file_name(entry));
    let length = serde_json::to_vec(entry).map_or(0, |bytes| bytes.len() as u64);
    if length > MAX_ENTRY {
        // It could not be read again.
        return Err(Error::BadInput(
            "what would have to be remembered of this is too long".to_owned(),
        ));
    }
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
    let name = format!("{CORE}{}{END}", root_key(root));
    disk::remove_file(&home.state_path("journal").join(name))
}

/// The record in the entry of an unfinished core.
pub(crate) fn unfinished_core(home: &Home, root: &str) -> Result<Option<Record>> {
    let name = format!("{CORE}{}{END}", root_key(root));
    Ok(match read(&home.state_path("journal").join(name))? {
        Some(Entry::Core { record, .. }) => Some(record),
        _ => None,
    })
}

/// Removes the entry of a clone.
pub(crate) fn settle_rehearsal(home: &Home, handle: &str) -> Result<()> {
    let name = format!("{REHEARSAL}{handle}{END}");
    disk::remove_file(&home.state_path("journal").join(name))
}

fn file_name(entry: &Entry) -> String {
    match entry {
        Entry::Swap { swap, .. } => format!("{SWAP}{}{END}", swap.staged),
        Entry::Core { record, .. } => format!("{CORE}{}{END}", root_key(&record.root)),
        Entry::CoreSwap { swap, .. } => format!("{CORE_SWAP}{}{END}", swap.staged),
        Entry::Exchange { record, .. } => format!("{EXCHANGE}{}{END}", record.staged()),
        Entry::Rehearsal { record, .. } => format!("{REHEARSAL}{}{END}", record.handle),
    }
}

/// All entries by name. A file that is no entry of ours stops recovery: guessing
/// past it could lose a tree.
pub(crate) fn entries(home: &Home) -> Result<Vec<(PathBuf, Entry)>> {
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
