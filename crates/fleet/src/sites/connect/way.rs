//! Where a site is looked for.

use crate::{Caller, Error, Fleet, Result, principal::Principal, sites::address};
use pressroom_store::{ConnectionMethod, KnownSite, Lookup, Scope, domains};

impl Fleet {
    /// Connects a site, or sees a connected one at its new address; answers the address.
    pub(super) async fn connect(&self, known: &KnownSite) -> Result<String> {
        let site = &known.site;
        let given = site.url.as_deref().unwrap_or_default();
        let url = address::parse(given).ok_or_else(|| Error::invalid("its address is none"))?;
        if let Some(environment) = &known.environment {
            return self.see_at(site, environment, &url).await;
        }
        let caller = Caller::new(Principal::worker());
        let found = match site.method {
            Some(ConnectionMethod::Ssh) => self.found_on_host(site, &url).await?,
            Some(ConnectionMethod::Local) => self.found_in_domain(site, &url).await?,
            Some(ConnectionMethod::Connector) | None => {
                // The domain may have been added after the site.
                let scope = Scope::Accounts(vec![site.account_id]);
                let name = url.host_str().unwrap_or_default();
                match domains::by_name(&self.parts.store, &scope, name).await? {
                    Lookup::Found(_) => self.found_in_domain(site, &url).await?,
                    _ => return Err(self.seen_from_outside(&url).await),
                }
            }
        };
        let adopted = self.adopt_added(&caller, site, &url, found).await?;
        Ok(adopted.url)
    }
}
