//! What the store says of a moved site, changed in one act.

use super::{
    tables,
    underway::{Move, domain},
};
use crate::{Error, Result};
use pressroom_store::{Moved, domains, environments, resources};

/// From here the site is at its new domain, and there is no way back.
pub(super) async fn commit(work: &Move<'_>) -> Result<()> {
    let told = &work.told;
    let id = work
        .ctx
        .environment()
        .ok_or_else(|| Error::not_found("environment"))?;
    let origin = work.fleet.parts.hosting.origin(&told.to_name)?;
    let source = domain(work.fleet, told.from).await?;
    let tx = work.ctx.begin().await?;
    for record in resources::list_by_job(&tx, work.ctx.id()).await? {
        match record.kind.as_str() {
            // The record of the home that is there gets this name.
            "home" => resources::forget(&tx, record.id).await?,
            _ => resources::present(&tx, record.id).await?,
        }
    }
    for record in resources::list_by_domain(&tx, told.from).await? {
        let name = match record.kind.as_str() {
            // Its port and its logs are let go of later.
            "web" => continue,
            "home" if record.name == told.old_home => &told.new_home,
            _ => &record.name,
        };
        resources::transfer(&tx, record.id, told.to, name).await?;
    }
    environments::relocate(
        &tx,
        id,
        Moved {
            domain_id: told.to,
            root: format!("{}/{}", told.new_home, work.row.path),
            url: told.new_url.clone(),
            origin_addr: origin.addr.to_string(),
            origin_host: origin.host,
        },
    )
    .await?;
    domains::set_unix_user(&tx, told.from, None).await?;
    domains::set_unix_user(&tx, told.to, source.unix_user.as_deref()).await?;
    if !told.renames() {
        // The home stays where it is; the old domain gets the place that was meant for
        // the new one, where nothing is.
        domains::set_root(&tx, told.to, &told.old_home).await?;
        domains::set_root(&tx, told.from, &told.unused_home).await?;
    }
    let (event, payload) = work.news();
    work.fleet.emit(&tx, work.ctx, event, payload).await?;
    Ok(tx.commit().await?)
}

/// Lets go of what is left of the old domain, and of the copy of the tables.
pub(super) async fn let_go(work: &Move<'_>) -> Result<()> {
    let name = &work.told.from_name;
    let recorded = resources::by_name(&work.fleet.parts.store, "web", name).await?;
    // None: an earlier attempt did it.
    if let Some(record) = recorded.filter(|record| record.domain_id == Some(work.told.from)) {
        work.fleet.parts.hosting.remove_web(name).await?;
        let tx = work.ctx.begin().await?;
        resources::forget(&tx, record.id).await?;
        tx.commit().await?;
    }
    tables::forget_copy(work).await
}

/// Forgets what was intended for the new domain, once it is gone.
pub(super) async fn forget_intended(work: &Move<'_>) -> Result<()> {
    let tx = work.ctx.begin().await?;
    for record in resources::list_by_job(&tx, work.ctx.id()).await? {
        resources::forget(&tx, record.id).await?;
    }
    Ok(tx.commit().await?)
}
