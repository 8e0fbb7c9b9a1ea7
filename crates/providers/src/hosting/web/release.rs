//! Giving a domain up without touching it.
//!
//! Everything stays where it is and keeps running: user, home, pool, server block,
//! databases. From then on they are the operator's: listed apart, never changed and
//! never removed by us, not even when asked to by name.

use super::{Described, WebSite, described::Databases};
use crate::hosting::{Error, LocalHosting, Result, SiteUser, names, stack::Serving};
use serde::Serialize;
use std::path::PathBuf;

/// A domain that was given up, and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Released {
    /// The domain.
    pub domain: String,
    /// Its home.
    pub home: PathBuf,
    /// Its Unix user, if it has one of its own.
    pub user: Option<SiteUser>,
    /// Its pool file; `None` in development mode.
    pub pool: Option<PathBuf>,
    /// Its server block; `None` in development mode.
    pub server_block: Option<PathBuf>,
    /// Its databases.
    pub databases: Vec<String>,
    /// Their users.
    pub database_users: Vec<String>,
}

impl LocalHosting {
    /// Stops managing a domain without touching it: what serves it, its user, its home
    /// and the named databases and users stay and go on, and are refused to every
    /// later change. Asked again, it adds the databases that were not named before.
    pub async fn release(
        &self,
        site: &WebSite,
        databases: &[String],
        database_users: &[String],
    ) -> Result<Released> {
        site.check(self.config())?;
        for database in databases {
            names::database(database)?;
        }
        for user in database_users {
            names::database_user(user)?;
        }
        let _turn = self.turn().await?;
        let known = Described::read(self, &site.domain)?;
        // What is served now, and not what somebody remembers of it.
        let mut described = known.unwrap_or_else(|| Described {
            site: site.clone(),
            released: None,
        });
        let list = described.released.get_or_insert_with(Databases::default);
        for (names, more) in [
            (&mut list.databases, databases),
            (&mut list.users, database_users),
        ] {
            names.extend_from_slice(more);
            names.sort();
            names.dedup();
        }
        described.write(self)?;
        released(self, &described)
    }

    /// Takes a release back: the domain is managed again as it was. False when it was
    /// not released.
    pub async fn take_back(&self, domain: &str) -> Result<bool> {
        names::domain(domain)?;
        let _turn = self.turn().await?;
        let Some(mut described) = Described::read(self, domain)? else {
            return Ok(false);
        };
        if described.released.take().is_none() {
            return Ok(false);
        }
        described.write(self)?;
        Ok(true)
    }

    /// Domains that were given up, by name.
    pub fn released(&self) -> Result<Vec<Released>> {
        Described::all(self)?
            .iter()
            .filter(|described| described.released.is_some())
            .map(|described| released(self, described))
            .collect()
    }

    /// Fails when something was given up, whatever kind of thing it is.
    pub(in crate::hosting) fn refuse_released(
        &self,
        what: &'static str,
        is: impl Fn(&Described, &Databases) -> bool,
        name: impl Into<String>,
    ) -> Result<()> {
        let all = Described::all(self)?;
        let found = all.iter().any(|described| {
            described
                .released
                .as_ref()
                .is_some_and(|list| is(described, list))
        });
        if !found {
            return Ok(());
        }
        Err(Error::Released {
            what,
            name: name.into(),
        })
    }
}

fn released(hosting: &LocalHosting, described: &Described) -> Result<Released> {
    let site = &described.site;
    let stack = hosting.serving()? == Serving::Stack;
    let list = described.released.clone().unwrap_or_default();
    let layout = hosting.layout();
    Ok(Released {
        domain: site.domain.clone(),
        home: site.home.clone(),
        user: site.user.clone(),
        pool: stack.then(|| layout.pool(&site.domain)),
        server_block: stack.then(|| layout.site(&site.domain)),
        databases: list.databases,
        database_users: list.users,
    })
}
