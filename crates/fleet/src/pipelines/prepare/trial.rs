//! One throw-away clone: made, looked at, updated, looked at again, and removed.

use super::{
    active::InUse,
    complaints,
    inside::{self, Inside, Schedule},
    sign_in::sign_in,
};
use crate::{
    Error, Result,
    core::upgrade_tables,
    pipelines::{
        StageName,
        course::Course,
        exchange::{Exchange, Piece},
        looking::{BLOCKING, Compared, Depth, Eyes, Shown, Which, start_admin},
        pictures::{Pair, keep_pictures},
        plan::package_of,
        translations::add_translations,
        view::{CORE, label},
    },
};
use pressroom_agent::protocol::{Boot, SiteRef};
use pressroom_base::{Kind, Secret};
use pressroom_carrier::Session;
use pressroom_store::{NewFinding, TargetRow};
use pressroom_wordpress::{
    bridge::Action,
    rehearsal::{Rehearsal, RehearsalLog, RehearsalOptions},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// Scheduled events are run that will be due within so many seconds: nobody waits for those of
/// the week, and what dies in them would die at the site unseen.
const AHEAD_S: u32 = 8 * 24 * 3600;

/// Tries updates of one site.
pub(super) struct Trial<'a> {
    pub(super) course: &'a Course<'a>,
    pub(super) session: &'a Session,
}

/// What a trial showed.
pub(super) struct Tried {
    pub(super) verdict: Verdict,
    /// The figures behind it.
    pub(super) detail: Value,
}

/// Whether the updates may be made at the site.
pub(super) enum Verdict {
    /// Nothing is worse.
    Fine {
        /// What is otherwise, all the same.
        findings: Vec<NewFinding>,
        /// Why no pictures were compared, where none were.
        seen: Option<String>,
    },
    /// This one is bad.
    Bad {
        target: TargetRow,
        findings: Vec<NewFinding>,
    },
    /// One of them is, or all of them together.
    Somebody { findings: Vec<NewFinding> },
}

impl Trial<'_> {
    /// Makes a clone, and all of these updates in it.
    pub(super) async fn all(&self, targets: &[TargetRow]) -> Result<Tried> {
        let clone = self.clone_site().await?;
        let tried = clone.all(targets).await;
        clone.removed(tried).await
    }

    /// Makes a clone, and these updates in it one after the other, until one is bad.
    pub(super) async fn one_by_one(
        &self,
        targets: &[TargetRow],
    ) -> Result<Option<(TargetRow, Vec<NewFinding>)>> {
        let clone = self.clone_site().await?;
        let tried = clone.one_by_one(targets).await;
        clone.removed(tried).await
    }

    async fn clone_site(&self) -> Result<Clone<'_>> {
        let (course, session) = (self.course, self.session);
        let epoch = course.ctx.epoch();
        let site = course.fleet.site_ref(&course.site);
        let options = RehearsalOptions::default();
        let made = session.make_rehearsal(epoch, site, options).await?;
        course.ctx.line(format!(
            "a clone of {} files and {} tables was made in {} ms",
            made.files, made.tables, made.took_ms
        ));
        let signed_in = sign_in(course, session, &made).await;
        Ok(Clone {
            course,
            session,
            made,
            signed_in,
        })
    }
}

/// How it is with them.
struct Judged {
    compared: Compared,
    after: Arc<Shown>,
    log: RehearsalLog,
    inside: Inside,
    in_use: InUse,
}

/// How a clone was before its updates.
struct Before {
    /// Scheduled events that die, and of what.
    cron: BTreeMap<String, String>,
    shown: Arc<Shown>,
    log: RehearsalLog,
    inside: Inside,
    in_use: InUse,
}

/// A clone that is there.
struct Clone<'a> {
    course: &'a Course<'a>,
    session: &'a Session,
    made: Rehearsal,
    /// Cookies of an administrator of it.
    signed_in: Option<Secret<String>>,
}

