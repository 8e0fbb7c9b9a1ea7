//! Snapshots as faces see them.

use super::found::found;
use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId, JobId},
};
use pressroom_store::{SnapshotContents, SnapshotOrigin, SnapshotRow, SnapshotState};
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
    /// `tar.zst` or `zip`; of one that was sent also `tar.gz` or `tar`.
    pub format: String,
    /// `awaiting_upload`, `creating`, `ready`, `failed`, `expired` or `deleted`.
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
    /// When it was there, or had failed.
    pub finished_at: Option<Timestamp>,
    /// When it may be removed; never, without one.
    pub expires_at: Option<Timestamp>,
    /// What programs call it, without a dialect's prefix.
    pub short_id: String,
    /// What it was made for: `manual`, `scheduled` or `upgrade`.
    pub trigger: &'static str,
    /// The pipeline that it was taken for, without a dialect's prefix; told of a site's snapshots.
    pub pipeline: Option<String>,
    /// `capture` where the site packed it, `upload` where somebody sent it or is to.
    pub origin: &'static str,
    /// Until when it may be sent.
    pub upload_until: Option<Timestamp>,
    /// What is in it; of one that was sent, what was found in it.
    pub held: Held,
}

/// What a snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Tables.
    pub database: bool,
    /// Files.
    pub files: bool,
    /// Directories at the top of the files; `.` is all that is in WordPress' own.
    pub paths: Vec<String>,
    /// Whether a site can be put back from it.
    pub restorable: bool,
}

impl Held {
    fn of(row: &SnapshotRow) -> Self {
        if let Some(found) = found(row) {
            return Self {
                database: found.database,
                files: found.files,
                restorable: found.lacks(row).is_none(),
                paths: found.paths,
            };
        }
        let packed = row.origin == SnapshotOrigin::Capture;
        let files = packed && row.contents != SnapshotContents::Database;
        Self {
            database: packed && row.contents != SnapshotContents::Files,
            files,
            paths: if files { vec![".".into()] } else { Vec::new() },
            restorable: row.state == SnapshotState::Ready,
        }
    }
}

impl From<SnapshotRow> for Snapshot {
    fn from(row: SnapshotRow) -> Self {
        let held = Held::of(&row);
        Self {
            held,
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
                SnapshotState::Creating | SnapshotState::Awaiting => 0,
                _ => u64::try_from(row.size).unwrap_or(0),
            },
            sha256: row.sha256,
            verified_at: row.verified_at,
            wordpress_version: row.wordpress_version,
            note: row.note,
            fault: row.fault,
            job_id: row.job_id,
            created_at: row.created_at,
            finished_at: row.finished_at,
            expires_at: row.expires_at,
            short_id: row.short_id.to_string(),
            trigger: row.cause.as_str(),
            pipeline: None,
            origin: row.origin.as_str(),
            upload_until: row.upload_until,
        }
    }
}
