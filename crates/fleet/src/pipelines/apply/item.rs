//! One target: what it was, stage, exchange, upgrade routines, judgement; and back if the
//! site suffers.

use super::{
    attempt::{Act, Attempt, made},
    back::Back,
    tables,
};
use crate::{
    Error, Result,
    core::upgrade_tables,
    maintenance::during_maintenance,
    pipelines::{
        StageName,
        course::Course,
        exchange::{Exchange, Piece},
        looking::{BLOCKING, Depth, Eyes, Shown, Which, answers, start_admin},
        options::{RollBack, Strategy},
        plan::package_of,
        tell,
        translations::{Left, add_translations},
        view::{CORE, label},
    },
    reach::told,
    teller::Teller,
};
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_providers::packages::Package;
use pressroom_store::{NewFinding, TargetPatch, TargetRow, TargetState, pipelines};
use pressroom_wordpress::{core::LANGUAGES, inventory::Survey, recovery::Recovery};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// Tries at one target whose workers were lost, before it is left alone.
const MOST_TRIES: usize = 2;

/// Until a site that answers, but not well, is looked at again.
const SECOND_LOOK: Duration = Duration::from_secs(2);

/// A target under way.
pub(super) struct Item<'a> {
    pub(super) course: &'a Course<'a>,
    pub(super) session: &'a Session,
    pub(super) recovery: &'a Recovery,
    pub(super) target: &'a TargetRow,
    /// How the site was before the first of all targets.
    pub(super) baseline: &'a Arc<Shown>,
}

/// What a look right after the exchange shows.
struct Gate {
    /// What an update stops for, the worst first.
    findings: Vec<NewFinding>,
    /// Whether the front page answers.
    answers: bool,
}

/// What came of putting it in place.
enum Applied {
    /// Nothing went live, and why.
    Not(String),
    /// It is live; what went wrong with that, if something did.
    Live(Attempt, Option<String>),
}

/// How the upgrade goes on after a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// With the next one.
    On,
    /// Not at all: a person is to repair the site.
    Stop,
}