impl Clone<'_> {
    async fn all(&self, targets: &[TargetRow]) -> Result<Tried> {
        let before = self.before().await?;
        for target in targets {
            self.course.ctx.check()?;
            if let Some(found) = self.update(target, &before.shown).await? {
                return Ok(Tried {
                    verdict: Verdict::Bad {
                        target: target.clone(),
                        findings: vec![found],
                    },
                    detail: self.detail(&self.log().await?),
                });
            }
        }
        let now = self.judge(&before, targets).await?;
        let blamed = match targets {
            [only] if is_bad(&now.compared.findings) => Some(only),
            _ => None,
        };
        self.keep(blamed, &before, &now).await;
        let Judged {
            compared: Compared { findings, .. },
            after,
            log,
            ..
        } = now;
        let verdict = match (is_bad(&findings), targets) {
            (false, _) => {
                let seen = before
                    .shown
                    .sight
                    .no_pictures()
                    .or(after.sight.no_pictures());
                Verdict::Fine {
                    findings,
                    seen: seen.map(str::to_owned),
                }
            }
            (true, [only]) => Verdict::Bad {
                target: only.clone(),
                findings,
            },
            (true, _) => Verdict::Somebody { findings },
        };
        let detail = self.detail(&log);
        Ok(Tried { verdict, detail })
    }

    async fn one_by_one(
        &self,
        targets: &[TargetRow],
    ) -> Result<Option<(TargetRow, Vec<NewFinding>)>> {
        let mut before = self.before().await?;
        for target in targets {
            self.course.ctx.check()?;
            if let Some(found) = self.update(target, &before.shown).await? {
                return Ok(Some((target.clone(), vec![found])));
            }
            let now = self.judge(&before, std::slice::from_ref(target)).await?;
            if is_bad(&now.compared.findings) {
                self.keep(Some(target), &before, &now).await;
                return Ok(Some((target.clone(), now.compared.findings)));
            }
            (before.log, before.inside) = (now.log, now.inside);
            before.in_use = now.in_use;
        }
        Ok(None)
    }

    /// Fails with [`Kind::Unsupported`] where the clone does not answer, as the site did: no
    /// update is tried by what nobody can see.
    async fn before(&self) -> Result<Before> {
        let (cron, schedule) = self.cron().await?;
        let shown = self.look(Depth::Whole, None).await?;
        if let Some(why) = shown.sight.unanswered() {
            let text = format!("a clone was made, and does not answer: {why}");
            return Err(Error::new(Kind::Unsupported, text));
        }
        Ok(Before {
            cron,
            shown,
            inside: self.inside(schedule).await?,
            in_use: self.in_use().await?,
            log: self.log().await?,
        })
    }

    /// Runs what is scheduled, looks, and holds both against before `targets` were updated.
    async fn judge(&self, before: &Before, targets: &[TargetRow]) -> Result<Judged> {
        let (cron, schedule) = self.cron().await?;
        let after = self.look(Depth::Whole, Some(&before.shown)).await?;
        // Behind the look: a page view is when a plugin would act.
        let in_use = self.in_use().await?;
        let updated: Vec<_> = targets.iter().map(|it| label(&it.kind, &it.slug)).collect();
        let mut findings = in_use.findings(&before.in_use, &updated);
        for (hook, error) in cron {
            if !before.cron.contains_key(&hook) {
                findings.push(died(hook, error));
            }
        }
        let stage = StageName::Rehearsal.as_str();
        let seen = after.compare(&before.shown, stage).await?;
        findings.extend(seen.findings);
        let inside = self.inside(schedule).await?;
        findings.extend(inside.findings(&before.inside));
        let log = self.log().await?;
        findings.extend(complaints::new_errors(&before.log, &log));
        Ok(Judged {
            compared: Compared {
                findings,
                differences: seen.differences,
            },
            after,
            log,
            inside,
            in_use,
        })
    }

    async fn in_use(&self) -> Result<InUse> {
        let site = SiteRef {
            root: self.made.root.clone(),
            ..self.course.fleet.site_ref(&self.course.site)
        };
        let survey = self.session.survey(site, &[]).await?;
        Ok(InUse::of(&survey.inspection))
    }

    /// Keeps the pages as they were shown: of all updates together, or of the one that is bad.
    async fn keep(&self, blamed: Option<&TargetRow>, before: &Before, now: &Judged) {
        let pair = Pair {
            stage: StageName::Rehearsal,
            target: blamed.map(|target| label(&target.kind, &target.slug)),
            before: &before.shown,
            after: &now.after,
        };
        keep_pictures(self.course, &pair, &now.compared.differences).await;
    }

    fn boot(&self) -> Boot {
        let php = self.course.fleet.php_of(&self.course.site);
        Boot::new(&self.made.root, php)
    }

    /// What no visitor sees, behind a look.
    async fn inside(&self, first: Schedule) -> Result<Inside> {
        let epoch = Some(self.course.ctx.epoch());
        let asked = inside::questions();
        let report = self.session.bridge_with(epoch, self.boot(), asked).await?;
        Ok(Inside::of(first, &report))
    }

    /// Removes the clone, whatever came of it. What the work says matters more than that it
    /// could not be cleared away: the next session removes it.
    async fn removed<T>(self, worked: Result<T>) -> Result<T> {
        let epoch = self.course.ctx.epoch();
        let dropped = self.session.drop_rehearsal(epoch, &self.made.handle).await;
        let worked = worked?;
        dropped?;
        Ok(worked)
    }

    async fn look(&self, depth: Depth, before: Option<&Arc<Shown>>) -> Result<Arc<Shown>> {
        let eyes = Eyes {
            course: self.course,
            session: self.session,
            which: Which::Clone {
                handle: &self.made.handle,
                root: &self.made.root,
                signed_in: self.signed_in.as_ref(),
            },
        };
        eyes.look(depth, before.map(|before| &before.sight)).await
    }

    async fn log(&self) -> Result<RehearsalLog> {
        Ok(self.session.rehearsal_log(&self.made.handle).await?)
    }

    /// Makes one update, with its upgrade of the tables; what is plainly wrong with it.
    async fn update(&self, target: &TargetRow, before: &Arc<Shown>) -> Result<Option<NewFinding>> {
        let (course, session) = (self.course, self.session);
        let (epoch, root) = (course.ctx.epoch(), self.made.root.as_str());
        let piece = Piece {
            kind: &target.kind,
            slug: &target.slug,
        };
        let to = target.to_version.as_deref().unwrap_or_default();
        let making = async {
            let seen = session.inspect(root).await?;
            let found = piece.found(&seen).filter(|_| target.kind != CORE);
            let package = package_of(course, target, found, to).await?;
            let mut exchange =
                Exchange::stage(session, epoch, &course.site, root, piece, &package).await?;
            add_translations(course, session, root, &mut exchange, to).await?;
            exchange.settle_before(session).await?;
            exchange.swap(session, epoch).await?;
            // There is nothing to go back to: the clone goes as a whole.
            exchange.drop_staged(session, epoch).await
        };
        match making.await {
            Ok(()) => {}
            Err(error) if course.ctx.check().is_err() => return Err(error),
            Err(error) if is_about_package(&error) => {
                return Ok(Some(blamed(target, "package_bad", error.message())));
            }
            Err(error) => return Err(error),
        }
        let seen = session.inspect(root).await?;
        if piece.version(&seen).as_deref() != Some(to) {
            let text = match piece.version(&seen) {
                Some(now) => format!("its files say version {now}"),
                None => "WordPress would not recognise it any more".to_owned(),
            };
            return Ok(Some(blamed(target, "version_wrong", &text)));
        }
        if let Some(why) = self.unmet(target, piece, &seen) {
            return Ok(Some(blamed(target, "requirement_unmet", &why)));
        }
        if target.kind == CORE {
            let upgrading = upgrade_tables(course.fleet, course.ctx, session, &course.site, root);
            if let Err(why) = upgrading.await? {
                let text = format!("its upgrade of the tables failed: {why}");
                return Ok(Some(blamed(target, "upgrade_failed", &text)));
            }
        }
        let fatal = start_admin(course, session, root).await?;
        if let Some(fatal) = fatal.filter(|_| before.sight.starts_admin()) {
            let text = format!("wp-admin does not start with it: {fatal}");
            return Ok(Some(blamed(target, "admin_broken", &text)));
        }
        Ok(None)
    }

    /// What it needs and the site has not.
    fn unmet(
        &self,
        target: &TargetRow,
        piece: Piece<'_>,
        seen: &pressroom_wordpress::inventory::Inspection,
    ) -> Option<String> {
        use pressroom_phpdata::version::compare;
        let found = piece.found(seen)?;
        let lacks = |needed: Option<&String>, has: &str| {
            let needed = needed?;
            let is_older = !has.is_empty() && compare(has, needed) == std::cmp::Ordering::Less;
            is_older.then(|| needed.clone())
        };
        let name = label(&target.kind, &target.slug);
        let php = &self.course.site.php_version;
        if let Some(needed) = lacks(found.requires_php.as_ref(), php) {
            return Some(format!("{name} needs PHP {needed}, the site has {php}"));
        }
        let wordpress = seen.version.as_deref().unwrap_or_default();
        let needed = lacks(found.requires_wordpress.as_ref(), wordpress)?;
        Some(format!(
            "{name} needs WordPress {needed}, the site has {wordpress}"
        ))
    }

    /// Runs what is scheduled and due or will be soon; the hooks that died, and of what, and the
    /// schedule from before. Whether the site itself was running its events when it was copied
    /// is of no account here.
    async fn cron(&self) -> Result<(BTreeMap<String, String>, Schedule)> {
        let epoch = self.course.ctx.epoch();
        let boot = self.boot();
        let forget = Action::DeleteTransients {
            expired_only: false,
            network: false,
        };
        let asked = vec![forget, Action::ListCron];
        let report = self.session.bridge_with(Some(epoch), boot.clone(), asked);
        let schedule = Schedule::of(&report.await?);
        let ran = match self.session.run_cron(epoch, boot, AHEAD_S).await {
            Ok(ran) => ran,
            Err(error) if self.course.ctx.check().is_err() => return Err(error.into()),
            // That WordPress does not start is told by the look.
            Err(error) => {
                self.course.ctx.line(format!(
                    "scheduled events were not run in the clone: {error}"
                ));
                return Ok((BTreeMap::new(), schedule));
            }
        };
        let died = ran
            .ran
            .into_iter()
            .filter(|event| !event.ok)
            .map(|event| (event.hook, event.error.unwrap_or_default()))
            .collect();
        Ok((died, schedule))
    }

    /// What the report says of the clone.
    fn detail(&self, log: &RehearsalLog) -> Value {
        let made = &self.made;
        json!({
            "files": made.files,
            "tables": made.tables,
            "bytes_copied": made.bytes_copied,
            "bytes_shared": made.bytes_shared,
            "bytes_tables": made.bytes_tables,
            "took_ms": made.took_ms,
            "otherwise_than_the_site": made.dropped,
            "not_kept_from_happening": made.unblocked,
            "kept_from_happening": log.attempts,
        })
    }
}

/// What is plainly wrong with a target.
fn blamed(target: &TargetRow, what: &str, text: &str) -> NewFinding {
    NewFinding {
        stage: StageName::Rehearsal.as_str().to_owned(),
        target: None,
        what: what.to_owned(),
        severity: BLOCKING.to_owned(),
        place: label(&target.kind, &target.slug),
        was: target.from_version.clone().unwrap_or_default(),
        now: target.to_version.clone().unwrap_or_default(),
        message: text.to_owned(),
    }
}

/// A scheduled event that did not die before.
fn died(hook: String, error: String) -> NewFinding {
    NewFinding {
        stage: StageName::Rehearsal.as_str().to_owned(),
        target: None,
        what: "cron_broken".to_owned(),
        severity: BLOCKING.to_owned(),
        message: format!("the scheduled event `{hook}` dies: {error}"),
        place: hook,
        was: "it ran".to_owned(),
        now: error,
    }
}

fn is_bad(findings: &[NewFinding]) -> bool {
    findings.iter().any(|found| found.severity == BLOCKING)
}

/// Whether the package is at fault, not the way to the site.
fn is_about_package(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::Invalid | Kind::Remote | Kind::Unsupported | Kind::NotFound
    )
}
