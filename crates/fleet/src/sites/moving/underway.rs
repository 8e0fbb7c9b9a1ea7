//! A move under way: what it works on, for each of its parts.

use super::payload::Payload;
use crate::{Error, Fleet, Result, reach::Ground};
use pressroom_base::{catalog::event, id::DomainId};
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::{DomainRow, EnvironmentRow, domains};
use serde_json::{Value, json};

/// A move under way.
pub(super) struct Move<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ctx: &'a JobContext,
    pub(super) told: Payload,
    pub(super) row: EnvironmentRow,
    /// Whose home it is.
    pub(super) unix_user: Option<String>,
}

impl<'a> Move<'a> {
    pub(super) async fn new(fleet: &'a Fleet, ctx: &'a JobContext) -> Result<Self> {
        let told: Payload = ctx.payload()?;
        let row = fleet.row_of_job(ctx).await?;
        let id = row.domain_id.unwrap_or(told.from);
        let domain = domain(fleet, id).await?;
        Ok(Self {
            fleet,
            ctx,
            told,
            row,
            unix_user: domain.unix_user,
        })
    }

    /// Whether the records say that the site is at its new domain.
    pub(super) fn is_over(&self) -> bool {
        self.row.domain_id == Some(self.told.to)
    }

    pub(super) fn ground(&self, home: &str) -> Ground {
        Ground {
            home: home.into(),
            unix_user: self.unix_user.clone(),
            host: None,
        }
    }

    /// A session in the home, wherever that is now.
    pub(super) async fn open(&self, home: &str) -> Result<Session> {
        let ground = self.ground(home);
        let session = self
            .fleet
            .open_session(&ground, self.ctx.cancelled().clone())
            .await?;
        session.recover(self.ctx.epoch()).await?;
        Ok(session)
    }

    pub(super) async fn flush(&self, session: &Session, socket: Option<String>) {
        let changed = vec![self.row.path.clone()];
        self.fleet
            .flush_caches_of(self.ctx, session, &self.row, changed, socket)
            .await;
    }

    /// The event that tells of the move.
    pub(super) fn news(&self) -> (&'static str, Value) {
        let told = &self.told;
        (
            event::SITE_MOVED,
            json!({
                "from": told.old_url, "url": told.new_url, "panel_id": self.row.panel_id,
                "snapshot": told.snapshot,
            }),
        )
    }

    /// The intent of the last step of a name, in whatever state it is; `None` when
    /// none was begun.
    pub(super) async fn begun(&self, name: &str) -> Result<Option<Value>> {
        let steps = self.ctx.steps().await?;
        Ok(steps
            .into_iter()
            .rfind(|step| step.name == name)
            .map(|step| step.intent))
    }
}

pub(super) async fn domain(fleet: &Fleet, id: DomainId) -> Result<DomainRow> {
    domains::get(&fleet.parts.store, id)
        .await?
        .ok_or_else(|| Error::not_found("domain"))
}
