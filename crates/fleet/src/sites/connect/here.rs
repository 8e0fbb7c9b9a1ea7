//! A WordPress that an operator placed below a domain's directory on this machine.

use crate::{
    Error, Fleet, Result,
    reach::Ground,
    sites::{
        address,
        adopt::{AdoptSite, Found, calls_itself, roots},
    },
};
use pressroom_agent::protocol::SiteRef;
use pressroom_base::Kind;
use pressroom_carrier::{CancellationToken, Session};
use pressroom_store::{DomainRow, Lookup, Scope, SiteRow, accounts, domains, environments};
use std::{fs, os::unix::fs::MetadataExt, path::Path};
use url::Url;

/// Levels of directories below the domain's own.
const DEPTH: usize = 5;
/// Installations that are asked what they call themselves.
const ASKED: usize = 50;

impl Fleet {
    /// The WordPress below the directory of a site's domain that calls itself by its
    /// address.
    pub(super) async fn found_in_domain(&self, site: &SiteRow, url: &Url) -> Result<Found> {
        let store = &self.parts.store;
        let scope = Scope::Accounts(vec![site.account_id]);
        let name = url.host_str().unwrap_or_default();
        let Lookup::Found(domain) = domains::by_name(store, &scope, name).await? else {
            return Err(Error::new(
                Kind::NotFound,
                format!("`{name}` is no domain of the account on this machine"),
            )
            .with_hint("add it with `pressroom domain add`"));
        };
        // A home of ours has one user, fence and server block, and what we installed in it.
        if domain.unix_user.is_some() || environments::live_in_domain(store, domain.id).await? {
            return Err(Error::conflict(format!(
                "Pressroom itself makes the sites of the domain `{name}`, and takes in no other"
            )));
        }
        let ground = self.ground_of_operator(&domain)?;
        let session = self.open_session(&ground, CancellationToken::new()).await?;
        let root = self.root_below(&session, &domain, url).await;
        session.close().await;
        let new = AdoptSite {
            path: root?,
            ..AdoptSite::default()
        };
        let account = accounts::get(store, site.account_id).await?;
        let account = account.ok_or_else(|| Error::not_found("account"))?;
        let found = self
            .found_to_adopt(&new, account, None, Some(&domain))
            .await?;
        // A link that leads out of the domain is no way to what lies there.
        let inside = fs::canonicalize(&domain.root)
            .is_ok_and(|home| Path::new(&found.home()).starts_with(home));
        if !inside {
            return Err(Error::conflict(format!(
                "`{}` is not below the directory of the domain `{name}`",
                found.root
            )));
        }
        Ok(found)
    }

    /// The domain's directory, and whoever owns it.
    fn ground_of_operator(&self, domain: &DomainRow) -> Result<Ground> {
        let seen = fs::metadata(&domain.root).map_err(|why| {
            Error::new(
                Kind::NotFound,
                format!("the domain's directory `{}` is not there", domain.root),
            )
            .with_hint("place the site's WordPress in a directory below it")
            .with_source(why)
        })?;
        if seen.uid() == 0 {
            return Err(roots(&domain.root));
        }
        Ok(Ground {
            home: domain.root.clone().into(),
            unix_user: self.owner_here(&domain.root, seen.uid())?,
            host: None,
        })
    }

    async fn root_below(&self, session: &Session, domain: &DomainRow, url: &Url) -> Result<String> {
        let found = session.find("", DEPTH).await?;
        let configured = found
            .installs
            .into_iter()
            .filter(|install| install.config.is_some() && !install.root.is_empty());
        let mut others = Vec::new();
        for install in configured.take(ASKED) {
            let site = SiteRef {
                root: install.root.clone(),
                php: Some(self.parts.settings.php.clone()),
            };
            // One that is broken stands in no other's way.
            let Ok(survey) = session.survey(site, &[]).await else {
                continue;
            };
            let itself = calls_itself(&survey).unwrap_or_default();
            if address::parse(&itself).is_some_and(|itself| address::same_place(&itself, url)) {
                return Ok(format!("{}/{}", domain.root, install.root));
            }
            others.push(itself);
        }
        Err(none_of(&domain.root, url, &others))
    }
}

/// Why none of what was found is the site.
pub(super) fn none_of(place: &str, url: &Url, others: &[String]) -> Error {
    let url = address::text(url);
    if others.is_empty() {
        return Error::new(
            Kind::NotFound,
            format!("there is no WordPress below `{place}` that could be asked for its address"),
        )
        .with_hint("it needs a wp-config.php, and a database that answers");
    }
    let told: Vec<String> = others
        .iter()
        .take(5)
        .map(|other| format!("`{}`", other.escape_debug()))
        .collect();
    Error::new(
        Kind::NotFound,
        format!(
            "no WordPress below `{place}` calls itself `{url}`: there is {}",
            told.join(", ")
        ),
    )
}
