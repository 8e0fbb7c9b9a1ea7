//! T32, T33, T34.

use super::InstallationOut;
use pressroom_fleet::snapshots::Snapshot;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the ids of backups begin with.
const PREFIX: &str = "bk_";

/// A backup. All ten members are always there.
#[derive(Serialize, ToSchema)]
pub struct BackupOut {
    /// `bk_…`
    id: String,
    /// The installation it is of; that may be gone.
    installation_id: String,
    domain: String,
    /// `full`, `database` or `files`.
    r#type: String,
    /// `running`, `completed` (read back and found whole) or `failed`.
    status: &'static str,
    size_bytes: u64,
    /// `null` until it is completed.
    sha256: Option<String>,
    wp_version: String,
    created_at: String,
    note: String,
}

impl From<Snapshot> for BackupOut {
    fn from(snapshot: Snapshot) -> Self {
        Self {
            id: backup_id(&snapshot.id),
            status: status(&snapshot),
            installation_id: snapshot.panel_id,
            domain: snapshot.domain,
            r#type: snapshot.contents,
            size_bytes: snapshot.size,
            sha256: snapshot.sha256,
            wp_version: snapshot.wordpress_version,
            created_at: snapshot.created_at.to_rfc3339(),
            note: snapshot.note,
        }
    }
}

/// One that was found damaged counts as none.
fn status(snapshot: &Snapshot) -> &'static str {
    match snapshot.state.as_str() {
        "creating" => "running",
        "ready" if snapshot.verified_at.is_some() => "completed",
        _ => "failed",
    }
}

/// This dialect's id of a snapshot.
pub fn backup_id(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// The snapshot that an id of this dialect names, if it has the form of one.
pub fn snapshot_name(id: &str) -> Option<&str> {
    id.strip_prefix(PREFIX).filter(|name| {
        (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// A backup to take.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct BackupIn {
    /// The installation; required.
    pub id: Option<String>,
    /// `full`, `database` or `files`; `full` when absent.
    pub r#type: Option<String>,
    /// At most 200 characters.
    pub note: Option<String>,
}

/// A restore to begin.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct RestoreIn {
    /// The installation; required.
    pub id: Option<String>,
    /// The backup; required.
    pub backup_id: Option<String>,
    /// `full`, `database` or `files`; what the backup holds when absent.
    pub r#type: Option<String>,
    /// Whether a backup of what is replaced is taken first; `true` when absent.
    pub safety_backup: Option<bool>,
    /// Whether it may be a backup of another installation of the same account.
    pub force: Option<bool>,
}

/// What a backup's job produced.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupResultOut {
    /// The backup.
    pub backup: BackupOut,
}

/// What a restore's job did.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreResultOut {
    /// The installation as it is now.
    pub installation: InstallationOut,
    /// What was restored.
    pub backup_id: String,
    /// The backup of what was replaced, unless there was to be none.
    pub safety_backup_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_this_dialect() {
        assert_eq!(snapshot_name(&backup_id("k3v9q2")), Some("k3v9q2"));
        for bad in ["", "bk_", "k3v9q2", "bk_../x", "bk_a'b", "wp_2f686f6d6"] {
            assert_eq!(snapshot_name(bad), None, "{bad}");
        }
    }
}
