//! Deleting: out of use first, then the uninstall routine, then the files, gone by one act.

use super::{
    bench::{Bench, is_used},
    put_out::LeftOut,
    report::ChangeOutcome,
    theme::active_theme,
};
use crate::Result;
use pressroom_base::Kind;
use pressroom_store::StepState;
use pressroom_wordpress::{
    bridge::{Action, outcomes::PluginUninstalled},
    component::ComponentKind,
    inventory::{FoundComponent, Inspection, Place},
    recovery::Recovery,
};
use serde_json::json;

/// What is said besides of a plugin whose own routine ran.
const UNINSTALLED: &str = ", after its uninstall routine";

impl Bench<'_> {
    /// Deletes a component. What an interrupted run has done is not done again.
    pub(super) async fn delete(&self, force: bool, recovery: &Recovery) -> Result<ChangeOutcome> {
        let left = self.left_out(recovery).await?;
        let inspection = self.inspection().await?;
        let active = active_theme(&inspection);
        if let LeftOut::Judged(judged) = left {
            return match judged {
                Some(refused) => Ok(refused),
                None => self.deleted_before(active).await,
            };
        }
        let parent_of = self.parent_of(&inspection);
        let Some(found) = self.pick(inspection.components) else {
            // Their staged tree is gone: an earlier run saw the site live without them.
            if self.went_out().await? {
                return self.deleted_before(active).await;
            }
            return Ok(self.not_found());
        };
        if found.place != Place::Normal {
            let why = format!(
                "`{}` lies where only its owner puts and removes files",
                self.slug
            );
            return Ok(self.impossible(why));
        }
        match is_used(&found) {
            None => return Ok(self.unknown_use()),
            Some(false) => {
                if !self.is_uninstalling().await?
                    && let Some(refused) = self.interrupted_off(&found).await?
                {
                    return Ok(refused);
                }
            }
            Some(true) if self.kind == ComponentKind::Theme => {
                return Ok(self.impossible(format!("`{}` is the active theme", self.slug)));
            }
            Some(true) if !force => {
                return Ok(self.impossible(format!("`{}` is active", self.slug)));
            }
            Some(true) => {
                if let Some(refused) = self.out_of_use(&found).await? {
                    return Ok(refused);
                }
            }
        }
        if let Some(child) = parent_of {
            let why = format!(
                "`{}` is the parent of the active theme `{child}`",
                self.slug
            );
            return Ok(self.impossible(why));
        }
        let mut said = "";
        if self.kind == ComponentKind::Plugin {
            match self.uninstall(&found).await? {
                Ok(true) => said = UNINSTALLED,
                Ok(false) => {}
                Err(refused) => return Ok(refused),
            }
        } else if inspection.settings.multisite == Some(true) {
            self.bare(Action::EnableThemes {
                themes: vec![self.slug.to_owned()],
                enabled: false,
            })
            .await?;
        }
        if let Some(refused) = self.put_out(&found).await? {
            return Ok(refused);
        }
        Ok(self.deleted(active, said))
    }

    /// Puts a half-done deletion back as far as that can be: its files are back, and what was
    /// only put out of use is put to use again; a plugin that has been uninstalled stays out
    /// of use.
    pub(super) async fn undo_delete(&self, recovery: &Recovery) -> Result<()> {
        self.undo_put_out(recovery).await?;
        if self.kind == ComponentKind::Plugin && !self.is_uninstalling().await? {
            return self.undo_switch().await;
        }
        Ok(())
    }

    fn deleted(&self, active: Option<String>, said: &str) -> ChangeOutcome {
        let mut outcome = self.done(true, format!("`{}` was deleted{said}", self.slug));
        if self.kind == ComponentKind::Theme {
            outcome.active_theme = active;
        }
        outcome
    }

    /// The same, where an earlier run of this job did it.
    async fn deleted_before(&self, active: Option<String>) -> Result<ChangeOutcome> {
        let ran = self.uninstalled().await? == Some(true);
        Ok(self.deleted(active, if ran { UNINSTALLED } else { "" }))
    }

    /// The theme in use on any site that builds on this one.
    fn parent_of(&self, inspection: &Inspection) -> Option<String> {
        inspection
            .components
            .iter()
            .find(|theme| {
                theme.kind == ComponentKind::Theme
                    && self.kind == ComponentKind::Theme
                    && theme.parent.as_deref() == Some(self.slug)
                    && is_used(theme) == Some(true)
            })
            .map(|theme| theme.slug.clone())
    }

    /// Deactivates it wherever it is active; the outcome when the site does not live with that.
    async fn out_of_use(&self, found: &FoundComponent) -> Result<Option<ChangeOutcome>> {
        // The main site has number 1 where nothing says otherwise; switching it is judged.
        for blog in found.active_on.iter().copied().filter(|blog| *blog > 1) {
            let files = self.listed_on(blog, found).await?;
            let off = self.switch_off(found, files, Some(blog)).await?;
            if !off.is_success() {
                // Where it is off already, it is on again.
                self.undo_switch().await?;
                return Ok(Some(off));
            }
        }
        let is_on = found.active == Some(true) || found.network_active == Some(true);
        let mut files: Vec<String> = is_on.then(|| found.file.clone()).into_iter().collect();
        let others = found.others.iter();
        files.extend(
            others
                .filter(|other| other.active == Some(true))
                .map(|other| other.file.clone()),
        );
        if !files.is_empty() {
            let off = self.switch_off(found, files, None).await?;
            if !off.is_success() {
                self.undo_switch().await?;
                return Ok(Some(off));
            }
        }
        let now = self.found().await?;
        Ok(match now.as_ref().and_then(is_used) {
            Some(false) => None,
            _ => Some(self.failed(format!("`{}` is still active somewhere", self.slug))),
        })
    }

    /// Whether there was a routine to run, or why it did not come to its end.
    async fn uninstall(
        &self,
        found: &FoundComponent,
    ) -> Result<std::result::Result<bool, ChangeOutcome>> {
        if let Some(ran) = self.uninstalled().await? {
            return Ok(Ok(ran));
        }
        let step = self
            .ctx
            .begin_step(&self.uninstall_step(), json!({ "file": found.file }))
            .await?;
        let mut ran = false;
        let mut trouble = None;
        let others = found.others.iter().map(|other| &other.file);
        for file in std::iter::once(&found.file).chain(others) {
            // One start of WordPress can uninstall one plugin.
            let report = self
                .session
                .bridge_with(
                    Some(self.ctx.epoch()),
                    self.boot(),
                    vec![Action::UninstallPlugin {
                        plugin: file.clone(),
                    }],
                )
                .await;
            let report = match report {
                Ok(report) => report,
                Err(error) if error.kind() == Kind::Remote => {
                    trouble = Some(error.to_string());
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            match report.outcomes.first() {
                Some(outcome) if outcome.ok && report.fatal.is_none() => {
                    ran |= outcome
                        .read::<PluginUninstalled>()
                        .is_some_and(|done| done.ran != "nothing");
                }
                outcome => {
                    let said = report.fatal.clone();
                    let said = said.or_else(|| outcome.and_then(|outcome| outcome.error.clone()));
                    trouble = Some(said.unwrap_or_else(|| "WordPress did not start".into()));
                    break;
                }
            }
        }
        let state = if trouble.is_none() {
            StepState::Done
        } else {
            StepState::Failed
        };
        self.ctx
            .finish_step(step, state, json!({ "ran": ran, "error": trouble }))
            .await?;
        Ok(match trouble {
            None => Ok(ran),
            Some(why) => Err(self.failed(format!(
                "`{}` was not deleted: its uninstall routine failed ({why}); its files are there and it is inactive",
                self.slug
            ))),
        })
    }

    /// Whether this job has begun its uninstall routine: nothing puts it to use again then.
    async fn is_uninstalling(&self) -> Result<bool> {
        let name = self.uninstall_step();
        let steps = self.ctx.steps().await?;
        Ok(steps.iter().any(|step| step.name == name))
    }

    /// Whether there was a routine to run, where an earlier run of this job is done with it.
    async fn uninstalled(&self) -> Result<Option<bool>> {
        let done = self.ctx.done_step(&self.uninstall_step()).await?;
        Ok(done.map(|step| {
            let result = step.result.as_ref();
            let ran = result.and_then(|result| result["ran"].as_bool());
            ran.unwrap_or(false)
        }))
    }

    fn uninstall_step(&self) -> String {
        format!("uninstall {}", self.slug)
    }
}
