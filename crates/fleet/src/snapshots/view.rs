//! Snapshots as faces see them.

use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId, JobId},
};
use pressroom_store::{SnapshotRow, SnapshotState};
use serde::Serialize;

/// One snapshot.
#[derive(Debug, Clone, Serialize)]
pub struct Snapshot {
    /// Its name.
    pub id: String,
    /// Whose it is.
    pub account_id: AccountId,
    /// What it is of; that may be gone.
    pub environment_id: EnvironmentId,
    /// The id that panels call the site by; empty where it was never recorded.
    pub panel_id: String,
    /// The domain the site was in.
    pub domain: String,
    /// What of the site is in it: `full`, `database` or `files`.
    pub contents: String,
    /// `tar.zst` or `zip`.
    pub format: String,
    /// `creating`, `ready`, `failed` or `expired`.
    pub state: String,
    /// Bytes in the archive.
    pub size: u64,
    /// SHA-256 of them in hex.
    pub sha256: Option<String>,
    /// When it was last read back whole and found to be what was stored.
    pub verified_at: Option<Timestamp>,
    /// WordPress' version in it.
    pub wordpress_version: String,
    /// What its owner wrote to it.
    pub note: String,
    /// Why it failed, or what is wrong with it.
    pub fault: Option<String>,
    /// The job that made it.
    pub job_id: Option<JobId>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it may be removed; never, without one.
    pub expires_at: Option<Timestamp>,
}

impl From<SnapshotRow> for Snapshot {
    fn from(row: SnapshotRow) -> Self {
        Self {
            id: row.public_id,
            account_id: row.account_id,
            environment_id: row.environment_id,
            panel_id: row.panel_id,
            domain: row.domain,
            contents: row.contents.as_str().to_owned(),
            format: row.format.as_str().to_owned(),
            state: row.state.as_str().to_owned(),
            size: match row.state {
                // Until it is there, the figure is what was set aside for it.
                SnapshotState::Creating => 0,
                _ => u64::try_from(row.size).unwrap_or(0),
            },
            sha256: row.sha256,
            verified_at: row.verified_at,
            wordpress_version: row.wordpress_version,
            note: row.note,
            fault: row.fault,
            job_id: row.job_id,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}
