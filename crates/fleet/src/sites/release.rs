//! Handing a site over: it goes on as it is, and Pressroom forgets it.

use crate::{Caller, Error, Fleet, Result, authorize::Action, views::Environment};
use pressroom_base::{catalog::event, id::EnvironmentId};
use pressroom_providers::hosting::WebSite;
use pressroom_store::{EnvironmentRow, Tx, domains, environments, resources};
use serde_json::json;

impl Fleet {
    /// Stops managing a site without touching it: files, database, Unix user, pool
    /// and server block stay and go on working, and are never removed by Pressroom.
    /// The domain's directory and user are handed over with it. Answers what the site
    /// was.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Conflict` (another site shares the domain),
    /// `Busy` with `OPERATION_RUNNING`.
    pub async fn release_site(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
    ) -> Result<Environment> {
        let row = self
            .environment_row(caller, Action::SiteRemove, environment)
            .await?
            .env;
        let view = self.view(row.clone()).await?;
        let tx = self.parts.store.begin().await?;
        self.refuse_while_written_to(&tx, &row).await?;
        let served = self.release_row(&tx, caller, &row).await?;
        self.hand_web_over(tx, [(&row, served)].into_iter()).await?;
        Ok(view)
    }

    /// Hands over what is recorded of a WordPress, and forgets it; answers what serves its
    /// domain.
    pub(super) async fn release_row(
        &self,
        tx: &Tx,
        caller: &Caller,
        row: &EnvironmentRow,
    ) -> Result<Option<WebSite>> {
        let served = self.hand_over(tx, row).await?;
        environments::remove(tx, row.id).await?;
        self.note(
            tx,
            caller,
            event::SITE_RELEASED,
            Some(row.account_id),
            json!({ "url": row.url, "panel_id": row.panel_id, "root": row.root }),
        )
        .await?;
        Ok(served)
    }

    /// Tells the machine of what is handed over, and commits that it was.
    pub(super) async fn hand_web_over<'r>(
        &self,
        tx: Tx,
        all: impl Iterator<Item = (&'r EnvironmentRow, Option<WebSite>)> + Send,
    ) -> Result<()> {
        // The machine's own list first: what is marked there and not recorded here is
        // only looked after too carefully.
        let mut told = Vec::new();
        for (row, served) in all {
            let Some(site) = served else { continue };
            let (databases, users) = ([row.db_name.clone()], [row.db_user.clone()]);
            let hosting = &self.parts.hosting;
            if let Err(error) = hosting.release(&site, &databases, &users).await {
                self.take_web_back(&told).await?;
                return Err(error.into());
            }
            told.push(site);
        }
        if let Err(error) = tx.commit().await {
            self.take_web_back(&told).await?;
            return Err(error.into());
        }
        Ok(())
    }

    async fn take_web_back(&self, told: &[WebSite]) -> Result<()> {
        for site in told {
            self.parts.hosting.take_back(&site.domain).await?;
        }
        Ok(())
    }

    /// Marks the records of a site and its domain as handed over; answers what serves
    /// the domain.
    async fn hand_over(&self, tx: &Tx, row: &EnvironmentRow) -> Result<Option<WebSite>> {
        let mut records = resources::list_by_environment(tx, row.id).await?;
        let mut served = None;
        if let Some(id) = row.domain_id {
            if environments::in_domain(tx, id).await?.len() > 1 {
                return Err(Error::conflict(
                    "another site lives in this domain and shares its directory and server block",
                )
                .with_hint("remove the other site first, or keep both"));
            }
            records.extend(resources::list_by_domain(tx, id).await?);
            if let Some(domain) = domains::get(tx, id).await? {
                served = self.parts.hosting.web(&domain.name)?;
            }
            domains::set_unix_user(tx, id, None).await?;
        }
        for record in records {
            resources::release(tx, record.id).await?;
        }
        Ok(served)
    }
}
