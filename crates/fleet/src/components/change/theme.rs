//! Switching the theme, and what to switch to when one is put out of use.

use super::{
    activity::first,
    bench::{Bench, blamed},
    report::ChangeOutcome,
};
use crate::{Error, Result, look::Look};
use pressroom_base::Kind;
use pressroom_store::StepState;
use pressroom_wordpress::{
    bridge::{Action, ThemeState, ThemeSwitch, outcomes::ThemeChanged},
    component::ComponentKind,
    inventory::{FoundComponent, Inspection, ThemeFault},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// WordPress' own default themes, the oldest first; those to come are newer than all of them.
const DEFAULTS: [&str; 16] = [
    "twentyten",
    "twentyeleven",
    "twentytwelve",
    "twentythirteen",
    "twentyfourteen",
    "twentyfifteen",
    "twentysixteen",
    "twentyseventeen",
    "twentynineteen",
    "twentytwenty",
    "twentytwentyone",
    "twentytwentytwo",
    "twentytwentythree",
    "twentytwentyfour",
    "twentytwentyfive",
    "twentytwentysix",
];

/// What WordPress says of a theme that its network does not let blogs use.
const NOT_ALLOWED: &str = "theme_not_allowed";

/// What is about to be switched: the intent of a `switch` step.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Intent {
    stylesheet: String,
    before: ThemeState,
    baseline: Look,
}

