//! What may be asked of a site.

use pressroom_base::Epoch;
use pressroom_wordpress::{
    archive, bridge, caches, checksums, command, component, config, core,
    database::{UserQuery, dump, replace, restore, restore_point},
    protection, rehearsal, snapshot,
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

/// A WordPress to start, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// Directory of `wp-load.php`, relative to the home.
    pub root: String,
    /// The `php` command to run.
    pub php: String,
    /// As which blog and whom, with what left out, how long at most.
    #[serde(default)]
    pub options: bridge::BridgeOptions,
}

impl Boot {
    /// The site itself, whole.
    pub fn new(root: &str, php: &str) -> Self {
        Self {
            root: root.to_owned(),
            php: php.to_owned(),
            options: bridge::BridgeOptions::default(),
        }
    }
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
    /// Whether a site that was there before Pressroom can be worked on; makes the
    /// directory in which the home remembers what is done there.
    CheckAdoption {
        /// Directory of WordPress.
        root: String,
    },
    /// How much room a directory takes on its disk.
    DiskUsage {
        /// Relative to the home.
        path: String,
    },
    /// As [`Request::Inspect`], and what the tables say of it, which is what is in use;
    /// evaluates a configuration that cannot be read.
    Survey {
        /// The site.
        site: SiteRef,
        /// Option names to read beside the usual ones.
        options: Vec<String>,
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
    /// Reads users straight from the site's database.
    ReadUsers {
        /// Directory of `wp-config.php`.
        root: String,
        /// Which ones.
        query: UserQuery,
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
    /// Takes everything in a directory for what [`Request::InstallCore`] put there.
    AdoptCore {
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
    /// Hashes a component that is live, wherever the site has it.
    HashComponent {
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
    /// Which translations of WordPress there are, and of when.
    ListTranslations {
        /// Directory of `wp-load.php`.
        root: String,
    },
    /// *Stream in*: unpacks a language pack beside a staged core, to be exchanged with it.
    StageTranslation {
        /// The caller's epoch.
        epoch: Epoch,
        /// The plan that staging the core made.
        swap: core::CoreSwap,
        /// The pack's language, e.g. `de_DE`.
        locale: String,
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
    /// Prolongs a maintenance that is ours, and fails with `missing` when it has lapsed.
    RenewMaintenance {
        /// The caller's epoch.
        epoch: Epoch,
        /// Directory of `wp-load.php`.
        root: String,
        /// Seconds from now after which the site leaves it by itself.
        lease_s: u64,
    },
    /// Whether the site is in maintenance, and whose.
    MaintenanceStatus {
        /// Directory of `wp-load.php`.
        root: String,
    },
    /// Holds `WordPress`' own automatic updater off for an hour from now, or lets it be.
    HoldUpdater {
        /// The caller's epoch.
        epoch: Epoch,
        /// Directory of `wp-config.php`.
        root: String,
        /// Who asks: 1 to 15 digits, the last of which is not 0.
        holder: String,
        /// Whether to let it be: what somebody else holds stays.
        release: bool,
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
    /// What the site has of caches.
    CacheStatus {
        /// The site.
        site: SiteRef,
        /// Where its php-fpm pool listens, to ask it for OPcache.
        fpm_socket: Option<String>,
    },
    /// Puts a drop-in of ours there, where there is none of somebody else.
    PutDropIn {
        /// The caller's epoch.
        epoch: Epoch,
        /// Directory of `wp-config.php`.
        root: String,
        /// Which.
        drop_in: caches::DropIn,
    },
    /// Removes a drop-in if it is ours, and with that for pages all of them.
    RemoveDropIn {
        /// The caller's epoch.
        epoch: Epoch,
        /// Directory of `wp-config.php`.
        root: String,
        /// Which.
        drop_in: caches::DropIn,
    },
    /// Removes pages that our page cache keeps.
    PurgePages {
        /// The caller's epoch.
        epoch: Epoch,
        /// Directory of `wp-config.php`.
        root: String,
        /// The one at this address; `None` for all.
        url: Option<String>,
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
    /// Reads what the engine itself needs of the configuration; runs it where it cannot
    /// be read and a `php` is given.
    ReadConfig {
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
    /// What the site keeps from its visitors by files of its own.
    Protections {
        /// Directory of `wp-config.php`.
        root: String,
    },
    /// Changes one of these.
    Protect {
        /// The caller's epoch.
        epoch: Epoch,
        /// Directory of `wp-config.php`.
        root: String,
        /// What to change.
        measure: protection::Measure,
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
    /// Keeps the tables as they are, beside them in the database.
    TakePoint {
        /// The caller's epoch.
        epoch: Epoch,
        /// The site.
        site: SiteRef,
        /// What is kept, and what is there already.
        options: restore_point::PointOptions,
    },
    /// Keeps what an update made of the tables of a point.
    SealPoint {
        /// The caller's epoch.
        epoch: Epoch,
        /// The site.
        site: SiteRef,
        /// Of the point.
        handle: String,
    },
    /// Takes an update back out of the tables, and leaves what others wrote since.
    MergePoint {
        /// The caller's epoch.
        epoch: Epoch,
        /// The site.
        site: SiteRef,
        /// Of the point.
        handle: String,
        /// How.
        options: restore_point::MergeOptions,
    },
    /// Drops a point and all that it kept.
    DropPoint {
        /// The caller's epoch.
        epoch: Epoch,
        /// The site.
        site: SiteRef,
        /// Of the point.
        handle: String,
    },
    /// Removes what restores and restore points of dead workers left in the database.
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
    /// *Stream out*: one directory in an archive, without tables.
    Pack {
        /// Which, and how.
        options: archive::PackOptions,
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
    /// Starts WordPress once and runs actions in it.
    Bridge {
        /// The caller's epoch; `None` for actions that only read.
        epoch: Option<Epoch>,
        /// What to start.
        #[serde(flatten)]
        boot: Boot,
        /// What to do inside WordPress, in this order.
        actions: Vec<bridge::Action>,
        /// Starts WordPress again behind an action in which PHP died, and for one that
        /// needs a start of its own, so that every action is done.
        #[serde(default)]
        each: bool,
    },
    /// Activates plugins, starts the site with them as visitor and as wp-admin, and puts
    /// the list of active plugins back when it does not survive that.
    ActivatePlugins {
        /// The caller's epoch.
        epoch: Epoch,
        /// What to start.
        #[serde(flatten)]
        boot: Boot,
        /// By file or directory.
        plugins: Vec<String>,
        /// For all blogs of the network.
        network_wide: bool,
    },
    /// Switches the theme, in the same way.
    SwitchTheme {
        /// The caller's epoch.
        epoch: Epoch,
        /// What to start.
        #[serde(flatten)]
        boot: Boot,
        /// Directory of the theme.
        stylesheet: String,
    },
    /// WordPress' own upgrade of its tables.
    UpgradeDatabases {
        /// The caller's epoch.
        epoch: Epoch,
        /// What to start.
        #[serde(flatten)]
        boot: Boot,
        /// All blogs of the network.
        network: bool,
        /// Blogs in one start of WordPress, 1 to 1000.
        batch: u32,
    },
    /// Runs all scheduled events that are due.
    RunCron {
        /// The caller's epoch.
        epoch: Epoch,
        /// What to start.
        #[serde(flatten)]
        boot: Boot,
        /// Also those that will be due within so many seconds.
        #[serde(default)]
        within_s: u32,
    },
    /// *Stream out*, see [`command::Records`]: runs a command of somebody's own. With an
    /// epoch it is ended once the site has seen a later one.
    RunCommand {
        /// The caller's epoch; `None` beside whatever else writes.
        epoch: Option<Epoch>,
        /// What to run, where, and how long at most.
        command: command::Command,
    },
    /// Makes a throw-away clone of the site; nothing is left after a failure.
    MakeRehearsal {
        /// The caller's epoch.
        epoch: Epoch,
        /// The site. Its `php` is what the clone runs with.
        site: SiteRef,
        /// How.
        options: rehearsal::RehearsalOptions,
    },
    /// *Stream out*: asks a clone for a page as a visitor does; the body comes first.
    Visit {
        /// The clone.
        handle: String,
        /// The request.
        visit: rehearsal::Visit,
    },
    /// What happened in a clone so far.
    RehearsalLog {
        /// The clone.
        handle: String,
    },
    /// Removes a clone; one that is gone is fine.
    DropRehearsal {
        /// The caller's epoch.
        epoch: Epoch,
        /// The clone.
        handle: String,
    },
    /// Empties the home directory of what Pressroom itself keeps there
    /// (state, temp, logs), so that the home can be removed.
    CleanHome {
        /// The caller's epoch.
        epoch: Epoch,
    },
}
