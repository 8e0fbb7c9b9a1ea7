//! The home and what serves it.

use super::underway::Move;
use crate::{Error, Result, reach::told};
use pressroom_providers::hosting::WebSite;
use pressroom_store::{NewResource, StepState, resources};
use serde_json::Value;
use std::path::Path;

pub(super) const STOP: &str = "stop serving";

/// Stops serving the old domain; answers how it was served. From here on nobody
/// writes to the site but this job.
pub(super) async fn stop_serving(work: &Move<'_>) -> Result<WebSite> {
    let (ctx, hosting) = (work.ctx, &work.fleet.parts.hosting);
    let Some(web) = hosting.web(&work.told.from_name)? else {
        return Err(Error::conflict("the site is not served any more"));
    };
    intend(work).await?;
    let intent = serde_json::to_value(&web).map_err(Error::internal)?;
    let step = ctx.begin_step(STOP, intent).await?;
    hosting.pause_web(&work.told.from_name).await?;
    ctx.finish_step(step, StepState::Done, Value::Null).await?;
    ctx.line(format!("{} is not served any more", work.told.old_url));
    Ok(web)
}

/// Records what will be made at the new domain, so that nothing of it is ever lost
/// sight of.
async fn intend(work: &Move<'_>) -> Result<()> {
    let told = &work.told;
    let mut made = vec![("web", &told.to_name)];
    if told.renames() {
        made.push(("home", &told.new_home));
    }
    let tx = work.ctx.begin().await?;
    for (kind, name) in made {
        let new = NewResource {
            kind: kind.to_owned(),
            name: name.clone(),
            domain_id: Some(told.to),
            environment_id: work.ctx.environment(),
            job_id: Some(work.ctx.id()),
            ..NewResource::default()
        };
        resources::intend(&tx, new).await?;
    }
    Ok(tx.commit().await?)
}

/// Gives the home its new name.
pub(super) async fn rename(work: &Move<'_>) -> Result<()> {
    let told_ = &work.told;
    if !told_.renames() {
        return Ok(());
    }
    let rename = rename_home(work, &told_.old_home, &told_.new_home);
    work.ctx.step("home", told(rename)).await?;
    work.ctx.line(format!("its home is {}", told_.new_home));
    Ok(())
}

/// Nothing is done when it was done before.
pub(super) async fn rename_home(work: &Move<'_>, from: &str, to: &str) -> Result<()> {
    let owner = work.fleet.owner(&work.ground(from))?;
    work.fleet
        .parts
        .hosting
        .rename_home(Path::new(from), Path::new(to), owner.as_ref())
        .await?;
    Ok(())
}

/// Serves the new domain as the old one was.
pub(super) async fn serve(work: &Move<'_>, old: &WebSite) -> Result<()> {
    let site = renamed(old, work);
    let serve = async { Ok(work.fleet.parts.hosting.ensure_web(&site).await?) };
    work.ctx.step("serve", told(serve)).await?;
    Ok(())
}

fn renamed(old: &WebSite, work: &Move<'_>) -> WebSite {
    let told = &work.told;
    WebSite {
        domain: told.to_name.clone(),
        aliases: old
            .aliases
            .iter()
            .map(|alias| alias_of(alias, &told.from_name, &told.to_name))
            .collect(),
        home: told.new_home.clone().into(),
        ..old.clone()
    }
}

/// `www.old.example` becomes `www.new.example`; any other name stays.
fn alias_of(alias: &str, old: &str, new: &str) -> String {
    match alias.strip_suffix(old) {
        Some(labels) if labels.ends_with('.') => format!("{labels}{new}"),
        _ => alias.to_owned(),
    }
}

/// What the web server was told of the old domain, once it was told to stop.
pub(super) async fn stopped(work: &Move<'_>) -> Result<Option<WebSite>> {
    work.begun(STOP)
        .await?
        .map(|intent| serde_json::from_value(intent).map_err(Error::internal))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::alias_of;

    #[test]
    fn names_below_the_old_domain_follow() {
        let of = |alias| alias_of(alias, "old.example", "new.example");
        assert_eq!(of("www.old.example"), "www.new.example");
        assert_eq!(of("bold.example"), "bold.example");
        assert_eq!(of("other.example"), "other.example");
    }
}
