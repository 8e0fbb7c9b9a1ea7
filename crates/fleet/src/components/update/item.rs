//! One component: baseline, stage, swap, verify, and back if the site suffers.
//!
//! Taking back never boots WordPress: a site whose every request is fatal, on a
//! machine where `php` does not run at all, comes back the same way.

use super::{
    ItemOutcome, Outcome,
    attempt::{Attempt, made, step_name},
    news::record,
};
use crate::{
    Error, Fleet, Result,
    components::{Newer, stage_component},
    look::Look,
    reach::told,
};
use pressroom_agent::protocol::SiteRef;
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::{EnvironmentRow, StepState};
use pressroom_wordpress::{
    bridge::Action,
    component::{ComponentKind, Swap, Target},
    inventory::{FoundComponent, Place},
    recovery::{Live, Recovery},
};
use serde_json::json;

pub(super) struct Item<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ctx: &'a JobContext,
    pub(super) session: &'a Session,
    pub(super) row: &'a EnvironmentRow,
    pub(super) kind: ComponentKind,
    pub(super) slug: &'a str,
    /// Its directory, or the file of a plugin that is one file.
    pub(super) on_disk: &'a str,
}

impl Item<'_> {
    /// The outcome that an earlier run of this job has already recorded.
    pub(super) async fn settled_before(&self) -> Result<Option<ItemOutcome>> {
        let done = self.ctx.done_step(&step_name("update", self.slug)).await?;
        Ok(done
            .and_then(|step| step.result)
            .and_then(|result| serde_json::from_value(result).ok()))
    }

    /// Runs or resumes this item to a final outcome.
    pub(super) async fn run(&self, recovery: &Recovery) -> Result<ItemOutcome> {
        let work = async {
            let outcome = self.resumed_or_fresh(recovery).await?;
            self.ctx.line(&outcome.message);
            record(self.fleet, self.ctx, &outcome).await?;
            Ok(outcome)
        };
        let name = step_name("update", self.slug);
        Ok(self.ctx.step(&name, told(work)).await?)
    }

    /// Removes what this job put beside the site for this item. Only after its outcome is
    /// recorded: as long as it is not, a successor must be able to judge the swap again,
    /// and to take it back.
    pub(super) async fn clear(&self, outcome: &ItemOutcome) -> Result<()> {
        for made in made(self.ctx, self.slug).await? {
            let staged = made.attempt.swap.staged;
            if outcome.kept_aside.as_ref() != Some(&staged) {
                self.session.drop_staged(self.ctx.epoch(), &staged).await?;
            }
        }
        Ok(())
    }

    /// Takes up what an interrupted run of this job left, decided by what is live.
    async fn resumed_or_fresh(&self, recovery: &Recovery) -> Result<ItemOutcome> {
        for made in made(self.ctx, self.slug).await? {
            let mut attempt = made.attempt;
            let found = recovery
                .swaps
                .iter()
                .find(|found| found.swap.staged == attempt.swap.staged);
            let Some(found) = found else { continue };
            let live = found.live;
            // The site's journal has the hashes of the try that was really made.
            attempt.swap = found.swap.clone();
            if live == Live::Before {
                // Nothing went live, or it is back already: begin anew, with one
                // journal entry at most.
                self.session
                    .drop_staged(self.ctx.epoch(), &attempt.swap.staged)
                    .await?;
                continue;
            }
            self.ctx.line(format!(
                "taking up the interrupted update of `{}`",
                self.slug
            ));
            if live == Live::After || made.seen {
                // A component may write into its own directory once it is live: what was
                // seen to be the package's then is judged by how the site fares.
                return self.judge(&attempt).await;
            }
            return self.meddled(&attempt).await;
        }
        self.fresh().await
    }

    /// The tree is neither the old nor the new one, and nobody saw the swap succeed:
    /// somebody else may have worked on it. A site that lives is left as it is.
    async fn meddled(&self, attempt: &Attempt) -> Result<ItemOutcome> {
        if let Some(trouble) = self.suffering(attempt).await? {
            return self.take_back(attempt, Live::Other, &trouble).await;
        }
        let mut outcome = attempt.outcome(
            Outcome::Failed,
            format!(
                "`{}` was changed by somebody else while its update was interrupted; it was left as it is, and {} is kept aside as `{}`",
                self.slug, attempt.old_version, attempt.swap.staged
            ),
        );
        outcome.tree_now = None;
        outcome.kept_aside = Some(attempt.swap.staged.clone());
        Ok(outcome)
    }

    async fn fresh(&self) -> Result<ItemOutcome> {
        let found = self
            .found()
            .await?
            .ok_or_else(|| Error::not_found("Component"))?;
        let version = found.version.clone();
        let tree = self.hash().await?;
        let not_tried = |outcome, offered: Option<&str>, message| ItemOutcome {
            slug: self.slug.to_owned(),
            outcome,
            old_version: version.clone(),
            new_version: version.clone(),
            offered_version: offered.map(str::to_owned),
            tree_before: tree.clone(),
            tree_now: tree.clone(),
            kept_aside: None,
            message,
        };
        let package = match self.fleet.newer_package(&found).await? {
            Newer::Is(package) => package,
            Newer::None => {
                let message = format!("`{}` {version} is the newest version offered", self.slug);
                return Ok(not_tried(Outcome::Unchanged, None, message));
            }
            Newer::Unknown(why) => {
                let message = format!(
                    "whether there is something newer than `{}` {version} is not known: {why}",
                    self.slug
                );
                return Ok(not_tried(Outcome::Failed, None, message));
            }
        };
        let baseline = self.fleet.look_at(self.row).await;
        if let Some(trouble) = baseline.trouble() {
            let message = format!(
                "`{}` was not updated: the site did not answer before the update ({trouble}), so its health after it could not be judged",
                self.slug
            );
            return Ok(not_tried(Outcome::Failed, Some(&package.version), message));
        }
        let staged =
            match stage_component(self.session, self.ctx.epoch(), self.target(), &package).await {
                Ok(staged) => staged,
                Err(error) if is_about_package(&error) => {
                    let message = format!("`{}` was not updated: {}", self.slug, error.message());
                    return Ok(not_tried(Outcome::Failed, Some(&package.version), message));
                }
                Err(error) => return Err(error),
            };
        let mut attempt = Attempt {
            swap: Swap {
                target: self.target(),
                staged: staged.staged,
                before: tree,
                after: staged.tree.hash,
            },
            old_version: version,
            new_version: package.version,
            active: self.is_active().await,
            baseline,
        };
        // A component may write into its own directory at any request, those of the looks
        // included: what it is exchanged for is what it was at that very moment.
        for last in [false, false, true] {
            attempt.swap.before = self.hash().await?;
            match self.swap_in(&attempt).await {
                Ok(()) => break,
                Err(error) if error.kind() == Kind::Conflict && !last => {}
                Err(error) => return Err(error),
            }
        }
        self.judge(&attempt).await
    }

    fn target(&self) -> Target {
        Target {
            root: self.row.path.clone(),
            kind: self.kind,
            slug: self.on_disk.to_owned(),
        }
    }

    /// Where it is, relative to the home, as the site's configuration says; `None` when
    /// that is not in the home.
    async fn directory(&self) -> Option<String> {
        let site = SiteRef {
            root: self.row.path.clone(),
            php: None,
        };
        let settings = self.session.read_config(site).await.unwrap_or_default();
        let container = settings.container(&self.row.path, self.kind)?;
        Some(format!("{container}/{}", self.on_disk))
    }

    /// The live tree's hash; `None` when there is none.
    async fn hash(&self) -> Result<Option<String>> {
        let tree = self.session.hash_component(self.target()).await?;
        Ok(tree.map(|tree| tree.hash))
    }

    fn is(&self, found: &FoundComponent) -> bool {
        found.place == Place::Normal && found.kind == self.kind && found.slug == self.slug
    }

    async fn found(&self) -> Result<Option<FoundComponent>> {
        let inspection = self.session.inspect(&self.row.path).await?;
        Ok(inspection
            .components
            .into_iter()
            .find(|found| self.is(found)))
    }

    /// Whether WordPress uses the component, as its own tables say.
    async fn is_active(&self) -> Option<bool> {
        let site = self.fleet.site_ref(self.row);
        let survey = self.session.survey(site, &[]).await.ok()?;
        survey
            .inspection
            .components
            .iter()
            .find(|found| self.is(found))?
            .active
    }

    /// Exchanges the trees; the new one is seen to be the package's right after, before
    /// anything can run in it for long.
    async fn swap_in(&self, attempt: &Attempt) -> Result<()> {
        let intent = serde_json::to_value(attempt).map_err(Error::internal)?;
        let step = self
            .ctx
            .begin_step(&step_name("swap", self.slug), intent)
            .await?;
        let swapped = self
            .session
            .swap_component(self.ctx.epoch(), attempt.swap.clone())
            .await;
        let live = match swapped {
            Ok(exchanged) => exchanged.tree,
            Err(error) => {
                let why = json!({ "error": error.to_string() });
                self.ctx.finish_step(step, StepState::Failed, why).await?;
                return Err(error.into());
            }
        };
        let state = if live.hash == attempt.swap.after {
            StepState::Done
        } else {
            StepState::Failed
        };
        self.ctx
            .finish_step(step, state, json!({ "tree": live.hash }))
            .await?;
        if state == StepState::Failed {
            return Err(Error::new(
                Kind::Remote,
                "the tree changed while it was exchanged",
            ));
        }
        Ok(())
    }

    /// The new tree is live: does the site still live? If not, back it goes.
    async fn judge(&self, attempt: &Attempt) -> Result<ItemOutcome> {
        self.flush_caches().await;
        self.refresh_wordpress().await;
        if let Some(trouble) = self.suffering(attempt).await? {
            return self.take_back(attempt, Live::After, &trouble).await;
        }
        Ok(attempt.outcome(
            Outcome::Updated,
            format!(
                "`{}` was updated from {} to {}: version and files verified, the site answers",
                self.slug, attempt.old_version, attempt.new_version
            ),
        ))
    }

    /// Caches must not answer with what was live before: neither in a verdict nor
    /// after it was taken back.
    async fn flush_caches(&self) {
        // None means all of the site.
        let changed = self.directory().await.into_iter().collect();
        self.fleet
            .flush_caches(self.ctx, self.session, self.row, changed)
            .await;
    }

    /// Lets WordPress forget what it cached of its components. Before the verdict,
    /// because it boots the new code, which may act on its first run.
    async fn refresh_wordpress(&self) {
        let cleaned = self
            .session
            .bridge(
                Some(self.ctx.epoch()),
                &self.row.path,
                self.fleet.php_of(self.row),
                vec![Action::CleanComponentCaches],
            )
            .await;
        // Not needed for the verdict: a courtesy to whoever looks into wp-admin next.
        match cleaned {
            Ok(report) => {
                if let Some(fatal) = report.fatal {
                    self.ctx.line(format!("PHP says: {fatal}"));
                }
            }
            Err(error) => self.ctx.line(format!(
                "WordPress' own list of updates was not refreshed: {error}"
            )),
        }
    }

    /// Why the site is worse off than before; `None` when it is not.
    async fn suffering(&self, attempt: &Attempt) -> Result<Option<String>> {
        let Some(found) = self.found().await? else {
            return Ok(Some("WordPress would not recognise it any more".into()));
        };
        if found.version != attempt.new_version {
            return Ok(Some(format!("its header says version {}", found.version)));
        }
        let look = self.fleet.look_at(self.row).await;
        if let Some(trouble) = look.worse_than(&attempt.baseline) {
            return Ok(Some(trouble));
        }
        // After the look: a page view is when it would act.
        if attempt.active == Some(true) && self.is_active().await == Some(false) {
            return Ok(Some("it deactivated itself".into()));
        }
        Ok(None)
    }

    async fn take_back(&self, attempt: &Attempt, live: Live, trouble: &str) -> Result<ItemOutcome> {
        let (slug, old, new) = (self.slug, &attempt.old_version, &attempt.new_version);
        self.ctx.line(format!(
            "`{slug}` {new} breaks the site ({trouble}): taking it back"
        ));
        let back = async {
            Ok(self
                .session
                .take_back(self.ctx.epoch(), attempt.swap.clone())
                .await?)
        };
        let exchanged = self
            .ctx
            .step(&step_name("take back", slug), told(back))
            .await?;
        if Some(&exchanged.tree.hash) != attempt.swap.before.as_ref() {
            return Err(Error::new(
                Kind::Remote,
                format!(
                    "`{slug}` {new} failed because {trouble}, and its files could not be restored exactly; the old tree is kept aside as `{}`",
                    attempt.swap.staged
                ),
            ));
        }
        self.flush_caches().await;
        let after: Look = self.fleet.look_at(self.row).await;
        let (ended, mut message) = match after.trouble() {
            None => (
                Outcome::TakenBack,
                format!(
                    "`{slug}` {new} was taken back because {trouble}; {old} is live again, its files are as before and the site answers"
                ),
            ),
            Some(still) => (
                Outcome::Failed,
                format!(
                    "`{slug}` {new} was taken back because {trouble}; {old}'s files are as before, but the site still does not answer: {still}"
                ),
            ),
        };
        if attempt.active == Some(true) && self.is_active().await == Some(false) {
            message.push_str("; WordPress has it inactive now, activate it again");
        }
        let mut outcome = attempt.outcome(ended, message);
        if live == Live::Other {
            // What somebody changed is not ours to delete.
            outcome.kept_aside = Some(attempt.swap.staged.clone());
        }
        Ok(outcome)
    }
}

/// Whether the package, not the way to the site, is at fault.
fn is_about_package(error: &Error) -> bool {
    matches!(error.kind(), Kind::Invalid | Kind::Remote)
}
