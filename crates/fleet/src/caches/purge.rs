//! Forgetting objects and removing pages.

use super::{
    bench::{Bench, failed},
    redis, report,
    start::{page_address, unprocessable},
};
use crate::Result;
use pressroom_agent::protocol::Boot;
use pressroom_base::Kind;
use pressroom_wordpress::{
    bridge::{
        Action, BridgeOptions, Outcome,
        outcomes::{DeletedTransients, FlushedObjects},
    },
    caches::{acl, escaped_path},
};
use url::Url;

impl Bench<'_> {
    /// Flushes the object cache, whosever it is, and deletes transients whose time has
    /// passed, of each site of a network.
    pub(super) async fn flush(&self) -> Result<String> {
        let transients = |network| Action::DeleteTransients {
            expired_only: true,
            network,
        };
        let mut actions = vec![Action::FlushObjectCache, transients(true)];
        for blog in self.blogs().await?.iter().filter(|blog| blog.id > 1) {
            actions.push(Action::At {
                blog: blog.id,
                inner: Box::new(transients(false)),
            });
        }
        let boot = Boot {
            options: BridgeOptions::bare(),
            ..Boot::new(&self.row.path, self.fleet.php_of(self.row))
        };
        let report = self
            .session
            .bridge_with(Some(self.ctx.epoch()), boot, actions)
            .await?;
        if let Some(bad) = report.outcomes.iter().find(|outcome| !outcome.ok) {
            let why = bad.error.as_deref().unwrap_or("WordPress does not say why");
            return Err(failed(format!("the caches were not flushed: {why}")));
        }
        let first = report.outcomes.first();
        let Some(flushed) = first.and_then(Outcome::read::<FlushedObjects>) else {
            let why = report
                .fatal
                .unwrap_or_else(|| "it did not start".to_owned());
            return Err(failed(format!("WordPress did not flush its caches: {why}")));
        };
        let deleted: u64 = report
            .outcomes
            .iter()
            .filter_map(Outcome::read::<DeletedTransients>)
            .map(|done| done.deleted)
            .sum();
        let objects = if flushed.persistent {
            match self.remove_keys().await? {
                Some(keys) => format!("the object cache was flushed ({keys} keys)"),
                None => "the object cache was flushed".to_owned(),
            }
        } else {
            "there is no persistent object cache to flush".to_owned()
        };
        Ok(format!(
            "{objects}; {deleted} expired transients were deleted"
        ))
    }

    /// Removes our keys themselves, which would otherwise lapse by and by; `None` where
    /// there are none of ours.
    async fn remove_keys(&self) -> Result<Option<u64>> {
        if !report::has_object(&self.status().await?) {
            return Ok(None);
        }
        let server = self.fleet.redis_server()?;
        let prefix = redis::prefix(self.row);
        let removed = redis::ask(server, move |server, watch| {
            acl::remove_keys(server, &prefix, watch)
        });
        match removed.await {
            Ok(keys) => Ok(Some(keys)),
            Err(error) if error.kind() == Kind::Internal => Err(error),
            Err(error) => {
                self.ctx.line(error.message());
                Ok(None)
            }
        }
    }

    /// Removes pages, and says how many.
    pub(super) async fn purge(&self, url: Option<&str>) -> Result<u64> {
        let url = match url {
            Some(url) => Some(self.own_address(url).await?),
            None => None,
        };
        let (epoch, root) = (self.ctx.epoch(), &self.row.path);
        Ok(self
            .session
            .purge_pages(epoch, root, url.as_deref())
            .await?)
    }

    /// The address, if it is below the site's, or a network's site's.
    async fn own_address(&self, text: &str) -> Result<String> {
        let url = page_address(text)?;
        if is_below(&url, &self.row.url) {
            return Ok(url.into());
        }
        for blog in self.blogs().await? {
            if is_below(&url, &format!("http://{}{}", blog.domain, blog.path)) {
                return Ok(url.into());
            }
        }
        Err(unprocessable(format!("url is not below {}", self.row.url)))
    }

    /// The sites of a network; none where this is none.
    async fn blogs(&self) -> Result<Vec<pressroom_wordpress::database::Blog>> {
        let facts = self.session.read_site(&self.row.path, &[]).await?;
        Ok(facts
            .network
            .map(|network| network.blogs)
            .unwrap_or_default())
    }
}

/// Whether an address lies below another, whatever their schemes.
fn is_below(url: &Url, base: &str) -> bool {
    let Ok(base) = Url::parse(base) else {
        return false;
    };
    let port = |url: &Url| url.port().unwrap_or(0);
    let directory = |url: &Url| format!("{}/", escaped_path(url.path()).trim_end_matches('/'));
    url.host_str() == base.host_str()
        && port(url) == port(&base)
        && directory(url).starts_with(&directory(&base))
}

#[cfg(test)]
mod tests {
    use super::is_below;
    use url::Url;

    #[test]
    fn addresses_are_the_sites_own() {
        let below = |url: &str, base: &str| is_below(&Url::parse(url).expect("an address"), base);
        let site = "http://a.example:8081/blog";
        for good in [
            "http://a.example:8081/blog",
            "https://A.example:8081/blog/x/?y",
        ] {
            assert!(below(good, site), "{good}");
        }
        assert!(below("http://a.example/t%c3%bcr/x", "http://a.example/tür"));
        for bad in [
            "http://a.example:8081/",
            "http://a.example:8081/blogs/",
            "http://a.example/blog/",
            "http://b.example:8081/blog/",
            "http://a.example:8081/blog/../x",
        ] {
            assert!(!below(bad, site), "{bad}");
        }
    }
}
