//! Handing a site over: it goes on as it is, and Pressroom forgets it.

use crate::{Caller, Fleet, Result, authorize::Action, views::Environment};
use pressroom_base::{catalog::event, id::EnvironmentId};
use pressroom_store::{ResourceRow, domains, environments, resources};
use serde_json::json;

impl Fleet {
    /// Stops managing a site without touching it: files, database, Unix user, pool
    /// and server block stay and go on working, and are never removed by Pressroom.
    /// Where it was the last site of its domain, the domain's directory and user are
    /// handed over with it. Answers what the site was.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Busy` with `OPERATION_RUNNING`.
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
        for record in resources::list_by_environment(&tx, environment).await? {
            if is_the_sites(&record) {
                resources::release(&tx, record.id).await?;
            }
        }
        if let Some(domain) = row.domain_id {
            let others = environments::in_domain(&tx, domain).await?;
            if others.iter().all(|other| *other == environment) {
                for record in resources::list_by_domain(&tx, domain).await? {
                    resources::release(&tx, record.id).await?;
                }
                domains::set_unix_user(&tx, domain, None).await?;
            }
        }
        environments::remove(&tx, environment).await?;
        self.note(
            &tx,
            caller,
            event::SITE_RELEASED,
            Some(row.account_id),
            json!({ "url": row.url, "panel_id": row.panel_id, "root": row.root }),
        )
        .await?;
        tx.commit().await?;
        Ok(view)
    }
}

/// Whether a record is for this site alone, and not for its whole domain.
fn is_the_sites(record: &ResourceRow) -> bool {
    matches!(record.kind.as_str(), "database" | "db_user")
}
