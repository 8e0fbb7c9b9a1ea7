//! Back to what was, decided by looking at what is there. No PHP runs: a site whose every
//! request is fatal, on a machine where `php` does not run at all, comes back the same way.

use super::{
    attempt::{Act, began, is_back, made},
    tables,
};
use crate::{
    Error, Result,
    pipelines::{course::Course, view::label},
    reach::told,
};
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_store::{TargetPatch, TargetRow};
use pressroom_wordpress::recovery::Recovery;
use std::time::Duration;

/// How long the site stays in maintenance if whoever takes it back dies.
const LEASE: Duration = Duration::from_mins(10);

/// A target to put back.
pub(super) struct Back<'a> {
    pub(super) course: &'a Course<'a>,
    pub(super) session: &'a Session,
    pub(super) recovery: &'a Recovery,
    pub(super) target: &'a TargetRow,
}

impl Back<'_> {
    /// Puts files and tables of a target back, because of this; says what was seen then. Safe
    /// to repeat.
    pub(super) async fn put(&self, why: &str) -> Result<String> {
        let (course, ctx) = (self.course, self.course.ctx);
        let what = label(&self.target.kind, &self.target.slug);
        let from = self.target.from_version.as_deref().unwrap_or_default();
        let Some(attempt) = made(ctx, self.target).await?.pop() else {
            // Nothing of it went live.
            course
                .fleet
                .leave_maintenance(ctx, self.session, &course.site)
                .await?;
            return Ok(format!("{why}; nothing of it went live"));
        };
        let mut kept = String::new();
        if !is_back(ctx, self.target).await? {
            ctx.line(format!("{what} is taken back: {why}"));
            let root = &course.site.path;
            // Nobody should see half of it, or write to tables that are about to go.
            self.session
                .enter_maintenance(ctx.epoch(), root, LEASE)
                .await?;
            // The site's journal has the hashes of the try that was really made; of one made by
            // this worker it was written after the journal was read.
            let exchange = attempt.exchange.begun(self.recovery);
            let exchange = exchange.unwrap_or_else(|| attempt.exchange.clone());
            // Files first: what is called by the new ones is never run on the old tables.
            let putting = async {
                exchange.take_back(self.session, ctx.epoch()).await?;
                match &attempt.point {
                    Some(point) => self.tables_back(point).await,
                    None => Ok(String::new()),
                }
            };
            kept = ctx.step(&Act::Back.of(self.target), told(putting)).await?;
        }
        let changed = vec![course.site.path.clone()];
        course
            .fleet
            .flush_caches(ctx, self.session, &course.site, changed)
            .await;
        course
            .fleet
            .leave_maintenance(ctx, self.session, &course.site)
            .await?;
        let look = course.fleet.look_at(&course.site).await;
        match look.trouble() {
            None => Ok(format!(
                "{why}; {from} is live again, file by file, and the site answers{kept}"
            )),
            Some(still) => Err(Error::new(
                Kind::Remote,
                format!(
                    "{what} was taken back because {why}; the files of {from} are as they were, but the site does not answer: {still}"
                ),
            )),
        }
    }

    /// Takes the target back out of the tables; what people should know of that.
    async fn tables_back(&self, point: &str) -> Result<String> {
        let course = self.course;
        // Who let visitors in wrote it down before; whose lease of maintenance may have ended
        // while nobody worked has lost a worker.
        let open = course.ctx.attempt() > 1 || began(course.ctx, Act::Open, self.target).await?;
        let report = tables::take_back(course, self.session, point, open).await?;
        let patch = TargetPatch {
            detail: Some(tables::detail(&report)),
            ..TargetPatch::default()
        };
        course.set(self.target, patch).await?;
        Ok(tables::told_of(&report))
    }

    /// Whether anything of it may have gone live.
    pub(super) async fn is_needed(&self) -> Result<bool> {
        let ctx = self.course.ctx;
        Ok(began(ctx, Act::Swap, self.target).await? && !is_back(ctx, self.target).await?)
    }
}
