//! What can be told of a request without carrying it out.

use super::Request;
use pressroom_base::Epoch;

impl Request {
    /// Whether data frames follow this request.
    pub const fn takes_data(&self) -> bool {
        matches!(
            self,
            Self::InstallCore { .. }
                | Self::StageCore { .. }
                | Self::StageTranslation { .. }
                | Self::StageComponent { .. }
                | Self::VerifyChecksums { .. }
                | Self::RestoreDatabase { .. }
                | Self::Unpack { .. }
        )
    }

    /// Whether the data frames of the answer are a download of their own, and not the
    /// beginning of the [`Response`](super::Response).
    pub const fn gives_data(&self) -> bool {
        matches!(
            self,
            Self::DumpDatabase { .. }
                | Self::TakeSnapshot { .. }
                | Self::Pack { .. }
                | Self::RunCommand { .. }
                | Self::Visit { .. }
        )
    }

    /// The name on the wire, for messages and logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Recover { .. } => "recover",
            Self::Inspect { .. } => "inspect",
            Self::Survey { .. } => "survey",
            Self::CheckAdoption { .. } => "check_adoption",
            Self::DiskUsage { .. } => "disk_usage",
            Self::TreeHash { .. } => "tree_hash",
            Self::ReadSite { .. } => "read_site",
            Self::ReadUsers { .. } => "read_users",
            Self::InstallCore { .. } => "install_core",
            Self::WriteConfig { .. } => "write_config",
            Self::RemoveCore { .. } => "remove_core",
            Self::AdoptCore { .. } => "adopt_core",
            Self::StageComponent { .. } => "stage_component",
            Self::HashComponent { .. } => "hash_component",
            Self::SwapComponent { .. } => "swap_component",
            Self::TakeBack { .. } => "take_back",
            Self::DropStaged { .. } => "drop_staged",
            Self::StageCore { .. } => "stage_core",
            Self::ListTranslations { .. } => "list_translations",
            Self::StageTranslation { .. } => "stage_translation",
            Self::SwapCore { .. } => "swap_core",
            Self::TakeBackCore { .. } => "take_back_core",
            Self::DropStagedCore { .. } => "drop_staged_core",
            Self::Maintain { .. } => "maintain",
            Self::RenewMaintenance { .. } => "renew_maintenance",
            Self::MaintenanceStatus { .. } => "maintenance_status",
            Self::HoldUpdater { .. } => "hold_updater",
            Self::FlushCaches { .. } => "flush_caches",
            Self::CacheStatus { .. } => "cache_status",
            Self::PutDropIn { .. } => "put_drop_in",
            Self::RemoveDropIn { .. } => "remove_drop_in",
            Self::PurgePages { .. } => "purge_pages",
            Self::Find { .. } => "find",
            Self::ListConfig { .. } => "list_config",
            Self::ReadConfig { .. } => "read_config",
            Self::EditConfig { .. } => "edit_config",
            Self::Protections { .. } => "protections",
            Self::Protect { .. } => "protect",
            Self::VerifyChecksums { .. } => "verify_checksums",
            Self::DumpDatabase { .. } => "dump_database",
            Self::RestoreDatabase { .. } => "restore_database",
            Self::RestoreSnapshotDatabase { .. } => "restore_snapshot_database",
            Self::TakeBackDatabase { .. } => "take_back_database",
            Self::DropDatabaseAside { .. } => "drop_database_aside",
            Self::TakePoint { .. } => "take_point",
            Self::SealPoint { .. } => "seal_point",
            Self::MergePoint { .. } => "merge_point",
            Self::DropPoint { .. } => "drop_point",
            Self::RecoverDatabase { .. } => "recover_database",
            Self::DatabaseSize { .. } => "database_size",
            Self::DatabaseChecksums { .. } => "database_checksums",
            Self::SearchReplace { .. } => "search_replace",
            Self::TakeSnapshot { .. } => "take_snapshot",
            Self::Pack { .. } => "pack",
            Self::Unpack { .. } => "unpack",
            Self::ExchangeTree { .. } => "exchange_tree",
            Self::TakeBackTree { .. } => "take_back_tree",
            Self::DropUnpacked { .. } => "drop_unpacked",
            Self::Bridge { .. } => "bridge",
            Self::ActivatePlugins { .. } => "activate_plugins",
            Self::SwitchTheme { .. } => "switch_theme",
            Self::UpgradeDatabases { .. } => "upgrade_databases",
            Self::RunCron { .. } => "run_cron",
            Self::RunCommand { .. } => "run_command",
            Self::MakeRehearsal { .. } => "make_rehearsal",
            Self::Visit { .. } => "visit",
            Self::RehearsalLog { .. } => "rehearsal_log",
            Self::DropRehearsal { .. } => "drop_rehearsal",
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
            | Self::AdoptCore { epoch, .. }
            | Self::StageComponent { epoch, .. }
            | Self::SwapComponent { epoch, .. }
            | Self::TakeBack { epoch, .. }
            | Self::DropStaged { epoch, .. }
            | Self::StageCore { epoch, .. }
            | Self::StageTranslation { epoch, .. }
            | Self::SwapCore { epoch, .. }
            | Self::TakeBackCore { epoch, .. }
            | Self::DropStagedCore { epoch, .. }
            | Self::Maintain { epoch, .. }
            | Self::RenewMaintenance { epoch, .. }
            | Self::ActivatePlugins { epoch, .. }
            | Self::SwitchTheme { epoch, .. }
            | Self::UpgradeDatabases { epoch, .. }
            | Self::RunCron { epoch, .. }
            | Self::HoldUpdater { epoch, .. }
            | Self::FlushCaches { epoch, .. }
            | Self::PutDropIn { epoch, .. }
            | Self::RemoveDropIn { epoch, .. }
            | Self::PurgePages { epoch, .. }
            | Self::EditConfig { epoch, .. }
            | Self::Protect { epoch, .. }
            | Self::RestoreDatabase { epoch, .. }
            | Self::RestoreSnapshotDatabase { epoch, .. }
            | Self::TakeBackDatabase { epoch, .. }
            | Self::DropDatabaseAside { epoch, .. }
            | Self::TakePoint { epoch, .. }
            | Self::SealPoint { epoch, .. }
            | Self::MergePoint { epoch, .. }
            | Self::DropPoint { epoch, .. }
            | Self::RecoverDatabase { epoch, .. }
            | Self::Unpack { epoch, .. }
            | Self::ExchangeTree { epoch, .. }
            | Self::TakeBackTree { epoch, .. }
            | Self::DropUnpacked { epoch, .. }
            | Self::MakeRehearsal { epoch, .. }
            | Self::DropRehearsal { epoch, .. }
            | Self::CleanHome { epoch } => Some(*epoch),
            Self::Bridge { epoch, .. }
            | Self::SearchReplace { epoch, .. }
            | Self::RunCommand { epoch, .. } => *epoch,
            Self::CheckAdoption { .. }
            | Self::Find { .. }
            | Self::CacheStatus { .. }
            | Self::ListConfig { .. }
            | Self::Protections { .. }
            | Self::VerifyChecksums { .. }
            | Self::DumpDatabase { .. }
            | Self::DatabaseSize { .. }
            | Self::DatabaseChecksums { .. }
            | Self::TakeSnapshot { .. }
            | Self::Pack { .. }
            | Self::ReadConfig { .. }
            | Self::MaintenanceStatus { .. }
            | Self::HashComponent { .. }
            | Self::ListTranslations { .. }
            | Self::Survey { .. }
            | Self::Inspect { .. }
            | Self::TreeHash { .. }
            | Self::DiskUsage { .. }
            | Self::ReadUsers { .. }
            | Self::Visit { .. }
            | Self::RehearsalLog { .. }
            | Self::ReadSite { .. } => None,
        }
    }
}
