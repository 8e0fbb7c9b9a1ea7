//! The removal itself.

use super::{RemoveSite, start::Payload};
use crate::{Fleet, Result, reach::told, sites::given_up, sites::take_away::TakeAway};
use async_trait::async_trait;
use pressroom_base::{catalog::event, id::DomainId};
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind, JobRow, RetryPolicy};
use pressroom_store::{
    EnvironmentPatch, EnvironmentRow, EnvironmentState, Lane, ResourceRow, Tx, environments,
    resources,
};
use serde_json::{Value, json};

/// The step that takes the site away.
const REMOVE: &str = "remove";

/// Removes a site. What was begun is completed: half a site is of no use to anybody.
pub(crate) struct RemoveJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for RemoveJob {
    fn name(&self) -> &'static str {
        "site_remove"
    }

    fn lane(&self) -> Lane {
        Lane::Write
    }

    fn retry(&self) -> RetryPolicy {
        RetryPolicy::transport()
    }

    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    fn undo_unbegun(&self) -> bool {
        // The site is recorded as being removed.
        true
    }

    fn last_step(&self) -> Option<&'static str> {
        Some(REMOVE)
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        let ended = Box::pin(run(&self.0, ctx)).await;
        let Err(error) = ended else { return Ok(ended?) };
        let mut failure = JobFailure::from(error);
        if failure.hint.is_none()
            && let Some(id) = ctx.environment()
        {
            failure.hint = given_up::advice(&self.0.parts.store, id).await?;
        }
        Err(failure)
    }

    /// Removed things do not come back; what is left is told by the site's state. One
    /// of which nothing was touched yet is what it was.
    async fn undo(
        &self,
        ctx: &JobContext,
        _why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        let begun = ctx.steps().await?.iter().any(|step| step.name == REMOVE);
        let state = if begun {
            EnvironmentState::Broken
        } else {
            ctx.payload::<Payload>()?.state_before()
        };
        Ok(mark(ctx, state).await?)
    }

    async fn given_up(
        &self,
        tx: &Tx,
        job: &JobRow,
    ) -> std::result::Result<Option<String>, pressroom_store::Error> {
        given_up::give_up(tx, job.environment_id).await
    }
}

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<Value> {
    let Payload { remove, .. } = ctx.payload()?;
    let Some(id) = ctx.environment() else {
        return Ok(Value::Null);
    };
    let Some(row) = environments::get(&fleet.parts.store, id).await? else {
        // An interrupted run had come to its end already.
        return Ok(json!({ "removed": true }));
    };
    let records = records(fleet, &row).await?;
    let shared = ctx
        .step(REMOVE, told(take_away(fleet, ctx, &row, remove, records)))
        .await?;
    ctx.progress(90, "the site is gone").await?;
    let tx = ctx.begin().await?;
    fleet
        .emit(
            &tx,
            ctx,
            event::SITE_REMOVED,
            json!({ "url": row.url, "panel_id": row.panel_id, "files": remove.files, "database": remove.database }),
        )
        .await?;
    for record in resources::list_by_environment(&tx, id).await? {
        // What restores kept aside went with the home and the database.
        if record.kind == crate::snapshots::ASIDE {
            resources::forget(&tx, record.id).await?;
        }
    }
    environments::remove(&tx, id).await?;
    tx.commit().await?;
    if let (true, Some(domain)) = (shared, row.domain_id) {
        fleet.serve_again(domain).await?;
    }
    ctx.line(format!("{} was removed", row.url));
    Ok(json!({ "removed": true, "url": row.url, "panel_id": row.panel_id }))
}

async fn take_away(
    fleet: &Fleet,
    ctx: &JobContext,
    row: &EnvironmentRow,
    remove: RemoveSite,
    records: Vec<ResourceRow>,
) -> Result<bool> {
    let Some(domain_id) = row.domain_id else {
        return Ok(false);
    };
    let database_is_shared = others_use_database(fleet, row).await?;
    if remove.database && database_is_shared {
        ctx.line(format!(
            "database `{}` stays: another site uses it",
            row.db_name
        ));
    }
    TakeAway {
        fleet,
        ctx,
        domain_id,
        path: &row.path,
        records,
        files: remove.files,
        database: remove.database && !database_is_shared,
    }
    .run()
    .await
}

/// What was made for the site, and for its domain as a whole.
async fn records(fleet: &Fleet, row: &EnvironmentRow) -> Result<Vec<ResourceRow>> {
    let store = &fleet.parts.store;
    let mut records = match row.domain_id {
        Some(domain) => ground_of(resources::list_by_domain(store, domain).await?, domain),
        None => Vec::new(),
    };
    let own = resources::list_by_environment(store, row.id).await?;
    records.extend(
        own.into_iter()
            .filter(|record| matches!(record.kind.as_str(), "database" | "db_user")),
    );
    Ok(records)
}

/// The directory, user and server block of a domain, whichever site they were made for.
fn ground_of(records: Vec<ResourceRow>, domain: DomainId) -> Vec<ResourceRow> {
    records
        .into_iter()
        .filter(|record| record.domain_id == Some(domain))
        .filter(|record| matches!(record.kind.as_str(), "unix_user" | "home" | "web"))
        .collect()
}

async fn others_use_database(fleet: &Fleet, row: &EnvironmentRow) -> Result<bool> {
    Ok(
        environments::using_database(&fleet.parts.store, &row.db_name)
            .await?
            .iter()
            .any(|other| *other != row.id),
    )
}

async fn mark(ctx: &JobContext, state: EnvironmentState) -> Result<()> {
    let Some(id) = ctx.environment() else {
        return Ok(());
    };
    let tx = ctx.begin().await?;
    if environments::get(&tx, id).await?.is_some() {
        environments::update(
            &tx,
            id,
            EnvironmentPatch {
                state: Some(state),
                ..EnvironmentPatch::default()
            },
        )
        .await?;
    }
    tx.commit().await?;
    Ok(())
}
