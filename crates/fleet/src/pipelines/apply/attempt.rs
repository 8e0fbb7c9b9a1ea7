//! What is written down before a target's files are exchanged, so that whoever comes after a
//! kill can judge it, keep it or take it back.

use crate::{
    Result,
    pipelines::{exchange::Exchange, view::label},
};
use pressroom_jobs::JobContext;
use pressroom_store::{StepState, TargetRow};
use serde::{Deserialize, Serialize};

/// One try at a target: the intent of its `swap` step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Attempt {
    pub(super) exchange: Exchange,
    /// Whether WordPress had it active; `None` when its tables did not say.
    pub(super) active: Option<bool>,
    /// What keeps the tables from before; `None` where nothing can.
    pub(super) point: Option<String>,
}

/// The steps of one target.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    /// Its files are exchanged.
    Swap,
    /// Visitors are let in again.
    Open,
    /// It is put back.
    Back,
}

impl Act {
    /// The step's name.
    pub(super) fn of(self, target: &TargetRow) -> String {
        let verb = match self {
            Self::Swap => "swap",
            Self::Open => "open",
            Self::Back => "take back",
        };
        format!("{verb} {}", label(&target.kind, &target.slug))
    }
}

/// The tries at a target, oldest first.
pub(super) async fn made(ctx: &JobContext, target: &TargetRow) -> Result<Vec<Attempt>> {
    Ok(ctx.intents(&Act::Swap.of(target)).await?)
}

/// Whether an act was ever begun.
pub(super) async fn began(ctx: &JobContext, act: Act, target: &TargetRow) -> Result<bool> {
    let name = act.of(target);
    Ok(ctx.steps().await?.iter().any(|step| step.name == name))
}

/// Whether the last try at a target was taken back already.
pub(super) async fn is_back(ctx: &JobContext, target: &TargetRow) -> Result<bool> {
    let (swap, back) = (Act::Swap.of(target), Act::Back.of(target));
    let steps = ctx.steps().await?;
    let last = steps
        .iter()
        .rfind(|step| step.name == swap || (step.name == back && step.state == StepState::Done));
    Ok(last.is_some_and(|step| step.name == back))
}
