//! The job: one change, verified at the site or taken back.

use super::{
    Cache, CacheChange, CacheChanged,
    bench::{Before, Bench},
    object::Left,
    start::KIND,
};
use crate::{Error, Fleet, Result, code, reach::told};
use async_trait::async_trait;
use pressroom_base::{Kind, catalog::event};
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind};
use serde_json::{Value, json};

/// What the site had before; written down before anything is changed.
const BEFORE: &str = "before";

/// Changes the caches of one site.
pub(crate) struct CacheJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for CacheJob {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        Ok(Box::pin(run(&self.0, ctx)).await?)
    }

    /// Brings the caches back to what they were.
    async fn undo(
        &self,
        ctx: &JobContext,
        _why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        Ok(Box::pin(undo(&self.0, ctx)).await?)
    }
}

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<Value> {
    let change: CacheChange = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let session = fleet.open_site(ctx, &row).await?;
    let bench = Bench {
        fleet,
        ctx,
        session: &session,
        row: &row,
    };
    ctx.progress(10, "looking at the caches").await?;
    let before = match recorded(ctx).await? {
        Some(before) => before,
        None => ctx.step(BEFORE, told(bench.before())).await?,
    };
    let mut purged = None;
    let message = match &change {
        CacheChange::Enable { cache } => {
            let done = enable(&bench, *cache, before).await;
            or_back(&bench, before, done).await?
        }
        CacheChange::Disable { cache } => {
            let done = disable(&bench, *cache).await;
            or_back(&bench, before, done).await?
        }
        CacheChange::Flush => bench.flush().await?,
        CacheChange::Purge { url } => {
            let count = bench.purge(url.as_deref()).await?;
            purged = Some(count);
            match count {
                1 => "1 page was removed from the cache".to_owned(),
                count => format!("{count} pages were removed from the cache"),
            }
        }
    };
    ctx.line(&message);
    let cache = bench.state().await?;
    let result = CacheChanged {
        message,
        cache,
        purged,
    };
    let tx = ctx.begin().await?;
    let said = json!({ "change": change, "cache": result.cache, "purged": purged, "url": row.url });
    fleet
        .emit(&tx, ctx, event::SITE_CACHE_CHANGED, said)
        .await?;
    tx.commit().await?;
    ctx.progress(100, &result.message).await?;
    serde_json::to_value(&result).map_err(Error::internal)
}

async fn enable(bench: &Bench<'_>, cache: Option<Cache>, before: Before) -> Result<String> {
    let mut said = Vec::new();
    let mut note = String::new();
    if cache != Some(Cache::Object) {
        bench.ctx.progress(30, "enabling the page cache").await?;
        bench.enable_page().await?;
        said.push((Cache::Page, before.page));
    }
    let with_objects = match cache {
        Some(cache) => cache == Cache::Object,
        // Where that is possible.
        None => match bench.object_is_possible().await {
            Ok(()) => true,
            Err(error) if matches!(error.kind(), Kind::Unsupported | Kind::Conflict) => {
                note = format!("; no object cache: {}", error.message());
                false
            }
            Err(error) => return Err(error),
        },
    };
    if with_objects {
        bench.ctx.progress(60, "enabling the object cache").await?;
        bench.enable_object().await?;
        said.push((Cache::Object, before.object));
    }
    Ok(format!("{}{note}", sentence(&said, "enabled")))
}

async fn disable(bench: &Bench<'_>, cache: Option<Cache>) -> Result<String> {
    let mut said = Vec::new();
    let mut note = String::new();
    if cache != Some(Cache::Object) {
        bench.ctx.progress(30, "disabling the page cache").await?;
        said.push((Cache::Page, !bench.disable_page().await?));
    }
    if cache != Some(Cache::Page) {
        bench.ctx.progress(60, "disabling the object cache").await?;
        let left = bench.disable_object().await?;
        said.push((Cache::Object, left.is_none()));
        if let Some(Left(Some(why))) = left {
            note = format!("; {why}");
        }
    }
    Ok(format!("{}{note}", sentence(&said, "disabled")))
}

/// `the page cache is enabled, the object cache was enabled already`
fn sentence(said: &[(Cache, bool)], state: &str) -> String {
    let parts: Vec<_> = said
        .iter()
        .map(|(cache, already)| {
            let noun = cache.noun();
            if *already {
                format!("the {noun} was {state} already")
            } else {
                format!("the {noun} is {state} now")
            }
        })
        .collect();
    parts.join(", ")
}

/// A change that could not be verified is taken back at once, so that whoever asked is told
/// what came of that. A job that is to stop leaves it to its undoing.
async fn or_back(bench: &Bench<'_>, before: Before, done: Result<String>) -> Result<String> {
    let error = match done {
        Ok(message) => return Ok(message),
        Err(error) => error,
    };
    if bench.ctx.cancelled().is_cancelled() || is_refusal(&error) {
        return Err(error);
    }
    match take_back(bench, before).await {
        Ok(()) => {
            let said = format!("{}; the caches are as they were", error.message());
            let back =
                Error::new(error.kind(), said).with_code(error.code().unwrap_or(code::TAKEN_BACK));
            Err(match error.hint() {
                Some(hint) => back.with_hint(hint),
                None => back,
            })
        }
        Err(why) => {
            bench.ctx.line(format!("taking back: {why}"));
            Err(error)
        }
    }
}

/// Whether nothing was changed when it was said: those are said before.
fn is_refusal(error: &Error) -> bool {
    matches!(error.kind(), Kind::Conflict | Kind::Busy)
}

async fn take_back(bench: &Bench<'_>, before: Before) -> Result<()> {
    let now = bench.status().await?;
    if before.page {
        bench.page_on().await?;
    } else if now.page.is_ours() || now.wp_cache_before.is_some() {
        bench.page_off().await?;
    }
    if before.object {
        // Its password may have been changed already. Without the server the drop-in, as
        // far as it is there, waits for it.
        match bench.object_on().await {
            Err(error) if error.kind() == Kind::Unsupported => bench.ctx.line(error.message()),
            done => done?,
        }
    } else {
        bench.object_off().await?;
    }
    Ok(())
}

async fn undo(fleet: &Fleet, ctx: &JobContext) -> Result<()> {
    let Some(before) = recorded(ctx).await? else {
        // Nothing was changed yet.
        return Ok(());
    };
    let change: CacheChange = ctx.payload()?;
    if matches!(change, CacheChange::Flush | CacheChange::Purge { .. }) {
        return Ok(());
    }
    let row = fleet.row_of_job(ctx).await?;
    let session = fleet.open_site(ctx, &row).await?;
    let bench = Bench {
        fleet,
        ctx,
        session: &session,
        row: &row,
    };
    take_back(&bench, before).await
}

async fn recorded(ctx: &JobContext) -> Result<Option<Before>> {
    let Some(result) = ctx.done_step(BEFORE).await?.and_then(|step| step.result) else {
        return Ok(None);
    };
    serde_json::from_value(result)
        .map(Some)
        .map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_so_already_is_said() {
        assert_eq!(
            sentence(&[(Cache::Page, false), (Cache::Object, true)], "enabled"),
            "the page cache is enabled now, the object cache was enabled already"
        );
    }
}
