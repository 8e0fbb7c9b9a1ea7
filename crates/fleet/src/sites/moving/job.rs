//! The move itself, step by step.
//!
//! A snapshot is taken while the site is served. Then the old address stops serving,
//! so that nothing writes any more, the tables are copied aside, and home, tables and
//! configuration follow. The site is looked at where visitors will find it, and only
//! then do the records say that it is there. Everything before that is taken back when
//! anything fails.

use super::{
    back, config, ground,
    payload::KIND,
    records, tables,
    underway::{Move, domain},
};
use crate::{
    Error, Fleet, Result, code,
    look::Look,
    reach::told,
    snapshots::{self, NewSnapshot},
};
use async_trait::async_trait;
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind};
use pressroom_wordpress::database::SiteFacts;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Moves one site; taken back as a whole when it cannot be completed.
pub(crate) struct MoveJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for MoveJob {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interruption(&self) -> Interruption {
        // Taken back, unless the records say already that it moved: `run` looks.
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        let work = Move::new(&self.0, ctx).await?;
        if work.is_over() {
            return Ok(Box::pin(work.finish()).await?);
        }
        if ctx.attempt() > 1 {
            return Err(JobFailure::new(Kind::Remote, "Interrupted"));
        }
        match Box::pin(work.run()).await {
            Ok(()) => Ok(Box::pin(Move::new(&self.0, ctx).await?.finish()).await?),
            Err(error) => Err(Box::pin(work.taken_back(error)).await),
        }
    }

    async fn undo(
        &self,
        ctx: &JobContext,
        _why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        let work = Move::new(&self.0, ctx).await?;
        if work.is_over() {
            // There is no way back any more; what is left to do is done.
            Box::pin(work.finish()).await?;
            return Ok(());
        }
        Box::pin(back::take_back(&work)).await?;
        Ok(())
    }
}

/// What was seen of the site before anything was changed.
#[derive(Debug, Serialize, Deserialize)]
struct Before {
    look: Look,
    /// What the options will have to be, as far as they name the old address.
    home: Option<String>,
    siteurl: Option<String>,
}

