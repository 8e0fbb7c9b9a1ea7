//! Asking for a snapshot.

use super::Snapshot;
use crate::{
    Caller, Error, Fleet, Result, authorize::Action, environments::host_name, jobs::Enqueue,
    views::Job,
};
use pressroom_archive::{Format, Place, SnapshotName};
use pressroom_base::{
    Timestamp,
    catalog::event,
    id::{EnvironmentId, JobId},
    token,
};
use pressroom_store::{
    self as store, Asked, EnvironmentRow, EnvironmentState, SnapshotCause, SnapshotContents,
    SnapshotFormat, SnapshotRow, Tx, domains, jobs, snapshots,
};
use pressroom_wordpress::snapshot::Contents;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Characters of a note.
pub(super) const LONGEST_NOTE: usize = 255;

/// A snapshot to take.
#[derive(Debug, Clone, Default)]
pub struct NewSnapshot {
    /// What of the site goes in.
    pub contents: Contents,
    /// As a zip; otherwise `tar.zst`, which is smaller and keeps every file name.
    pub zip: bool,
    /// What its owner writes to it.
    pub note: String,
    /// Days until it may be removed; `None` keeps it.
    pub keep_days: Option<u32>,
    /// What it is made for.
    pub cause: SnapshotCause,
}

/// What the job is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Payload {
    /// The snapshot's name.
    pub(super) snapshot: String,
}

impl Fleet {
    /// Starts taking a snapshot as a job. Answers the snapshot, state `creating`, and
    /// the job; the snapshot is `ready` only once it was read back from the archive.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Busy` (with `OPERATION_RUNNING`, or because other
    /// snapshots may need what the account has left), `Limited` with `NO_ROOM` (the account
    /// keeps as much as it may, or the archive's disk is full), `Invalid` (a note of more
    /// than 255 characters).
    pub async fn create_snapshot(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        new: NewSnapshot,
    ) -> Result<(Snapshot, Job)> {
        if let Some(id) = caller.earlier_job() {
            return self.earlier_snapshot(caller, id).await;
        }
        let row = self
            .environment_row(caller, Action::SnapshotCreate, environment)
            .await?
            .env;
        if row.state == EnvironmentState::Installing {
            return Err(Error::conflict("the site is not installed yet"));
        }
        if new.note.chars().count() > LONGEST_NOTE {
            return Err(Error::invalid("a note has at most 255 characters"));
        }
        let tx = self.parts.store.begin().await?;
        let name = token::name(16);
        let job = self
            .enqueue(
                &tx,
                caller,
                Enqueue::writing(
                    "site_snapshot",
                    &row,
                    &Payload {
                        snapshot: name.clone(),
                    },
                )?
                .with_event(event::SNAPSHOT_STARTED),
            )
            .await?;
        let snapshot = self
            .begin_snapshot(&tx, &row, &name, &new, Some(job))
            .await?;
        tx.commit().await?;
        let job = self.job_by_id(caller, Action::SnapshotCreate, job).await?;
        Ok((snapshot.into(), job))
    }

    /// What an earlier run of the same request began.
    async fn earlier_snapshot(&self, caller: &Caller, id: JobId) -> Result<(Snapshot, Job)> {
        let job = self.job_by_id(caller, Action::SnapshotCreate, id).await?;
        let row = jobs::get(&self.parts.store, id).await?;
        let payload: Payload =
            serde_json::from_value(row.map(|row| row.payload).unwrap_or_default())
                .map_err(Error::internal)?;
        Ok((self.snapshot_row(&payload.snapshot).await?.into(), job))
    }

    /// Records that a snapshot is being made, and sets aside what it will probably need.
    pub(super) async fn begin_snapshot(
        &self,
        tx: &Tx,
        row: &EnvironmentRow,
        name: &str,
        new: &NewSnapshot,
        job: Option<JobId>,
    ) -> Result<SnapshotRow> {
        let format = if new.zip {
            SnapshotFormat::Zip
        } else {
            SnapshotFormat::TarZst
        };
        let reserved = self.set_aside(tx, row, recorded(new.contents)).await?;
        let place = place(row, name)?;
        let key = place.object_key(format_of(format))?;
        let asked = Asked {
            cause: new.cause,
            ..Asked::default()
        };
        Ok(snapshots::begin_as(
            tx,
            store::NewSnapshot {
                public_id: name.to_owned(),
                environment_id: row.id,
                account_id: row.account_id,
                format,
                reserved,
                job_id: job,
                created_by: None,
                note: new.note.clone(),
                store: self.parts.archive.objects().name().to_owned(),
                object_key: key.to_string(),
                expires_at: new.keep_days.map(in_days),
                contents: recorded(new.contents),
                panel_id: row.panel_id.clone(),
                domain: self.domain_name(row).await?,
            },
            asked,
        )
        .await?)
    }
}

impl Fleet {
    /// The domain a site is in; without one, the host name in its address.
    pub(super) async fn domain_name(&self, row: &EnvironmentRow) -> Result<String> {
        let Some(id) = row.domain_id else {
            return Ok(host_name(row).to_owned());
        };
        let domain = domains::get(&self.parts.store, id).await?;
        Ok(domain.map(|domain| domain.name).unwrap_or_default())
    }
}

/// So many days from now.
pub(super) fn in_days(days: u32) -> Timestamp {
    Timestamp::now().plus(Duration::from_hours(24 * u64::from(days)))
}

/// What a snapshot holds, as its record says it.
pub(super) const fn recorded(contents: Contents) -> SnapshotContents {
    match contents {
        Contents::Full => SnapshotContents::Full,
        Contents::Database => SnapshotContents::Database,
        Contents::Files => SnapshotContents::Files,
    }
}

/// What a recorded snapshot holds.
pub(super) const fn contents_of(row: &SnapshotRow) -> Contents {
    match row.contents {
        SnapshotContents::Full => Contents::Full,
        SnapshotContents::Database => Contents::Database,
        SnapshotContents::Files => Contents::Files,
    }
}

/// Where a snapshot of an environment is in the archive.
pub(super) fn place(row: &EnvironmentRow, name: &str) -> Result<Place> {
    Ok(Place {
        account: row.account_id,
        environment: row.id,
        name: SnapshotName::parse(name)?,
    })
}

/// Where a recorded snapshot is in the archive: of one that was sent, each attempt has a
/// place of its own.
pub(super) fn place_of(row: &SnapshotRow) -> Result<Place> {
    match Place::of_object_key(&row.object_key) {
        Some((place, _))
            if place.account == row.account_id && place.environment == row.environment_id =>
        {
            Ok(place)
        }
        _ => named(row),
    }
}

/// What a link names a snapshot by: where it is if it was taken here.
pub(super) fn named(row: &SnapshotRow) -> Result<Place> {
    Ok(Place {
        account: row.account_id,
        environment: row.environment_id,
        name: SnapshotName::parse(&row.public_id)?,
    })
}

pub(super) const fn format_of(format: SnapshotFormat) -> Format {
    match format {
        SnapshotFormat::TarZst => Format::TarZst,
        SnapshotFormat::Zip => Format::Zip,
        SnapshotFormat::TarGz => Format::TarGz,
        SnapshotFormat::Tar => Format::Tar,
    }
}

pub(super) const fn recorded_format(format: Format) -> SnapshotFormat {
    match format {
        Format::TarZst => SnapshotFormat::TarZst,
        Format::Zip => SnapshotFormat::Zip,
        Format::TarGz => SnapshotFormat::TarGz,
        Format::Tar => SnapshotFormat::Tar,
    }
}
