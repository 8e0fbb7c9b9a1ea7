//! Things outside the store that an installation makes. Each is recorded as
//! *intended* before it is made and as *present* after: whatever dies in between,
//! the record says what to look for, and nothing unrecorded is ever dropped.

use super::payload::NewPlace;
use crate::{Error, Fleet, Result, code, reach::Ground};
use pressroom_base::{Kind, Secret, id::DomainId};
use pressroom_jobs::JobContext;
use pressroom_providers::hosting::{Isolation, LocalHosting};
use pressroom_store::{NewResource, domains, resources};
use std::future::Future;

/// Makes sure that a domain has its directory and the Unix user that owns it.
pub(in crate::sites) async fn ground(
    fleet: &Fleet,
    ctx: &JobContext,
    id: DomainId,
) -> Result<Ground> {
    let domain = domains::get(&fleet.parts.store, id)
        .await?
        .ok_or_else(|| Error::not_found("domain"))?;
    let hosting = &fleet.parts.hosting;
    let mut ground = Ground::of(&domain);
    if ground.unix_user.is_none() && hosting.config().isolation == Isolation::UnixUsers {
        let name = LocalHosting::new_user_name();
        recorded(ctx, resource("unix_user", &name, id), async {
            Ok(hosting.create_user(&name, &ground.home).await.map(drop)?)
        })
        .await?;
        let tx = ctx.begin().await?;
        domains::set_unix_user(&tx, id, Some(&name)).await?;
        tx.commit().await?;
        ground.unix_user = Some(name);
    }
    let home = ground.home.display().to_string();
    if resources::by_name(&fleet.parts.store, "home", &home)
        .await?
        .is_none()
    {
        let owner = fleet.owner(&ground)?;
        recorded(ctx, resource("home", &home, id), async {
            Ok(hosting.create_home(&ground.home, owner.as_ref()).await?)
        })
        .await
        .map_err(occupied_home)?;
    }
    Ok(ground)
}

fn occupied_home(error: Error) -> Error {
    if error.kind() == Kind::Conflict {
        error
            .with_code(code::NOT_EMPTY)
            .with_hint("give the domain a directory that does not exist yet")
    } else {
        error
    }
}

/// Makes the database and the one user that may use it.
pub(in crate::sites) async fn database(
    fleet: &Fleet,
    ctx: &JobContext,
    place: &NewPlace,
    password: &Secret<String>,
) -> Result<()> {
    let hosting = &fleet.parts.hosting;
    let id = place.domain_id;
    recorded(ctx, resource("database", &place.db_name, id), async {
        Ok(hosting.create_database(&place.db_name).await?)
    })
    .await?;
    recorded(ctx, resource("db_user", &place.db_user, id), async {
        Ok(hosting
            .create_database_user(&place.db_user, password, &place.db_name)
            .await?)
    })
    .await
}

/// Makes the pool and the server block of the domain, or has those that are there
/// know one more site.
pub(in crate::sites) async fn web(
    fleet: &Fleet,
    ctx: &JobContext,
    place: &NewPlace,
    ground: &Ground,
) -> Result<()> {
    let site = fleet
        .web_site(place.domain_id, &place.domain, ground)
        .await?;
    let serve = async { Ok(fleet.parts.hosting.ensure_web(&site).await?) };
    let known = resources::by_name(&fleet.parts.store, "web", &place.domain).await?;
    if known.is_some() {
        return serve.await;
    }
    recorded(ctx, resource("web", &place.domain, place.domain_id), serve).await
}

fn resource(kind: &str, name: &str, domain: DomainId) -> NewResource {
    NewResource {
        kind: kind.to_owned(),
        name: name.to_owned(),
        domain_id: Some(domain),
        ..NewResource::default()
    }
}

/// Records the intent, makes the thing, records that it is there.
async fn recorded<F>(ctx: &JobContext, mut new: NewResource, make: F) -> Result<()>
where
    F: Future<Output = Result<()>> + Send,
{
    new.job_id = Some(ctx.id());
    new.environment_id = ctx.environment();
    let tx = ctx.begin().await?;
    let id = resources::intend(&tx, new).await?;
    tx.commit().await?;
    if let Err(error) = make.await {
        if error.kind() == Kind::Conflict {
            // Somebody else's thing is there: it must not be undone with ours.
            let tx = ctx.begin().await?;
            resources::forget(&tx, id).await?;
            tx.commit().await?;
        }
        return Err(error);
    }
    let tx = ctx.begin().await?;
    resources::present(&tx, id).await?;
    tx.commit().await?;
    Ok(())
}
