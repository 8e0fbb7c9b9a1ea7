//! How long each operation may take before the agent gives up, unless a caller
//! asks for something else with [`crate::Session::with_deadline`].

use pressroom_agent::protocol::{HARD_STOP, Request};
use std::time::Duration;

/// Reads of a few files or rows.
pub const READ: Duration = Duration::from_mins(1);
/// Writes of a few files.
pub const WRITE: Duration = Duration::from_mins(1);
/// Reads or removes whole trees.
pub const TREE: Duration = Duration::from_mins(5);
/// Receives and unpacks a package.
pub const PACKAGE: Duration = Duration::from_mins(10);
/// Goes through all files or tables of a site, or starts it as often as it takes.
pub const WHOLE: Duration = Duration::from_hours(1);
/// Boots WordPress.
pub const BRIDGE: Duration = Duration::from_mins(3);
/// Boots it up to four times, each for at most two minutes, the last time to undo.
pub const TRIAL: Duration = Duration::from_mins(10);
/// From starting an agent to its first frame.
pub const OPEN: Duration = Duration::from_secs(30);
/// What ending a command takes on top of its own limit.
pub const ENDING: Duration = Duration::from_mins(1);
/// What an agent gets on top of a deadline, or after a cancel, to settle its
/// current act and answer.
pub const GRACE: Duration = Duration::from_secs(15);
/// From closing the pipe until the agent must be gone: it has its own limit, and a
/// little more for a busy machine.
pub(crate) const LEAVE: Duration = HARD_STOP.saturating_add(Duration::from_secs(5));

/// The deadline of an operation.
pub(crate) const fn of(request: &Request) -> Duration {
    match request {
        Request::Inspect { .. }
        | Request::ListTranslations { .. }
        | Request::Survey { .. }
        | Request::ReadConfig { .. }
        | Request::MaintenanceStatus { .. }
        | Request::ReadSite { .. }
        | Request::ReadUsers { .. }
        | Request::CheckAdoption { .. }
        | Request::Find { .. }
        | Request::RehearsalLog { .. }
        | Request::ListConfig { .. }
        | Request::Protections { .. }
        | Request::DatabaseSize { .. } => READ,
        Request::WriteConfig { .. }
        | Request::EditConfig { .. }
        | Request::Protect { .. }
        | Request::Maintain { .. }
        | Request::RenewMaintenance { .. }
        | Request::HoldUpdater { .. }
        | Request::AdoptCore { .. }
        | Request::CleanHome { .. } => WRITE,
        // A swap looks at both trees before it exchanges them, and so does recovery.
        Request::TreeHash { .. }
        | Request::DiskUsage { .. }
        | Request::HashComponent { .. }
        | Request::Recover { .. }
        | Request::RemoveCore { .. }
        | Request::SwapComponent { .. }
        | Request::TakeBack { .. }
        | Request::SwapCore { .. }
        | Request::TakeBackCore { .. }
        | Request::FlushCaches { .. }
        | Request::CacheStatus { .. }
        | Request::PutDropIn { .. }
        | Request::RemoveDropIn { .. }
        | Request::PurgePages { .. }
        | Request::DropRehearsal { .. }
        | Request::DropStagedCore { .. }
        | Request::DropStaged { .. } => TREE,
        Request::DumpDatabase { .. }
        | Request::RestoreDatabase { .. }
        | Request::RestoreSnapshotDatabase { .. }
        | Request::TakeBackDatabase { .. }
        | Request::DropDatabaseAside { .. }
        | Request::TakePoint { .. }
        | Request::SealPoint { .. }
        | Request::MergePoint { .. }
        | Request::DropPoint { .. }
        | Request::RecoverDatabase { .. }
        | Request::DatabaseChecksums { .. }
        | Request::SearchReplace { .. }
        | Request::TakeSnapshot { .. }
        | Request::Pack { .. }
        | Request::UpgradeDatabases { .. }
        | Request::RunCron { .. }
        | Request::Bridge { each: true, .. }
        | Request::ExchangeTree { .. }
        | Request::TakeBackTree { .. }
        | Request::DropUnpacked { .. }
        | Request::MakeRehearsal { .. }
        | Request::Unpack { .. } => WHOLE,
        Request::VerifyChecksums { .. }
        | Request::InstallCore { .. }
        | Request::StageCore { .. }
        | Request::StageTranslation { .. }
        | Request::StageComponent { .. } => PACKAGE,
        Request::Bridge { each: false, .. } => BRIDGE,
        Request::Visit { visit, .. } => {
            Duration::from_millis(visit.timeout_ms).saturating_add(ENDING)
        }
        Request::RunCommand { command, .. } => command.limit().saturating_add(ENDING),
        Request::ActivatePlugins { .. } | Request::SwitchTheme { .. } => TRIAL,
    }
}
