//! What is written down before a swap, so that whoever comes after a kill can judge
//! it, keep it or take it back.

use super::{ItemOutcome, Outcome};
use crate::{Result, look::Look};
use pressroom_jobs::JobContext;
use pressroom_store::StepState;
use pressroom_wordpress::component::Swap;
use serde::{Deserialize, Serialize};

/// One try at a component's new version: the intent of its `swap` step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Attempt {
    pub(super) swap: Swap,
    pub(super) old_version: String,
    pub(super) new_version: String,
    /// Whether WordPress had it active; `None` when its tables did not say.
    pub(super) active: Option<bool>,
    /// How the site looked before.
    pub(super) baseline: Look,
}

/// An attempt that an earlier run of the job made.
pub(super) struct Made {
    pub(super) attempt: Attempt,
    /// Whether the exchanged tree was seen to be the package's.
    pub(super) seen: bool,
}

impl Attempt {
    /// The component's slug, which for a plugin of one file is not its name on the disk.
    fn slug(&self) -> &str {
        let on_disk = self.swap.target.slug.as_str();
        match on_disk.strip_suffix(".php") {
            Some(slug) if self.swap.target.is_file() => slug,
            _ => on_disk,
        }
    }

    /// How this attempt ended.
    pub(super) fn outcome(&self, outcome: Outcome, message: String) -> ItemOutcome {
        let (now, tree_now) = match outcome {
            Outcome::Updated => (&self.new_version, Some(self.swap.after.clone())),
            _ => (&self.old_version, self.swap.before.clone()),
        };
        ItemOutcome {
            slug: self.slug().to_owned(),
            outcome,
            old_version: self.old_version.clone(),
            new_version: now.clone(),
            offered_version: Some(self.new_version.clone()),
            tree_before: self.swap.before.clone(),
            tree_now,
            kept_aside: None,
            message,
        }
    }
}

/// The name of one component's step.
pub(super) fn step_name(verb: &str, slug: &str) -> String {
    format!("{verb} {slug}")
}

/// The attempts this job has made at one component, oldest first. Swaps of other jobs
/// in the same home are none of its business.
pub(super) async fn made(ctx: &JobContext, slug: &str) -> Result<Vec<Made>> {
    let name = step_name("swap", slug);
    let steps = ctx.steps().await?;
    Ok(steps
        .into_iter()
        .filter(|step| step.name == name)
        .filter_map(|step| {
            let attempt = serde_json::from_value(step.intent).ok()?;
            Some(Made {
                attempt,
                seen: step.state == StepState::Done,
            })
        })
        .collect())
}
