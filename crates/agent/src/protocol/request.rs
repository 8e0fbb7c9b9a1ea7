//! What may be asked of a site.

use pressroom_base::Epoch;
use pressroom_wordpress::{bridge, caches, component, config, core};
use serde::{Deserialize, Serialize};

/// One site operation. Variants marked *stream in* are followed by data frames
/// from the caller; see [`Request::takes_data`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request {
    /// First call of every writing session: takes the fence and settles whatever
    /// an earlier session left in its journal, by looking at the disk.
    Recover {
        /// The caller's epoch.
        epoch: Epoch,
    },
    /// Reads core version, components and configuration without running PHP.
    Inspect {
        /// Directory of `wp-config.php`.
        root: String,
    },
    /// Hashes a directory tree; see [`tree`] for what the hash covers.
    TreeHash {
        /// The directory.
        path: String,
    },
    /// Reads options and administrators straight from the site's database.
    ReadSite {
        /// Directory of `wp-config.php`.
        root: String,
        /// Option names to read beside the usual ones.
        options: Vec<String>,
    },
    /// *Stream in*: unpacks a WordPress zip into `root`, which must be absent,
    /// empty, or hold a placeholder page only.
    InstallCore {
        /// The caller's epoch.
        epoch: Epoch,
        /// The directory to fill.
        root: String,
    },
    /// Writes `wp-config.php` (mode 0600) with fresh salts.
    WriteConfig {
        /// The caller's epoch.
        epoch: Epoch,
        /// Directory of `wp-config.php`.
        root: String,
        /// Its contents.
        config: config::NewConfig,
    },
    /// Removes what [`Request::InstallCore`] put there, and only that.
    RemoveCore {
        /// The caller's epoch.
        epoch: Epoch,
        /// The directory that was filled.
        root: String,
    },
    /// *Stream in*: unpacks a component's zip beside the site, not into it.
    StageComponent {
        /// The caller's epoch.
        epoch: Epoch,
        /// The component.
        target: component::Target,
    },
    /// Exchanges the staged tree with the live one in one atomic act.
    SwapComponent {
        /// The caller's epoch.
        epoch: Epoch,
        /// What to exchange, and the hashes both sides must have.
        swap: component::Swap,
    },
    /// Exchanges back: live becomes what it was before the swap.
    TakeBack {
        /// The caller's epoch.
        epoch: Epoch,
        /// The swap to undo.
        swap: component::Swap,
    },
    /// Removes a staged or kept-aside tree and its journal entry.
    DropStaged {
        /// The caller's epoch.
        epoch: Epoch,
        /// The staging handle.
        staged: String,
    },
    /// *Stream in*: unpacks a WordPress zip beside the site, to be exchanged.
    StageCore {
        /// The caller's epoch.
        epoch: Epoch,
        /// Directory of `wp-load.php`.
        root: String,
    },
    /// Exchanges the live core with the staged one, under maintenance.
    SwapCore {
        /// The caller's epoch.
        epoch: Epoch,
        /// The plan that staging made.
        swap: core::CoreSwap,
    },
    /// Exchanges cores back.
    TakeBackCore {
        /// The caller's epoch.
        epoch: Epoch,
        /// The swap to undo.
        swap: core::CoreSwap,
    },
    /// Removes a staged or kept-aside core and its journal entry.
    DropStagedCore {
        /// The caller's epoch.
        epoch: Epoch,
        /// The staging handle.
        staged: String,
    },
    /// Puts the site into maintenance for a while, or ends that.
    Maintain {
        /// The caller's epoch.
        epoch: Epoch,
        /// Directory of `wp-load.php`.
        root: String,
        /// Seconds after which the site leaves it by itself; `None` leaves it now.
        lease_s: Option<u64>,
    },
    /// Flushes the site's caches without PHP of the site.
    FlushCaches {
        /// The caller's epoch.
        epoch: Epoch,
        /// Directory of `wp-config.php`.
        root: String,
        /// Which caches, and how to get at them.
        options: caches::FlushOptions,
    },
    /// Boots WordPress once and runs actions in it.
    Bridge {
        /// The caller's epoch; `None` for actions that only read.
        epoch: Option<Epoch>,
        /// Directory of `wp-config.php`.
        root: String,
        /// The `php` command to run.
        php: String,
        /// What to do inside WordPress, in this order.
        actions: Vec<bridge::Action>,
    },
    /// Empties the home directory of what Pressroom itself keeps there
    /// (state, temp, logs), so that the home can be removed.
    CleanHome {
        /// The caller's epoch.
        epoch: Epoch,
    },
}

impl Request {
    /// Whether data frames follow this request.
    pub const fn takes_data(&self) -> bool {
        matches!(
            self,
            Self::InstallCore { .. } | Self::StageCore { .. } | Self::StageComponent { .. }
        )
    }

    /// Whether the data frames of the answer are a download of their own, and not the
    /// beginning of the [`Response`].
    pub const fn gives_data(&self) -> bool {
        false
    }

    /// The name on the wire, for messages and logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Recover { .. } => "recover",
            Self::Inspect { .. } => "inspect",
            Self::TreeHash { .. } => "tree_hash",
            Self::ReadSite { .. } => "read_site",
            Self::InstallCore { .. } => "install_core",
            Self::WriteConfig { .. } => "write_config",
            Self::RemoveCore { .. } => "remove_core",
            Self::StageComponent { .. } => "stage_component",
            Self::SwapComponent { .. } => "swap_component",
            Self::TakeBack { .. } => "take_back",
            Self::DropStaged { .. } => "drop_staged",
            Self::StageCore { .. } => "stage_core",
            Self::SwapCore { .. } => "swap_core",
            Self::TakeBackCore { .. } => "take_back_core",
            Self::DropStagedCore { .. } => "drop_staged_core",
            Self::Maintain { .. } => "maintain",
            Self::FlushCaches { .. } => "flush_caches",
            Self::Bridge { .. } => "bridge",
            Self::CleanHome { .. } => "clean_home",
        }
    }

    /// The epoch of a writing request.
    pub const fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::Recover { epoch }
            | Self::InstallCore { epoch, .. }
            | Self::WriteConfig { epoch, .. }
            | Self::RemoveCore { epoch, .. }
            | Self::StageComponent { epoch, .. }
            | Self::SwapComponent { epoch, .. }
            | Self::TakeBack { epoch, .. }
            | Self::DropStaged { epoch, .. }
            | Self::StageCore { epoch, .. }
            | Self::SwapCore { epoch, .. }
            | Self::TakeBackCore { epoch, .. }
            | Self::DropStagedCore { epoch, .. }
            | Self::Maintain { epoch, .. }
            | Self::FlushCaches { epoch, .. }
            | Self::CleanHome { epoch } => Some(*epoch),
            Self::Bridge { epoch, .. } => *epoch,
            Self::Inspect { .. } | Self::TreeHash { .. } | Self::ReadSite { .. } => None,
        }
    }
}
