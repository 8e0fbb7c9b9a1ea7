//! T27 to T31: caches.

use crate::{
    errors::sentence,
    lookup::installation,
    wire::{CacheChangeOut, CacheChangedOut, CacheFlushIn, CacheIn, CacheOut, CachePurgeIn},
    work,
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    authorize::Action,
    caches::{Cache, CacheChange, CacheChanged},
};

/// T27: an installation's caches.
pub async fn show(call: Call) -> Result<Answer, Fault> {
    let environment = installation(&call, call.query("id")?, Action::SiteRead).await?;
    let state = call.fleet.caches(&call.caller, environment.id).await?;
    Answer::ok(&CacheOut::from(state))
}

/// T28: puts one in, or what is possible.
pub async fn enable(call: Call) -> Result<Answer, Fault> {
    let input: CacheIn = call.body()?;
    let wanted = |cache| CacheChange::Enable { cache };
    choose(&call, &input, wanted).await
}

/// T29: takes one out, or both.
pub async fn disable(call: Call) -> Result<Answer, Fault> {
    let input: CacheIn = call.body()?;
    let wanted = |cache| CacheChange::Disable { cache };
    choose(&call, &input, wanted).await
}

/// T30: forgets objects and expired transients.
pub async fn flush(call: Call) -> Result<Answer, Fault> {
    let input: CacheFlushIn = call.body()?;
    change(&call, input.id.as_deref(), || Ok(CacheChange::Flush)).await
}

/// T31: removes pages.
pub async fn purge(call: Call) -> Result<Answer, Fault> {
    let input: CachePurgeIn = call.body()?;
    let url = input.url;
    change(&call, input.id.as_deref(), || {
        Ok(CacheChange::Purge { url })
    })
    .await
}

async fn choose(
    call: &Call,
    input: &CacheIn,
    wanted: impl FnOnce(Option<Cache>) -> CacheChange,
) -> Result<Answer, Fault> {
    change(call, input.id.as_deref(), || {
        let cache = match &input.kind {
            None => None,
            Some(name) => Some(
                Cache::named(name)
                    .ok_or_else(|| Fault::Malformed("Type must be `page` or `object`".into()))?,
            ),
        };
        Ok(wanted(cache))
    })
    .await
}

/// Whose it is comes before what is wanted of it.
async fn change(
    call: &Call,
    id: Option<&str>,
    wanted: impl FnOnce() -> Result<CacheChange, Fault>,
) -> Result<Answer, Fault> {
    let environment = installation(call, id, Action::SiteConfigure).await?;
    let job = call
        .fleet
        .change_caches(&call.caller, environment.id, wanted()?)
        .await?;
    let job = work::wait(call, &job).await?;
    if !job.is_final() {
        let running = work::running(job, "The installation is still being worked on");
        return Answer::ok(&CacheChangeOut::Running(running));
    }
    let changed: CacheChanged = work::report(&job)?;
    Answer::ok(&CacheChangeOut::Changed(CacheChangedOut {
        success: true,
        message: sentence(&changed.message),
        purged: changed.purged,
        cache: CacheOut::from(changed.cache),
    }))
}
