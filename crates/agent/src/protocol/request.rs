//! What may be asked of a site.

use pressroom_base::Epoch;
use pressroom_wordpress::{
    archive, bridge, caches, checksums, component, config, core,
    database::{dump, replace, restore},
    snapshot,
};
use serde::{Deserialize, Serialize};

/// One WordPress, and what may run its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteRef {
    /// Directory of `wp-config.php`, relative to the home.
    pub root: String,
    /// The `php` command that evaluates a configuration which cannot be read; without
    /// one, what cannot be read is unknown.
    pub php: Option<String>,
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
    /// WordPress installs below a directory.
    Find {
        /// Where to look, relative to the home.
        below: String,
        /// Levels of directories.
        depth: usize,
    },
    /// Reads the whole configuration; runs it where it cannot be read and a `php` is
    /// given.
    ListConfig {
        /// The site.
        site: SiteRef,
    },
    /// Changes `wp-config.php`, all edits or none.
    EditConfig {
        /// The caller's epoch.
        epoch: Epoch,
        /// The site; its `php` checks the new file.
        site: SiteRef,
        /// What to change.
        edits: Vec<config::Edit>,
    },
    /// *Stream in*, the checksums as JSON: holds files against what their source says.
    VerifyChecksums {
        /// Directory of `wp-config.php`.
        root: String,
        /// Core or a component.
        subject: checksums::Subject,
    },
    /// *Stream out*: the tables as SQL.
    DumpDatabase {
        /// The site.
        site: SiteRef,
        /// Which tables, and how.
        options: dump::DumpOptions,
    },
    /// *Stream in*, SQL: puts tables in place of the site's in one act.
    RestoreDatabase {
        /// The caller's epoch.
        epoch: Epoch,
        /// The site.
        site: SiteRef,
        /// How.
        options: restore::RestoreOptions,
    },
    /// The same with the tables of an unpacked snapshot.
    RestoreSnapshotDatabase {
        /// The caller's epoch.
        epoch: Epoch,
        /// The site.
        site: SiteRef,
        /// The handle of what was unpacked.
        staged: String,
        /// How.
        options: restore::RestoreOptions,
    },
    /// Puts the tables from before a restore back.
    TakeBackDatabase {
        /// The caller's epoch.
        epoch: Epoch,
        /// The site.
        site: SiteRef,
        /// What the restore kept aside.
        aside: restore::Aside,
    },
    /// Drops the tables from before a restore.
    DropDatabaseAside {
        /// The caller's epoch.
        epoch: Epoch,
        /// The site.
        site: SiteRef,
        /// What the restore kept aside.
        aside: restore::Aside,
    },
    /// Removes what restores of dead workers left in the database.
    RecoverDatabase {
        /// The caller's epoch.
        epoch: Epoch,
        /// The site.
        site: SiteRef,
    },
    /// The site's tables and their sizes.
    DatabaseSize {
        /// The site.
        site: SiteRef,
    },
    /// Checksums of the contents of tables.
    DatabaseChecksums {
        /// The site.
        site: SiteRef,
        /// Which; all of the site's when empty.
        tables: Vec<String>,
    },
    /// Replaces texts in the tables, serialized values included.
    SearchReplace {
        /// The caller's epoch; none for a dry run.
        epoch: Option<Epoch>,
        /// The site.
        site: SiteRef,
        /// What, where.
        options: replace::ReplaceOptions,
    },
    /// *Stream out*: the whole site in one archive.
    TakeSnapshot {
        /// The site.
        site: SiteRef,
        /// What goes in.
        options: snapshot::SnapshotOptions,
    },
    /// *Stream in*: unpacks an archive beside the site, checking everything in it.
    Unpack {
        /// The caller's epoch.
        epoch: Epoch,
        /// How much it may hold, and more.
        options: archive::UnpackOptions,
    },
    /// Exchanges a live directory with an unpacked one.
    ExchangeTree {
        /// The caller's epoch.
        epoch: Epoch,
        /// What to exchange.
        exchange: archive::Exchange,
    },
    /// Exchanges directories back.
    TakeBackTree {
        /// The caller's epoch.
        epoch: Epoch,
        /// The handle of what was unpacked.
        staged: String,
    },
    /// Removes what was unpacked or is kept aside.
    DropUnpacked {
        /// The caller's epoch.
        epoch: Epoch,
        /// Its handle.
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
        matches!(
            self,
            Self::InstallCore { .. }
                | Self::StageCore { .. }
                | Self::StageComponent { .. }
                | Self::VerifyChecksums { .. }
                | Self::RestoreDatabase { .. }
                | Self::Unpack { .. }
        )
    }

    /// Whether the data frames of the answer are a download of their own, and not the
    /// beginning of the [`Response`].
    pub const fn gives_data(&self) -> bool {
        matches!(self, Self::DumpDatabase { .. } | Self::TakeSnapshot { .. })
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
            Self::Find { .. } => "find",
            Self::ListConfig { .. } => "list_config",
            Self::EditConfig { .. } => "edit_config",
            Self::VerifyChecksums { .. } => "verify_checksums",
            Self::DumpDatabase { .. } => "dump_database",
            Self::RestoreDatabase { .. } => "restore_database",
            Self::RestoreSnapshotDatabase { .. } => "restore_snapshot_database",
            Self::TakeBackDatabase { .. } => "take_back_database",
            Self::DropDatabaseAside { .. } => "drop_database_aside",
            Self::RecoverDatabase { .. } => "recover_database",
            Self::DatabaseSize { .. } => "database_size",
            Self::DatabaseChecksums { .. } => "database_checksums",
            Self::SearchReplace { .. } => "search_replace",
            Self::TakeSnapshot { .. } => "take_snapshot",
            Self::Unpack { .. } => "unpack",
            Self::ExchangeTree { .. } => "exchange_tree",
            Self::TakeBackTree { .. } => "take_back_tree",
            Self::DropUnpacked { .. } => "drop_unpacked",
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
            | Self::EditConfig { epoch, .. }
            | Self::RestoreDatabase { epoch, .. }
            | Self::RestoreSnapshotDatabase { epoch, .. }
            | Self::TakeBackDatabase { epoch, .. }
            | Self::DropDatabaseAside { epoch, .. }
            | Self::RecoverDatabase { epoch, .. }
            | Self::Unpack { epoch, .. }
            | Self::ExchangeTree { epoch, .. }
            | Self::TakeBackTree { epoch, .. }
            | Self::DropUnpacked { epoch, .. }
            | Self::CleanHome { epoch } => Some(*epoch),
            Self::Bridge { epoch, .. } | Self::SearchReplace { epoch, .. } => *epoch,
            Self::Find { .. }
            | Self::ListConfig { .. }
            | Self::VerifyChecksums { .. }
            | Self::DumpDatabase { .. }
            | Self::DatabaseSize { .. }
            | Self::DatabaseChecksums { .. }
            | Self::TakeSnapshot { .. }
            | Self::Inspect { .. }
            | Self::TreeHash { .. }
            | Self::ReadSite { .. } => None,
        }
    }
}
