//! What a restore displaced: the directory and the tables from before, or the tables of a
//! version of WordPress that was taken back. It is recorded before it is let go of, so that
//! whatever stays, on purpose or because it could not be removed, is known, and goes once it
//! is old.

use crate::{Caller, Fleet, Result, jobs::Enqueue, principal::Principal};
use async_trait::async_trait;
use pressroom_base::{Epoch, Kind, Timestamp, id::ResourceId};
use pressroom_carrier::Session;
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind, RetryPolicy};
use pressroom_store::{EnvironmentRow, NewResource, ResourceRow, environments, resources};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The kind of the records.
pub(crate) const ASIDE: &str = "aside";

/// The kind of the job.
const SWEEP: &str = "site_sweep";

/// Sites swept at a time.
const AT_ONCE: u64 = 100;

/// What lies where.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Detail {
    /// The directory, below `.pressroom/staging` of the home: outside every web root.
    staged: Option<String>,
    /// Under which epochs the tables were displaced.
    epochs: Vec<Epoch>,
}

/// Records what is about to be let go of; twice is once.
pub(crate) async fn record(
    ctx: &JobContext,
    row: &EnvironmentRow,
    staged: Option<String>,
    epochs: Vec<Epoch>,
) -> Result<ResourceId> {
    let name = format!("{} {}", row.panel_id, ctx.job().public_id);
    let tx = ctx.begin().await?;
    if let Some(known) = resources::by_name(&tx, ASIDE, &name).await? {
        return Ok(known.id);
    }
    let detail = Detail { staged, epochs };
    let id = intend(&tx, row, name, &detail).await?;
    tx.commit().await?;
    Ok(id)
}

async fn intend(
    tx: &pressroom_store::Tx,
    row: &EnvironmentRow,
    name: String,
    detail: &Detail,
) -> Result<ResourceId> {
    let new = NewResource {
        kind: ASIDE.to_owned(),
        name,
        environment_id: Some(row.id),
        account_id: Some(row.account_id),
        detail: serde_json::to_value(detail).map_err(crate::Error::internal)?,
        ..NewResource::default()
    };
    Ok(resources::intend(tx, new).await?)
}

/// All of it is gone.
pub(super) async fn forget(ctx: &JobContext, id: ResourceId) -> Result<()> {
    let tx = ctx.begin().await?;
    resources::forget(&tx, id).await?;
    Ok(tx.commit().await?)
}

impl Fleet {
    /// Starts a job for every site that has kept something aside for too long. One that
    /// is written to has its turn the next time.
    pub(super) async fn sweep_asides(&self) -> Result<()> {
        let store = &self.parts.store;
        let before = self.aside_until().await?;
        let due = resources::older(store, ASIDE, before, AT_ONCE).await?;
        let caller = Caller::new(Principal::worker());
        let mut swept = Vec::new();
        for id in due.into_iter().filter_map(|record| record.environment_id) {
            if swept.contains(&id) {
                continue;
            }
            swept.push(id);
            let tx = store.begin().await?;
            let Some(row) = environments::get(&tx, id).await? else {
                continue;
            };
            let job = Enqueue::writing(SWEEP, &row, &json!({}))?;
            match self.enqueue(&tx, &caller, job).await {
                Ok(_) => tx.commit().await?,
                Err(error) if error.kind() == Kind::Busy => {}
                Err(error) => {
                    tracing::warn!(environment.id = %id, %error, "what the site kept aside is not removed yet");
                }
            }
        }
        Ok(())
    }

    /// What was put aside earlier than this may go.
    async fn aside_until(&self) -> Result<Timestamp> {
        let now = self.parts.store.now().await?;
        Ok(now.minus(self.parts.settings.keep_aside))
    }
}

/// Removes what a site has kept aside for too long.
pub(crate) struct SweepJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for SweepJob {
    fn name(&self) -> &'static str {
        SWEEP
    }

    fn retry(&self) -> RetryPolicy {
        // The next sweep is soon enough.
        RetryPolicy::never()
    }

    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        Ok(Box::pin(run(&self.0, ctx)).await?)
    }
}

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<Value> {
    let row = fleet.row_of_job(ctx).await?;
    let before = fleet.aside_until().await?;
    let session = fleet.open_site(ctx, &row).await?;
    let mut gone = 0;
    let mut failed = None;
    for record in resources::list_by_environment(&fleet.parts.store, row.id).await? {
        if record.kind != ASIDE || record.created_at >= before {
            continue;
        }
        match drop_one(fleet, ctx, &session, &row, &record).await {
            Ok(()) => {
                forget(ctx, record.id).await?;
                gone += 1;
            }
            Err(error) => {
                put_off(ctx, &row, record).await?;
                failed = Some(error);
            }
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(json!({ "removed": gone })),
    }
}

/// Removes all that a site keeps aside, however old: the site is about to go.
pub(crate) async fn let_go(fleet: &Fleet, ctx: &JobContext, row: &EnvironmentRow) -> Result<()> {
    let mut records = resources::list_by_environment(&fleet.parts.store, row.id).await?;
    records.retain(|record| record.kind == ASIDE);
    if records.is_empty() {
        return Ok(());
    }
    let session = fleet.open_site(ctx, row).await?;
    let mut failed = None;
    for record in records {
        match drop_one(fleet, ctx, &session, row, &record).await {
            Ok(()) => forget(ctx, record.id).await?,
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn drop_one(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    record: &ResourceRow,
) -> Result<()> {
    let detail: Detail =
        serde_json::from_value(record.detail.clone()).map_err(crate::Error::internal)?;
    drop_all(
        fleet,
        ctx,
        session,
        row,
        detail.staged.as_deref(),
        &detail.epochs,
    )
    .await
}

/// Removes a directory and tables from before. What of one cannot be removed is no
/// reason to leave the other.
pub(crate) async fn drop_all(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    staged: Option<&str>,
    epochs: &[Epoch],
) -> Result<()> {
    let epoch = ctx.epoch();
    let files = match staged {
        Some(staged) => session.drop_unpacked(epoch, staged).await,
        None => Ok(()),
    };
    if !epochs.is_empty() {
        let site = fleet.site_ref(row);
        let found = session.recover_database(epoch, site.clone()).await?;
        for aside in found.kept {
            // Only what that restore displaced: others may keep theirs on purpose.
            if epochs.contains(&aside.epoch) {
                session
                    .drop_database_aside(epoch, site.clone(), aside)
                    .await?;
            }
        }
    }
    Ok(files?)
}

/// Not now, then not before as much time has gone by again.
async fn put_off(ctx: &JobContext, row: &EnvironmentRow, record: ResourceRow) -> Result<()> {
    let detail: Detail = serde_json::from_value(record.detail).map_err(crate::Error::internal)?;
    let tx = ctx.begin().await?;
    resources::forget(&tx, record.id).await?;
    intend(&tx, row, record.name, &detail).await?;
    Ok(tx.commit().await?)
}
