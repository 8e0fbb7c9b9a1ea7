//! What was found in an archive that somebody sent, and whether a site can be put back from
//! it.

use crate::{Error, Result, code};
use pressroom_store::{EnvironmentRow, SnapshotFormat, SnapshotRow};
use pressroom_wordpress::archive::Inspected;
use serde::{Deserialize, Serialize};

/// What is kept of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Found {
    /// It is laid out as a snapshot is.
    pub(super) snapshot: bool,
    pub(super) database: bool,
    pub(super) files: bool,
    pub(super) paths: Vec<String>,
    /// The address that its tables name.
    pub(super) url: Option<String>,
    pub(super) table_prefix: Option<String>,
    pub(super) network: bool,
}

impl From<&Inspected> for Found {
    fn from(seen: &Inspected) -> Self {
        Self {
            snapshot: seen.is_snapshot,
            database: seen.has_database,
            files: seen.has_files,
            paths: seen.paths.clone(),
            url: seen.url.clone(),
            table_prefix: seen.table_prefix.clone(),
            network: seen.network,
        }
    }
}

/// What was found in one that was sent.
pub(super) fn found(row: &SnapshotRow) -> Option<Found> {
    serde_json::from_value(row.found.clone()?).ok()
}

impl Found {
    /// What it lacks to be restored from.
    pub(super) fn lacks(&self, row: &SnapshotRow) -> Option<String> {
        if !self.snapshot {
            return Some(
                "it is not laid out as a snapshot: it lacks a `manifest.json` that names \
                 `database.sql` or `files/`"
                    .to_owned(),
            );
        }
        if matches!(row.format, SnapshotFormat::TarGz | SnapshotFormat::Tar) {
            let format = row.format.as_str();
            return Some(format!(
                "it is packed as `{format}`, where a snapshot is a `tar.zst` or a zip"
            ));
        }
        let names_itself = self.table_prefix.is_some() && self.url.is_some();
        if self.database && !names_itself {
            return Some(
                "its tables lack the options of a WordPress, and so its prefix and address"
                    .to_owned(),
            );
        }
        None
    }

    /// Whether its tables are those of another site, or of this one elsewhere.
    pub(super) fn is_of_another(&self, row: &EnvironmentRow) -> bool {
        let plain = |url: &str| url.trim_end_matches('/').to_owned();
        let elsewhere = |url: &String| plain(url) != plain(&row.url);
        self.url.as_ref().is_some_and(elsewhere)
            || self
                .table_prefix
                .as_ref()
                .is_some_and(|prefix| *prefix != row.table_prefix)
    }
}

/// Refuses one that was sent and that this site cannot be put back from, before anything is
/// touched.
pub(super) fn refuse_unfit(row: &EnvironmentRow, snapshot: &SnapshotRow) -> Result<()> {
    let Some(found) = found(snapshot) else {
        return Ok(());
    };
    if let Some(lack) = found.lacks(snapshot) {
        return Err(
            Error::invalid(format!("the archive cannot be restored: {lack}"))
                .with_code(code::UNPROCESSABLE)
                .with_hint("send one as it was downloaded from a Pressroom"),
        );
    }
    if found.is_of_another(row) && (found.network || row.multisite) {
        return Err(Error::invalid(
            "a network cannot take another site's place, nor a site a network's",
        )
        .with_code(code::UNPROCESSABLE));
    }
    Ok(())
}