impl Item<'_> {
    /// Brings a target to its end: updated and verified, or as it was.
    pub(super) async fn run(&self) -> Result<Next> {
        let (course, ctx) = (self.course, self.course.ctx);
        if self.target.status == TargetState::Updating {
            let tries = made(ctx, self.target).await?.len();
            let why = "its worker was lost";
            self.back().put(why).await?;
            if tries >= MOST_TRIES {
                let text = format!("{why}, more than once: it is as it was");
                return self.end(TargetState::RolledBack, &text).await;
            }
            ctx.line(format!("{}: {why}; it is tried again", self.label()));
        }
        let updating = TargetPatch {
            status: Some(TargetState::Updating),
            ..TargetPatch::default()
        };
        course.set(self.target, updating).await?;
        let survey = self.survey().await?;
        if let Some(why) = self.changed(&survey) {
            return self.end(TargetState::Failed, &why).await;
        }
        if let Some(trouble) = answers(course).await {
            let why = format!(
                "the site did not answer before ({trouble}), so that its health afterwards could not be judged"
            );
            return self.end(TargetState::Failed, &why).await;
        }
        let exchange = match self.stage(&survey).await {
            Ok(exchange) => exchange,
            Err(error) if is_about_package(&error) => {
                return self.end(TargetState::Failed, error.message()).await;
            }
            Err(error) => return Err(error),
        };
        let active = self.is_active(&survey);
        let applying = self.apply(exchange, active);
        let root = &course.site.path;
        match during_maintenance(ctx, self.session, root, applying).await? {
            Applied::Not(why) => {
                self.leave().await?;
                self.end(TargetState::Failed, &why).await
            }
            Applied::Live(attempt, trouble) => {
                if trouble.is_none() {
                    self.open().await?;
                }
                self.judge(&attempt, trouble).await
            }
        }
    }

    fn label(&self) -> String {
        label(&self.target.kind, &self.target.slug)
    }

    fn piece(&self) -> Piece<'_> {
        Piece {
            kind: &self.target.kind,
            slug: &self.target.slug,
        }
    }

    fn back(&self) -> Back<'_> {
        Back {
            course: self.course,
            session: self.session,
            recovery: self.recovery,
            target: self.target,
        }
    }

    async fn survey(&self) -> Result<Survey> {
        let site = self.course.fleet.site_ref(&self.course.site);
        Ok(self.session.survey(site, &[]).await?)
    }

    fn is_active(&self, survey: &Survey) -> Option<bool> {
        self.piece().found(&survey.inspection)?.active
    }

    /// Why it is not what was tried, if it is not.
    fn changed(&self, survey: &Survey) -> Option<String> {
        let now = self.piece().version(&survey.inspection);
        if now == self.target.from_version {
            return None;
        }
        Some(match now {
            Some(now) => format!(
                "somebody else has changed it to {now} since it was tried; it was left as it is"
            ),
            None => "it is not there any more".to_owned(),
        })
    }

    async fn package(&self, survey: &Survey) -> Result<Package> {
        let found = self.piece().found(&survey.inspection);
        let to = self.target.to_version.as_deref().unwrap_or_default();
        let found = found.filter(|_| self.target.kind != CORE);
        package_of(self.course, self.target, found, to).await
    }

    async fn stage(&self, survey: &Survey) -> Result<Exchange> {
        let package = self.package(survey).await?;
        let (course, session, site) = (self.course, self.session, &self.course.site);
        let epoch = course.ctx.epoch();
        let mut exchange =
            Exchange::stage(session, epoch, site, &site.path, self.piece(), &package).await?;
        let to = self.target.to_version.as_deref().unwrap_or_default();
        let left = add_translations(course, session, &site.path, &mut exchange, to).await?;
        self.note(left).await?;
        Ok(exchange)
    }

    /// Keeps which translations do not go with it.
    async fn note(&self, left: Vec<Left>) -> Result<()> {
        if left.is_empty() {
            return Ok(());
        }
        let notes = left.into_iter().map(|left| NewFinding {
            severity: "note".to_owned(),
            target: Some(self.label()),
            place: left.locale.unwrap_or_else(|| LANGUAGES.to_owned()),
            ..self.finding("translation_left", &left.why)
        });
        let (course, id) = (self.course, self.course.row().id);
        let tx = course.ctx.begin().await?;
        // A worker that was lost may have said so already.
        let told = pipelines::findings(&tx, id).await?;
        let is_new = |note: &NewFinding| {
            let same = told.iter().filter(|it| it.what == note.what);
            same.filter(|it| it.message == note.message)
                .all(|it| it.place != note.place)
        };
        let notes = notes.filter(is_new).collect();
        pipelines::add_findings(&tx, id, notes).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Keeps the tables, exchanges the files and has them upgrade what is theirs, while nobody
    /// looks.
    async fn apply(&self, mut exchange: Exchange, active: Option<bool>) -> Result<Applied> {
        let (course, session) = (self.course, self.session);
        let ctx = course.ctx;
        let point = if tables::can_be_kept(session) {
            match tables::keep(course, session).await {
                Ok(point) => Some(point),
                Err(error) if ctx.check().is_ok() && is_about_package(&error) => {
                    let why = format!("the tables cannot be kept: {}", error.message());
                    return Ok(Applied::Not(why));
                }
                Err(error) => return Err(error),
            }
        } else if self.target.kind == CORE {
            let why = "the tables of this site cannot be kept, and are not upgraded without that";
            return Ok(Applied::Not(why.to_owned()));
        } else {
            None
        };
        if exchange.settle_before(session).await? {
            let why = "somebody else has changed them meanwhile";
            ctx.line(format!("translations are left as they are: {why}"));
        }
        let attempt = Attempt {
            exchange,
            active,
            point,
        };
        let intent = serde_json::to_value(&attempt).map_err(Error::internal)?;
        let swapping = attempt.exchange.swap(session, ctx.epoch());
        let name = Act::Swap.of(self.target);
        match ctx.step_intending(&name, intent, told(swapping)).await {
            Ok(()) => {}
            // A wish to stop, and what is lost on the way, are not the version's fault.
            Err(failure) if ctx.check().is_err() => return Err(failure.into()),
            Err(failure) if failure.kind != Kind::Remote => return Err(failure.into()),
            Err(failure) => return Ok(Applied::Live(attempt, Some(failure.message))),
        }
        self.flush().await;
        let trouble = self.upgrade().await?;
        if let Some(point) = &attempt.point {
            tables::seal(course, session, point).await?;
        }
        Ok(Applied::Live(attempt, trouble))
    }

    /// WordPress' upgrade of its tables, or the start of wp-admin in which plugins and themes
    /// upgrade theirs.
    async fn upgrade(&self) -> Result<Option<String>> {
        let course = self.course;
        let root = &course.site.path;
        if self.target.kind == CORE {
            let upgrading =
                upgrade_tables(course.fleet, course.ctx, self.session, &course.site, root);
            if let Err(why) = upgrading.await? {
                return Ok(Some(format!("its upgrade of the tables failed: {why}")));
            }
        }
        let fatal = start_admin(course, self.session, root).await?;
        Ok(fatal
            .filter(|_| self.baseline.sight.starts_admin())
            .map(|fatal| format!("wp-admin does not start with it: {fatal}")))
    }

    async fn flush(&self) {
        let course = self.course;
        let changed = vec![course.site.path.clone()];
        course
            .fleet
            .flush_caches(course.ctx, self.session, &course.site, changed)
            .await;
    }

    /// Visitors are let in again, to what was there before.
    async fn leave(&self) -> Result<()> {
        let course = self.course;
        let (ctx, fleet) = (course.ctx, course.fleet);
        fleet
            .leave_maintenance(ctx, self.session, &course.site)
            .await
    }

    async fn open(&self) -> Result<()> {
        let course = self.course;
        let opening = course
            .fleet
            .leave_maintenance(course.ctx, self.session, &course.site);
        let name = Act::Open.of(self.target);
        course.ctx.step(&name, told(opening)).await?;
        self.flush().await;
        Ok(())
    }

    async fn judge(&self, attempt: &Attempt, trouble: Option<String>) -> Result<Next> {
        let gated = self.course.options.strategy == Strategy::Canary;
        let findings = match trouble {
            Some(trouble) => vec![self.finding("upgrade_failed", &trouble)],
            None => self.findings(attempt, gated).await?,
        };
        let Some(worst) = findings.first().map(|found| found.message.clone()) else {
            let to = self.target.to_version.as_deref().unwrap_or_default();
            self.course
                .ctx
                .line(format!("{}: {to} is live and verified", self.label()));
            return self.end(TargetState::Updated, "").await;
        };
        self.tell(findings, &worst).await?;
        if self.course.options.rollback == RollBack::Manual {
            self.open().await?;
            self.end(TargetState::Failed, &worst).await?;
            return Ok(Next::Stop);
        }
        let text = self.back().put(&worst).await?;
        self.end(TargetState::RolledBack, &text).await
    }

    /// What is worse than before; without a gate, only what is plain to see on the disk.
    async fn findings(&self, attempt: &Attempt, gated: bool) -> Result<Vec<NewFinding>> {
        let to = self.target.to_version.clone();
        let survey = self.survey().await?;
        let now = self.piece().version(&survey.inspection);
        if now != to {
            let text = match now {
                Some(now) => format!("its files say version {now}"),
                None => "WordPress would not recognise it any more".to_owned(),
            };
            return Ok(vec![self.finding("version_wrong", &text)]);
        }
        if !gated {
            return Ok(Vec::new());
        }
        let mut found = self.look().await?;
        if let (true, Some(worst)) = (found.answers, found.findings.first()) {
            // What was compiled or kept while the files were exchanged is no fault of theirs.
            let (label, worst) = (self.label(), &worst.message);
            let text = format!("{label}: {worst}: caches are flushed, and it is looked at again");
            self.course.ctx.line(text);
            self.flush().await;
            sleep(SECOND_LOOK).await;
            self.course.ctx.check()?;
            found = self.look().await?;
        }
        // After the look: a page view is when it would act.
        let survey = self.survey().await?;
        let mut findings = found.findings;
        if attempt.active == Some(true) && self.is_active(&survey) == Some(false) {
            findings.insert(0, self.finding("deactivated", "it deactivated itself"));
        }
        Ok(findings)
    }

    /// What visitors see that is worse than before.
    async fn look(&self) -> Result<Gate> {
        let eyes = Eyes {
            course: self.course,
            session: self.session,
            which: Which::Site,
        };
        let shown = eyes.look(Depth::Gate, Some(&self.baseline.sight)).await?;
        let stage = StageName::Upgrade.as_str();
        let mut findings = shown.findings(self.baseline, stage).await?;
        // What else there is, the look at the whole tells.
        findings.retain(|found| found.severity == BLOCKING);
        let answers = shown.sight.unanswered().is_none();
        Ok(Gate { findings, answers })
    }

    fn finding(&self, what: &str, text: &str) -> NewFinding {
        NewFinding {
            stage: StageName::Upgrade.as_str().to_owned(),
            target: None,
            what: what.to_owned(),
            severity: BLOCKING.to_owned(),
            place: self.label(),
            was: self.target.from_version.clone().unwrap_or_default(),
            now: self.target.to_version.clone().unwrap_or_default(),
            message: text.to_owned(),
        }
    }

    async fn tell(&self, findings: Vec<NewFinding>, worst: &str) -> Result<()> {
        let course = self.course;
        let label = self.label();
        let blamed = findings.into_iter().map(|found| NewFinding {
            target: Some(label.clone()),
            ..found
        });
        let row = course.row();
        let tx = course.ctx.begin().await?;
        pipelines::add_findings(&tx, row.id, blamed.collect()).await?;
        let error = format!("{label}: {worst}");
        let back = course.options.rollback == RollBack::Auto;
        tell::failed(&tx, &row, Teller::of_job(course.ctx), &error, back).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn end(&self, status: TargetState, why: &str) -> Result<Next> {
        if !why.is_empty() {
            self.course.ctx.line(format!("{}: {why}", self.label()));
        }
        let patch = TargetPatch {
            status: Some(status),
            error: (!why.is_empty()).then(|| why.to_owned()),
            ..TargetPatch::default()
        };
        self.course.set(self.target, patch).await?;
        Ok(Next::On)
    }
}

/// Whether the package, not the way to the site, is at fault.
fn is_about_package(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::Invalid | Kind::Remote | Kind::Unsupported | Kind::Limited
    )
}
