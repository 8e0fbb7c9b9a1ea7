//! Reading snapshots back.

use super::{
    Snapshot,
    create::{Payload, place_of},
    keep::refuse_unready,
    restore::limits,
};
use crate::{
    Caller, Error, Fleet, Result, authorize::Action, jobs::Enqueue, reach::told, views::Job,
};
use async_trait::async_trait;
use pressroom_archive::{Format, Streaming};
use pressroom_base::{Kind, catalog::event};
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind, RetryPolicy};
use pressroom_store::{Lane, SnapshotOrigin, SnapshotRow, environments, snapshots};
use pressroom_wordpress::{
    archive::{self, Limits},
    watch::Watch,
};
use serde_json::{Value, json};
use tokio_util::{io::SyncIoBridge, sync::CancellationToken};

/// Reads one snapshot back.
pub(crate) struct VerifyJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for VerifyJob {
    fn name(&self) -> &'static str {
        "snapshot_verify"
    }

    fn lane(&self) -> Lane {
        Lane::Read
    }

    fn retry(&self) -> RetryPolicy {
        RetryPolicy::transport()
    }

    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        let payload: Payload = ctx.payload()?;
        let row = self.0.snapshot_row(&payload.snapshot).await?;
        refuse_unready(&row)?;
        let work = self.0.verify_and_note(&row, ctx.cancelled());
        ctx.step("verify", told(work)).await?;
        ctx.line(format!(
            "snapshot `{}` is whole: {} bytes read back and compared",
            row.public_id, row.size
        ));
        Ok(json!({ "snapshot": row.public_id, "bytes": row.size, "sha256": row.sha256 }))
    }

    /// It has changed nothing.
    async fn undo(
        &self,
        _ctx: &JobContext,
        _why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        Ok(())
    }
}

impl Fleet {
    /// Reads a snapshot back from the archive: size and hash, then every file in it
    /// against its manifest. Answers it as recorded after that.
    ///
    /// Errors: `NotFound`; `Conflict` when it is not ready; `Remote` when it is damaged,
    /// which is recorded.
    pub async fn verify_snapshot(&self, caller: &Caller, name: &str) -> Result<Snapshot> {
        let row = self
            .find_snapshot(caller, Action::SnapshotCreate, name)
            .await?;
        refuse_unready(&row)?;
        self.verify_and_note(&row, &CancellationToken::new())
            .await?;
        Ok(self.snapshot_row(&row.public_id).await?.into())
    }

    /// Starts the same as a job, for callers who do not wait.
    ///
    /// Errors: `NotFound`, `Forbidden`; `Conflict` when it is not ready.
    pub async fn start_verify_snapshot(&self, caller: &Caller, name: &str) -> Result<Job> {
        let row = self
            .find_snapshot(caller, Action::SnapshotCreate, name)
            .await?;
        refuse_unready(&row)?;
        // The site may be gone; its snapshot is not.
        let site = environments::get(&self.parts.store, row.environment_id).await?;
        let payload = Payload {
            snapshot: row.public_id,
        };
        let job = Enqueue::reading(
            "snapshot_verify",
            row.account_id,
            site.map(|site| site.id),
            &payload,
        )?
        .with_event(event::SNAPSHOT_VERIFY_STARTED);
        self.start_job(caller, Action::SnapshotCreate, job).await
    }

    /// Reads a snapshot back and records what was found.
    async fn verify_and_note(&self, row: &SnapshotRow, cancel: &CancellationToken) -> Result<()> {
        let verified = self.read_back(row, cancel).await;
        let tx = self.parts.store.begin().await?;
        match &verified {
            Ok(()) => snapshots::mark_verified(&tx, row.id).await?,
            Err(error) if error.kind() == Kind::Remote => {
                snapshots::mark_damaged(&tx, row.id, error.message()).await?;
            }
            // It could not be told.
            Err(_) => {}
        }
        tx.commit().await?;
        verified
    }

    /// Reads all of it, and fails with `Remote` when it is not what was stored.
    pub(super) async fn read_back(
        &self,
        row: &SnapshotRow,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let place = place_of(row)?;
        let streaming = Streaming {
            cancel: cancel.clone(),
            ..Streaming::default()
        };
        let found = self.parts.archive.verify(&place, &streaming).await?;
        if !found.is_sound() {
            return Err(damaged(&format!("{:?}", found.faults)));
        }
        if row.origin == SnapshotOrigin::Upload {
            return self.look_again(row).await;
        }
        if found.manifest.format == Format::Zip {
            // A zip is read from its end: what the archive found of it must do.
            return Ok(());
        }
        let (_, reader) = self.parts.archive.open(&place).await?;
        let mut reader = SyncIoBridge::new(reader);
        let limits = limits(&found.manifest);
        tokio::task::spawn_blocking(move || {
            archive::verify(&mut reader, &limits, &Watch::unbounded())
        })
        .await
        .map_err(Error::internal)?
        .map_err(|error| damaged(&error.to_string()))
        .map(drop)
    }
}

impl Fleet {
    /// Lists what somebody sent to its end, as when it came.
    async fn look_again(&self, row: &SnapshotRow) -> Result<()> {
        let reader = self.parts.archive.look(&place_of(row)?).await?;
        let limits = Limits::default();
        tokio::task::spawn_blocking(move || archive::inspect(reader, &limits, &Watch::unbounded()))
            .await
            .map_err(Error::internal)?
            .map_err(|error| damaged(&error.to_string()))
            .map(drop)
    }
}

fn damaged(why: &str) -> Error {
    Error::new(Kind::Remote, format!("the snapshot is damaged: {why}"))
        .with_hint("take another one while the site is well")
}
