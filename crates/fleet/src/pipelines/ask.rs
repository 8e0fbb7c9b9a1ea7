//! Asking for a safe update: everything that can be refused is refused here.

use super::{
    options::{Options, RollBack, Strategy},
    stage::Stages,
    tell,
    view::{CORE, Pipeline, Target, label},
};
use crate::{
    Caller, Error, Fleet, Problem, Result, authorize::Action, code, error::refuse,
    policies::is_excluded, sites::Site, teller::Teller,
};
use pressroom_base::{
    Timestamp,
    catalog::event,
    id::{EnvironmentId, PipelineId, ShortId},
};
use pressroom_providers::packages::{PackageKind, Standing};
use pressroom_store::{
    ComponentRow, EnvironmentRow, NewPipeline, NewTarget, PipelineRow, SiteRow, TargetState, Tx,
    components, environments, pipelines, sites,
};
use serde_json::json;
use std::time::Duration;

/// Targets of one pipeline.
pub(super) const MOST_TARGETS: usize = 100;
/// Pages to look at.
const MOST_PATHS: usize = 10;
/// Characters of one.
const LONGEST_PATH: usize = 2048;
/// Characters of what is written to a pipeline.
const LONGEST_NOTE: usize = 1000;
/// Characters of what a rollout is called.
const LONGEST_ROLLOUT: usize = 100;
/// Characters of a version.
const LONGEST_VERSION: usize = 64;
/// How far ahead one may be put off.
const FURTHEST: Duration = Duration::from_hours(30 * 24);

/// What is to be updated, and how.
#[derive(Debug, Clone)]
pub struct AskPipeline {
    /// What is updated.
    pub wanted: Wanted,
    /// In which steps.
    pub strategy: Strategy,
    /// Whether somebody is to say yes before the site is touched.
    pub requires_approval: bool,
    /// Who takes back what makes the site worse.
    pub rollback: RollBack,
    /// Whether the site is packed into the archive before.
    pub snapshot: bool,
    /// Pages to look at, relative to the site; the front page when empty.
    pub paths: Vec<String>,
    /// When it may begin; at once, without.
    pub scheduled_at: Option<Timestamp>,
    /// What it shares with others that are one undertaking.
    pub rollout: Option<String>,
    /// Whether the others of its rollout wait for it.
    pub canary: bool,
    /// What its owner writes to it.
    pub note: String,
}

impl Default for AskPipeline {
    fn default() -> Self {
        Self {
            wanted: Wanted::All,
            strategy: Strategy::default(),
            requires_approval: true,
            rollback: RollBack::default(),
            snapshot: true,
            paths: Vec::new(),
            scheduled_at: None,
            rollout: None,
            canary: false,
            note: String::new(),
        }
    }
}

/// What is to be updated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Everything that is on offer.
    All,
    /// What is on offer of these kinds, and some more.
    Offered {
        /// `core`, `plugin`, `theme`.
        kinds: Vec<String>,
        /// What else.
        and: Vec<AskTarget>,
    },
    /// These.
    These(Vec<AskTarget>),
}

/// One thing to update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskTarget {
    /// `core`, `plugin` or `theme`.
    pub kind: String,
    /// Its directory, or a plugin's main file; not looked at for WordPress.
    pub slug: String,
    /// The version to go to; the newest, without.
    pub version: Option<String>,
}

impl Fleet {
    /// Asks for a safe update of the site that programs call so. Nothing is done to the site
    /// yet: it is `pending`, and a worker takes it up when its time has come.
    ///
    /// Errors: `Invalid`, with everything that cannot be, or a target that is not installed;
    /// `Conflict` where the site is not connected, has another one that is not over, or
    /// nothing is on offer; `NotFound`, `Forbidden`.
    pub async fn ask_pipeline(
        &self,
        caller: &Caller,
        site: &ShortId,
        ask: AskPipeline,
    ) -> Result<Pipeline> {
        let site = self.site_for(caller, Action::ComponentUpdate, site).await?;
        self.pipeline_of(caller, &site, ask).await
    }

    /// The same of the site whose running WordPress this is.
    pub async fn ask_pipeline_at(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        ask: AskPipeline,
    ) -> Result<Pipeline> {
        let row = self
            .environment_row(caller, Action::ComponentUpdate, environment)
            .await?
            .env;
        let site = environments::get_site(&self.parts.store, row.site_id).await?;
        let site = site.ok_or_else(|| Error::not_found("site"))?;
        self.pipeline_of(caller, &site, ask).await
    }

