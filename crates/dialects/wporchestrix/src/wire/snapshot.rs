//! W13 to W17.

use super::id;
use pressroom_base::{Timestamp, id::ShortId};
use pressroom_fleet::snapshots::{Held, Snapshot, SnapshotState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A snapshot, as lists have it.
#[derive(Serialize, ToSchema)]
pub struct SnapshotRowOut {
    id: String,
    site_id: String,
    /// `awaiting_upload`, `creating`, `available`, `failed` or `expired`.
    status: &'static str,
    /// `full`, `database` or `files`.
    kind: String,
    /// `manual`, `scheduled` or `upgrade`.
    trigger: &'static str,
    label: Option<String>,
    /// Null until it is available.
    size_bytes: Option<u64>,
    /// Null until it is available.
    sha256: Option<String>,
    wp_version: Option<String>,
    contents: ContentsOut,
    /// Null: there are no pipelines in this version.
    pipeline_id: Option<String>,
    /// Why it failed, why it expired without ever being there, or what is wrong with it.
    error: Option<String>,
    created_at: String,
    completed_at: Option<String>,
    /// Null where it is kept until somebody removes it.
    expires_at: Option<String>,
}

/// A snapshot.
#[derive(Serialize, ToSchema)]
pub struct SnapshotOut {
    #[serde(flatten)]
    row: SnapshotRowOut,
    upload: UploadOut,
    /// Where it can be downloaded for a quarter of an hour, without a credential: only of one
    /// that is available, and for whoever may take one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    download_url: Option<String>,
}

/// What of the site is in it.
#[derive(Serialize, ToSchema)]
pub struct ContentsOut {
    database: bool,
    files: bool,
    /// Directories at the top of the files; `.` is all that is in WordPress' own.
    paths: Vec<String>,
}

/// Whether it is yet to be sent.
#[derive(Serialize, ToSchema)]
pub struct UploadOut {
    required: bool,
    /// Where to.
    url: Option<String>,
    /// Until when.
    expires_at: Option<String>,
}

/// A snapshot to take, or to await.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct SnapshotIn {
    /// `full`, `database` or `files`; `full` when absent.
    pub kind: Option<String>,
    /// At most 255 characters.
    pub label: Option<String>,
    /// `capture`: the site is packed; `upload`: it is yet to be sent. `capture` when absent.
    pub mode: Option<String>,
    /// 1 to 365; 30 when absent.
    pub retention_days: Option<i64>,
}

/// The status of each state; one that somebody removed has none.
const STATUSES: &[(SnapshotState, &str)] = &[
    (SnapshotState::Awaiting, "awaiting_upload"),
    (SnapshotState::Creating, "creating"),
    (SnapshotState::Ready, "available"),
    (SnapshotState::Failed, "failed"),
    (SnapshotState::Expired, "expired"),
    (SnapshotState::Deleted, "deleted"),
];

/// What a status in a filter means: a state, or one that no snapshot has here. `None` for
/// what is no status.
pub fn read_status(text: &str) -> Option<Option<SnapshotState>> {
    // Work that is queued counts as begun.
    if text == "pending" {
        return Some(None);
    }
    let known = STATUSES.iter().find(|(_, status)| *status == text);
    known.map(|(state, _)| Some(*state))
}

fn status(snapshot: &Snapshot) -> &'static str {
    let state = SnapshotState::parse(&snapshot.state);
    let known = STATUSES.iter().find(|(known, _)| Some(*known) == state);
    known.map_or("failed", |(_, status)| *status)
}

impl SnapshotRowOut {
    /// One of this site.
    pub fn new(snapshot: Snapshot, site: &ShortId) -> Self {
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        let status = status(&snapshot);
        Self {
            id: id::snapshot(&snapshot.short_id),
            site_id: id::site(site.as_str()),
            status,
            kind: snapshot.contents,
            trigger: snapshot.trigger,
            label: text(snapshot.note),
            size_bytes: snapshot.sha256.is_some().then_some(snapshot.size),
            sha256: snapshot.sha256,
            wp_version: text(snapshot.wordpress_version),
            contents: snapshot.held.into(),
            pipeline_id: snapshot.pipeline.as_deref().map(id::pipeline),
            error: snapshot.fault,
            created_at: snapshot.created_at.to_rfc3339(),
            completed_at: snapshot.finished_at.map(Timestamp::to_rfc3339),
            expires_at: snapshot.expires_at.map(Timestamp::to_rfc3339),
        }
    }
}

impl SnapshotOut {
    /// One of this site, below which the server at `address` takes it in.
    pub fn new(
        snapshot: Snapshot,
        site: &ShortId,
        address: &str,
        download_url: Option<String>,
    ) -> Self {
        let until = snapshot.upload_until;
        let required = snapshot.state == SnapshotState::Awaiting.as_str();
        let row = SnapshotRowOut::new(snapshot, site);
        let url = required.then(|| {
            format!(
                "{address}/api/v1/sites/{}/snapshots/{}/upload",
                row.site_id, row.id
            )
        });
        let upload = UploadOut {
            required,
            url,
            expires_at: until.filter(|_| required).map(Timestamp::to_rfc3339),
        };
        Self {
            row,
            upload,
            download_url,
        }
    }
}

impl From<Held> for ContentsOut {
    fn from(held: Held) -> Self {
        Self {
            database: held.database,
            files: held.files,
            paths: held.paths,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_one_status() {
        for state in SnapshotState::ALL {
            let named: Vec<_> = STATUSES
                .iter()
                .filter(|(known, _)| known == state)
                .collect();
            let [(_, status)] = named[..] else {
                panic!("{state}")
            };
            assert_eq!(read_status(status), Some(Some(*state)));
        }
        assert_eq!(read_status("pending"), Some(None));
        assert_eq!(read_status("ready"), None);
    }
}
