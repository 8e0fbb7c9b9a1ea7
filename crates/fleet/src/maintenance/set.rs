//! Entering maintenance and leaving it.

use super::LEASE;
use crate::{
    Caller, Error, Fleet, Result,
    authorize::Action,
    jobs::Enqueue,
    look::Look,
    reach::{nothing_begun, told},
    views::Job,
};
use async_trait::async_trait;
use pressroom_base::{catalog::event, id::EnvironmentId};
use pressroom_carrier::Session;
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind};
use pressroom_store::{EnvironmentRow, maintenance};
use pressroom_wordpress::maintenance::Maintenance;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What visitors of a site in maintenance are answered with.
const UNAVAILABLE: u16 = 503;
/// Code that was compiled before may answer for so long.
const HAND_OVER: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(250);
/// The step of entering.
const ENTER: &str = "enter";

#[derive(Serialize, Deserialize)]
pub(super) struct Payload {
    pub(super) enabled: bool,
}

/// The result of the job: what was seen at the site.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MaintenanceSet {
    /// Whether visitors get the maintenance page.
    pub maintenance: bool,
    /// What happened, for a person.
    pub message: String,
    /// Whether a `.maintenance` file of somebody else is there; it was left as it is.
    pub somebody_elses: bool,
    /// Status of the front page afterwards; 0 when it did not answer.
    pub front_page: u16,
}

impl Fleet {
    /// Starts putting a site into maintenance or taking it out, as a job whose result
    /// is a [`MaintenanceSet`]. Once in, it stays until it is taken out; when nobody
    /// prolongs it any more, it ends by itself within ten minutes.
    ///
    /// Errors: `Busy` with `OPERATION_RUNNING`; of the job as well `Conflict` (somebody
    /// else's maintenance cannot be ended), `Remote`.
    pub async fn set_maintenance(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        enabled: bool,
    ) -> Result<Job> {
        let row = self
            .environment_row(caller, Action::SiteConfigure, environment)
            .await?
            .env;
        if let Some(id) = caller.earlier_job() {
            return self.job_by_id(caller, Action::SiteConfigure, id).await;
        }
        let job = Enqueue::writing("site_maintenance", &row, &Payload { enabled })?
            .with_event(event::SITE_MAINTENANCE_STARTED);
        self.start_job(caller, Action::SiteConfigure, job).await
    }

    /// Ends what a job has put the site into; where maintenance is wanted beyond the
    /// job, it goes on.
    pub(crate) async fn leave_maintenance(
        &self,
        ctx: &JobContext,
        session: &Session,
        row: &EnvironmentRow,
    ) -> Result<()> {
        if maintenance::is_wanted(&self.parts.store, row.id).await? {
            enter(ctx, session, row).await?;
        } else {
            session.leave_maintenance(ctx.epoch(), &row.path).await?;
        }
        Ok(())
    }
}

/// Puts one site into maintenance, or takes it out.
pub(crate) struct MaintenanceJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for MaintenanceJob {
    fn name(&self) -> &'static str {
        "site_maintenance"
    }

    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        Ok(Box::pin(run(&self.0, ctx)).await?)
    }

    /// A site that could not be seen to be in maintenance is taken out again; one that
    /// was to be taken out is not put back.
    async fn undo(
        &self,
        ctx: &JobContext,
        _why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        let payload: Payload = ctx.payload()?;
        if payload.enabled && !nothing_begun(ctx).await? {
            Box::pin(end(&self.0, ctx)).await?;
        }
        Ok(())
    }
}

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<Value> {
    let payload: Payload = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let result = if payload.enabled {
        begin(fleet, ctx, &row).await?
    } else {
        leave(fleet, ctx, &row).await?
    };
    let tx = ctx.begin().await?;
    let told = json!({ "maintenance": result.maintenance, "url": row.url });
    fleet
        .emit(&tx, ctx, event::SITE_MAINTENANCE_SET, told)
        .await?;
    tx.commit().await?;
    ctx.progress(100, &result.message).await?;
    serde_json::to_value(&result).map_err(Error::internal)
}

/// The wish first: a worker that dies after it leaves what others carry out.
async fn enter(ctx: &JobContext, session: &Session, row: &EnvironmentRow) -> Result<()> {
    let tx = ctx.begin().await?;
    maintenance::want(&tx, row.id, ctx.epoch()).await?;
    tx.commit().await?;
    session
        .enter_maintenance(ctx.epoch(), &row.path, LEASE)
        .await?;
    Ok(())
}

async fn begin(fleet: &Fleet, ctx: &JobContext, row: &EnvironmentRow) -> Result<MaintenanceSet> {
    let session = fleet.open_site(ctx, row).await?;
    ctx.step(ENTER, told(enter(ctx, &session, row))).await?;
    let somebody_elses = match session.maintenance(&row.path).await? {
        Maintenance::Leased { .. } => false,
        Maintenance::Foreign { .. } => true,
        Maintenance::Off | Maintenance::Lapsed { .. } => {
            return Err(Error::new(
                pressroom_base::Kind::Remote,
                "the site did not stay in maintenance",
            ));
        }
    };
    let front_page = front_page(fleet, row, |look| look.status() == UNAVAILABLE).await;
    let mut message = if somebody_elses {
        "somebody else's `.maintenance` file is in force and was left as it is".to_owned()
    } else {
        "the site is in maintenance".to_owned()
    };
    if front_page != UNAVAILABLE {
        message = format!("{message}, but its front page answers {front_page}");
    }
    Ok(MaintenanceSet {
        maintenance: true,
        message,
        somebody_elses,
        front_page,
    })
}

async fn leave(fleet: &Fleet, ctx: &JobContext, row: &EnvironmentRow) -> Result<MaintenanceSet> {
    end(fleet, ctx).await?;
    let session = fleet.open_site(ctx, row).await?;
    if session.maintenance(&row.path).await?.is_in_force() {
        return Err(Error::conflict(
            "the site is in maintenance by somebody else's `.maintenance` file, which was left as it is",
        )
        .with_hint("what wrote it ends it, or WordPress ignores it ten minutes after its time"));
    }
    let front_page = front_page(fleet, row, |look| look.status() != UNAVAILABLE).await;
    let message = if front_page == UNAVAILABLE {
        "the site is out of maintenance, but its front page still answers 503".to_owned()
    } else {
        "the site is out of maintenance".to_owned()
    };
    Ok(MaintenanceSet {
        maintenance: false,
        message,
        somebody_elses: false,
        front_page,
    })
}

/// Forgets the wish and takes our file away.
async fn end(fleet: &Fleet, ctx: &JobContext) -> Result<()> {
    let row = fleet.row_of_job(ctx).await?;
    // With the fence raised first, nobody prolongs on what was wished before.
    let session = fleet.open_site(ctx, &row).await?;
    let tx = ctx.begin().await?;
    maintenance::forget(&tx, row.id).await?;
    tx.commit().await?;
    session.leave_maintenance(ctx.epoch(), &row.path).await?;
    Ok(())
}

/// The front page's status once it is as expected, or after a few seconds.
async fn front_page(fleet: &Fleet, row: &EnvironmentRow, expected: impl Fn(&Look) -> bool) -> u16 {
    let deadline = Instant::now() + HAND_OVER;
    loop {
        let look = fleet.look_at(row).await;
        if expected(&look) || Instant::now() >= deadline {
            return look.status();
        }
        sleep(PAUSE).await;
    }
}
