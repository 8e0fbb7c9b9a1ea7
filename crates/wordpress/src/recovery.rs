//! What a new worker does first: it takes the fence, and looks at what earlier ones left
//! unfinished.

use crate::{
    Error, Result,
    archive::{self, RecoveredExchange},
    component::{self, Swap},
    core::{self, RecoveredCoreSwap},
    disk, fence,
    home::Home,
    journal::{self, Entry},
    package, rehearsal,
    watch::Watch,
};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::fs;

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
    /// Rehearsals of earlier workers that were removed; of one that could not be, `stuck`
    /// says why.
    #[serde(default)]
    pub dropped_rehearsals: Vec<String>,
    /// Rehearsals of this very epoch, which are still there.
    #[serde(default)]
    pub rehearsals: Vec<String>,
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
    let mut dropped: Vec<String> = Vec::new();
    for (_, entry) in fence::critical(home, epoch, watch, || journal::entries(home))? {
        // A clone comes before what was exchanged in it.
        if dropped.iter().any(|root| entry.staged_in(root).is_some()) {
            continue;
        }
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
            Entry::Rehearsal { record, .. } if record.epoch >= epoch => {
                found.rehearsals.push(record.handle);
            }
            Entry::Rehearsal { record, .. } => match rehearsal::remove(home, epoch, &record, watch)
            {
                Ok(()) => {
                    dropped.push(record.site_root());
                    found.dropped_rehearsals.push(record.handle);
                }
                Err(why @ (Error::Fenced { .. } | Error::Cancelled | Error::Deadline)) => {
                    return Err(why);
                }
                // Its database may be away. Were that a failure, nobody could work in the
                // home any more.
                Err(why) => found
                    .stuck
                    .push(format!("the rehearsal `{}`: {why}", record.handle)),
            },
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
        if package::is_handle(name) {
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
