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
        let served = self.hand_over(&tx, &row).await?;
        environments::remove(&tx, environment).await?;
        self.note(
            &tx,
            caller,
            event::SITE_RELEASED,
            Some(row.account_id),
            json!({ "url": row.url, "panel_id": row.panel_id, "root": row.root }),
        )
        .await?;
        // The machine's own list first: what is marked there and not recorded here is
        // only looked after too carefully.
        if let Some(site) = &served {
            let (databases, users) = ([row.db_name.clone()], [row.db_user.clone()]);
            self.parts.hosting.release(site, &databases, &users).await?;
        }
        if let Err(error) = tx.commit().await {
            if let Some(site) = &served {
                self.parts.hosting.take_back(&site.domain).await?;
            }
            return Err(error.into());
        }
        Ok(view)
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
