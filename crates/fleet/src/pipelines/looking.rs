//! Looking at a site before and after, as its visitors do, and what is worse.

use super::course::Course;
use crate::{
    Error, Result,
    look::{Look, origin_of},
};
use async_trait::async_trait;
use pressroom_agent::protocol::Boot;
use pressroom_base::{Kind, Secret};
use pressroom_carrier::Session;
use pressroom_store::NewFinding;
use pressroom_visitor::{
    AtOrigin, Channel, Difference, Fetch, Fetched, Impression, Picture, Plan, Severity, Thresholds,
    Unreachable, Visitor, compare, compare_pictures,
    impression::{Pictures, Seen, Shot},
};
use pressroom_wordpress::{
    bridge::{Action, BridgeOptions},
    rehearsal::Visit,
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tokio_util::task::AbortOnDropHandle;

/// What a finding weighs for which an update stops.
pub(super) const BLOCKING: &str = "blocking";

/// What was seen of a site.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Sight {
    /// What PHP died of when WordPress was started as wp-admin; `None` when it did not.
    admin: Option<String>,
    /// What its visitors see.
    seen: Impression,
}

/// The same with the pictures, which are kept in memory alone.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) sight: Sight,
    pictures: Vec<Picture>,
}

/// Two looks, held against each other.
pub(super) struct Compared {
    /// What is worse, the worst first.
    pub(super) findings: Vec<NewFinding>,
    /// Each page of which there are pictures from both.
    pub(super) differences: Vec<Difference>,
}

/// How closely one looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Each page once: after each of several updates.
    Gate,
    /// Each page often enough to know what changes by itself, and pictures.
    Whole,
}

/// Which WordPress is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    /// The site itself.
    Site,
    /// A clone of it.
    Clone {
        /// What its agent knows it by.
        handle: &'a str,
        /// Where it is.
        root: &'a str,
        /// Cookies of somebody who may see wp-admin there.
        signed_in: Option<&'a Secret<String>>,
    },
}

/// Looks at one WordPress, over and over.
pub(super) struct Eyes<'a> {
    pub(super) course: &'a Course<'a>,
    pub(super) session: &'a Session,
    pub(super) which: Which<'a>,
}

impl Sight {
    /// Whether wp-admin started.
    pub(super) fn starts_admin(&self) -> bool {
        self.admin.is_none()
    }

    /// Why there are no pictures, where there should be some.
    pub(super) fn no_pictures(&self) -> Option<&str> {
        match &self.seen.pictures {
            Pictures::NotMade { why } => Some(why),
            Pictures::NotWanted => Some("nobody wanted any"),
            Pictures::Made { .. } => None,
        }
    }

    /// Why nothing can be said of the site: its front page never answered, or was dead.
    pub(super) fn unanswered(&self) -> Option<String> {
        let front = self.seen.pages.first()?;
        let is_dead =
            |seen: &Seen| !seen.has_answered() || seen.status.is_some_and(|status| status >= 500);
        if !front.alive.iter().all(is_dead) {
            return None;
        }
        let seen = front.alive.first()?;
        Some(match (&seen.error, seen.status) {
            (Some(error), _) => error.clone(),
            (None, Some(status)) => format!("status {status}"),
            (None, None) => "no answer".to_owned(),
        })
    }

    /// How many pages were looked at.
    pub(super) fn pages(&self) -> usize {
        self.seen.pages.len()
    }
}

impl Shown {
    /// What was seen by somebody who is gone, with the pictures.
    pub(super) fn without_pictures(mut sight: Sight) -> Self {
        sight.seen.pictures = Pictures::NotWanted;
        Self {
            sight,
            pictures: Vec::new(),
        }
    }

    /// A picture, and how it was taken.
    pub(super) fn picture(&self, name: &str) -> Option<(&Picture, &Shot)> {
        let Pictures::Made { shots, .. } = &self.sight.seen.pictures else {
            return None;
        };
        let shot = shots.iter().find(|shot| shot.name == name)?;
        let picture = self.pictures.iter().find(|it| it.name == name)?;
        Some((picture, shot))
    }

    /// What is worse than it was, the worst first.
    pub(super) async fn findings(
        self: &Arc<Self>,
        before: &Arc<Self>,
        stage: &str,
    ) -> Result<Vec<NewFinding>> {
        Ok(self.compare(before, stage).await?.findings)
    }

    /// What is worse than it was, and what is to be seen of that.
    pub(super) async fn compare(
        self: &Arc<Self>,
        before: &Arc<Self>,
        stage: &str,
    ) -> Result<Compared> {
        let mut found = self.sight.findings(&before.sight, stage);
        let (then, now) = (Arc::clone(before), Arc::clone(self));
        // A second of computing for each page.
        let compared = tokio::task::spawn_blocking(move || {
            let (then, now) = (
                (&then.sight.seen, then.pictures.as_slice()),
                (&now.sight.seen, now.pictures.as_slice()),
            );
            let (found, mut differences) = compare_pictures(then, now, &Thresholds::default());
            // The pages themselves are kept, and where they differ: nobody needs them marked.
            for difference in &mut differences {
                difference.png = Vec::new();
            }
            (found, differences)
        });
        let (differ, differences) = compared.await.map_err(Error::internal)?;
        found.extend(differ.iter().map(|finding| as_new(finding, stage)));
        found.sort_by_key(|finding| rank(&finding.severity));
        Ok(Compared {
            findings: found,
            differences,
        })
    }
}

