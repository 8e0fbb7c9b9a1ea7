//! Taking an unfinished installation away again, without starting PHP. Every act is
//! idempotent and decides by the records and by looking, so that it can be
//! interrupted and repeated.

use super::{made, payload::Payload};
use crate::{Fleet, Result, reach::Ground};
use pressroom_base::{catalog::event, id::DomainId};
use pressroom_jobs::JobContext;
use pressroom_providers::hosting;
use pressroom_store::{ResourceRow, ResourceState, domains, environments, resources};
use serde_json::json;
use std::path::Path;

/// Removes everything the job's records claim, then the environment itself.
pub(super) async fn undo(fleet: &Fleet, ctx: &JobContext, payload: &Payload) -> Result<()> {
    let mut made = resources::list_by_job(&fleet.parts.store, ctx.id()).await?;
    made.reverse();
    let shared = domain_is_shared(fleet, ctx, payload.domain_id).await?;

    if !shared {
        for web in of_kind(&made, "web") {
            fleet.parts.hosting.remove_web(&web.name).await?;
            forget(ctx, web).await?;
        }
    }
    remove_files(fleet, ctx, payload, shared).await?;
    for user in of_kind(&made, "db_user") {
        fleet.parts.hosting.drop_database_user(&user.name).await?;
        forget(ctx, user).await?;
    }
    for database in of_kind(&made, "database") {
        // One that was only intended may have been made by somebody else in the same
        // moment; ours has no tables before it is recorded as present.
        if database.state == ResourceState::Present
            || !fleet
                .parts
                .hosting
                .database_has_tables(&database.name)
                .await?
        {
            fleet.parts.hosting.drop_database(&database.name).await?;
        }
        forget(ctx, database).await?;
    }
    if !shared {
        remove_ground(fleet, ctx, payload.domain_id, &made).await?;
    }

    let Some(environment) = ctx.environment() else {
        return Ok(());
    };
    if environments::get(&fleet.parts.store, environment)
        .await?
        .is_none()
    {
        // A repetition: an interrupted run had come to its end already.
        return Ok(());
    }
    let tx = ctx.begin().await?;
    fleet
        .emit(
            &tx,
            ctx,
            event::SITE_INSTALL_FAILED,
            json!({ "url": payload.url, "panel_id": payload.panel_id }),
        )
        .await?;
    environments::remove(&tx, environment).await?;
    tx.commit().await?;
    if shared {
        // The domain's other sites stay as they are, without a place for this one.
        made::web_again(fleet, payload).await?;
    }
    ctx.line("everything this installation made was removed");
    Ok(())
}

/// Whether another site lives in the domain, so that its user, directory and server
/// block must stay even if this job made them.
async fn domain_is_shared(fleet: &Fleet, ctx: &JobContext, domain: DomainId) -> Result<bool> {
    let others = fleet.environments_of_domain(domain).await?;
    Ok(others.iter().any(|row| Some(row.id) != ctx.environment()))
}

async fn remove_files(
    fleet: &Fleet,
    ctx: &JobContext,
    payload: &Payload,
    shared: bool,
) -> Result<()> {
    let Some(domain) = domains::get(&fleet.parts.store, payload.domain_id).await? else {
        return Ok(());
    };
    let ground = Ground::of(&domain);
    if !ground_is_there(fleet, &ground).await? {
        return Ok(());
    }
    // The job's own token may have fired: undoing is what it fires for.
    let session = fleet.open_session(&ground, ctx.cancelled().clone()).await?;
    session.recover(ctx.epoch()).await?;
    session.remove_core(ctx.epoch(), &payload.path).await?;
    if !shared && home_is_ours(fleet, ctx, &ground.home).await? {
        session.clean_home(ctx.epoch()).await?;
    }
    Ok(())
}

/// Whether the home and its user were really made: the records say what was
/// intended, the machine what is.
async fn ground_is_there(fleet: &Fleet, ground: &Ground) -> Result<bool> {
    let recorded = resources::by_name(
        &fleet.parts.store,
        "home",
        &ground.home.display().to_string(),
    )
    .await?;
    let user = match &ground.unix_user {
        None => true,
        Some(name) => fleet.parts.hosting.user(name)?.is_some(),
    };
    Ok(recorded.is_some() && user && ground.home.exists())
}

async fn home_is_ours(fleet: &Fleet, ctx: &JobContext, home: &Path) -> Result<bool> {
    let name = home.display().to_string();
    Ok(resources::by_name(&fleet.parts.store, "home", &name)
        .await?
        .is_some_and(|row| row.job_id == Some(ctx.id()) && row.state == ResourceState::Present))
}

async fn remove_ground(
    fleet: &Fleet,
    ctx: &JobContext,
    domain: DomainId,
    made: &[ResourceRow],
) -> Result<()> {
    for home in of_kind(made, "home") {
        match fleet.parts.hosting.remove_home(Path::new(&home.name)).await {
            Ok(_) => {}
            Err(hosting::Error::NotEmpty(_)) => {
                ctx.line(format!("{} holds foreign files and was left", home.name));
                // Its owner stays with it, or the files would belong to nobody.
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        forget(ctx, home).await?;
    }
    for user in of_kind(made, "unix_user") {
        fleet.parts.hosting.remove_user(&user.name).await?;
        let tx = ctx.begin().await?;
        domains::set_unix_user(&tx, domain, None).await?;
        resources::forget(&tx, user.id).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn of_kind<'a>(made: &'a [ResourceRow], kind: &'a str) -> impl Iterator<Item = &'a ResourceRow> {
    made.iter().filter(move |row| row.kind == kind)
}

async fn forget(ctx: &JobContext, row: &ResourceRow) -> Result<()> {
    let tx = ctx.begin().await?;
    resources::forget(&tx, row.id).await?;
    Ok(tx.commit().await?)
}
