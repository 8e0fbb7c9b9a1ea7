//! What is sent and received, member for member as the contract has it.

mod checksums;
mod error;
mod install;
mod installation;
mod job;
mod key;
mod login;
mod plugin;
mod running;
mod update;

pub use checksums::{ChecksumsOut, PluginChecksumsOut};
pub use error::ErrorOut;
pub use install::{InstallIn, InstallStartedOut};
pub use installation::{InstallationDetailsOut, InstallationOut, StatusOut};
pub use job::{InstallResultOut, JobOut, StepOut};
pub use key::{IssueKeyIn, IssuedKeyOut, KeyOut};
pub use login::{LoginIn, LoginOut};
pub use plugin::PluginOut;
pub use running::RunningOut;
pub use update::{BulkUpdateOut, UpdatePluginIn, UpdatePluginOut, UpdateResultOut, UpdatedOut};

/// Where a job's progress is shown.
pub fn progress_url(public_id: &str) -> String {
    format!("/api/v1/wordpress/install/{public_id}/progress")
}
