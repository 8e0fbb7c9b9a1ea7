//! Forgetting a site. Its WordPress stays as it is.

use crate::{Caller, Error, Fleet, Result, authorize::Action, code};
use pressroom_base::{
    Kind,
    catalog::event,
    id::{AccountId, ShortId, SiteId},
};
use pressroom_store::{
    EnvironmentFilter, EnvironmentRow, KnownSite, Page, Scope, SiteChange, Tx, environments, jobs,
    sites, snapshots,
};
use serde_json::json;
use std::time::Duration;

/// How long snapshots of a site are kept that is forgotten.
const GRACE: Duration = Duration::from_hours(7 * 24);

impl Fleet {
    /// Forgets the site of an account that programs call so, as [`Fleet::forget_site`].
    pub async fn forget_site_of(
        &self,
        caller: &Caller,
        account: AccountId,
        id: &ShortId,
    ) -> Result<()> {
        if caller.was_done() {
            return Ok(());
        }
        let site = self
            .find_site(caller, Action::SiteRemove, account, id)
            .await?;
        self.forget_site(caller, site.site.id).await
    }

    /// Stops managing a site without touching it, as [`Fleet::release_site`] does with each
    /// WordPress of it, and has its snapshots be removed after seven days. That it is
    /// disconnected is told before it is forgotten.
    ///
    /// Errors: `NotFound`, `Forbidden`; `Busy` with `OPERATION_RUNNING` while a job works on
    /// it; `Conflict` (another site shares its domain).
    pub async fn forget_site(&self, caller: &Caller, id: SiteId) -> Result<()> {
        let known = self.known_site(caller, Action::SiteRemove, id).await?;
        let tx = self.parts.store.begin().await?;
        // Whoever connects it at this moment waits, and finds it gone.
        sites::lock(&tx, id)
            .await
            .map_err(|_| Error::not_found("site"))?;
        caller.makes(&tx, id.get()).await?;
        // Also of what was sent while there was nothing to connect to.
        let until = tx.now().await?.plus(GRACE);
        snapshots::limit_expiry_of_site(&tx, id, until).await?;
        let filter = EnvironmentFilter {
            site_id: Some(id),
            ..EnvironmentFilter::default()
        };
        let all = environments::list(&tx, &Scope::All, &filter, Page::ALL).await?;
        if all.is_empty() {
            let told = json!({ "name": known.site.name, "url": known.site.url });
            self.note_site(&tx, caller, event::SITE_FORGOTTEN, &known.site, told)
                .await?;
            sites::remove(&tx, id).await?;
            return Ok(tx.commit().await?);
        }
        self.disconnect(&tx, caller, &known).await?;
        let mut served = Vec::new();
        for row in &all {
            self.refuse_while_busy(&tx, row).await?;
            snapshots::limit_expiry(&tx, row.id, until).await?;
            served.push(self.release_row(&tx, caller, row).await?);
        }
        self.hand_web_over(tx, all.iter().zip(served)).await
    }

    async fn disconnect(&self, tx: &Tx, caller: &Caller, known: &KnownSite) -> Result<()> {
        let reason = json!({ "reason": "deleted" });
        let environment = known.environment.as_ref().map(|row| row.id);
        self.note_site_at(
            tx,
            caller,
            event::SITE_DISCONNECTED,
            &known.site,
            environment,
            reason,
        )
        .await?;
        // An address that was asked for and not seen yet would outlive its environment.
        let nowhere = SiteChange {
            url: Some(None),
            ..SiteChange::default()
        };
        sites::change(tx, known.site.id, nowhere).await?;
        Ok(())
    }

    /// Jobs that only read would lose what they read.
    async fn refuse_while_busy(&self, tx: &Tx, row: &EnvironmentRow) -> Result<()> {
        if let Some(job) = jobs::unfinished_on(tx, row.id).await?.first() {
            return Err(Error::new(
                Kind::Busy,
                format!("site has a job under way: {} ({})", job.public_id, job.kind),
            )
            .with_code(code::OPERATION_RUNNING)
            .with_hint("wait for it, or cancel it with `pressroom job cancel`"));
        }
        self.refuse_while_written_to(tx, row).await
    }
}