impl Sight {
    fn findings(&self, before: &Self, stage: &str) -> Vec<NewFinding> {
        let found = compare(&before.seen, &self.seen, &Thresholds::default());
        let mut found: Vec<_> = found.iter().map(|finding| as_new(finding, stage)).collect();
        if let (Some(fatal), None) = (&self.admin, &before.admin) {
            found.push(NewFinding {
                stage: stage.to_owned(),
                target: None,
                what: "admin_broken".to_owned(),
                severity: BLOCKING.to_owned(),
                place: "wp-admin".to_owned(),
                was: "it started".to_owned(),
                now: fatal.clone(),
                message: format!("wp-admin does not start any more: {fatal}"),
            });
        }
        found
    }
}

fn as_new(finding: &pressroom_visitor::Finding, stage: &str) -> NewFinding {
    let severity = match finding.severity {
        Severity::Blocking => BLOCKING,
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    NewFinding {
        stage: stage.to_owned(),
        target: None,
        what: finding.what.as_str().to_owned(),
        severity: severity.to_owned(),
        place: finding.place.clone(),
        was: finding.before.clone(),
        now: finding.after.clone(),
        message: finding.message.clone(),
    }
}

fn rank(severity: &str) -> u8 {
    match severity {
        BLOCKING => 0,
        "warning" => 1,
        _ => 2,
    }
}

impl Eyes<'_> {
    /// Looks; at the pages of an earlier look, where there is one.
    pub(super) async fn look(&self, depth: Depth, before: Option<&Sight>) -> Result<Arc<Shown>> {
        let course = self.course;
        let root = match self.which {
            Which::Site => course.site.path.as_str(),
            Which::Clone { root, .. } => root,
        };
        let admin = start_admin(course, self.session, root).await?;
        let home = course.site.url.parse().map_err(|error| {
            let text = format!("`{}` is no address: {error}", course.site.url);
            Error::new(Kind::Invalid, text)
        })?;
        let mut plan = Plan::new(home);
        plan.paths.clone_from(&course.options.paths);
        if let Which::Clone { signed_in, .. } = self.which {
            plan.as_admin = signed_in.cloned();
            // Drop-ins that keep pages are left out of it.
            plan.served = false;
        }
        plan.pictures = depth == Depth::Whole
            && course.fleet.parts.settings.pictures
            && before.is_none_or(|before| before.seen.pictures != Pictures::NotWanted);
        if depth == Depth::Gate {
            plan.repeats = 1;
        }
        if let Some(before) = before {
            plan = plan.again(&before.seen);
        }
        let visitor = Visitor::new(self.channel()?, plan);
        // Dropped, it ends.
        let looking = AbortOnDropHandle::new(tokio::spawn(async move { visitor.look().await }));
        let looked = tokio::select! {
            looked = looking => looked.map_err(Error::internal)?,
            () = course.ctx.cancelled().cancelled() => {
                course.ctx.check()?;
                return Err(Error::conflict("stopped before it was done"));
            }
        };
        Ok(Arc::new(Shown {
            sight: Sight {
                admin,
                seen: looked.impression,
            },
            pictures: looked.pictures,
        }))
    }

    fn channel(&self) -> Result<Arc<dyn Channel>> {
        Ok(match self.which {
            Which::Clone { handle, .. } => Arc::new(InClone {
                session: self.session.clone(),
                handle: handle.to_owned(),
            }),
            Which::Site => {
                let origin = origin_of(&self.course.site).ok_or_else(|| {
                    Error::new(Kind::Unsupported, "no address is registered for the site")
                })?;
                let prober = &self.course.fleet.parts.prober;
                prober.register(origin.addr);
                Arc::new(AtOrigin::new(prober, origin))
            }
        })
    }
}

/// The way to a clone, which nobody else can reach: through its agent.
struct InClone {
    session: Session,
    handle: String,
}

#[async_trait]
impl Channel for InClone {
    async fn fetch(&self, request: Fetch) -> std::result::Result<Fetched, Unreachable> {
        let timeout_ms = u64::try_from(request.timeout.as_millis()).unwrap_or(u64::MAX);
        let visit = Visit {
            method: request.method.as_str().to_owned(),
            path: request.path_and_query,
            headers: request.headers,
            body: request.body,
            timeout_ms,
            limit: request.limit as u64,
        };
        let asked = self.session.visit(&self.handle, visit);
        // The agent keeps the time; this is for one that does not.
        let patience = request.timeout + Duration::from_secs(10);
        match tokio::time::timeout(patience, asked).await {
            Ok(Ok(got)) => Ok(Fetched {
                status: got.status,
                headers: got.headers,
                body: got.body,
                cut: got.cut > 0 || got.truncated,
                ttfb_ms: got.ms,
                ms: got.ms,
            }),
            Ok(Err(error)) => Err(Unreachable::NoAnswer(error.to_string())),
            Err(_) => Err(Unreachable::Late {
                seconds: request.timeout.as_secs(),
            }),
        }
    }
}

/// Whether the site answers at all, right now.
pub(super) async fn answers(course: &Course<'_>) -> Option<String> {
    let look: Look = course.fleet.look_at(&course.site).await;
    look.trouble()
}

/// Starts WordPress below `root` as wp-admin, where plugins upgrade what is theirs; what PHP
/// died of, if it did.
pub(super) async fn start_admin(
    course: &Course<'_>,
    session: &Session,
    root: &str,
) -> Result<Option<String>> {
    let boot = Boot {
        options: BridgeOptions {
            admin: true,
            ..BridgeOptions::default()
        },
        ..Boot::new(root, course.fleet.php_of(&course.site))
    };
    let actions = vec![Action::CleanComponentCaches];
    let epoch = Some(course.ctx.epoch());
    let report = session.bridge_with(epoch, boot, actions).await?;
    Ok(report.fatal)
}
