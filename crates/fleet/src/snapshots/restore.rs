//! Putting a site back as it was.
//!
//! Everything is laid out and loaded beside the site first. Then, in maintenance, the
//! tables are exchanged in one act and the directory in another; what was live is kept
//! aside until the restored site was seen to answer. An interruption before that puts
//! everything back.

use super::{
    NewSnapshot,
    create::place_of,
    found::{found, refuse_unfit},
    keep::refuse_unready,
    keep_once::{keep_once, kept},
    other_site::part_of,
    steps::{UNPACK_STEP, VERDICT_STEP},
    undo,
};
use crate::{
    Caller, Error, Fleet, Result, authorize::Action, jobs::Enqueue, reach::told, views::Job,
};
use async_trait::async_trait;
use pressroom_archive::Manifest;
use pressroom_base::{Kind, catalog::event, id::EnvironmentId};
use pressroom_carrier::Session;
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind};
use pressroom_store::{EnvironmentRow, SnapshotHolder, SnapshotOrigin, SnapshotRow, snapshots};
use pressroom_wordpress::{
    archive::{Limits, OutsideLinks, UnpackOptions, Unpacked},
    snapshot::{Contents, FILES},
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
    /// Whether a snapshot of what is about to be replaced is taken first.
    pub keep_present: bool,
    /// What of it is restored; all that it holds when `None`.
    #[serde(default)]
    pub part: Option<Contents>,
    /// Whether it may be of another site of the same account. The site keeps its own
    /// `wp-config.php` then, and so its credentials, table prefix and salts, and its
    /// address.
    #[serde(default)]
    pub force: bool,
}

/// What became of a restore.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Restored {
    /// The snapshot.
    pub snapshot: String,
    /// The site's address.
    pub url: String,
    /// What of it was restored.
    #[serde(default)]
    pub part: Contents,
    /// The snapshot of what was replaced, if one was taken.
    #[serde(default)]
    pub kept: Option<String>,
}

impl Fleet {
    /// Starts restoring an environment from one of its snapshots, as a job. It ends
    /// `completed` only when what was asked for is the snapshot's and the site answers
    /// no worse than before; otherwise the site is as it was. Its result is a
    /// [`Restored`].
    ///
    /// Errors: `NotFound`, `Conflict` (not ready), `Invalid` with `UNPROCESSABLE` (of
    /// another site without [`RestoreSnapshot::force`], of another account, or without
    /// what is asked for), `Forbidden`, `Busy` with `OPERATION_RUNNING`.
    pub async fn restore_snapshot(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        mut restore: RestoreSnapshot,
    ) -> Result<Job> {
        if let Some(id) = caller.earlier_job() {
            return self.job_by_id(caller, Action::SnapshotRestore, id).await;
        }
        let row = self
            .environment_row(caller, Action::SnapshotRestore, environment)
            .await?
            .env;
        let snapshot = self
            .find_snapshot(caller, Action::SnapshotRestore, &restore.snapshot)
            .await?;
        refuse_unready(&snapshot)?;
        self.refuse_other_site(&row, &snapshot, restore.force)
            .await?;
        refuse_unfit(&row, &snapshot)?;
        part_of(&snapshot, restore.part)?;
        restore.snapshot.clone_from(&snapshot.public_id);
        let job = Enqueue::writing("site_restore", &row, &restore)?
            .with_event(event::SNAPSHOT_RESTORE_STARTED);
        let tx = self.parts.store.begin().await?;
        refuse_unready(&snapshots::lock(&tx, snapshot.id).await?)?;
        let job = self.enqueue(&tx, caller, job).await?;
        // As long as the job is not over, whatever becomes of its workers.
        snapshots::hold(&tx, snapshot.id, SnapshotHolder::Restore, Some(job), None).await?;
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

/// A restore under way.
pub(super) struct Restore<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ctx: &'a JobContext,
    asked: RestoreSnapshot,
    pub(super) part: Contents,
    pub(super) row: EnvironmentRow,
    snapshot: SnapshotRow,
    pub(super) session: Session,
}

impl<'a> Restore<'a> {
    async fn new(fleet: &'a Fleet, ctx: &'a JobContext) -> Result<Self> {
        let asked: RestoreSnapshot = ctx.payload()?;
        let row = fleet.row_of_job(ctx).await?;
        let snapshot = fleet.snapshot_row(&asked.snapshot).await?;
        let session = fleet.open_site(ctx, &row).await?;
        Ok(Self {
            fleet,
            ctx,
            part: part_of(&snapshot, asked.part)?,
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
        fleet
            .leave_maintenance(ctx, &self.session, &self.row)
            .await?;
        fleet
            .flush_caches(ctx, &self.session, &self.row, vec![self.row.path.clone()])
            .await;
        ctx.progress(85, "the site has what the snapshot holds")
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
        let new = NewSnapshot {
            contents: self.part,
            note: format!("before restoring {}", self.snapshot.public_id),
            ..NewSnapshot::default()
        };
        keep_once(self.fleet, self.ctx, &self.session, &self.row, &new).await?;
        Ok(())
    }

    /// Whether the snapshot is of another site.
    pub(super) fn is_of_another(&self) -> bool {
        let sent = found(&self.snapshot);
        match sent {
            Some(found) => found.is_of_another(&self.row),
            None => self.snapshot.environment_id != self.row.id,
        }
    }

    /// Whether somebody sent it: its hash is on record, but it is not what we made.
    fn was_sent(&self) -> bool {
        self.snapshot.origin == SnapshotOrigin::Upload
    }

    /// Whether it is of another site, or of this one in another domain.
    pub(super) async fn comes_from_elsewhere(&self) -> Result<bool> {
        let then = &self.snapshot.domain;
        let now = self.fleet.domain_name(&self.row).await?;
        let moved = !then.is_empty() && *then != now;
        Ok(self.is_of_another() || self.was_sent() || moved)
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
            outside_links: if self.is_of_another() || self.was_sent() {
                OutsideLinks::Refuse
            } else {
                // Its hash is on record: it is what we made of this very site.
                OutsideLinks::Keep
            },
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
        let ctx = self.ctx;
        let (session, row) = (&self.session, &self.row);
        // The site is judged: nothing that fails from here is a reason to take it back.
        if let Err(error) = undo::drop_asides(self.fleet, ctx, session, row).await {
            ctx.line(format!(
                "what was there before could not be removed: {}",
                error.message()
            ));
        }
        self.fleet.leave_maintenance(ctx, session, row).await?;
        if let Err(error) = self.fleet.protect_as_recorded(ctx, session, row).await {
            ctx.line(format!(
                "file protection was not put in place again: {}",
                error.message()
            ));
        }
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
        let what = match self.part {
            Contents::Full => "",
            Contents::Database => "the tables of ",
            Contents::Files => "the files of ",
        };
        let verb = if what.is_empty() { "is" } else { "are" };
        let outcome = format!(
            "{what}{} {verb} as in snapshot `{}`",
            self.row.url, self.snapshot.public_id
        );
        ctx.progress(100, &outcome).await?;
        let restored = Restored {
            snapshot: self.snapshot.public_id.clone(),
            url: self.row.url.clone(),
            part: self.part,
            kept: kept(self.fleet, ctx).await?,
        };
        serde_json::to_value(restored).map_err(Error::internal)
    }
}

/// What is on record, within reason: a site said it of itself.
pub(super) fn limits(manifest: &Manifest) -> Limits {
    serde_json::from_value(manifest.said.more["totals"].clone())
        .map_or_else(|_| Limits::default(), |totals| Limits::of(&totals))
}