    async fn pipeline_of(
        &self,
        caller: &Caller,
        site: &SiteRow,
        ask: AskPipeline,
    ) -> Result<Pipeline> {
        if let Some(made) = caller.earlier_made() {
            return self.pipeline_made(made).await;
        }
        let now = self.parts.store.now().await?;
        refuse(problems(&ask, now))?;
        let row = self.running(site).await?;
        if pipelines::open_of(&self.parts.store, site.id)
            .await?
            .is_some()
        {
            return Err(in_the_way());
        }
        // What is recorded may be older than the disk. A site that is out of reach for the moment
        // is asked again by the preflight.
        if let Err(error) = self.refresh_row(&row).await {
            tracing::debug!(%error, "what is recorded of the site is taken for what it has");
        }
        let installed = components::list(&self.parts.store, row.id).await?;
        let wanted = self.targets_wanted(&row, &installed, &ask.wanted).await?;
        let tx = self.parts.store.begin().await?;
        let made = record(&tx, caller, site, &row, ask, wanted, false).await?;
        tx.commit().await?;
        self.pipeline_view(made).await
    }

    /// What a pipeline would update at a site: from which version to which, as far as it is
    /// known before anything is fetched.
    ///
    /// Errors: as [`Fleet::ask_pipeline`].
    pub async fn preview_pipeline(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        wanted: &Wanted,
    ) -> Result<Vec<Target>> {
        let row = self
            .environment_row(caller, Action::SiteRead, environment)
            .await?
            .env;
        self.refresh_row(&row).await?;
        let row = environments::get(&self.parts.store, row.id)
            .await?
            .ok_or_else(|| Error::not_found("site"))?;
        let installed = components::list(&self.parts.store, row.id).await?;
        let site = environments::get_site(&self.parts.store, row.site_id).await?;
        let site = site.ok_or_else(|| Error::not_found("site"))?;
        let excluded = self.effective_policy(&site).await?.policy.exclusions;
        let mut targets = Vec::new();
        for new in self.targets_wanted(&row, &installed, wanted).await? {
            let is_excluded = is_excluded(&excluded, &new.kind, &new.slug);
            let mut target = self.foreseen(&row, &installed, new).await;
            if is_excluded && target.error.is_none() {
                // Whoever asks for it gets it, and is told.
                target.error = Some("the policy excludes it from what begins by itself".to_owned());
            }
            targets.push(target);
        }
        Ok(targets)
    }

    async fn foreseen(
        &self,
        row: &EnvironmentRow,
        installed: &[ComponentRow],
        new: NewTarget,
    ) -> Target {
        let found = installed
            .iter()
            .find(|found| found.kind == new.kind && found.slug == new.slug);
        let (name, from, offered) = if let Some(found) = found {
            let (name, version) = (found.name.clone(), found.version.clone());
            (name, version, found.new_version.clone())
        } else {
            let offered = self.newer_core(&row.core_version).await;
            ("WordPress".to_owned(), row.core_version.clone(), offered)
        };
        let to = new.wanted.or(offered);
        Target {
            error: to.is_none().then(|| "nothing newer is on offer".to_owned()),
            slug: (new.kind != CORE).then_some(new.slug),
            kind: new.kind,
            name,
            from_version: Some(from),
            to_version: to,
            active: None,
            status: TargetState::Pending,
        }
    }

    /// The version of WordPress that is on offer, where it is newer. A source that does not
    /// answer offers nothing.
    pub(super) async fn newer_core(&self, current: &str) -> Option<String> {
        let (packages, slug) = (&self.parts.packages, PackageKind::CORE_SLUG);
        let standing = packages.standing(PackageKind::Core, slug, Some(current));
        match standing.await {
            Ok(Standing::Older(offer)) => Some(offer.version),
            _ => None,
        }
    }

    async fn targets_wanted(
        &self,
        row: &EnvironmentRow,
        installed: &[ComponentRow],
        wanted: &Wanted,
    ) -> Result<Vec<NewTarget>> {
        let every = ["core", "plugin", "theme"].map(str::to_owned);
        match wanted {
            Wanted::All => self.on_offer(row, installed, &every, Vec::new()).await,
            Wanted::Offered { kinds, and } => {
                let and = resolve(and, installed)?;
                self.on_offer(row, installed, kinds, and).await
            }
            Wanted::These(targets) => resolve(targets, installed),
        }
    }

    /// What an earlier run of the same request has made.
    async fn pipeline_made(&self, id: i64) -> Result<Pipeline> {
        let row = pipelines::get(&self.parts.store, PipelineId::new(id)).await?;
        let row: PipelineRow = row.ok_or_else(|| Error::not_found("pipeline"))?;
        self.pipeline_view(row).await
    }

