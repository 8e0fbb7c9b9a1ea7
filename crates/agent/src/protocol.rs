//! What is said over the pipe: one request per stream, answered once.
//!
//! Paths inside requests are relative to the site's home, use `/`, and may not
//! leave it; the agent checks each one again. A *writing* request carries the
//! job's epoch and is refused when the site has seen a higher one.

use pressroom_base::Epoch;
use pressroom_wordpress::{
    bridge, component, config, core, database, fence, inventory, journal, tree,
};
use serde::{Deserialize, Serialize};

/// The newest protocol version spoken here; the agent and the server also accept
/// the one before it.
pub const VERSION: u16 = 1;
/// The oldest protocol version still understood.
pub const OLDEST_VERSION: u16 = 1;
/// The largest frame, header excluded.
pub const MAX_FRAME: usize = 256 * 1024;
/// Login noise tolerated before the preamble.
pub const MAX_NOISE: usize = 64 * 1024;
/// The bytes of data each side may send on a stream before it is granted more.
pub const INITIAL_CREDIT: u32 = 1024 * 1024;
/// The most bytes put into one data frame, so that streams take turns.
pub const MAX_CHUNK: usize = 64 * 1024;
/// The longest answer, over all its frames.
pub const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// The requests carried out at once; one more is answered [`RefusalCode::Busy`].
pub const MAX_REQUESTS: usize = 16;
/// The longest deadline; a longer one is cut to this.
pub const MAX_DEADLINE: std::time::Duration = std::time::Duration::from_hours(1);
/// After its input ended the agent waits this long for running requests to settle
/// their current act, then exits regardless: the journal knows the rest.
pub const HARD_STOP: std::time::Duration = std::time::Duration::from_secs(20);

/// A request with what holds for all of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    /// Give up, undo the current act and answer `deadline` after this long.
    pub deadline_ms: u64,
    /// What to do.
    #[serde(flatten)]
    pub request: Request,
}

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
        matches!(self, Self::InstallCore { .. } | Self::StageComponent { .. })
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
            | Self::CleanHome { epoch } => Some(*epoch),
            Self::Bridge { epoch, .. } => *epoch,
            Self::Inspect { .. } | Self::TreeHash { .. } | Self::ReadSite { .. } => None,
        }
    }
}

/// The answer to a request, by the same name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "op", content = "is", rename_all = "snake_case")]
pub enum Response {
    /// See [`Request::Recover`].
    Recover(journal::Recovery),
    /// See [`Request::Inspect`].
    Inspect(Box<inventory::Inspection>),
    /// See [`Request::TreeHash`]; `None` where there is no such directory.
    TreeHash(Option<tree::TreeHash>),
    /// See [`Request::ReadSite`].
    ReadSite(database::SiteFacts),
    /// See [`Request::InstallCore`].
    InstallCore(core::InstalledCore),
    /// See [`Request::StageComponent`].
    StageComponent(component::Staged),
    /// See [`Request::SwapComponent`] and [`Request::TakeBack`]: the live tree now.
    Swapped(tree::TreeHash),
    /// See [`Request::Bridge`].
    Bridge(bridge::Report),
    /// Done, nothing to say.
    Done,
}

/// Why a request was not carried out.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What sort of failure it was.
    pub code: RefusalCode,
    /// For a person; free of secrets.
    pub message: String,
}

/// The sorts of failure an agent tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The site has seen a higher epoch: another worker took over.
    Fenced,
    /// Another session is writing right now.
    Locked,
    /// A path leaves the home, or is not what it must be.
    BadPath,
    /// A package or an answer exceeds a limit, or is malformed.
    BadInput,
    /// The directory or component is not there.
    Missing,
    /// Something foreign is in the way.
    Occupied,
    /// The tree is not the one the caller expected.
    Changed,
    /// The disk is full, or a quota is.
    NoSpace,
    /// PHP did not run, or died.
    Php,
    /// The site's database did not answer.
    Database,
    /// The deadline passed.
    Deadline,
    /// The caller withdrew.
    Cancelled,
    /// Any other failure of the operating system.
    Io,
    /// The agent carries out as many requests as it takes at once.
    Busy,
    /// A fault of the agent's own.
    Internal,
}

/// What holds for the whole session, said by the agent right after the preamble.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Welcome {
    /// The protocol version chosen.
    pub version: u16,
    /// The agent's own release.
    pub release: String,
    /// The Unix user it runs as.
    pub uid: u32,
    /// What the site remembers of fences.
    pub fence: fence::Seen,
}
