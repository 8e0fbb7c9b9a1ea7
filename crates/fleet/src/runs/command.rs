//! A command at one environment: a job of its own, so that it has the environment for
//! itself, ends when its worker is lost, and can be cancelled alone.

use super::{Command, kept::Kept};
use crate::{Error, Fleet, Result};
use async_trait::async_trait;
use pressroom_base::id::RunItemId;
use pressroom_jobs::{INTERRUPTED, Interruption, JobContext, JobFailure, JobKind};
use pressroom_wordpress::command::{Command as AtSite, CommandEnd};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, pin::pin, time::Duration};
use tokio::time::{MissedTickBehavior, interval};

/// The name of the job.
pub(super) const KIND: &str = "site_command";
/// What is kept of the output of one command …
const KEPT: u64 = 1024 * 1024;
/// … of all commands of a run …
const KEPT_OF_ALL: u64 = 64 * 1024 * 1024;
/// … and of one all the same.
const KEPT_AT_LEAST: u64 = 16 * 1024;
/// How often output is stored while a command runs.
const STORE: Duration = Duration::from_millis(250);

/// The payload of the job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Payload {
    pub(super) item: RunItemId,
    #[serde(flatten)]
    pub(super) command: Command,
    pub(super) keep_bytes: u64,
}

/// What is kept of one command's output in a run of so many.
pub(super) fn keep_bytes(items: usize) -> u64 {
    (KEPT_OF_ALL / (items as u64).max(1)).clamp(KEPT_AT_LEAST, KEPT)
}

/// Runs a command at one environment.
pub(crate) struct CommandJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for CommandJob {
    fn name(&self) -> &'static str {
        KIND
    }

    /// Nobody knows how far it came, and it cannot be taken back: it ends so, and is never
    /// begun a second time by itself.
    fn interruption(&self) -> Interruption {
        Interruption::Undo
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        Ok(Box::pin(run(&self.0, ctx)).await?)
    }

    /// What was done cannot be undone. A command whose worker was lost may still run: the
    /// site ends it once it has seen a later epoch.
    async fn undo(
        &self,
        ctx: &JobContext,
        why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        if why.code.as_deref() == Some(INTERRUPTED)
            && let Err(error) = Box::pin(end_at_site(&self.0, ctx)).await
        {
            ctx.line(format!("the site could not be told: {error}"));
        }
        Ok(())
    }
}

async fn end_at_site(fleet: &Fleet, ctx: &JobContext) -> Result<()> {
    let payload: Payload = ctx.payload()?;
    if !payload.command.read_only {
        let row = fleet.row_of_job(ctx).await?;
        fleet.open_site(ctx, &row).await?;
    }
    Ok(())
}

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<Value> {
    let payload: Payload = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let (session, epoch) = if payload.command.read_only {
        let ground = fleet.ground(&row).await?;
        let cancel = ctx.cancelled().clone();
        (fleet.open_session(&ground, cancel).await?, None)
    } else {
        (fleet.open_site(ctx, &row).await?, Some(ctx.epoch()))
    };
    let command = AtSite {
        root: row.path.clone(),
        argv: payload.command.argv.clone(),
        variables: BTreeMap::from([
            ("PRESSROOM_SITE".to_owned(), row.panel_id.clone()),
            ("PRESSROOM_URL".to_owned(), row.url.clone()),
        ]),
        limit_ms: payload.command.limit_ms,
        keep_bytes: payload.keep_bytes,
    };
    let kept = Kept::new(payload.keep_bytes);
    let taker = kept.clone();
    let running = session.run_command(epoch, command, move |channel, bytes| {
        taker.take(channel, bytes);
    });
    let mut running = pin!(running);
    let mut tick = interval(STORE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = loop {
        tokio::select! {
            biased;
            ended = &mut running => break ended,
            _ = tick.tick() => kept.store(ctx, payload.item).await?,
        }
    };
    // What a command printed before something went wrong says most about it.
    kept.store(ctx, payload.item).await?;
    let ended: CommandEnd = ended?;
    serde_json::to_value(ended).map_err(Error::internal)
}
