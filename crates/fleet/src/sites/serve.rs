//! A domain on the web, as its sites need it.

use super::install::values::DOCUMENT_ROOT;
use crate::{Fleet, Result, reach::Ground};
use pressroom_base::id::DomainId;
use pressroom_providers::hosting::{SiteUser, WebSite};
use pressroom_store::{EnvironmentState, domains, resources};

impl Fleet {
    /// The pool and server block that the sites of a domain need together.
    pub(crate) async fn web_site(
        &self,
        id: DomainId,
        name: &str,
        ground: &Ground,
    ) -> Result<WebSite> {
        let mut site = WebSite::new(name, &ground.home, self.owner(ground)?);
        if let Some(served) = self.parts.hosting.web(name)? {
            // What an operator chose for it stays.
            site = WebSite {
                home: site.home,
                user: site.user,
                ..served
            };
        }
        let rows = self.environments_of_domain(id).await?;
        site.subdirectories = rows
            .iter()
            .filter(|row| row.state != EnvironmentState::Failed)
            .filter_map(|row| row.path.strip_prefix(DOCUMENT_ROOT)?.strip_prefix('/'))
            .map(str::to_owned)
            .collect();
        Ok(site)
    }

    /// Serves a domain as the sites that are recorded now need it, if Pressroom
    /// serves it at all.
    pub(crate) async fn serve_again(&self, id: DomainId) -> Result<()> {
        let Some(domain) = domains::get(&self.parts.store, id).await? else {
            return Ok(());
        };
        let recorded = resources::by_name(&self.parts.store, "web", &domain.name).await?;
        if recorded.is_none() {
            return Ok(());
        }
        let site = self
            .web_site(id, &domain.name, &Ground::of(&domain))
            .await?;
        Ok(self.parts.hosting.ensure_web(&site).await?)
    }

    /// The Unix user of a directory; `None` where sites run as the server's own.
    pub(crate) fn owner(&self, ground: &Ground) -> Result<Option<SiteUser>> {
        match &ground.unix_user {
            None => Ok(None),
            Some(name) => Ok(self.parts.hosting.user(name)?),
        }
    }
}
