//! The job: how it was, the measure, the verdict; whatever cannot be verified is taken
//! back.

use super::{
    bench::{Before, Bench},
    debug, file_editing, file_protection, hide_login,
    report::SecurityChanged,
    set::{Measure, SetSecurity},
};
use crate::{Error, Fleet, Result, code, reach::told};
use async_trait::async_trait;
use pressroom_base::{Kind, catalog::event};
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind};
use pressroom_store::security;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const BEFORE: &str = "before";
const VERDICT: &str = "verdict";

/// Switches one measure of one site.
pub(crate) struct SecurityJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for SecurityJob {
    fn name(&self) -> &'static str {
        "site_security"
    }

    fn interruption(&self) -> Interruption {
        // How it was is written down; each act can be repeated.
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        Box::pin(run(&self.0, ctx)).await
    }

    async fn undo(
        &self,
        ctx: &JobContext,
        _why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        Ok(Box::pin(undo(&self.0, ctx)).await?)
    }
}

async fn run(fleet: &Fleet, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
    let set: SetSecurity = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let ground = fleet.ground(&row).await?;
    let session = fleet.open_session(&ground, ctx.cancelled().clone()).await?;
    session.recover(ctx.epoch()).await.map_err(Error::from)?;
    let bench = Bench {
        fleet,
        ctx,
        session: &session,
        row: &row,
    };
    let changed: SecurityChanged = match kept(ctx, VERDICT).await? {
        Some(changed) => changed,
        None => switch(&bench, set).await?,
    };
    // What is recorded of the site follows, the inventory's `debug` among it.
    if let Err(error) = fleet.record_state(ctx, &session, &row).await {
        ctx.line(format!("the site was not looked into: {}", error.message()));
    }
    let tx = ctx.begin().await?;
    let told = json!({ "measure": changed.measure, "enabled": changed.enabled, "warning": changed.warning });
    fleet.emit(&tx, ctx, event::SITE_SECURITY_SET, told).await?;
    tx.commit().await.map_err(Error::from)?;
    ctx.progress(100, &changed.message).await?;
    serde_json::to_value(&changed).map_err(|error| JobFailure::bug(error.to_string()))
}

async fn switch(
    bench: &Bench<'_>,
    set: SetSecurity,
) -> std::result::Result<SecurityChanged, JobFailure> {
    let ctx = bench.ctx;
    let measure = set.measure;
    let before: Before = match kept(ctx, BEFORE).await? {
        Some(before) => before,
        None => ctx.step(BEFORE, told(before(bench, set))).await?,
    };
    let work = async {
        apply(bench, measure, &before).await?;
        ctx.progress(60, "done; it is looked at").await?;
        verify(bench, measure, &before).await
    };
    match ctx.step(VERDICT, told(work)).await {
        Ok(changed) => {
            ctx.line(&changed.message);
            if let Some(warning) = &changed.warning {
                ctx.line(warning);
            }
            Ok(changed)
        }
        // Who is told to stop leaves it to the undoing.
        Err(failure) if ctx.cancelled().is_cancelled() => Err(failure),
        Err(mut failure) => {
            match take_back(bench, measure, &before).await {
                // What the site refused was not done.
                Ok(()) if matches!(failure.kind, Kind::Invalid | Kind::Conflict) => {}
                Ok(()) => {
                    failure.message = format!("{}; it was taken back", failure.message);
                    failure = failure.with_code(code::TAKEN_BACK);
                }
                // It is tried again by the undoing.
                Err(why) => ctx.line(format!("taking back: {}", why.message())),
            }
            Err(failure)
        }
    }
}

async fn undo(fleet: &Fleet, ctx: &JobContext) -> Result<()> {
    let set: SetSecurity = ctx.payload()?;
    let (None, Some(before)) = (
        kept::<SecurityChanged>(ctx, VERDICT).await?,
        kept::<Before>(ctx, BEFORE).await?,
    ) else {
        // Nothing was begun, or it stands.
        return Ok(());
    };
    let row = fleet.row_of_job(ctx).await?;
    let session = fleet.open_site(ctx, &row).await?;
    let bench = Bench {
        fleet,
        ctx,
        session: &session,
        row: &row,
    };
    take_back(&bench, set.measure, &before).await
}

/// How the site is now, and what it is to become.
async fn before(bench: &Bench<'_>, set: SetSecurity) -> Result<Before> {
    let found = bench.session.protections(&bench.row.path).await?;
    let recorded = security::get(&bench.fleet.parts.store, bench.row.id).await?;
    let constants = match set.measure {
        Measure::FileEditing => bench.constants(&[file_editing::CONSTANT]).await?,
        Measure::Debug => bench.constants(&debug::CONSTANTS).await?,
        Measure::FileProtection | Measure::HideLogin => Vec::new(),
    };
    let enabled = match (set.enabled, set.measure) {
        (Some(enabled), _) => enabled,
        (None, Measure::Debug) => !debug::seen(&bench.listing().await?).wp_debug,
        (None, _) => true,
    };
    let slug = match set.measure {
        Measure::HideLogin if enabled => Some(hide_login::address(bench, set.slug, &found).await?),
        _ => None,
    };
    Ok(Before {
        enabled,
        slug,
        look: bench.look().await,
        found,
        constants,
        protected: recorded.file_protection,
        config_mode: recorded.config_mode,
    })
}

async fn apply(bench: &Bench<'_>, measure: Measure, before: &Before) -> Result<()> {
    match measure {
        Measure::FileEditing => file_editing::apply(bench, before).await,
        Measure::FileProtection => file_protection::apply(bench, before).await,
        Measure::HideLogin => hide_login::apply(bench, before).await,
        Measure::Debug => debug::apply(bench, before).await,
    }
}

async fn verify(bench: &Bench<'_>, measure: Measure, before: &Before) -> Result<SecurityChanged> {
    match measure {
        Measure::FileEditing => file_editing::verify(bench, before).await,
        Measure::FileProtection => file_protection::verify(bench, before).await,
        Measure::HideLogin => hide_login::verify(bench, before).await,
        Measure::Debug => debug::verify(bench, before).await,
    }
}

/// The site as it was; may be called again.
async fn take_back(bench: &Bench<'_>, measure: Measure, before: &Before) -> Result<()> {
    match measure {
        Measure::FileEditing | Measure::Debug => bench.constants_back(before).await,
        Measure::FileProtection => file_protection::undo(bench, before).await,
        Measure::HideLogin => hide_login::undo(bench, before).await,
    }
}

/// What an earlier run of this job wrote down.
async fn kept<T: DeserializeOwned>(
    ctx: &JobContext,
    name: &str,
) -> std::result::Result<Option<T>, JobFailure> {
    let done = ctx.done_step(name).await?;
    Ok(done
        .and_then(|step| step.result)
        .and_then(|result| serde_json::from_value(result).ok()))
}