impl Bench<'_> {
    /// Makes this theme the active one, and judges the site with it.
    pub(super) async fn activate_theme(&self) -> Result<ChangeOutcome> {
        let inspection = self.inspection().await?;
        let active = active_theme(&inspection);
        let broken = inspection
            .broken_themes
            .iter()
            .find(|broken| broken.slug == self.slug)
            .map(|broken| fault(self.slug, &broken.fault));
        let Some(found) = self.pick(inspection.components) else {
            return Ok(match broken {
                Some(why) => self.impossible(why),
                None => self.not_found(),
            });
        };
        let outcome = match found.active {
            None => return Ok(self.unknown_use()),
            Some(true) => match self.unsettled_theme().await? {
                Some(intent) => return self.judge_interrupted_theme(&intent).await,
                None => self.done(false, format!("`{}` is active already", self.slug)),
            },
            Some(false) => self.switch_to(&found.slug).await?,
        };
        Ok(naming(outcome, self.slug, active))
    }

    /// Puts the newest installed default theme in place of this one.
    pub(super) async fn deactivate_theme(&self) -> Result<ChangeOutcome> {
        let inspection = self.inspection().await?;
        let active = active_theme(&inspection);
        let default = newest_default(&inspection.components, self.slug);
        let Some(found) = self.pick(inspection.components) else {
            return Ok(self.not_found());
        };
        match found.active {
            None => return Ok(self.unknown_use()),
            Some(true) => {}
            Some(false) => {
                if let Some(intent) = self.unsettled_theme().await?
                    && active.as_ref() == Some(&intent.stylesheet)
                {
                    return self.judge_interrupted_theme(&intent).await;
                }
                let mut outcome = self.done(false, format!("`{}` is inactive already", self.slug));
                outcome.active_theme = active;
                return Ok(outcome);
            }
        }
        let Some(default) = default else {
            return Ok(self.refused(&Error::conflict(format!(
                "WordPress needs a theme: besides `{}` no default theme (`twenty…`) is installed",
                self.slug
            ))));
        };
        let outcome = self.switch_to(&default).await?;
        Ok(naming(outcome, &default, active))
    }

    async fn switch_to(&self, stylesheet: &str) -> Result<ChangeOutcome> {
        let baseline = self.look().await;
        if let Some(trouble) = baseline.trouble() {
            return Ok(self.failed(format!(
                "the theme was not switched: the site did not answer before ({trouble}), so its health after it could not be judged"
            )));
        }
        let read = Action::ReadTheme {
            stylesheet: Some(stylesheet.to_owned()),
        };
        let report = self.bare(read).await?;
        let Some(before) = first::<ThemeState>(&report) else {
            return Ok(self.failed("WordPress does not say which theme is active"));
        };
        let intent = Intent {
            stylesheet: stylesheet.to_owned(),
            before,
            baseline,
        };
        let noted = serde_json::to_value(&intent).map_err(Error::internal)?;
        let step = self.ctx.begin_step(&self.switch_step(), noted).await?;
        let switch = || {
            let boot = self.boot();
            self.session
                .switch_theme(self.ctx.epoch(), boot, stylesheet)
        };
        let mut switched = switch().await;
        let refused = switched.as_ref().ok().and_then(|it| it.code.as_deref());
        if refused == Some(NOT_ALLOWED) {
            self.allow_theme(stylesheet).await?;
            switched = switch().await;
        }
        let outcome = match switched {
            Ok(switch) if switch.ok => self.judge_theme(&intent).await?,
            Ok(switch) => self.not_switched_theme(stylesheet, &switch).await,
            Err(error) if error.kind() == Kind::Remote => {
                self.failed(format!("the theme was not switched: {error}"))
            }
            Err(error) => return Err(error.into()),
        };
        if !outcome.is_success() {
            self.disallow_theme().await?;
        }
        let state = if outcome.is_success() {
            StepState::Done
        } else {
            StepState::Failed
        };
        let result = json!({ "message": outcome.message });
        self.ctx.finish_step(step, state, result).await?;
        Ok(outcome)
    }

    /// Lets the blogs of a network use a theme: whoever may activate it for the whole
    /// installation is the network's owner.
    async fn allow_theme(&self, stylesheet: &str) -> Result<()> {
        let intent = json!({ "stylesheet": stylesheet });
        let step = self.ctx.begin_step(&self.allow_step(), intent).await?;
        self.enable_theme(stylesheet, true).await?;
        self.ctx
            .finish_step(step, StepState::Done, json!({}))
            .await?;
        Ok(())
    }

    /// Takes back what this job has allowed.
    async fn disallow_theme(&self) -> Result<()> {
        let name = self.allow_step();
        for step in self.ctx.steps().await? {
            if step.name != name || step.state == StepState::Undone {
                continue;
            }
            if let Some(stylesheet) = step.intent["stylesheet"].as_str() {
                self.enable_theme(stylesheet, false).await?;
            }
            self.ctx.undone(&step).await?;
        }
        Ok(())
    }

    async fn enable_theme(&self, stylesheet: &str, enabled: bool) -> Result<()> {
        let enable = Action::EnableThemes {
            themes: vec![stylesheet.to_owned()],
            enabled,
        };
        self.bare(enable).await?;
        Ok(())
    }

    fn allow_step(&self) -> String {
        format!("allow {}", self.slug)
    }

    /// An earlier run has switched to it, and nobody judged that.
    async fn judge_interrupted_theme(&self, intent: &Intent) -> Result<ChangeOutcome> {
        let outcome = self.judge_theme(intent).await?;
        if !outcome.is_success() {
            self.disallow_theme().await?;
        }
        let before = intent.before.stylesheet.clone();
        Ok(naming(outcome, &intent.stylesheet, Some(before)))
    }

    async fn judge_theme(&self, intent: &Intent) -> Result<ChangeOutcome> {
        let to = &intent.stylesheet;
        self.flush_caches(to).await;
        let mut trouble = self.look().await.worse_than(&intent.baseline);
        if trouble.is_none() {
            let now = active_theme(&self.inspection().await?);
            if now.as_ref() != Some(to) {
                trouble = Some("the site's tables name another theme as active".into());
            }
        }
        let Some(trouble) = trouble else {
            return Ok(self.done(
                true,
                format!("`{to}` is the active theme now, and the site answers"),
            ));
        };
        let from = &intent.before.stylesheet;
        if !self.restore_theme(intent).await? {
            return Ok(self.failed(format!(
                "`{to}` could not be activated because {trouble}, and `{from}` could not be put back"
            )));
        }
        let health = self.health().await;
        Ok(self.taken_back(format!(
            "`{to}` could not be activated because {trouble}; `{from}` is active again and {health}"
        )))
    }

    async fn not_switched_theme(&self, to: &str, switch: &ThemeSwitch) -> ChangeOutcome {
        let said = switch
            .error
            .as_deref()
            .unwrap_or("WordPress does not say why");
        let text = format!(
            "`{to}` could not be activated: {said}{}",
            blamed(switch.blame.as_ref())
        );
        let its_fault = switch.undone.is_some()
            || matches!(
                switch.code.as_deref(),
                None | Some("fatal" | "exception" | "died" | "not_switched")
            );
        if !its_fault {
            return self.impossible(text);
        }
        self.flush_caches(to).await;
        let from = &switch.before.stylesheet;
        if switch.undone == Some(false) {
            return self.failed(format!("{text}; `{from}` could not be put back exactly"));
        }
        let health = self.health().await;
        self.taken_back(format!("{text}; `{from}` is active again and {health}"))
    }

    async fn health(&self) -> String {
        match self.look().await.trouble() {
            None => "the site answers".to_owned(),
            Some(still) => format!("the site does not answer: {still}"),
        }
    }

    /// Whether the theme from before is active again, by the tables.
    async fn restore_theme(&self, intent: &Intent) -> Result<bool> {
        let restore = Action::RestoreTheme {
            record: intent.before.clone(),
        };
        let report = self.bare(restore).await?;
        self.flush_caches(&intent.before.stylesheet).await;
        let said = first::<ThemeChanged>(&report).is_some();
        let now = active_theme(&self.inspection().await?);
        Ok(said && now.as_ref() == Some(&intent.before.stylesheet))
    }

    /// Puts an unsettled switch back, running no site code.
    pub(super) async fn undo_theme(&self) -> Result<()> {
        let Some(intent) = self.unsettled_theme().await? else {
            return Ok(());
        };
        self.disallow_theme().await?;
        let now = active_theme(&self.inspection().await?);
        if now.as_ref() != Some(&intent.stylesheet) || intent.before.stylesheet == intent.stylesheet
        {
            return Ok(());
        }
        if !self.restore_theme(&intent).await? {
            return Err(Error::new(
                Kind::Remote,
                format!(
                    "`{}` could not be made the active theme again",
                    intent.before.stylesheet
                ),
            ));
        }
        self.ctx.line(format!(
            "`{}` is the active theme again",
            intent.before.stylesheet
        ));
        Ok(())
    }

    async fn unsettled_theme(&self) -> Result<Option<Intent>> {
        let name = self.switch_step();
        let last = self
            .ctx
            .steps()
            .await?
            .into_iter()
            .rfind(|step| step.name == name && step.state != StepState::Failed);
        Ok(last.and_then(|step| serde_json::from_value(step.intent).ok()))
    }
}

