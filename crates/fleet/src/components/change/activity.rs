//! Activating and deactivating plugins. What decides is the site's own table, and how the
//! site fares afterwards.

use super::{
    bench::{Bench, blamed},
    report::ChangeOutcome,
};
use crate::{Error, Result, look::Look};
use pressroom_agent::protocol::Boot;
use pressroom_base::Kind;
use pressroom_jobs::Step;
use pressroom_store::StepState;
use pressroom_wordpress::{
    bridge::{
        Action, Activation, BridgeOptions, Outcome, PluginState, Report,
        outcomes::{PluginsChanged, PluginsSet},
    },
    inventory::{FoundComponent, Place},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What is about to be put in or out of use: the intent of a `switch` step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Intent {
    /// Main files.
    files: Vec<String>,
    /// For the whole network.
    network: bool,
    /// The site of a network it is about; the main site, or the one there is, for `None`.
    #[serde(default)]
    blog: Option<u64>,
    /// In use afterwards.
    on: bool,
    /// How the site looked before.
    baseline: Look,
}

impl Bench<'_> {
    /// Activates a plugin on the main site, or on the whole network where it allows nothing
    /// else, and judges the site with it.
    pub(super) async fn activate_plugin(&self) -> Result<ChangeOutcome> {
        let Some(found) = self.found().await? else {
            return Ok(self.not_found());
        };
        if let Some(refused) = self.not_switched(&found) {
            return Ok(refused);
        }
        let earlier = self.unsettled_intent().await?;
        let is_active = is_on(&found);
        if is_active.is_none() {
            return Ok(self.unknown_use());
        }
        if is_active == Some(true) {
            let Some(intent) = earlier else {
                return Ok(self.done(false, format!("`{}` is active already", self.slug)));
            };
            // An earlier run got this far and nobody judged it.
            return self.judge_interrupted(&found, &intent).await;
        }
        let baseline = self.look().await;
        if let Some(trouble) = baseline.trouble() {
            return Ok(self.failed(format!(
                "`{}` was not activated: the site did not answer before ({trouble}), so its health after it could not be judged",
                self.slug
            )));
        }
        let intent = Intent {
            files: vec![found.file.clone()],
            network: found.network_only,
            blog: None,
            on: true,
            baseline,
        };
        let step = self.begin(&intent).await?;
        let activated = self
            .session
            .activate_plugins(
                self.ctx.epoch(),
                self.boot(),
                intent.files.clone(),
                intent.network,
            )
            .await;
        let outcome = match activated {
            Ok(activation) if activation.ok => self.judge(&intent, &activation.before).await?,
            Ok(activation) => self.not_activated(&activation).await?,
            // WordPress did not even start: it is as it was.
            Err(error) if error.kind() == Kind::Remote => {
                self.failed(format!("`{}` was not activated: {error}", self.slug))
            }
            Err(error) => return Err(error.into()),
        };
        self.end(step, &outcome).await?;
        Ok(outcome)
    }

    /// Deactivates a plugin on the main site and on the network, its routine included.
    pub(super) async fn deactivate_plugin(&self) -> Result<ChangeOutcome> {
        let Some(found) = self.found().await? else {
            return Ok(self.not_found());
        };
        if let Some(refused) = self.not_switched(&found) {
            return Ok(refused);
        }
        match is_on(&found) {
            None => return Ok(self.unknown_use()),
            Some(false) => {
                let Some(intent) = self.unsettled_intent().await? else {
                    return Ok(self.done(false, format!("`{}` is inactive already", self.slug)));
                };
                // An earlier run got this far and nobody judged it.
                return self.judge_interrupted(&found, &intent).await;
            }
            Some(true) => {}
        }
        self.switch_off(&found, vec![found.file.clone()], None)
            .await
    }

    /// Deactivates files of a plugin where they are active; `blog` for another than the main
    /// site of a network.
    pub(super) async fn switch_off(
        &self,
        found: &FoundComponent,
        files: Vec<String>,
        blog: Option<u64>,
    ) -> Result<ChangeOutcome> {
        let intent = Intent {
            files,
            network: blog.is_none() && found.network_active == Some(true),
            blog,
            on: false,
            baseline: self.look().await,
        };
        let step = self.begin(&intent).await?;
        let boot = Boot {
            options: BridgeOptions {
                blog,
                ..BridgeOptions::default()
            },
            ..self.boot()
        };
        let mut said = self.ask_off(boot, &intent, false).await?;
        let mut quietly = "";
        if said.is_none() {
            // A plugin that breaks every start, or its own routine: without any site code.
            said = self.ask_off(self.bare_boot_on(blog), &intent, true).await?;
            quietly = "; its own routine was not run, because the site does not start with it";
        }
        let outcome = match said {
            Some(_) if blog.is_some() => self.done(true, String::new()),
            Some(before) => {
                let mut outcome = self.judge(&intent, &before).await?;
                if outcome.is_success() {
                    outcome.message.push_str(quietly);
                }
                outcome
            }
            None => self.failed(format!("WordPress did not deactivate `{}`", self.slug)),
        };
        self.end(step, &outcome).await?;
        Ok(outcome)
    }

    /// Which files of a plugin one site of a network lists as active.
    pub(super) async fn listed_on(&self, blog: u64, found: &FoundComponent) -> Result<Vec<String>> {
        let report = self.bare_on(Some(blog), Action::ReadActivePlugins).await?;
        let Some(now) = first::<PluginState>(&report) else {
            return Ok(vec![found.file.clone()]);
        };
        let others = found.others.iter().map(|other| &other.file);
        let all = std::iter::once(&found.file).chain(others);
        Ok(all
            .filter(|file| now.active.contains(file))
            .cloned()
            .collect())
    }

    /// Judges what an interrupted run has put out of use on its way to something else; the
    /// outcome when the site does not live with that.
    pub(super) async fn interrupted_off(
        &self,
        found: &FoundComponent,
    ) -> Result<Option<ChangeOutcome>> {
        let name = self.switch_step();
        let last = self.ctx.steps().await?;
        let last = last.into_iter().rfind(|step| step.name == name);
        let intent = last
            .filter(|step| step.state == StepState::Running)
            .and_then(|step| serde_json::from_value::<Intent>(step.intent).ok())
            .filter(|intent| !intent.on && intent.blog.is_none());
        let Some(intent) = intent else {
            return Ok(None);
        };
        let outcome = self.judge_interrupted(found, &intent).await?;
        Ok(Some(outcome).filter(|outcome| !outcome.is_success()))
    }

    /// Puts unsettled switches back, the newest first.
    pub(super) async fn undo_switch(&self) -> Result<()> {
        let mut is_undone = false;
        for intent in self.unsettled_intents().await?.iter().rev() {
            is_undone |= self.undo_one_switch(intent).await?;
        }
        if is_undone {
            self.ctx
                .line(format!("`{}` is as it was before", self.slug));
        }
        Ok(())
    }

    /// Puts one switch back, running no site code: the listed plugins of the site it is
    /// about as they are now, but for this one. Says whether there was anything to do.
    async fn undo_one_switch(&self, intent: &Intent) -> Result<bool> {
        let Some(found) = self.found().await? else {
            return Ok(false);
        };
        let is_on = match intent.blog {
            Some(blog) => Some(found.active_on.contains(&blog)),
            None => is_on(&found),
        };
        if is_on != Some(intent.on) {
            return Ok(false);
        }
        let report = self.bare_on(intent.blog, Action::ReadActivePlugins).await?;
        let Some(now) = first::<PluginState>(&report) else {
            return Err(Error::new(
                Kind::Remote,
                "the list of active plugins could not be read",
            ));
        };
        let mut listed = if intent.network {
            now.network_active
        } else {
            now.active
        };
        listed.retain(|file| !intent.files.contains(file));
        if !intent.on {
            listed.extend(intent.files.iter().cloned());
            // As WordPress keeps it.
            listed.sort();
        }
        let set = Action::SetActivePlugins {
            plugins: listed,
            network_wide: intent.network,
        };
        let report = self.bare_on(intent.blog, set).await?;
        if first::<PluginsSet>(&report).is_none() {
            return Err(Error::new(
                Kind::Remote,
                "the list of active plugins could not be put back",
            ));
        }
        Ok(true)
    }

    /// Must-use plugins and drop-ins are in use by lying there.
    fn not_switched(&self, found: &FoundComponent) -> Option<ChangeOutcome> {
        let what = match found.place {
            Place::Normal => return None,
            Place::MustUse => "a must-use plugin",
            Place::DropIn => "a drop-in",
        };
        Some(self.impossible(format!(
            "`{}` is {what}: it is in use as long as its file is there",
            self.slug
        )))
    }

    /// `None` when WordPress or the plugin's routine died on the way.
    async fn ask_off(
        &self,
        boot: Boot,
        intent: &Intent,
        silent: bool,
    ) -> Result<Option<PluginState>> {
        let asked = self
            .session
            .bridge_with(
                Some(self.ctx.epoch()),
                boot,
                vec![Action::DeactivatePlugins {
                    plugins: intent.files.clone(),
                    network_wide: intent.network,
                    silent,
                }],
            )
            .await;
        let report = match asked {
            Ok(report) => report,
            Err(error) if error.kind() == Kind::Remote => {
                self.ctx.line(format!("WordPress did not start: {error}"));
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(fatal) = &report.fatal {
            self.ctx.line(format!("PHP says: {fatal}"));
            return Ok(None);
        }
        Ok(first::<PluginsChanged>(&report).map(|changed| changed.before))
    }

    /// WordPress is done with it: is it so, and does the site live?
    async fn judge(&self, intent: &Intent, before: &PluginState) -> Result<ChangeOutcome> {
        if let Some(trouble) = self.trouble_with(intent).await? {
            let restore = Action::RestoreActivePlugins {
                record: before.clone(),
            };
            let report = self.bare(restore).await?;
            let is_back = first::<PluginsSet>(&report).is_some_and(|set| set.after == *before);
            return self.put_back(intent, &trouble, is_back).await;
        }
        Ok(self.switched(intent))
    }

    async fn judge_interrupted(
        &self,
        found: &FoundComponent,
        intent: &Intent,
    ) -> Result<ChangeOutcome> {
        match self.trouble_with(intent).await? {
            None => Ok(self.switched(intent)),
            Some(trouble) => {
                self.undo_switch().await?;
                let now = self.found().await?;
                let is_back = now.as_ref().and_then(is_on) != is_on(found);
                self.put_back(intent, &trouble, is_back).await
            }
        }
    }

    fn switched(&self, intent: &Intent) -> ChangeOutcome {
        let message = match (intent.on, intent.network) {
            (true, false) => format!("`{}` is active now, and the site answers", self.slug),
            (true, true) => {
                format!(
                    "`{}` is active on the whole network now, and the site answers",
                    self.slug
                )
            }
            (false, _) => format!("`{}` is inactive now", self.slug),
        };
        self.done(true, message)
    }

    /// Why the switch cannot stay.
    async fn trouble_with(&self, intent: &Intent) -> Result<Option<String>> {
        self.flush_caches_of_plugin().await?;
        let look = self.look().await;
        // A site that was broken before is not judged: what is taken out may be the cause.
        if intent.baseline.trouble().is_none()
            && let Some(trouble) = look.worse_than(&intent.baseline)
        {
            return Ok(Some(trouble));
        }
        // After the look: a page view is when it would act.
        let now = self.found().await?;
        Ok(match now.as_ref().and_then(is_on) {
            Some(is) if is == intent.on => None,
            Some(true) => Some("the site's tables still name it as active".into()),
            Some(false) => Some("it deactivated itself".into()),
            None => Some("the site's tables could not be read afterwards".into()),
        })
    }

    async fn put_back(
        &self,
        intent: &Intent,
        trouble: &str,
        is_back: bool,
    ) -> Result<ChangeOutcome> {
        self.flush_caches_of_plugin().await?;
        let (done, was) = if intent.on {
            ("activated", "inactive")
        } else {
            ("deactivated", "active")
        };
        if !is_back {
            return Ok(self.failed(format!(
                "`{}` could not be {done} because {trouble}, and the list of active plugins could not be put back exactly",
                self.slug
            )));
        }
        let health = match self.look().await.trouble() {
            None => "the site answers".to_owned(),
            Some(still) => format!("the site still does not answer: {still}"),
        };
        Ok(self.taken_back(format!(
            "`{}` could not be {done} because {trouble}; it is {was} again and {health}",
            self.slug
        )))
    }

    /// WordPress refused, or the plugin died: in its own words.
    async fn not_activated(&self, activation: &Activation) -> Result<ChangeOutcome> {
        let change = activation.plugins.iter().find(|change| !change.ok);
        let code = change.and_then(|change| change.code.as_deref());
        let said = activation
            .error
            .as_deref()
            .or_else(|| change.and_then(|change| change.error.as_deref()))
            .unwrap_or("WordPress does not say why");
        let blame = activation
            .blame
            .as_ref()
            .or_else(|| change.and_then(|change| change.blame.as_ref()));
        let text = format!(
            "`{}` could not be activated: {said}{}",
            self.slug,
            blamed(blame)
        );
        let its_fault = activation.undone.is_some()
            || matches!(
                code,
                None | Some("fatal" | "exception" | "died" | "not_activated")
            );
        if !its_fault {
            // Requirements that are not met, and the like.
            return Ok(self.impossible(text));
        }
        self.flush_caches_of_plugin().await?;
        let now = self.found().await?;
        let is_back =
            now.as_ref().and_then(is_on) == Some(false) && activation.undone != Some(false);
        if !is_back {
            return Ok(self.failed(format!(
                "{text}; the list of active plugins could not be put back exactly"
            )));
        }
        let health = match self.look().await.trouble() {
            None => "the site answers".to_owned(),
            Some(still) => format!("the site does not answer: {still}"),
        };
        Ok(self.taken_back(format!("{text}; it is inactive again and {health}")))
    }

    async fn flush_caches_of_plugin(&self) -> Result<()> {
        self.flush_caches(self.slug).await;
        Ok(())
    }

    pub(super) async fn bare(&self, action: Action) -> Result<Report> {
        self.bare_on(None, action).await
    }

    /// On one site of a network; on the main site for `None`.
    async fn bare_on(&self, blog: Option<u64>, action: Action) -> Result<Report> {
        let boot = self.bare_boot_on(blog);
        let epoch = Some(self.ctx.epoch());
        Ok(self.session.bridge_with(epoch, boot, vec![action]).await?)
    }

    fn bare_boot_on(&self, blog: Option<u64>) -> Boot {
        Boot {
            options: BridgeOptions {
                blog,
                ..BridgeOptions::bare()
            },
            ..self.boot()
        }
    }

    async fn begin(&self, intent: &Intent) -> Result<Step> {
        let intent = serde_json::to_value(intent).map_err(Error::internal)?;
        Ok(self.ctx.begin_step(&self.switch_step(), intent).await?)
    }

    async fn end(&self, step: Step, outcome: &ChangeOutcome) -> Result<()> {
        let state = if outcome.is_success() {
            StepState::Done
        } else {
            StepState::Failed
        };
        let result = json!({ "message": outcome.message });
        Ok(self.ctx.finish_step(step, state, result).await?)
    }

    pub(super) fn switch_step(&self) -> String {
        format!("switch {}", self.slug)
    }

    /// What an earlier run was about to do and did not settle: the last of it.
    async fn unsettled_intent(&self) -> Result<Option<Intent>> {
        Ok(self.unsettled_intents().await?.pop())
    }

    /// All of it, oldest first: a plugin may be put out of use on several sites of a network.
    async fn unsettled_intents(&self) -> Result<Vec<Intent>> {
        let name = self.switch_step();
        let steps = self.ctx.steps().await?;
        Ok(steps
            .into_iter()
            .filter(|step| step.name == name && step.state != StepState::Failed)
            .filter_map(|step| serde_json::from_value(step.intent).ok())
            .collect())
    }
}

/// Whether the main site or the network has it in use; `None` when that is unknown.
fn is_on(found: &FoundComponent) -> Option<bool> {
    if found.network_active == Some(true) {
        return Some(true);
    }
    found.active
}

pub(super) fn first<T: serde::de::DeserializeOwned>(report: &Report) -> Option<T> {
    report
        .outcomes
        .first()
        .filter(|outcome| outcome.ok)
        .and_then(Outcome::read)
}