impl Move<'_> {
    async fn run(&self) -> Result<()> {
        let (ctx, told_) = (self.ctx, &self.told);
        let session = self.open(&told_.old_home).await?;
        let site = self.fleet.site_ref(&self.row);
        session.recover_database(ctx.epoch(), site).await?;
        let before = ctx.step("inspect", told(self.inspect(&session))).await?;
        let note = format!("before moving to {}", told_.to_name);
        let new = NewSnapshot {
            note,
            ..NewSnapshot::default()
        };
        snapshots::keep_present(self.fleet, ctx, &session, &self.row, &told_.snapshot, &new)
            .await?;
        ctx.progress(91, "the old address stops serving").await?;
        let web = ground::stop_serving(self).await?;
        tables::copy(self, &session).await?;
        // Renaming a home ends all processes of its user.
        session.close().await;
        ground::rename(self).await?;
        ctx.progress(93, "the site's own records of its address")
            .await?;
        let session = self.open(&told_.new_home).await?;
        config::readdress(self, &session).await?;
        tables::readdress(self, &session).await?;
        ctx.progress(95, "serving the new address").await?;
        ground::serve(self, &web).await?;
        let socket = self.fleet.parts.hosting.pool_socket(&told_.to_name)?;
        self.flush(&session, socket).await;
        ctx.progress(97, "looking at the site").await?;
        ctx.step("judge", told(self.judge(&session, &before)))
            .await?;
        records::commit(self).await
    }

    /// Looks at all that must be known, and refuses what could not be moved whole.
    async fn inspect(&self, session: &Session) -> Result<Before> {
        let target = domain(self.fleet, self.told.to).await?;
        let source = domain(self.fleet, self.told.from).await?;
        if target.root != self.told.unused_home || source.root != self.told.old_home {
            return Err(Error::conflict(
                "the domains changed since the move was asked for",
            ));
        }
        let inspection = session.inspect(&self.row.path).await?;
        let settings = &inspection.settings;
        if settings.multisite == Some(true) && settings.subdomain_install != Some(false) {
            return Err(Error::new(
                Kind::Unsupported,
                "this is a network whose sites have domains of their own; only networks with sites below one address are moved",
            ));
        }
        let facts = session.read_site(&self.row.path, &[]).await?;
        let look = self.fleet.look_at(&self.row).await;
        if let Some(trouble) = look.trouble() {
            return Err(Error::conflict(format!(
                "the site does not work, so that it could not be judged at its new address: {trouble}"
            )));
        }
        let expected = |name: &str| {
            let said = facts.options.get(name)?;
            self.told.address.url(said)
        };
        Ok(Before {
            look,
            home: expected("home"),
            siteurl: expected("siteurl"),
        })
    }

    /// Whether the site lives at its new address as it did at the old one, and there
    /// alone.
    async fn judge(&self, session: &Session, before: &Before) -> Result<Value> {
        let refuse = |why: String| Error::new(Kind::Remote, why);
        let told = &self.told;
        let now = self
            .fleet
            .look_until_alive(&told.to_name, &told.new_url)
            .await?;
        let worse = now
            .worse_than(&before.look)
            .or_else(|| now.leads_to(|location| told.address.is_old(location)));
        if let Some(trouble) = worse {
            return Err(refuse(format!(
                "the site does not answer as before at {}: {trouble}",
                told.new_url
            )));
        }
        // Only now: the pages might have written them anew.
        let facts = session.read_site(&self.row.path, &[]).await?;
        for (name, expected) in [("home", &before.home), ("siteurl", &before.siteurl)] {
            let said = facts.options.get(name);
            if expected.is_some() && said != expected.as_ref() {
                return Err(refuse(format!(
                    "the option `{name}` is not the new address"
                )));
            }
        }
        self.refuse_old_network(&facts)?;
        if self
            .fleet
            .still_serves(&told.from_name, &told.old_url)
            .await?
        {
            return Err(refuse(format!("{} still answers", told.old_url)));
        }
        Ok(json!({ "status": now.status() }))
    }

    fn refuse_old_network(&self, facts: &SiteFacts) -> Result<()> {
        let old = facts.network.iter().flat_map(|network| &network.blogs);
        match old
            .into_iter()
            .find(|blog| self.told.address.host(&blog.domain).is_some())
        {
            None => Ok(()),
            Some(blog) if blog.domain == self.told.address.new => Ok(()),
            Some(blog) => Err(Error::new(
                Kind::Remote,
                format!("site {} of the network still has the old domain", blog.id),
            )),
        }
    }

    /// What is left to do once the records say that the site moved. Each act can be
    /// repeated.
    async fn finish(&self) -> Result<Value> {
        let told = &self.told;
        records::let_go(self).await?;
        let session = async {
            let session = self.open(&told.new_home).await?;
            self.fleet.record_state(self.ctx, &session, &self.row).await
        };
        if let Err(error) = session.await {
            // It is looked at again by whoever asks for it.
            tracing::debug!(error = %error, "a moved site was not inspected");
        }
        let outcome = format!("{} is {} now", told.old_url, told.new_url);
        self.ctx.progress(100, &outcome).await?;
        Ok(json!({
            "from": told.old_url,
            "url": told.new_url,
            "domain": told.to_name,
            "root": format!("{}/{}", told.new_home, self.row.path),
            "snapshot": told.snapshot,
        }))
    }

    /// Takes everything back after a failure, and says what came of that. A job that
    /// is told to stop leaves it to its undoing.
    async fn taken_back(&self, error: Error) -> JobFailure {
        let mut failure = JobFailure::from(error);
        if self.ctx.cancelled().is_cancelled() {
            return failure;
        }
        match back::take_back(self).await {
            // Nothing had been changed.
            Ok(None) => failure,
            Ok(Some(report)) => {
                failure.message = format!(
                    "{}; the move was taken back, {} is as it was",
                    failure.message, self.told.old_url
                );
                failure.with_code(code::TAKEN_BACK).with_result(report)
            }
            // It is tried again by the undoing.
            Err(why) => {
                self.ctx.line(format!("taking back: {why}"));
                failure
            }
        }
    }
}
