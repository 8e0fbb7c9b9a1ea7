//! A look at a site: when it is time, and when somebody asks.

use super::{
    HealthCheck,
    finding::Finding,
    memory::Memory,
    pages::Pages,
    record::{Occasion, has_failed},
    target::Target,
};
use crate::{
    Caller, Error, Fleet, Principal, Result,
    authorize::{Action, Resource, authorize},
};
use pressroom_base::{
    Kind, Timestamp,
    id::{EnvironmentId, ShortId, SiteId},
};
use pressroom_store::{CheckKind, CheckStatus, Turn, environments, health};
use std::time::Duration;

/// A look that takes longer was made by somebody who is gone. Twice what its pages, its
/// name and its way may take.
pub(super) const LEASE: Duration = Duration::from_mins(3);
/// The same of a closer one.
pub(super) const FULL_LEASE: Duration = Duration::from_mins(10);

/// What a look that was asked for found.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The look.
    pub check: HealthCheck,
}

impl Asked {
    /// Whether the site failed it.
    pub fn has_failed(&self) -> bool {
        has_failed(self.check.status)
    }
}

impl Fleet {
    /// Looks at a site now and closer, from outside and from inside. It counts as any
    /// other look.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Conflict` where the site is paused, `Unsupported`
    /// where there is nothing to look at.
    pub async fn check_health(&self, caller: &Caller, environment: EnvironmentId) -> Result<Asked> {
        let row = self
            .environment_row(caller, Action::SiteRead, environment)
            .await?
            .env;
        self.check_site(caller, row.site_id).await
    }

    /// The same of a site, which may be known by its address alone.
    pub async fn check_site(&self, caller: &Caller, site: SiteId) -> Result<Asked> {
        let store = &self.parts.store;
        let missing = || Error::not_found("site");
        let row = environments::get_site(store, site)
            .await?
            .ok_or_else(missing)?;
        let resource = Resource::OfAccount(row.account_id);
        authorize(&caller.principal, Action::SiteRead, resource)?;
        if row.paused {
            return Err(Error::conflict("the site is paused: nobody looks at it"));
        }
        let Some(target) = self.health_target(site).await? else {
            let why = "the site has no environment and no address that could be looked at";
            return Err(Error::new(Kind::Unsupported, why));
        };
        let turn = health::claim_one(store, site, FULL_LEASE)
            .await?
            .ok_or_else(missing)?;
        let turn = Turn { full: true, ..turn };
        let found = self.look_over(&turn, &target).await?;
        let occasion = Occasion {
            caller,
            kind: CheckKind::Manual,
            pipeline: None,
        };
        let recorded = self.record_look(&turn, &target, &found, &occasion).await?;
        let check = recorded.ok_or_else(|| {
            Error::conflict("somebody else looked at the site at the same time")
                .with_hint("see what they found with `pressroom health list`")
        })?;
        Ok(Asked { check })
    }

    /// A closer look for a pipeline, which counts as any other; its name. `None` where nobody
    /// looks at the site, or somebody else did at the same time: the pipeline judges by what
    /// it saw itself.
    pub(crate) async fn look_for_pipeline(
        &self,
        site: SiteId,
        kind: CheckKind,
        pipeline: &ShortId,
    ) -> Result<Option<String>> {
        let Some(target) = self.health_target(site).await? else {
            return Ok(None);
        };
        let Some(turn) = health::claim_one(&self.parts.store, site, FULL_LEASE).await? else {
            return Ok(None);
        };
        let turn = Turn { full: true, ..turn };
        let found = self.look_over(&turn, &target).await?;
        let caller = Caller::new(Principal::worker());
        let occasion = Occasion {
            caller: &caller,
            kind,
            pipeline: Some(pipeline),
        };
        let recorded = self.record_look(&turn, &target, &found, &occasion).await?;
        Ok(recorded.map(|check| check.id))
    }

    /// Looks at everything that is due.
    pub(super) async fn look_over(&self, turn: &Turn, target: &Target) -> Result<Finding> {
        let now = self.parts.store.now().await?;
        let memory = Memory::read(&turn.memory);
        let pages = Pages {
            fleet: self,
            target,
        };
        let before = self.excuse_of(target).await?;
        let mut found = Finding {
            full: turn.full,
            ..Finding::default()
        };
        pages.look_outside(&mut found, now).await;
        if turn.full || memory.names_due(now) {
            pages.look_at_name(&mut found, &memory).await;
        }
        if turn.full {
            Box::pin(self.look_closer(&pages, &mut found, now)).await;
        } else if let Some(row) = &target.row {
            found.wp_version = Some(row.core_version.clone()).filter(|text| !text.is_empty());
            found.php_version = Some(row.php_version.clone()).filter(|text| !text.is_empty());
            if memory.contact_due(now) {
                found.contact = self.contact(row).await;
            }
        }
        found.checks.sort_by_key(|check| check.name);
        if found.status() == CheckStatus::Failed {
            // Work that began, or ended, while we looked counts as well.
            found.excused = match before {
                Some(why) => Some(why),
                None => self.excuse_of(target).await?,
            };
        }
        Ok(found)
    }

    async fn look_closer(&self, pages: &Pages<'_>, found: &mut Finding, now: Timestamp) {
        let login = Box::pin(self.look_inside(pages.target, found, now)).await;
        let entrances = pages.look_closer(&login).await;
        found.checks.extend(entrances);
    }

    async fn excuse_of(&self, target: &Target) -> Result<Option<String>> {
        match &target.row {
            None => Ok(None),
            Some(row) => self.excuse(row).await,
        }
    }
}
