//! What a site answers.

use pressroom_wordpress::{
    archive, bridge, caches, checksums, command, component, config, core,
    database::{self, dump, replace, restore, restore_point},
    find, inventory, maintenance, protection, recovery, rehearsal, snapshot, tree, usage,
};
use serde::{Deserialize, Serialize};

/// The answer to a request, by the same name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "op", content = "is", rename_all = "snake_case")]
pub enum Response {
    /// See [`super::Request::Recover`].
    Recover(recovery::Recovery),
    /// See [`super::Request::Inspect`].
    Inspect(Box<inventory::Inspection>),
    /// See [`super::Request::Survey`].
    Survey(Box<inventory::Survey>),
    /// See [`super::Request::TreeHash`] and [`super::Request::HashComponent`]; `None`
    /// where there is no such directory.
    TreeHash(Option<tree::TreeHash>),
    /// See [`super::Request::DiskUsage`].
    DiskUsage(usage::DiskUsage),
    /// See [`super::Request::ReadSite`].
    ReadSite(database::SiteFacts),
    /// See [`super::Request::ReadUsers`].
    ReadUsers(Vec<database::SeenUser>),
    /// See [`super::Request::InstallCore`].
    InstallCore(core::InstalledCore),
    /// See [`super::Request::StageComponent`].
    StageComponent(component::Staged),
    /// See [`super::Request::SwapComponent`] and [`super::Request::TakeBack`]: the live tree now,
    /// and how it got there.
    Swapped(component::Exchanged),
    /// See [`super::Request::StageCore`].
    StageCore(Box<core::StagedCore>),
    /// See [`super::Request::ListTranslations`], by locale.
    ListTranslations(Vec<core::InstalledTranslation>),
    /// See [`super::Request::StageTranslation`]: the plan with these files.
    StageTranslation(core::CoreSwap),
    /// See [`super::Request::SwapCore`] and [`super::Request::TakeBackCore`].
    SwappedCore(core::SwappedCore),
    /// See [`super::Request::Maintain`], [`super::Request::RenewMaintenance`] and
    /// [`super::Request::MaintenanceStatus`]: what is there now.
    Maintain(maintenance::Maintenance),
    /// See [`super::Request::HoldUpdater`]: whose the lock is now; nothing where it was let go.
    HoldUpdater(Option<database::UpdaterLock>),
    /// See [`super::Request::FlushCaches`].
    FlushCaches(caches::FlushReport),
    /// See [`super::Request::CacheStatus`].
    CacheStatus(Box<caches::CacheStatus>),
    /// See [`super::Request::PutDropIn`] and [`super::Request::RemoveDropIn`]: whether
    /// anything had to be changed.
    DropIn(bool),
    /// See [`super::Request::PurgePages`]: how many there were.
    PurgePages(u64),
    /// See [`super::Request::Find`].
    Find(find::Found),
    /// See [`super::Request::ListConfig`].
    ListConfig(Box<config::Listing>),
    /// See [`super::Request::ReadConfig`].
    ReadConfig(Box<config::Settings>),
    /// See [`super::Request::EditConfig`].
    EditConfig(config::Edited),
    /// See [`super::Request::Protections`] and [`super::Request::Protect`]: what is there now.
    Protections(Box<protection::Protections>),
    /// See [`super::Request::VerifyChecksums`].
    VerifyChecksums(Box<checksums::ChecksumReport>),
    /// See [`super::Request::DumpDatabase`].
    DumpDatabase(Box<dump::DumpReport>),
    /// See [`super::Request::RestoreDatabase`] and
    /// [`super::Request::RestoreSnapshotDatabase`].
    RestoreDatabase(Box<restore::RestoreReport>),
    /// See [`super::Request::TakePoint`].
    TakePoint(Box<restore_point::Point>),
    /// See [`super::Request::SealPoint`].
    SealPoint(restore_point::SealedPoint),
    /// See [`super::Request::MergePoint`].
    MergePoint(Box<restore_point::MergeReport>),
    /// See [`super::Request::RecoverDatabase`].
    RecoverDatabase(restore::Recovered),
    /// See [`super::Request::DatabaseSize`].
    DatabaseSize(Vec<database::TableSize>),
    /// See [`super::Request::DatabaseChecksums`].
    DatabaseChecksums(Vec<database::TableChecksum>),
    /// See [`super::Request::SearchReplace`].
    SearchReplace(Box<replace::ReplaceReport>),
    /// See [`super::Request::TakeSnapshot`].
    TakeSnapshot(Box<snapshot::SnapshotReport>),
    /// See [`super::Request::Pack`]; the archive itself holds the whole manifest.
    Pack(Box<archive::Summary>),
    /// See [`super::Request::Unpack`].
    Unpack(Box<archive::Unpacked>),
    /// See [`super::Request::ExchangeTree`] and [`super::Request::TakeBackTree`].
    ExchangedTree(archive::Exchanged),
    /// See [`super::Request::Bridge`].
    Bridge(bridge::Report),
    /// See [`super::Request::ActivatePlugins`].
    ActivatePlugins(Box<bridge::Activation>),
    /// See [`super::Request::SwitchTheme`].
    SwitchTheme(Box<bridge::ThemeSwitch>),
    /// See [`super::Request::UpgradeDatabases`].
    UpgradeDatabases(bridge::outcomes::DatabaseUpgraded),
    /// See [`super::Request::RunCron`].
    RunCron(bridge::outcomes::CronRan),
    /// See [`super::Request::RunCommand`].
    RunCommand(command::CommandEnd),
    /// See [`super::Request::MakeRehearsal`].
    MakeRehearsal(Box<rehearsal::Rehearsal>),
    /// See [`super::Request::Visit`].
    Visit(Box<rehearsal::Answer>),
    /// See [`super::Request::RehearsalLog`].
    RehearsalLog(Box<rehearsal::RehearsalLog>),
    /// Done, nothing to say.
    Done,
}
