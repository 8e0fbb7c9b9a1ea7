//! The copy itself, step by step.

use super::{
    address::{self, Change},
    copy,
    payload::{Cloned, KIND, Payload},
    settle, undo,
};
use crate::{
    Error, Fleet, Result,
    look::Look,
    reach::told,
    sites::{given_up, install::made},
};
use async_trait::async_trait;
use pressroom_base::{Kind, Secret, catalog::event};
use pressroom_carrier::Session;
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind, JobRow};
use pressroom_store::{EnvironmentPatch, EnvironmentRow, EnvironmentState, Tx, environments};
use serde_json::{Value, json};

/// Copies a site; undone as a whole when it cannot be completed.
pub(crate) struct CloneJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for CloneJob {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interruption(&self) -> Interruption {
        // Undone, unless it was only its end that was not written: `run` looks.
        Interruption::Resume
    }

    fn undo_unbegun(&self) -> bool {
        // The copy is recorded as being made, and keeps others from its place.
        true
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        let row = self.0.row_of_job(ctx).await?;
        let told: Payload = ctx.payload()?;
        if ctx.attempt() > 1 {
            if row.state != EnvironmentState::Active {
                return Err(JobFailure::new(Kind::Remote, "Interrupted"));
            }
            undo::drop_rest(&self.0, ctx, &told).await;
            return Ok(result(&row, &told)?);
        }
        let password = ctx
            .secrets()?
            .ok_or_else(|| JobFailure::bug("the job's secrets are missing"))?;
        let source = environments::get(&self.0.parts.store, told.source)
            .await
            .map_err(Error::from)?
            .ok_or_else(|| Error::not_found("Installation"))?;
        let work = Work {
            fleet: &self.0,
            ctx,
            told,
            row,
            source,
            password,
        };
        Ok(Box::pin(work.run()).await?)
    }

    async fn undo(
        &self,
        ctx: &JobContext,
        _why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        let told: Payload = ctx.payload()?;
        Ok(Box::pin(undo::undo(&self.0, ctx, &told)).await?)
    }

    async fn given_up(
        &self,
        tx: &Tx,
        job: &JobRow,
    ) -> std::result::Result<Option<String>, pressroom_store::Error> {
        given_up::give_up(tx, job.environment_id).await
    }
}

/// A copy under way.
struct Work<'a> {
    fleet: &'a Fleet,
    ctx: &'a JobContext,
    told: Payload,
    row: EnvironmentRow,
    source: EnvironmentRow,
    password: Secret<String>,
}

impl Work<'_> {
    async fn run(&self) -> Result<Value> {
        let (fleet, ctx, row, place) = (self.fleet, self.ctx, &self.row, &self.told.place);
        let before = self.look_at_source().await?;
        let ground = made::ground(fleet, ctx, place.domain_id);
        let ground = ctx.step("validate", told(ground)).await?;
        let session = fleet.open_session(&ground, ctx.cancelled().clone()).await?;
        session.recover(ctx.epoch()).await?;
        let database = made::database(fleet, ctx, place, &self.password);
        ctx.step("database", told(database)).await?;
        ctx.progress(10, "directory and database are ready").await?;
        let (from, said) = copy::open(fleet, ctx, &self.source).await?;
        let copying = copy::copy(fleet, ctx, &self.source, &from, &session);
        let copied = ctx.step(copy::COPY, told(copying)).await?;
        from.close().await;
        ctx.progress(50, "the source is copied").await?;
        copy::place_files(ctx, &session, &place.path, &copied.unpacked).await?;
        let change = Change {
            url: (&self.source.url, &place.url),
            root: (&self.source.root, &row.root),
        };
        let config = settle::Config {
            told: &self.told,
            change: &change,
            password: &self.password,
            constants: &said.constants,
        };
        let config = settle::write_config(fleet, ctx, &session, row, config);
        ctx.step("config", told(config)).await?;
        let tables = copy::load_tables(fleet, ctx, &session, row, &copied.unpacked);
        ctx.step("tables", told(tables)).await?;
        ctx.progress(75, "files and tables are in place").await?;
        let readdress = address::readdress(fleet, ctx, &session, row, &change, &said.facts);
        ctx.step("address", told(readdress)).await?;
        if self.told.noindex {
            let hide = settle::hide(fleet, ctx, &session, row, &said.facts);
            ctx.step("noindex", told(hide)).await?;
        }
        let web = made::web(fleet, ctx, place, &ground);
        ctx.step("serve", told(web)).await?;
        fleet
            .flush_caches(ctx, &session, row, vec![row.path.clone()])
            .await;
        ctx.progress(90, "the web server knows the copy").await?;
        ctx.step("finalize", told(self.finalize(&session, &before)))
            .await?;
        session.close().await;
        undo::drop_rest(fleet, ctx, &self.told).await;
        ctx.progress(100, "the copy answers").await?;
        result(row, &self.told)
    }

    /// What the copy is held against.
    async fn look_at_source(&self) -> Result<Look> {
        let look = self.fleet.look_at(&self.source).await;
        match look.trouble() {
            None => Ok(look),
            Some(trouble) => Err(Error::conflict(format!(
                "the source does not work, so that its copy could not be judged: {trouble}"
            ))),
        }
    }

    async fn finalize(&self, session: &Session, before: &Look) -> Result<()> {
        let (fleet, ctx, row, source) = (self.fleet, self.ctx, &self.row, &self.source);
        // A network is served as one only once it was seen to be one.
        fleet.record_state(ctx, session, row).await?;
        let now = fleet
            .look_until_alive(&self.told.place.domain, &row.url)
            .await?;
        let trouble = now
            .worse_than(before)
            .or_else(|| now.shows_another_page(before));
        if let Some(trouble) = trouble {
            return Err(Error::new(
                Kind::Remote,
                format!("the copy does not answer as its source: {trouble}"),
            ));
        }
        let tx = ctx.begin().await?;
        let active = EnvironmentPatch {
            state: Some(EnvironmentState::Active),
            ..EnvironmentPatch::default()
        };
        environments::update(&tx, row.id, active).await?;
        let about = json!({ "url": row.url, "source": source.url });
        fleet.emit(&tx, ctx, event::SITE_CLONED, about).await?;
        tx.commit().await?;
        ctx.line(format!(
            "{} answers with status {} as {} does",
            row.url,
            now.status(),
            source.url
        ));
        Ok(())
    }
}

fn result(row: &EnvironmentRow, told: &Payload) -> Result<Value> {
    let cloned = Cloned {
        environment_id: row.id,
        panel_id: row.panel_id.clone(),
        url: told.place.url.clone(),
        source: told.source,
        outgoing_mail: false,
        noindex: told.noindex,
    };
    serde_json::to_value(cloned).map_err(Error::internal)
}
