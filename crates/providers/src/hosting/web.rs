//! A domain on the web: its PHP pool and its server block.

mod pool;
mod server;

use super::{
    Error, Isolation, LocalHosting, Result, SiteUser,
    layout::remove_if_there,
    names,
    stack::{Fpm, Nginx, PoolFile, SiteFile, web_account},
};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// A domain as it should be served. All sites below one domain share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSite {
    /// The name visitors type, lower case.
    pub domain: String,
    /// Further names of the same site.
    pub aliases: Vec<String>,
    /// The domain's home.
    pub home: PathBuf,
    /// What is served, relative to the home; usually `public_html`.
    pub document_root: String,
    /// Directories below the document root that hold a WordPress of their own, e.g.
    /// `blog`; their pretty addresses go to their own `index.php`.
    pub subdirectories: Vec<String>,
    /// Whom PHP runs as; `None` without isolation.
    pub user: Option<SiteUser>,
}

impl WebSite {
    /// A domain that serves `public_html` of its home.
    pub fn new(
        domain: impl Into<String>,
        home: impl Into<PathBuf>,
        user: Option<SiteUser>,
    ) -> Self {
        Self {
            domain: domain.into(),
            aliases: Vec::new(),
            home: home.into(),
            document_root: "public_html".into(),
            subdirectories: Vec::new(),
            user,
        }
    }

    /// Names the pool's socket: short, whatever the domain.
    fn key(&self) -> String {
        hex::encode(&Sha256::digest(&self.domain)[..6])
    }

    fn check(&self, isolation: Isolation) -> Result<()> {
        names::domain(&self.domain)?;
        for alias in &self.aliases {
            names::domain(alias)?;
        }
        names::absolute_path(&self.home)?;
        names::relative_path(&self.document_root)?;
        for directory in &self.subdirectories {
            names::relative_path(directory)?;
            if directory.is_empty() {
                return Err(Error::BadName {
                    what: "path below a home",
                    name: String::new(),
                });
            }
        }
        if let Some(user) = &self.user {
            names::unix_user(&user.name)?;
        }
        match (isolation, &self.user) {
            (Isolation::UnixUsers, Some(_)) | (Isolation::None, None) => Ok(()),
            _ => Err(Error::Isolation),
        }
    }
}

impl LocalHosting {
    /// Serves the domain as described, whatever it was before. Returns when the new
    /// pool and server block are live. When a daemon refuses, nothing is changed.
    pub async fn ensure_web(&self, site: &WebSite) -> Result<()> {
        site.check(self.config().isolation)?;
        let web = match self.config().isolation {
            Isolation::UnixUsers => Some(web_account()?),
            Isolation::None => None,
        };
        let layout = self.layout();
        let socket = layout.pool_socket(&site.key())?;
        let pool = pool::render(site, &socket, web.as_ref());
        let server = server::render(site, &socket, self.http_addr()?, &layout.control_socket()?);
        let _turn = self.turn().await?;
        let before = super::layout::read_if_there(&layout.pool(&site.domain))?;
        Fpm::of(self)
            .change(&PoolFile {
                domain: &site.domain,
                content: Some(pool),
            })
            .await?;
        let outcome = Nginx::of(self)
            .change(&SiteFile {
                domain: &site.domain,
                content: Some(server.text),
                hash: server.hash,
            })
            .await;
        if outcome.is_err() {
            let before = before.and_then(|bytes| String::from_utf8(bytes).ok());
            Fpm::of(self)
                .change(&PoolFile {
                    domain: &site.domain,
                    content: before,
                })
                .await?;
        }
        outcome
    }

    /// Stops serving the domain, then ends its pool; false when nothing was there.
    pub async fn remove_web(&self, domain: &str) -> Result<bool> {
        names::domain(domain)?;
        let layout = self.layout();
        let (pool, site) = (layout.pool(domain), layout.site(domain));
        let there = pool.exists() || site.exists();
        if !there && !layout.dir.exists() {
            return Ok(false);
        }
        let _turn = self.turn().await?;
        Nginx::of(self).change(&SiteFile::absent(domain)).await?;
        let socket = super::layout::read_if_there(&pool)?
            .and_then(|bytes| pool::socket_of(&String::from_utf8_lossy(&bytes)));
        Fpm::of(self)
            .change(&PoolFile {
                domain,
                content: None,
            })
            .await?;
        if let Some(socket) = socket {
            // php-fpm removes it by itself, unless it was killed in between.
            remove_if_there(&socket)?;
        }
        remove_if_there(&pool.with_extension("orphan"))?;
        Ok(there)
    }
}
