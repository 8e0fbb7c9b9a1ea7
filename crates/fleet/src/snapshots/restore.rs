//! Putting a site back as it was.
//!
//! Everything is laid out and loaded beside the site first. Then, in maintenance, the
//! tables are exchanged in one act and the directory in another; what was live is kept
//! aside until the restored site was seen to answer. An interruption before that puts
//! everything back.

use super::{
    create::place_of,
    keep::refuse_unready,
    steps::{FILES_STEP, TABLES_STEP, UNPACK_STEP, VERDICT_STEP},
    take, undo,
};
use crate::{
    Caller, Error, Fleet, Result, authorize::Action, jobs::Enqueue, reach::told, views::Job,
};
use async_trait::async_trait;
use pressroom_archive::Manifest;
use pressroom_base::{Kind, catalog::event, id::EnvironmentId, token};
use pressroom_carrier::Session;
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind, RetryPolicy};
use pressroom_store::{EnvironmentRow, Lane, SnapshotRow};
use pressroom_wordpress::{
    archive::{EntryPath, Exchange, Limits, OutsideLinks, UnpackOptions, Unpacked},
    database::restore::{RestoreOptions, RestoreReport},
    snapshot::FILES,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// How long the site stays in maintenance if its worker dies; prolonged while it lives.
const LEASE: Duration = Duration::from_mins(3);
const RENEW: Duration = Duration::from_mins(1);

/// What to restore.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestoreSnapshot {
    /// The snapshot's name.
    pub snapshot: String,
    /// Whether a snapshot of the site as it is now is taken first.
    pub keep_present: bool,
}

impl Fleet {
    /// Starts restoring an environment from one of its snapshots, as a job. It ends
    /// `completed` only when tables and files are the snapshot's and the site answers
    /// no worse than before; otherwise the site is as it was.
    ///
    /// Errors: `NotFound`, `Conflict` (not ready, or of another site), `Forbidden`,
    /// `Busy` with `OPERATION_RUNNING`.
    pub async fn restore_snapshot(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        restore: RestoreSnapshot,
    ) -> Result<Job> {
        let row = self
            .environment_row(caller, Action::SnapshotRestore, environment)
            .await?
            .env;
        let snapshot = self
            .find_snapshot(caller, Action::SnapshotRestore, &restore.snapshot)
            .await?;
        refuse_unready(&snapshot)?;
        if snapshot.environment_id != row.id {
            return Err(Error::conflict("the snapshot is of another site"));
        }
        let tx = self.parts.store.begin().await?;
        let job = self
            .enqueue(
                &tx,
                caller,
                Enqueue::writing("site_restore", &row, &restore)?
                    .with_event(event::SNAPSHOT_RESTORE_STARTED),
            )
            .await?;
        tx.commit().await?;
        self.job_by_id(caller, Action::SnapshotRestore, job).await
    }
}

/// Restores one environment.
pub(crate) struct RestoreJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for RestoreJob {
    fn name(&self) -> &'static str {
        "site_restore"
    }

    fn lane(&self) -> Lane {
        Lane::Write
    }

    fn retry(&self) -> RetryPolicy {
        RetryPolicy::never()
    }

    fn interruption(&self) -> Interruption {
        // Undone, unless it was only its end that was not written: `run` looks.
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        let work = Restore::new(&self.0, ctx).await?;
        if ctx.attempt() > 1 {
            if ctx.done_step(VERDICT_STEP).await?.is_some() {
                return Ok(Box::pin(work.finish()).await?);
            }
            return Err(JobFailure::new(Kind::Remote, "Interrupted"));
        }
        Ok(Box::pin(work.run()).await?)
    }

    async fn undo(
        &self,
        ctx: &JobContext,
        _why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        Ok(Box::pin(undo::undo(&self.0, ctx)).await?)
    }
}

struct Restore<'a> {
    fleet: &'a Fleet,
    ctx: &'a JobContext,
    asked: RestoreSnapshot,
    row: EnvironmentRow,
    snapshot: SnapshotRow,
    session: Session,
}

