//! A WordPress on a host of the account.

use super::here::none_of;
use crate::{
    Error, Fleet, Result,
    hosts::php_of,
    sites::{
        address,
        adopt::{AdoptSite, Found, calls_itself},
        ssh_place::SshPlace,
    },
};
use pressroom_base::Kind;
use pressroom_store::{AccountRow, HostRow, Scope, SiteRow, accounts, hosts};
use url::Url;

/// Installations that are asked what they call themselves.
const ASKED: usize = 50;

impl Fleet {
    /// The WordPress at the path that was given, or the one below the login's home that
    /// calls itself by the site's address.
    pub(super) async fn found_on_host(&self, site: &SiteRow, url: &Url) -> Result<Found> {
        let store = &self.parts.store;
        let place = site.place.clone().unwrap_or_default();
        let place: SshPlace = serde_json::from_value(place).map_err(Error::internal)?;
        let scope = Scope::Accounts(vec![site.account_id]);
        let host = hosts::look_up(store, &scope, place.host).await?.found();
        let host = host.ok_or_else(|| {
            Error::new(Kind::NotFound, "the host it was on is not there any more")
                .with_hint("name another one")
        })?;
        let host = self.with_php(host).await?;
        let account = accounts::get(store, site.account_id).await?;
        let account = account.ok_or_else(|| Error::not_found("account"))?;
        match place.path {
            Some(path) => self.found_at(&path, account, host).await,
            None => self.found_by_address(url, account, host).await,
        }
    }

    /// The host once it was looked at: which PHP it has is recorded with the site.
    async fn with_php(&self, host: HostRow) -> Result<HostRow> {
        if php_of(&host).1.is_some() {
            return Ok(host);
        }
        self.look_at_host(host.clone()).await?;
        let seen = hosts::get(&self.parts.store, host.id).await?;
        seen.ok_or_else(|| Error::not_found("host"))
    }

    async fn found_at(&self, path: &str, account: AccountRow, host: HostRow) -> Result<Found> {
        let new = AdoptSite {
            path: path.to_owned(),
            ..AdoptSite::default()
        };
        self.found_to_adopt(&new, account, Some(host), None).await
    }

    async fn found_by_address(
        &self,
        url: &Url,
        account: AccountRow,
        host: HostRow,
    ) -> Result<Found> {
        let label = host.label.clone();
        let seen = self.look_at_host(host.clone()).await?;
        let survey = seen.host.survey.unwrap_or_default();
        let Some(all) = survey.sites else {
            let why = survey.sites_note.unwrap_or_default();
            return Err(Error::new(
                Kind::Unsupported,
                format!("sites cannot be looked for on `{label}`: {why}"),
            )
            .with_hint("name the directory of WordPress there"));
        };
        let mut others = Vec::new();
        for one in all.iter().filter(|one| one.configured).take(ASKED) {
            let found = self
                .found_at(&one.root, account.clone(), host.clone())
                .await;
            // One that cannot be looked at stands in no other's way.
            let Ok(found) = found else { continue };
            let Ok(survey) = self.survey_to_adopt(&AdoptSite::default(), &found).await else {
                continue;
            };
            let itself = calls_itself(&survey).unwrap_or_default();
            if address::parse(&itself).is_some_and(|itself| address::same_place(&itself, url)) {
                return Ok(found);
            }
            others.push(itself);
        }
        Err(none_of(&format!("{label}:{}", survey.home), url, &others))
    }
}
