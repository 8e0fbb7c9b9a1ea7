//! What is looked at of a site, and where.

use crate::{Fleet, Result, look::origin_of};
use pressroom_base::id::SiteId;
use pressroom_providers::{address::is_private, hosting::Origin};
use pressroom_store::{EnvironmentRow, JobState, environments, health, jobs, maintenance};
use std::net::SocketAddr;
use url::{Host, Url};

/// Names that the DNS has nothing to say of.
const OF_NETWORKS: [&str; 5] = ["localhost", "local", "internal", "test", "invalid"];

/// A site to look at.
pub(super) struct Target {
    /// The environment that visitors see; none of a site that is known by its address
    /// alone.
    pub(super) row: Option<EnvironmentRow>,
    /// Its address, without a trailing slash.
    pub(super) url: Url,
    /// Where it is registered to answer.
    pub(super) origin: Option<Origin>,
}

impl Target {
    /// The address of a page of it.
    pub(super) fn page(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        url.set_path(&format!("{base}{path}"));
        url.set_query((!query.is_empty()).then_some(query));
        url
    }

    /// The name that is looked up in the DNS, if it has one.
    pub(super) fn name(&self) -> Option<&str> {
        let Some(Host::Domain(name)) = self.url.host() else {
            return None;
        };
        let top = name.trim_end_matches('.').rsplit('.').next()?;
        (name.contains('.') && !OF_NETWORKS.contains(&top)).then_some(name)
    }

    /// The registered address, where that is one that nobody outside reaches.
    pub(super) fn inner_address(&self) -> Option<SocketAddr> {
        let addr = self.origin.as_ref()?.addr;
        is_private(addr.ip()).then_some(addr)
    }

    /// What sites share that are slow together.
    pub(super) fn host(&self) -> String {
        match &self.origin {
            Some(origin) => origin.addr.ip().to_string(),
            None => self.url.host_str().unwrap_or_default().to_owned(),
        }
    }
}

impl Fleet {
    /// The site as it is to be looked at; `None` where there is nothing to look at.
    pub(super) async fn health_target(&self, site: SiteId) -> Result<Option<Target>> {
        let store = &self.parts.store;
        let Some(site) = environments::get_site(store, site).await? else {
            return Ok(None);
        };
        let row = health::production(store, site.id).await?;
        let said = row.as_ref().map(|row| row.url.clone());
        let Some(said) = said.or_else(|| site.url.clone()) else {
            return Ok(None);
        };
        let Ok(url) = Url::parse(&said) else {
            tracing::warn!(site.id = %site.id, "the site's address `{said}` cannot be read");
            return Ok(None);
        };
        let origin = row.as_ref().and_then(origin_of);
        if let Some(origin) = &origin {
            self.parts.prober.register(origin.addr);
        }
        Ok(Some(Target { row, url, origin }))
    }

    /// Why what fails at a site now says nothing about it: we work there.
    pub(super) async fn excuse(&self, row: &EnvironmentRow) -> Result<Option<String>> {
        let store = &self.parts.store;
        let writing = jobs::writing_on(store, row.id).await?;
        if let Some(job) = writing.iter().find(|job| job.state == JobState::Running) {
            return Ok(Some(format!("`{}` is at work on the site", job.kind)));
        }
        Ok(maintenance::is_wanted(store, row.id)
            .await?
            .then(|| "the site is in maintenance on purpose".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target {
            row: None,
            url: Url::parse(url).unwrap(),
            origin: None,
        }
    }

    #[test]
    fn pages_are_below_the_address_and_only_names_are_looked_up() {
        let shop = target("https://example.org/shop/");
        assert_eq!(shop.page("/").as_str(), "https://example.org/shop/");
        let page = shop.page("/?rest_route=/");
        assert_eq!(page.as_str(), "https://example.org/shop/?rest_route=/");
        for (url, name) in [
            ("https://www.example.org", Some("www.example.org")),
            ("https://192.0.2.1", None),
            ("https://[2001:db8::1]", None),
            ("http://localhost:8080", None),
            ("http://blog.localhost", None),
            ("http://intranet", None),
        ] {
            assert_eq!(target(url).name(), name, "{url}");
        }
    }
}
