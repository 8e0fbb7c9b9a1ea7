//! Finding one site.

use super::view::{Site, SiteDetails};
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    code,
    sites::address,
};
use pressroom_base::{
    Kind,
    id::{AccountId, ShortId, SiteId},
};
use pressroom_store::{KnownSite, Lookup, Scope, SiteRow, environments, sites};

impl Fleet {
    /// The site of an account that programs call so, for this action.
    ///
    /// Errors: `NotFound`, also where it is another account's; `Forbidden`.
    pub async fn find_site(
        &self,
        caller: &Caller,
        action: Action,
        account: AccountId,
        id: &ShortId,
    ) -> Result<SiteDetails> {
        let scope = Scope::Accounts(vec![account]);
        let row = match sites::by_short_id(&self.parts.store, &scope, id).await? {
            Lookup::Found(row) => row,
            Lookup::Foreign => return Err(missing().with_code(code::FOREIGN)),
            Lookup::Missing => return Err(missing()),
        };
        let known = self.known_site(caller, action, row.id).await?;
        self.site_details(known).await
    }

    /// The site that programs call so, for this action.
    pub(crate) async fn site_for(
        &self,
        caller: &Caller,
        action: Action,
        site: &ShortId,
    ) -> Result<SiteRow> {
        let principal = &caller.principal;
        let found = sites::by_short_id(&self.parts.store, &Scope::All, site).await?;
        let site = found.found().ok_or_else(missing)?;
        let foreign = || missing().with_code(code::FOREIGN);
        // Programs work in one account at a time, and a site in itself.
        let elsewhere = principal.account.is_some_and(|own| own != site.account_id)
            || principal.site_id().is_some_and(|own| own != site.id);
        if elsewhere {
            return Err(foreign());
        }
        match authorize(principal, action, Resource::OfAccount(site.account_id)) {
            Ok(()) => Ok(site),
            Err(error) if error.kind() == Kind::NotFound => Err(foreign()),
            Err(error) => Err(error),
        }
    }

    /// The site that a person means: by the id that programs use, the id of its WordPress
    /// (`wp_…`), its address, or the host name in it where only one site has that.
    ///
    /// Errors: `NotFound`; `Conflict` when several are at that host name; `Forbidden`.
    pub async fn site_named(&self, caller: &Caller, action: Action, text: &str) -> Result<Site> {
        let store = &self.parts.store;
        let scope = caller.principal.scope();
        let short = text.strip_prefix("site_").unwrap_or(text);
        if let Some(short) = ShortId::parse(short)
            && let Lookup::Found(row) = sites::by_short_id(store, &scope, &short).await?
        {
            return Ok(self.known_site(caller, action, row.id).await?.into());
        }
        if text.starts_with("wp_") {
            let row = environments::by_panel_id(store, &scope, text).await?;
            let row = row.found().ok_or_else(missing)?;
            return Ok(self.known_site(caller, action, row.site_id).await?.into());
        }
        let found = self.sites_at(&scope, text).await?;
        match found.as_slice() {
            [] => Err(missing().with_hint(
                "`pressroom site list` and `pressroom site list --pending` show all of them",
            )),
            [id] => Ok(self.known_site(caller, action, *id).await?.into()),
            _ => Err(
                Error::conflict(format!("several sites are at `{}`", text.escape_debug()))
                    .with_hint("name one by its whole address"),
            ),
        }
    }

    /// The sites at an address, or else at a host name.
    async fn sites_at(&self, scope: &Scope, text: &str) -> Result<Vec<SiteId>> {
        let store = &self.parts.store;
        let url = address::parse(text);
        let name = match &url {
            Some(url) => url.host_str().unwrap_or_default().to_owned(),
            None => crate::domains::ascii_name(text).map_err(|_| missing())?,
        };
        let mut found = Vec::new();
        for row in environments::at_host_name(store, scope, &name).await? {
            found.push((row.site_id, row.url));
        }
        for known in sites::list_unconnected(store, scope).await? {
            let url = known.site.url.unwrap_or_default();
            let host = address::parse(&url).and_then(|url| Some(url.host_str()?.to_owned()));
            if host.as_deref() == Some(name.as_str()) {
                found.push((known.site.id, url));
            }
        }
        if let Some(url) = url.as_ref().map(address::text) {
            found.retain(|(_, at)| *at == url);
        }
        let mut ids: Vec<SiteId> = found.into_iter().map(|(id, _)| id).collect();
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// A site for this action; one of another account is `NotFound` with
    /// [`code::FOREIGN`].
    pub(in crate::sites) async fn known_site(
        &self,
        caller: &Caller,
        action: Action,
        id: SiteId,
    ) -> Result<KnownSite> {
        let known = sites::known(&self.parts.store, id).await?;
        let known = known.ok_or_else(missing)?;
        let whose = Resource::OfAccount(known.site.account_id);
        match authorize(&caller.principal, action, whose) {
            Ok(()) => Ok(known),
            Err(error) if error.kind() == Kind::NotFound => Err(missing().with_code(code::FOREIGN)),
            Err(error) => Err(error),
        }
    }
}

fn missing() -> Error {
    Error::not_found("site")
}
