//! A domain on the web: its PHP pool and its server block, or PHP's own server.

mod change;
pub(super) mod described;
mod network;
pub(super) mod pool;
mod protected;
mod queue;
mod release;
pub(super) mod rules;
mod server;
pub(super) mod site;

pub(super) use change::renew;
pub(super) use described::Described;
pub(super) use queue::{Change, Queue};
pub use release::Released;
pub use site::{Network, PoolLimits, TlsFiles, WebSite};

use super::{LocalHosting, Result, names, stack::Serving};

impl LocalHosting {
    /// Serves the domain as described, whatever it was before. Returns when the new
    /// pool and server block are live. When a daemon refuses, nothing is changed.
    /// Calls that wait for each other share their reloads.
    pub async fn ensure_web(&self, site: &WebSite) -> Result<()> {
        site.check(self.config())?;
        change::ask(self, Change::Serve(Box::new(site.clone())))
            .await
            .map(drop)
    }

    /// Serves the WordPress in `directory` (below the document root, or empty for that)
    /// as this network, or as no network; false when the domain is served so already,
    /// is not served, or was given up. Everything else stays as it is served at that
    /// moment, so that this never brings back what somebody removed.
    pub async fn serve_network(
        &self,
        domain: &str,
        directory: &str,
        network: Option<Network>,
    ) -> Result<bool> {
        names::domain(domain)?;
        names::relative_path(directory)?;
        let Some(described) = Described::read(self, domain)? else {
            return Ok(false);
        };
        let mut wanted = described.site.clone();
        wanted.set_network(directory, network.clone());
        if described.released.is_some() || wanted == described.site {
            return Ok(false);
        }
        let change = Change::Network(domain.to_owned(), directory.to_owned(), network);
        change::ask(self, change).await?;
        Ok(true)
    }

    /// Serves the WordPress in `directory` (below the document root, or empty for that)
    /// protected, or no longer: `readme.html` and the like, and programs in cache
    /// directories, are refused beside what is refused everywhere. False when the domain
    /// is served so already, is not served, or was given up.
    pub async fn serve_protected(
        &self,
        domain: &str,
        directory: &str,
        wanted: bool,
    ) -> Result<bool> {
        names::domain(domain)?;
        names::relative_path(directory)?;
        let Some(described) = Described::read(self, domain)? else {
            return Ok(false);
        };
        let is_so = described.site.protected.iter().any(|at| at == directory);
        if described.released.is_some() || is_so == wanted {
            return Ok(false);
        }
        let change = Change::Protected(domain.to_owned(), directory.to_owned(), wanted);
        change::ask(self, change).await?;
        Ok(true)
    }

    /// Stops serving the domain, then ends its pool; false when nothing was there.
    /// Its access logs go with it.
    pub async fn remove_web(&self, domain: &str) -> Result<bool> {
        names::domain(domain)?;
        if !self.layout().dir.exists() {
            return Ok(false);
        }
        change::ask(self, Change::Remove(domain.to_owned())).await
    }

    /// Stops serving the domain for now, as [`LocalHosting::remove_web`] does, but its
    /// port and its access logs stay its own; false when nothing was there. Afterwards
    /// it is served again, or removed.
    pub async fn pause_web(&self, domain: &str) -> Result<bool> {
        names::domain(domain)?;
        if !self.layout().dir.exists() {
            return Ok(false);
        }
        change::ask(self, Change::Pause(domain.to_owned())).await
    }

    /// Where the pool of a domain listens, for FastCGI; `None` when there is none.
    pub fn pool_socket(&self, domain: &str) -> Result<Option<String>> {
        if self.serving()? == Serving::Php {
            return Ok(None);
        }
        self.web(domain)?
            .map(|site| {
                let socket = self.layout().pool_socket(&site.key())?;
                Ok(socket.display().to_string())
            })
            .transpose()
    }

    /// What a domain is served as, as last asked for; `None` when it is not served.
    pub fn web(&self, domain: &str) -> Result<Option<WebSite>> {
        names::domain(domain)?;
        Ok(Described::read(self, domain)?.map(|described| described.site))
    }
}
