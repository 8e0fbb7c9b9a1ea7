//! Moving files out of the site: kept beside it until the site was seen to live without
//! them, by this run of the job or by the one after it.

use super::{bench::Bench, report::ChangeOutcome};
use crate::{Error, Result, components::on_disk, look::Look};
use pressroom_base::token;
use pressroom_jobs::JobContext;
use pressroom_store::StepState;
use pressroom_wordpress::{
    component::Swap,
    inventory::{FoundComponent, Place},
    recovery::{Live, Recovery},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What is about to be put out: the intent of its step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PutOut {
    /// As if it had been put in with nothing before: taking that back puts it out.
    pub(super) swap: Swap,
    /// How the site looked before.
    baseline: Look,
}

/// What an earlier run of the job has left.
pub(super) enum LeftOut {
    /// Nothing: the component is where it was, if it is there at all.
    Nothing,
    /// Its files were out and were judged now: the outcome when the site does not live
    /// without them.
    Judged(Option<ChangeOutcome>),
}

impl Bench<'_> {
    /// Moves the files out of the site; the outcome when it does not live without them.
    /// They stay beside it until the component is settled.
    pub(super) async fn put_out(&self, found: &FoundComponent) -> Result<Option<ChangeOutcome>> {
        let baseline = self.look().await;
        let target = self.target_of(found);
        let Some(tree) = self.session.hash_component(target.clone()).await? else {
            return Ok(None);
        };
        let epoch = self.ctx.epoch();
        let out = PutOut {
            swap: Swap {
                target,
                staged: format!("{epoch}-{}", token::hex(16)),
                before: None,
                after: tree.hash,
            },
            baseline,
        };
        let intent = serde_json::to_value(&out).map_err(Error::internal)?;
        let step = self.ctx.begin_step(&out_step(self.slug), intent).await?;
        let moved = self.session.take_back(epoch, out.swap.clone()).await;
        let (state, said) = match &moved {
            Ok(_) => (StepState::Done, json!({})),
            Err(error) => (StepState::Failed, json!({ "error": error.to_string() })),
        };
        self.ctx.finish_step(step, state, said).await?;
        moved?;
        self.judge_out(&out, on_disk(found)).await
    }

    /// Takes up what an interrupted run has put out: nobody has seen how the site fares.
    pub(super) async fn left_out(&self, recovery: &Recovery) -> Result<LeftOut> {
        for out in made(self.ctx, self.slug).await? {
            match live(recovery, &out) {
                None => {}
                Some(Live::Before) => {
                    self.ctx.line(format!(
                        "taking up the interrupted deletion of `{}`",
                        self.slug
                    ));
                    let judged = self.judge_out(&out, &out.swap.target.slug).await?;
                    return Ok(LeftOut::Judged(judged));
                }
                // They never went out, or something is there again: all begins anew.
                Some(Live::After | Live::Other) => {
                    let staged = &out.swap.staged;
                    self.session.drop_staged(self.ctx.epoch(), staged).await?;
                }
            }
        }
        Ok(LeftOut::Nothing)
    }

    /// Puts back what was put out and not settled.
    pub(super) async fn undo_put_out(&self, recovery: &Recovery) -> Result<()> {
        for out in made(self.ctx, self.slug).await? {
            let Some(live) = live(recovery, &out) else {
                continue;
            };
            if live == Live::Before {
                self.put_again(&out, &out.swap.target.slug).await?;
                self.ctx
                    .line(format!("the files of `{}` are back", self.slug));
            }
            self.session
                .drop_staged(self.ctx.epoch(), &out.swap.staged)
                .await?;
        }
        Ok(())
    }

    /// Whether an earlier run of this job moved the files out.
    pub(super) async fn went_out(&self) -> Result<bool> {
        let name = out_step(self.slug);
        let steps = self.ctx.steps().await?;
        Ok(steps
            .iter()
            .any(|step| step.name == name && step.state != StepState::Failed))
    }

    /// The files are out: does the site live without them?
    async fn judge_out(&self, out: &PutOut, name: &str) -> Result<Option<ChangeOutcome>> {
        self.flush_caches(name).await;
        self.refresh_wordpress().await;
        let now = self.found().await?;
        if now.is_some_and(|found| found.place == Place::Normal) {
            return Ok(Some(self.failed(format!(
                "`{}` is there again: something put its files back",
                self.slug
            ))));
        }
        // A site that was broken before is not judged: what goes may be the cause.
        if out.baseline.trouble().is_none()
            && let Some(trouble) = self.look().await.worse_than(&out.baseline)
        {
            self.put_again(out, name).await?;
            return Ok(Some(self.taken_back(format!(
                "the files of `{}` are back because without them {trouble}; it is inactive",
                self.slug
            ))));
        }
        Ok(None)
    }

    async fn put_again(&self, out: &PutOut, name: &str) -> Result<()> {
        self.session
            .swap_component(self.ctx.epoch(), out.swap.clone())
            .await?;
        self.flush_caches(name).await;
        Ok(())
    }
}

/// What this job has put out of a component, or was about to, oldest first.
pub(super) async fn made(ctx: &JobContext, slug: &str) -> Result<Vec<PutOut>> {
    Ok(ctx.intents(&out_step(slug)).await?)
}

/// What is live of it; `None` when it is settled, or was never begun.
fn live(recovery: &Recovery, out: &PutOut) -> Option<Live> {
    let swaps = &recovery.swaps;
    let found = swaps
        .iter()
        .find(|found| found.swap.staged == out.swap.staged);
    found.map(|found| found.live)
}

fn out_step(slug: &str) -> String {
    format!("put out {slug}")
}