/// The theme that the main site uses.
pub(super) fn active_theme(inspection: &Inspection) -> Option<String> {
    inspection
        .components
        .iter()
        .find(|found| found.kind == ComponentKind::Theme && found.active == Some(true))
        .map(|found| found.slug.clone())
}

/// What is active now: `now` when it went well, what was before otherwise.
fn naming(mut outcome: ChangeOutcome, now: &str, before: Option<String>) -> ChangeOutcome {
    outcome.active_theme = if outcome.is_success() {
        Some(now.to_owned())
    } else {
        before
    };
    outcome
}

/// The newest default theme besides this one.
fn newest_default(installed: &[FoundComponent], besides: &str) -> Option<String> {
    installed
        .iter()
        .filter(|found| {
            found.kind == ComponentKind::Theme
                && found.parent.is_none()
                && found.slug != besides
                && found.slug.starts_with("twenty")
                && !found.slug.contains(['/', '-', '_', '.'])
        })
        .max_by_key(|found| {
            let known = DEFAULTS.iter().position(|name| *name == found.slug);
            known.unwrap_or(DEFAULTS.len())
        })
        .map(|found| found.slug.clone())
}

/// What is wrong with a theme, for a person.
pub(super) fn fault(slug: &str, fault: &ThemeFault) -> String {
    match fault {
        ThemeFault::NoStylesheet => format!("`{slug}` is no theme: it has no `style.css`"),
        ThemeFault::StylesheetUnreadable => format!("`style.css` of `{slug}` cannot be read"),
        ThemeFault::OwnParent => format!("`{slug}` names itself as its parent"),
        ThemeFault::NoIndex => {
            format!("`{slug}` is broken: it has neither `index.php` nor `templates/index.html`")
        }
        ThemeFault::NoParent { parent } => {
            format!("`{slug}` needs its parent theme `{parent}`, which is not installed")
        }
        ThemeFault::ParentIsChild { parent } => {
            format!("`{slug}` names `{parent}` as its parent, which is a child theme itself")
        }
    }
}