impl<'a> Restore<'a> {
    async fn new(fleet: &'a Fleet, ctx: &'a JobContext) -> Result<Self> {
        let asked: RestoreSnapshot = ctx.payload()?;
        let row = fleet.row_of_job(ctx).await?;
        let snapshot = fleet.snapshot_row(&asked.snapshot).await?;
        let ground = fleet.ground(&row).await?;
        let session = fleet.open_session(&ground, ctx.cancelled().clone()).await?;
        session.recover(ctx.epoch()).await?;
        Ok(Self {
            fleet,
            ctx,
            asked,
            row,
            snapshot,
            session,
        })
    }

    async fn run(&self) -> Result<Value> {
        let (ctx, fleet) = (self.ctx, self.fleet);
        let epoch = ctx.epoch();
        self.session
            .recover_database(epoch, fleet.site_ref(&self.row))
            .await?;
        if self.asked.keep_present {
            self.keep_present().await?;
        }
        ctx.progress(20, "the present state is kept").await?;
        let manifest = ctx.step("read", told(self.sound_manifest())).await?;
        let unpacked = ctx.step(UNPACK_STEP, told(self.unpack(&manifest))).await?;
        ctx.progress(50, "the snapshot is laid out beside the site")
            .await?;
        let baseline = fleet.look_at(&self.row).await;
        let changed = self
            .in_maintenance(self.exchange(&manifest, &unpacked))
            .await;
        // Half of each is shown to nobody: what fails here is put back first.
        changed?;
        self.session
            .leave_maintenance(epoch, &self.row.path)
            .await?;
        fleet
            .flush_caches(ctx, &self.session, &self.row, vec![self.row.path.clone()])
            .await;
        ctx.progress(85, "files and tables are the snapshot's")
            .await?;
        let after = fleet.look_at(&self.row).await;
        if baseline.trouble().is_none()
            && let Some(trouble) = after.worse_than(&baseline)
        {
            return Err(Error::new(
                Kind::Remote,
                format!("the restored site does not answer as before: {trouble}"),
            ));
        }
        ctx.step(VERDICT_STEP, told(async { Ok(after.trouble()) }))
            .await?;
        self.finish().await
    }

    /// A snapshot of the site as it is now, so that the restore itself can be undone by
    /// a person later.
    async fn keep_present(&self) -> Result<()> {
        let note = format!("before restoring {}", self.snapshot.public_id);
        let name = token::name(16);
        take::keep_present(self.fleet, self.ctx, &self.session, &self.row, &name, note).await
    }

    /// The snapshot's manifest, after all of it was read.
    async fn sound_manifest(&self) -> Result<Manifest> {
        self.fleet
            .read_back(&self.snapshot, self.ctx.cancelled())
            .await?;
        let place = place_of(&self.snapshot)?;
        Ok(self.fleet.parts.archive.manifest(&place).await?)
    }

    async fn unpack(&self, manifest: &Manifest) -> Result<Unpacked> {
        let (_, reader) = self
            .fleet
            .parts
            .archive
            .open(&place_of(&self.snapshot)?)
            .await?;
        let options = UnpackOptions {
            limits: limits(manifest),
            require_manifest: true,
            // Its hash is on record: it is what we made of this very site.
            outside_links: OutsideLinks::Keep,
        };
        let unpacked = self
            .session
            .unpack(self.ctx.epoch(), options, reader)
            .await?;
        let tree = unpacked
            .checked
            .trees
            .iter()
            .find(|tree| tree.prefix == FILES);
        if tree.map(|tree| &tree.tree.hash) != manifest.said.tree_hash.as_ref() {
            return Err(Error::new(
                Kind::Remote,
                "what arrived at the site is not the snapshot",
            ));
        }
        Ok(unpacked)
    }