    /// The running WordPress of a site.
    pub(super) async fn running(&self, site: &SiteRow) -> Result<EnvironmentRow> {
        let known = sites::known(&self.parts.store, site.id).await?;
        let known = known.ok_or_else(|| Error::not_found("site"))?;
        let row = known.environment.clone();
        let view = Site::from(known);
        row.filter(|_| view.connected).ok_or_else(|| {
            Error::conflict("site is not connected").with_hint(
                "`pressroom site show` says why; what cannot be reached cannot be updated",
            )
        })
    }

    /// What is on offer for a site of these kinds, and what is wanted besides.
    async fn on_offer(
        &self,
        row: &EnvironmentRow,
        installed: &[ComponentRow],
        kinds: &[String],
        mut targets: Vec<NewTarget>,
    ) -> Result<Vec<NewTarget>> {
        let mut offered: Vec<NewTarget> = installed
            .iter()
            .filter(|found| kinds.contains(&found.kind) && found.place == "normal")
            .filter(|found| found.new_version.is_some())
            .map(|found| NewTarget {
                kind: found.kind.clone(),
                slug: found.slug.clone(),
                wanted: None,
            })
            .collect();
        let current = environments::get(&self.parts.store, row.id)
            .await?
            .map(|row| row.core_version)
            .filter(|version| !version.is_empty());
        if let Some(current) = current
            && kinds.iter().any(|kind| kind == CORE)
            && self.newer_core(&current).await.is_some()
        {
            offered.push(core());
        }
        // What was named keeps the version it was named with.
        offered.retain(|new| {
            let named = |it: &NewTarget| it.kind == new.kind && it.slug == new.slug;
            !targets.iter().any(named)
        });
        targets.append(&mut offered);
        if targets.is_empty() {
            return Err(Error::conflict("no updates available").with_code(code::UP_TO_DATE));
        }
        targets.truncate(MOST_TARGETS);
        Ok(targets)
    }
}

/// Records a pipeline of these targets; `by_policy` where nobody asked for it.
pub(super) async fn record(
    tx: &Tx,
    caller: &Caller,
    site: &SiteRow,
    row: &EnvironmentRow,
    ask: AskPipeline,
    wanted: Vec<NewTarget>,
    by_policy: bool,
) -> Result<PipelineRow> {
    let options = Options {
        strategy: ask.strategy,
        rollback: ask.rollback,
        snapshot: ask.snapshot,
        paths: Some(ask.paths)
            .filter(|paths| !paths.is_empty())
            .unwrap_or_else(|| vec!["/".to_owned()]),
        note: ask.note,
        by_policy,
    };
    let new = NewPipeline {
        site_id: site.id,
        account_id: site.account_id,
        environment_id: row.id,
        options: serde_json::to_value(&options).map_err(Error::internal)?,
        stages: Stages::new(ask.snapshot, ask.requires_approval).written(),
        requires_approval: ask.requires_approval,
        scheduled_at: ask.scheduled_at,
        rollout: ask.rollout,
        canary: ask.canary,
        created_by: caller.principal.user_id(),
        actor: caller.principal.label().to_owned(),
    };
    let told = json!({
        "targets": wanted.iter().map(|it| label(&it.kind, &it.slug)).collect::<Vec<_>>(),
        "by_policy": by_policy,
    });
    let made = pipelines::create(tx, new, wanted)
        .await
        .map_err(|error| match error {
            // Somebody else was quicker.
            pressroom_store::Error::Exists { .. } => in_the_way(),
            other => other.into(),
        })?;
    caller.makes(tx, made.id.get()).await?;
    let kind = event::UPGRADE_PIPELINE_CREATED;
    tell::happened(tx, kind, &made, Teller::of(caller), told).await?;
    Ok(made)
}

fn in_the_way() -> Error {
    Error::conflict("site already has an active upgrade pipeline")
        .with_hint("`pressroom pipeline list --open` shows it; cancel it, or wait until it is over")
}

fn core() -> NewTarget {
    NewTarget {
        kind: CORE.to_owned(),
        slug: CORE.to_owned(),
        wanted: None,
    }
}

/// What is asked for in names that are installed, each once.
fn resolve(asked: &[AskTarget], installed: &[ComponentRow]) -> Result<Vec<NewTarget>> {
    let mut targets: Vec<NewTarget> = Vec::new();
    for target in asked {
        let slug = if target.kind == CORE {
            CORE.to_owned()
        } else {
            let found = installed.iter().find(|row| {
                row.kind == target.kind
                    && row.place == "normal"
                    && (row.slug == target.slug || row.file == target.slug)
            });
            found.map(|row| row.slug.clone()).ok_or_else(|| {
                Error::invalid(format!(
                    "target {} {} is not installed",
                    target.kind,
                    target.slug.escape_debug()
                ))
                .with_code(code::UNPROCESSABLE)
            })?
        };
        let same = targets
            .iter()
            .any(|it| it.kind == target.kind && it.slug == slug);
        if !same {
            targets.push(NewTarget {
                kind: target.kind.clone(),
                slug,
                wanted: target.version.clone(),
            });
        }
    }
    Ok(targets)
}

