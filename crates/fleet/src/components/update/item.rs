//! One component: baseline, stage, swap, verify, and back if the site suffers.
//!
//! Nothing here boots WordPress until the new version is verified: a site whose every
//! request is fatal, on a machine where `php` does not run at all, comes back the
//! same way.

use super::{ItemOutcome, Outcome, job::record};
use crate::{Error, Fleet, Result, look::Look, reach::told};
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_providers::packages::Package;
use pressroom_store::{EnvironmentRow, StepState};
use pressroom_wordpress::{
    bridge::Action,
    component::{ComponentKind, Staged, Swap, Target},
    journal::{Live, Recovery},
    tree,
    watch::Watch,
};
use serde_json::json;

pub(super) struct Item<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ctx: &'a JobContext,
    pub(super) session: &'a Session,
    pub(super) row: &'a EnvironmentRow,
    pub(super) kind: ComponentKind,
    pub(super) slug: &'a str,
}

/// The name of one component's step.
pub(super) fn step_name(verb: &str, slug: &str) -> String {
    format!("{verb} {slug}")
}

/// What is known of a component before it is touched.
struct Before {
    version: String,
    tree: Option<String>,
}

impl Item<'_> {
    /// The outcome that an earlier run of this job has already recorded.
    pub(super) async fn settled_before(&self) -> Result<Option<ItemOutcome>> {
        let done = self.ctx.done_step(&step_name("update", self.slug)).await?;
        Ok(done
            .and_then(|step| step.result)
            .and_then(|result| serde_json::from_value(result).ok()))
    }

    /// Removes what was kept aside for this item. Only after its outcome is recorded: as
    /// long as it is not, a successor must be able to judge the swap again, and to take
    /// it back.
    pub(super) async fn clear(&self) -> Result<()> {
        let recovery = self.session.recover(self.ctx.epoch()).await?;
        let target = self.target();
        for found in recovery.swaps {
            // A tree that somebody else changed stays, with the one kept aside.
            if found.swap.target == target && found.live != Live::Other {
                self.session
                    .drop_staged(self.ctx.epoch(), &found.swap.staged)
                    .await?;
            }
        }
        Ok(())
    }

    /// Runs or resumes this item to a final outcome.
    pub(super) async fn run(&self, recovery: &Recovery) -> Result<ItemOutcome> {
        let name = step_name("update", self.slug);
        let work = async {
            let outcome = match self.unfinished(recovery) {
                Some((swap, Live::After)) => self.resume(&swap).await?,
                Some((swap, Live::Other)) => self.meddled(&swap).await?,
                Some((_, Live::Before)) | None => self.fresh().await?,
            };
            self.ctx.line(&outcome.message);
            record(self.fleet, self.ctx, &outcome).await?;
            Ok(outcome)
        };
        Ok(self.ctx.step(&name, told(work)).await?)
    }

    fn target(&self) -> Target {
        Target {
            root: self.row.path.clone(),
            kind: self.kind,
            slug: self.slug.to_owned(),
        }
    }

    fn unfinished(&self, recovery: &Recovery) -> Option<(Swap, Live)> {
        let target = self.target();
        recovery
            .swaps
            .iter()
            .find(|found| found.swap.target == target)
            .map(|found| (found.swap.clone(), found.live))
    }

    async fn fresh(&self) -> Result<ItemOutcome> {
        let before = self.before().await?;
        let Some(package) = self.offered(&before).await? else {
            return Ok(self.outcome(
                Outcome::Unchanged,
                &before,
                &before.version,
                None,
                format!(
                    "`{}` {} is the newest version offered",
                    self.slug, before.version
                ),
            ));
        };
        let baseline = self.look().await?;
        if let Some(trouble) = baseline.trouble() {
            return Ok(self.outcome(
                Outcome::Failed,
                &before,
                &before.version,
                Some(package.version.clone()),
                format!(
                    "`{}` was not updated: the site did not answer before the update ({trouble}), so its health after it could not be judged",
                    self.slug
                ),
            ));
        }
        let staged = match self.stage(&package).await {
            Ok(staged) => staged,
            Err(error) if is_about_package(&error) => {
                return Ok(self.outcome(
                    Outcome::Failed,
                    &before,
                    &before.version,
                    Some(package.version.clone()),
                    format!("`{}` was not updated: {}", self.slug, error.message()),
                ));
            }
            Err(error) => return Err(error),
        };
        let swap = Swap {
            target: self.target(),
            staged: staged.staged.clone(),
            before: before.tree.clone(),
            after: staged.tree.hash.clone(),
        };
        self.swap_in(&swap, &before.version, &package.version)
            .await?;
        self.judge(&swap, &before, &package.version).await
    }

    async fn before(&self) -> Result<Before> {
        let inspection = self.session.inspect(&self.row.path).await?;
        let found = inspection
            .components
            .iter()
            .find(|found| found.kind == self.kind && found.slug == self.slug)
            .ok_or_else(|| Error::not_found("Component"))?;
        let tree = self.session.tree_hash(&self.directory()).await?;
        Ok(Before {
            version: found.version.clone(),
            tree: tree.map(|tree| tree.hash),
        })
    }

    fn directory(&self) -> String {
        let container = match self.kind {
            ComponentKind::Plugin => "plugins",
            ComponentKind::Theme => "themes",
        };
        format!("{}/wp-content/{container}/{}", self.row.path, self.slug)
    }

    async fn offered(&self, before: &Before) -> Result<Option<Package>> {
        if before.tree.is_none() {
            // A single-file plugin has no directory of its own to exchange.
            return Ok(None);
        }
        self.fleet
            .newer_package(self.kind, self.slug, &before.version)
            .await
    }

    /// Unpacks beside the site, and holds the tree against the package as this server
    /// knows it: what the site says of itself is not what decides.
    async fn stage(&self, package: &Package) -> Result<Staged> {
        let expected = package_tree(package, self.slug).await?;
        let file = tokio::fs::File::open(&package.path)
            .await
            .map_err(Error::internal)?;
        let staged = self
            .session
            .stage_component(self.ctx.epoch(), self.target(), file)
            .await?;
        let wrong = if staged.tree.hash != expected.hash {
            Some("what arrived at the site is not the package".to_owned())
        } else if staged.version != package.version {
            Some(format!(
                "the package says version {} but was offered as {}",
                staged.version, package.version
            ))
        } else {
            None
        };
        if let Some(why) = wrong {
            self.session
                .drop_staged(self.ctx.epoch(), &staged.staged)
                .await?;
            return Err(Error::new(Kind::Remote, why));
        }
        Ok(staged)
    }

    async fn swap_in(&self, swap: &Swap, old: &str, new: &str) -> Result<()> {
        let name = step_name("swap", self.slug);
        let intent = json!({ "swap": swap, "old_version": old, "new_version": new });
        let step = self.ctx.begin_step(&name, intent).await?;
        let live = self
            .session
            .swap_component(self.ctx.epoch(), swap.clone())
            .await?;
        let state = if live.hash == swap.after {
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

    /// Takes up a swap that an interrupted run had made but not judged.
    async fn resume(&self, swap: &Swap) -> Result<ItemOutcome> {
        let (old, new) = self.swapped_versions().await?;
        self.ctx.line(format!(
            "taking up the interrupted update of `{}`",
            self.slug
        ));
        let before = Before {
            version: old,
            tree: swap.before.clone(),
        };
        self.judge(swap, &before, &new).await
    }

    /// Versions as the interrupted run wrote them down before the swap.
    async fn swapped_versions(&self) -> Result<(String, String)> {
        let name = step_name("swap", self.slug);
        let steps = self.ctx.steps().await?;
        let text = |key: &str| {
            steps
                .iter()
                .rfind(|step| step.name == name)
                .and_then(|step| step.intent.get(key))
                .and_then(|value| value.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        Ok((text("old_version"), text("new_version")))
    }

    async fn meddled(&self, swap: &Swap) -> Result<ItemOutcome> {
        let (old, new) = self.swapped_versions().await?;
        Ok(ItemOutcome {
            slug: self.slug.to_owned(),
            outcome: Outcome::Failed,
            old_version: old.clone(),
            new_version: old,
            offered_version: Some(new),
            tree_before: swap.before.clone(),
            tree_now: None,
            message: format!(
                "`{}` was changed by somebody else while its update was interrupted; nothing more was touched and the other tree is kept aside",
                self.slug
            ),
        })
    }

    /// The new tree is live: does the site still live? If not, back it goes.
    async fn judge(&self, swap: &Swap, before: &Before, version: &str) -> Result<ItemOutcome> {
        match self.suffering(swap, version).await? {
            None => self.keep(swap, before, version).await,
            Some(trouble) => self.take_back(swap, before, version, &trouble).await,
        }
    }

    async fn suffering(&self, swap: &Swap, version: &str) -> Result<Option<String>> {
        let live = self.session.tree_hash(&self.directory()).await?;
        if live.is_none_or(|tree| tree.hash != swap.after) {
            return Ok(Some("its files are not the package's".into()));
        }
        let inspection = self.session.inspect(&self.row.path).await?;
        let found = inspection
            .components
            .iter()
            .find(|found| found.kind == self.kind && found.slug == self.slug);
        match found {
            None => return Ok(Some("WordPress would not recognise it any more".into())),
            Some(found) if found.version != version => {
                return Ok(Some(format!("its header says version {}", found.version)));
            }
            Some(_) => {}
        }
        Ok(self.look().await?.trouble())
    }

    async fn keep(&self, swap: &Swap, before: &Before, version: &str) -> Result<ItemOutcome> {
        let cleaned = self
            .session
            .bridge(
                Some(self.ctx.epoch()),
                &self.row.path,
                &self.fleet.parts.settings.php,
                vec![Action::CleanComponentCaches],
            )
            .await;
        if let Err(error) = cleaned {
            // The update itself is verified without PHP; this is a courtesy to wp-admin.
            self.ctx.line(format!(
                "WordPress' own list of updates was not refreshed: {error}"
            ));
        }
        let mut outcome = self.outcome(
            Outcome::Updated,
            before,
            version,
            Some(version.to_owned()),
            format!(
                "`{}` was updated from {} to {version}: version and files verified, the site answers",
                self.slug, before.version
            ),
        );
        outcome.tree_now = Some(swap.after.clone());
        Ok(outcome)
    }

    async fn take_back(
        &self,
        swap: &Swap,
        before: &Before,
        version: &str,
        trouble: &str,
    ) -> Result<ItemOutcome> {
        self.ctx.line(format!(
            "`{}` {version} breaks the site ({trouble}): taking it back",
            self.slug
        ));
        let name = step_name("take back", self.slug);
        let back = async {
            Ok(self
                .session
                .take_back(self.ctx.epoch(), swap.clone())
                .await?)
        };
        let live = self.ctx.step(&name, told(back)).await?;
        let whole = Some(&live.hash) == swap.before.as_ref();
        let after = self.look().await?;
        let message = match (whole, after.trouble()) {
            (true, None) => format!(
                "`{}` {version} was taken back because {trouble}; {} is live again, its files are as before and the site answers",
                self.slug, before.version
            ),
            (true, Some(still)) => format!(
                "`{}` {version} was taken back because {trouble}; {}'s files are as before, but the site still does not answer: {still}",
                self.slug, before.version
            ),
            (false, _) => format!(
                "`{}` {version} failed because {trouble}, and its files could not be restored exactly; the old tree is kept aside as `{}`",
                self.slug, swap.staged
            ),
        };
        if !whole {
            return Err(Error::new(Kind::Remote, message));
        }
        let ended = if after.trouble().is_none() {
            Outcome::TakenBack
        } else {
            Outcome::Failed
        };
        let mut outcome = self.outcome(
            ended,
            before,
            &before.version,
            Some(version.to_owned()),
            message,
        );
        outcome.tree_now = Some(live.hash);
        Ok(outcome)
    }

    async fn look(&self) -> Result<Look> {
        Ok(self.fleet.look_at(self.row).await)
    }

    fn outcome(
        &self,
        outcome: Outcome,
        before: &Before,
        now: &str,
        offered: Option<String>,
        message: String,
    ) -> ItemOutcome {
        ItemOutcome {
            slug: self.slug.to_owned(),
            outcome,
            old_version: before.version.clone(),
            new_version: now.to_owned(),
            offered_version: offered,
            tree_before: before.tree.clone(),
            tree_now: before.tree.clone(),
            message,
        }
    }
}

/// Whether the package, not the way to the site, is at fault.
fn is_about_package(error: &Error) -> bool {
    matches!(error.kind(), Kind::Invalid | Kind::Remote)
}

/// The tree a package must unpack to, computed here from the cached zip.
async fn package_tree(package: &Package, slug: &str) -> Result<tree::TreeHash> {
    let path = package.path.clone();
    let slug = slug.to_owned();
    tokio::task::spawn_blocking(move || {
        let file = std::fs::File::open(&path).map_err(Error::internal)?;
        tree::hash_zip(
            std::io::BufReader::new(file),
            Some(&slug),
            &Watch::unbounded(),
        )
        .map_err(|error| Error::new(Kind::Remote, format!("the package is damaged: {error}")))
    })
    .await
    .map_err(Error::internal)?
}