    /// Tables, then files; each is one act.
    async fn exchange(&self, manifest: &Manifest, unpacked: &Unpacked) -> Result<()> {
        let (ctx, epoch) = (self.ctx, self.ctx.epoch());
        let restored: RestoreReport = ctx
            .step_intending(
                TABLES_STEP,
                serde_json::to_value(undo::TablesIntent { epoch }).map_err(Error::internal)?,
                told(async {
                    let options = RestoreOptions {
                        remove_unknown: true,
                        ..RestoreOptions::default()
                    };
                    Ok(self
                        .session
                        .restore_snapshot_database(
                            epoch,
                            self.fleet.site_ref(&self.row),
                            &unpacked.staged,
                            options,
                        )
                        .await?)
                }),
            )
            .await?;
        ctx.line(format!(
            "{} tables with {} rows are in place",
            restored.tables.len(),
            restored.rows()
        ));
        let after = manifest
            .said
            .tree_hash
            .clone()
            .ok_or_else(|| Error::new(Kind::Remote, "the snapshot does not name its files"))?;
        // Sites of their own, which may be younger than the snapshot.
        let below: Vec<EntryPath> = self
            .fleet
            .sites_below(&self.row)
            .await?
            .into_iter()
            .map(|path| EntryPath::new(path.into_bytes()))
            .collect();
        let exchange = Exchange {
            root: self.row.path.clone(),
            staged: unpacked.staged.clone(),
            prefix: FILES.to_owned(),
            before: None,
            after,
            // What no snapshot holds, such as other programs' backups, stays.
            carry: unpacked
                .checked
                .trees
                .iter()
                .find(|tree| tree.prefix == FILES)
                .map(|tree| tree.excluded.clone())
                .unwrap_or_default()
                .into_iter()
                .chain(below.iter().cloned())
                .collect(),
        };
        let exchanged = ctx
            .step(
                FILES_STEP,
                told(async { Ok(self.session.exchange_tree(epoch, exchange).await?) }),
            )
            .await?;
        if let Some(path) = exchanged.not_carried.iter().find(|it| below.contains(it)) {
            return Err(Error::conflict(format!(
                "another site is in {path:?}, where the snapshot has something else"
            )));
        }
        for path in &exchanged.not_carried {
            ctx.line(format!(
                "{path:?} was in no snapshot and could not be carried over"
            ));
        }
        Ok(())
    }

    /// Works while the site shows its maintenance page, whose lease is prolonged.
    async fn in_maintenance(&self, work: impl Future<Output = Result<()>>) -> Result<()> {
        let (epoch, root) = (self.ctx.epoch(), &self.row.path);
        self.session.enter_maintenance(epoch, root, LEASE).await?;
        let renewing = async {
            loop {
                tokio::time::sleep(RENEW).await;
                if let Err(error) = self.session.enter_maintenance(epoch, root, LEASE).await {
                    tracing::debug!(error = %error, "maintenance was not prolonged");
                }
            }
        };
        tokio::select! {
            ended = work => ended,
            () = renewing => Ok(()),
        }
    }

    /// Lets go of what was kept aside, and records what the site is now.
    async fn finish(&self) -> Result<Value> {
        let (ctx, epoch) = (self.ctx, self.ctx.epoch());
        let (session, row) = (&self.session, &self.row);
        // The site is judged: nothing that fails from here is a reason to take it back.
        if let Err(error) = undo::drop_asides(self.fleet, ctx, session, row).await {
            ctx.line(format!(
                "what was there before could not be removed: {}",
                error.message()
            ));
        }
        session.leave_maintenance(epoch, &row.path).await?;
        if let Err(error) = self.fleet.record_state(ctx, session, row).await {
            ctx.line(format!(
                "the restored site was not looked into: {}",
                error.message()
            ));
        }
        let tx = ctx.begin().await?;
        self.fleet
            .emit(
                &tx,
                ctx,
                event::SNAPSHOT_RESTORED,
                json!({ "snapshot": self.snapshot.public_id, "url": self.row.url }),
            )
            .await?;
        tx.commit().await?;
        let outcome = format!(
            "{} is as in snapshot `{}`",
            self.row.url, self.snapshot.public_id
        );
        ctx.progress(100, &outcome).await?;
        Ok(json!({ "snapshot": self.snapshot.public_id, "url": self.row.url }))
    }
}

/// What is on record, within reason: a site said it of itself.
pub(super) fn limits(manifest: &Manifest) -> Limits {
    serde_json::from_value(manifest.said.more["totals"].clone())
        .map_or_else(|_| Limits::default(), |totals| Limits::of(&totals))
}