fn problems(ask: &AskPipeline, now: Timestamp) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut no = |field, text: String| found.push(Problem::new(field, text));
    let named = match &ask.wanted {
        Wanted::All => None,
        Wanted::Offered { and, .. } => Some(and),
        Wanted::These(targets) => Some(targets),
    };
    if let Some(targets) = named {
        if targets.is_empty() && matches!(ask.wanted, Wanted::These(_)) {
            no("targets", "can't be blank".into());
        }
        if targets.len() > MOST_TARGETS {
            no(
                "targets",
                format!("are too many (maximum is {MOST_TARGETS})"),
            );
        }
        for target in targets {
            if !matches!(target.kind.as_str(), "core" | "plugin" | "theme") {
                no(
                    "targets",
                    "are of types `core`, `plugin` and `theme`".into(),
                );
            } else if target.kind != CORE && target.slug.is_empty() {
                no("targets", "need a slug, unless they are `core`".into());
            }
            if target.version.as_deref().is_some_and(|it| !is_version(it)) {
                no("targets", "have a version that cannot be".into());
            }
        }
    }
    if !ask.snapshot && ask.rollback == RollBack::Auto {
        no(
            "snapshot",
            "can be left out only where rollback is manual".into(),
        );
    }
    if ask.paths.len() > MOST_PATHS {
        let text = format!("are too many (maximum is {MOST_PATHS})");
        no("health_check_paths", text);
    }
    if ask.paths.iter().any(|path| !is_path(path)) {
        no(
            "health_check_paths",
            "must begin with `/` and stay on the site".into(),
        );
    }
    if ask.scheduled_at.is_some_and(|at| at > now.plus(FURTHEST)) {
        no("scheduled_at", "must be within 30 days".into());
    }
    let rollout = ask.rollout.as_deref();
    if rollout.is_some_and(|it| it.is_empty() || it.chars().count() > LONGEST_ROLLOUT) {
        let text = format!("must have 1 to {LONGEST_ROLLOUT} characters");
        no("rollout_id", text);
    }
    if ask.canary && rollout.is_none() {
        no("canary", "needs a rollout_id".into());
    }
    if ask.note.chars().count() > LONGEST_NOTE {
        let text = format!("is too long (maximum is {LONGEST_NOTE} characters)");
        no("note", text);
    }
    found
}

/// A path on the site itself, with a query if need be.
fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= LONGEST_PATH
        && !path
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || c == '\\' || c == '#')
        && !path.split(['/', '?']).any(|part| part == "..")
}

fn is_version(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_VERSION
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".+-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_on_the_site() {
        for good in ["/", "/a/b?c=d", "/ä"] {
            assert!(is_path(good), "{good}");
        }
        let long = format!("/{}", "a".repeat(LONGEST_PATH));
        for bad in [
            "",
            "a",
            "//evil.example",
            "/../x",
            "/a/..",
            "/a b",
            "/a\n",
            "/\\x",
            "/#a",
            &long,
        ] {
            assert!(!is_path(bad), "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_is_told_of_each_field() {
        let ask = AskPipeline {
            wanted: Wanted::These(Vec::new()),
            snapshot: false,
            paths: vec!["x".into()],
            scheduled_at: Some(Timestamp::from_millis(0).plus(FURTHEST * 2)),
            rollout: Some(String::new()),
            note: "a".repeat(LONGEST_NOTE + 1),
            ..AskPipeline::default()
        };
        let told = problems(&ask, Timestamp::from_millis(0));
        let fields: Vec<_> = told.iter().map(|it| it.field).collect();
        let expected = [
            "targets",
            "snapshot",
            "health_check_paths",
            "scheduled_at",
            "rollout_id",
            "note",
        ];
        assert_eq!(fields, expected);
        assert!(problems(&AskPipeline::default(), Timestamp::from_millis(0)).is_empty());
    }

    #[test]
    fn each_target_is_there_once_and_installed() {
        let target = |kind: &str, slug: &str| AskTarget {
            kind: kind.into(),
            slug: slug.into(),
            version: None,
        };
        let twice = [target("core", "x"), target("core", "")];
        assert_eq!(resolve(&twice, &[]).unwrap(), [core()]);
        let error = resolve(&[target("plugin", "foo")], &[]).unwrap_err();
        assert_eq!(error.message(), "target plugin foo is not installed");
    }
}
