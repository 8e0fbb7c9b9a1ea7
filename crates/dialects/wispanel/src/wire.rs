//! What is sent and received, member for member as the contract has it.
//!
//! Shapes of which an answer is one deny unknown fields: that closes their schemas, and the
//! document's `oneOf` can tell them apart.

mod admin;
mod backup;
mod cache;
mod change;
mod checksums;
mod clone;
mod core;
mod delete;
mod error;
mod install;
mod installation;
mod job;
mod key;
mod login;
mod maintenance;
mod names;
mod plugin;
mod replace;
mod running;
mod security;
mod theme;
mod update;

pub use admin::{
    AdminCreatedOut, CreateAdminIn, CreateAdminOut, PasswordResetOut, ResetPasswordIn,
    ResetPasswordOut, UserOut,
};
pub use backup::{
    BackupIn, BackupOut, BackupResultOut, RestoreIn, RestoreResultOut, backup_id, snapshot_name,
};
pub use cache::{CacheChangeOut, CacheChangedOut, CacheFlushIn, CacheIn, CacheOut, CachePurgeIn};
pub use change::{BulkChangeOut, ChangeOut, ChangeResultOut, ChangedOut};
pub use checksums::{ChecksumsOut, PluginChecksumsOut};
pub use clone::{CloneIn, CloneResultOut};
pub use core::{
    CoreReinstalledOut, CoreUpdatedOut, ReinstallCoreIn, ReinstallCoreOut, UpdateCoreIn,
    UpdateCoreOut,
};
pub use delete::{DeleteIn, DeleteOut, DeletedOut};
pub use error::ErrorOut;
pub use install::{InstallIn, InstallStartedOut};
pub use installation::{InstallationDetailsOut, InstallationOut, StatusOut};
pub use job::{InstallResultOut, JobOut, JobResultOut, StepOut, UserResultOut};
pub use key::{IssueKeyIn, IssuedKeyOut, KeyOut};
pub use login::{LoginIn, LoginOut};
pub use maintenance::{MaintenanceIn, MaintenanceOut, MaintenanceSetOut};
pub use names::{DeletePluginIn, InstallPluginIn, InstallThemeIn, NamesIn, PluginsIn, ThemesIn};
pub use plugin::PluginOut;
pub use replace::{ReplaceIn, ReplaceOut, ReplacedOut};
pub use running::RunningOut;
pub use security::{
    ChecksumsSeenOut, DebugOut, HideLoginIn, HideLoginOut, SecurityChangedOut, SecurityIn,
    SecurityOut, SecuritySetOut,
};
pub use theme::ThemeOut;
pub use update::{BulkUpdateOut, UpdateOut, UpdateResultOut, UpdatedOut};

/// Where a job's progress is shown.
pub fn progress_url(public_id: &str) -> String {
    format!("/api/v1/wordpress/install/{public_id}/progress")
}
