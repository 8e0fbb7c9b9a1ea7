//! A domain on the web, as its sites need it.

use super::install::values::DOCUMENT_ROOT;
use crate::{Fleet, Result, reach::Ground};
use pressroom_base::id::DomainId;
use pressroom_providers::hosting::{Network, SiteUser, WebSite};
use pressroom_store::{EnvironmentRow, EnvironmentState, domains, resources, security};
use pressroom_wordpress::inventory::Survey;

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
            .filter_map(|row| below_root(&row.path))
            .filter(|directory| !directory.is_empty())
            .map(str::to_owned)
            .collect();
        // A network that is gone from its directory must not shape what comes after it.
        let there: Vec<&str> = rows
            .iter()
            .filter_map(|row| below_root(&row.path))
            .collect();
        site.networks
            .retain(|network| there.contains(&network.directory.as_str()));
        let protected = security::protected_in(&self.parts.store, id).await?;
        site.protected = rows
            .iter()
            .filter(|row| row.state != EnvironmentState::Failed && protected.contains(&row.id))
            .filter_map(|row| below_root(&row.path))
            .map(str::to_owned)
            .collect();
        site.protected.sort();
        Ok(site)
    }

    /// Serves an environment as the network that it was seen to be, or as none, if
    /// Pressroom serves its domain. What was seen stays recorded whatever comes of it: the
    /// next look tries again.
    pub(crate) async fn serve_as_seen(&self, row: &EnvironmentRow, survey: &Survey) {
        let (Some(domain), Some(directory)) = (row.domain_id, below_root(&row.path)) else {
            return;
        };
        let settings = &survey.inspection.settings;
        let network = match settings.multisite {
            Some(true) => {
                let facts = survey.facts.as_ref();
                // Only the tables say where uploads are.
                let Some(seen) = facts.and_then(|facts| facts.network.as_ref()) else {
                    return;
                };
                Some(Network {
                    directory: directory.to_owned(),
                    subdomains: settings.subdomain_install == Some(true),
                    files: seen.files_rewriting,
                })
            }
            Some(false) => None,
            None => return,
        };
        let served = async {
            let domain = domains::get(&self.parts.store, domain).await?;
            let Some(domain) = domain else {
                return Ok(false);
            };
            let hosting = &self.parts.hosting;
            crate::Result::Ok(
                hosting
                    .serve_network(&domain.name, directory, network)
                    .await?,
            )
        };
        match served.await {
            Ok(true) => {
                tracing::info!(environment.id = %row.id, "the site is served as the network that it is now");
            }
            Ok(false) => {}
            Err(error) => {
                tracing::error!(environment.id = %row.id, %error, "the site is not served as the network that it is");
            }
        }
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

/// The directory of a site below its domain's document root; empty for the root itself.
pub(crate) fn below_root(path: &str) -> Option<&str> {
    match path.strip_prefix(DOCUMENT_ROOT)? {
        "" => Some(""),
        below => below.strip_prefix('/'),
    }
}
