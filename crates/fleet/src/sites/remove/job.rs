//! The removal itself.

use super::{RemoveSite, RemovedSite, start::Payload};
use crate::{
    Error, Fleet, Result,
    reach::told,
    sites::{given_up, take_away::TakeAway},
    snapshots::{NewSnapshot, drop_unfinished, keep_once, kept},
};
use async_trait::async_trait;
use pressroom_base::{catalog::event, id::DomainId};
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind, JobRow, RetryPolicy};
use pressroom_store::{
    EnvironmentPatch, EnvironmentRow, EnvironmentState, ResourceRow, Tx, environments, resources,
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
        let error = match Box::pin(run(&self.0, ctx)).await {
            Ok(removed) => return Ok(removed),
            Err(error) => error,
        };
        let mut failure = JobFailure::from(error);
        // Of a site that is still whole there is nothing to take away.
        if failure.hint.is_none()
            && has_begun(ctx).await?
            && let Some(id) = ctx.environment()
        {
            // A store that does not answer must not hide why the removal failed.
            let advice = given_up::advice(&self.0.parts.store, id).await;
            failure.hint = advice.ok().flatten();
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
        drop_unfinished(&self.0, ctx).await?;
        let state = if has_begun(ctx).await? {
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

/// Whether anything of the site may be gone.
async fn has_begun(ctx: &JobContext) -> std::result::Result<bool, JobFailure> {
    Ok(ctx.steps().await?.iter().any(|step| step.name == REMOVE))
}

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<Value> {
    let Payload { remove, .. } = ctx.payload()?;
    let Some(id) = ctx.environment() else {
        return Ok(Value::Null);
    };
    let Some(row) = environments::get(&fleet.parts.store, id).await? else {
        // An interrupted run had come to its end already.
        return answer(RemovedSite {
            removed: true,
            backup: kept(fleet, ctx).await?,
            ..RemovedSite::default()
        });
    };
    let backup = if remove.backup {
        Some(keep(fleet, ctx, &row).await?)
    } else {
        None
    };
    let records = records(fleet, &row).await?;
    let shared = ctx
        .step(REMOVE, told(take_away(fleet, ctx, &row, remove, records)))
        .await?;
    fleet.withdraw_objects(ctx, id).await?;
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
        // It went, or could not go and was told.
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
    answer(RemovedSite {
        removed: true,
        url: Some(row.url),
        panel_id: Some(row.panel_id),
        backup,
    })
}

fn answer(removed: RemovedSite) -> Result<Value> {
    serde_json::to_value(removed).map_err(Error::internal)
}

/// All of the site, before any of it goes. One that was broken by a removal that ended
/// half-way may have nothing left to keep: the caller is told, and can ask without.
async fn keep(fleet: &Fleet, ctx: &JobContext, row: &EnvironmentRow) -> Result<String> {
    if let Some(name) = kept(fleet, ctx).await? {
        return Ok(name);
    }
    let session = fleet.open_site(ctx, row).await?;
    let new = NewSnapshot {
        note: "before the site was removed".to_owned(),
        ..NewSnapshot::default()
    };
    let name = keep_once(fleet, ctx, &session, row, &new).await?;
    // The agent's user goes with the site.
    session.close().await;
    Ok(name)
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
    // While the configuration still leads to the tables; the home or the database may stay.
    if let Err(error) = crate::snapshots::let_go(fleet, ctx, row).await {
        ctx.line(format!(
            "what restores kept aside could not be removed: {error}"
        ));
    }
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
        environments::using_database(&fleet.parts.store, row.host_id, &row.db_name)
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
