//! Asking for a move: everything that can be refused is refused here.

use super::payload::{KIND, Payload};
use crate::{
    Caller, Error, Fleet, Result, authorize::Action, code, jobs::Enqueue, reach::Shared,
    readdress::Readdress, views::Job,
};
use pressroom_base::{catalog::event, id::EnvironmentId, token};
use pressroom_store::{
    DomainRow, EnvironmentRow, EnvironmentState, ResourceState, Tx, domains, environments,
    resources,
};
use std::path::Path;

/// Where a site goes.
#[derive(Debug, Clone)]
pub struct MoveSite {
    /// A domain of the site's account in which nothing is.
    pub domain: String,
}

impl Fleet {
    /// Starts moving a site to another domain of its account, as a job. It ends
    /// `completed` only when the site answers there as it did before and no longer at
    /// the old address; otherwise everything is as it was.
    ///
    /// Errors: `NotFound` (site, domain), `Forbidden`, `Invalid` (the site's own
    /// domain), `Conflict` (another account's domain, one that holds something, a site
    /// that shares its domain or does not work), `Busy` with `OPERATION_RUNNING`.
    pub async fn move_site(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        to: MoveSite,
    ) -> Result<Job> {
        if let Some(id) = caller.earlier_job() {
            return self.job_by_id(caller, Action::SiteMove, id).await;
        }
        let row = self
            .environment_row(caller, Action::SiteMove, environment)
            .await?
            .env;
        let target = self
            .permitted_domain(caller, Action::SiteMove, &to.domain)
            .await?;
        let source = self.source(&row).await?;
        if target.id == source.id {
            return Err(Error::invalid(format!(
                "the site is at `{}` already",
                target.name
            )));
        }
        if target.account_id != row.account_id {
            return Err(Error::conflict(format!(
                "`{}` belongs to another account than the site",
                target.name
            )));
        }
        self.refuse_unmovable(&row, &source)?;

        let tx = self.parts.store.begin().await?;
        let payload = self.plan_move(&row, &source, &target)?;
        let id = self
            .enqueue(
                &tx,
                caller,
                Enqueue::writing(KIND, &row, &payload)?
                    .and_of(Some(Shared::Domain(target.id)))
                    .with_event(event::SITE_MOVE_STARTED),
            )
            .await?;
        // Both domains are locked from here: what is seen of them stays so.
        refuse_shared(&tx, &source).await?;
        self.refuse_occupied_domain(&tx, &target).await?;
        self.refuse_foreign_home(&tx, &source).await?;
        tx.commit().await?;
        self.job_by_id(caller, Action::SiteMove, id).await
    }

    async fn source(&self, row: &EnvironmentRow) -> Result<DomainRow> {
        let unknown = || Error::conflict("the site has no domain on this machine");
        let id = row.domain_id.ok_or_else(unknown)?;
        domains::get(&self.parts.store, id)
            .await?
            .ok_or_else(unknown)
    }

    /// What only the site's own state decides.
    fn refuse_unmovable(&self, row: &EnvironmentRow, source: &DomainRow) -> Result<()> {
        if row.state != EnvironmentState::Active {
            return Err(Error::conflict(format!(
                "the site is {}, and only one that works can be judged at its new address",
                row.state.as_str()
            )));
        }
        let Some(web) = self.parts.hosting.web(&source.name)? else {
            return Err(Error::conflict(format!(
                "`{}` is not served by Pressroom",
                source.name
            )));
        };
        if web.tls.is_some() {
            return Err(Error::conflict(format!(
                "`{}` is served with a certificate of its own, which would not fit the new name",
                source.name
            ))
            .with_hint("serve it without the certificate first, and give it one after the move"));
        }
        Ok(())
    }

    fn plan_move(
        &self,
        row: &EnvironmentRow,
        source: &DomainRow,
        target: &DomainRow,
    ) -> Result<Payload> {
        let hosting = &self.parts.hosting;
        let (old, new) = (hosting.origin(&source.name)?, hosting.origin(&target.name)?);
        let address = readdress(
            &row.url,
            (&source.name, &old.host),
            (&target.name, &new.host),
        )
        .ok_or_else(|| {
            Error::conflict(format!(
                "the site calls itself {}, which is not on `{}`",
                row.url, source.name
            ))
            .with_hint("put the site's address right first")
        })?;
        let new_url = address.url(&row.url).unwrap_or_default();
        let named_after = hosting.home_of(&source.name)? == Path::new(&source.root);
        Ok(Payload {
            from: source.id,
            from_name: source.name.clone(),
            to: target.id,
            to_name: target.name.clone(),
            address,
            old_url: row.url.clone(),
            new_url,
            old_home: source.root.clone(),
            new_home: if named_after {
                target.root.clone()
            } else {
                source.root.clone()
            },
            unused_home: target.root.clone(),
            snapshot: token::name(16),
        })
    }

    /// Refuses a domain that holds a site, or anything else on this machine.
    async fn refuse_occupied_domain(&self, tx: &Tx, target: &DomainRow) -> Result<()> {
        if environments::live_in_domain(tx, target.id).await? {
            return Err(
                Error::conflict(format!("`{}` has a site already", target.name))
                    .with_code(code::ALREADY_INSTALLED)
                    .with_hint("remove or move that site first"),
            );
        }
        let left = |what: &str| {
            Error::conflict(format!("`{}` is not empty: {what} is there", target.name))
                .with_code(code::NOT_EMPTY)
                .with_hint("a site moves only into a domain of which nothing is on the machine")
        };
        if let Some(record) = resources::list_by_domain(tx, target.id).await?.first() {
            return Err(left(&format!("its {} `{}`", record.kind, record.name)));
        }
        for (kind, name) in [("web", &target.name), ("home", &target.root)] {
            if resources::by_name(tx, kind, name).await?.is_some() {
                return Err(left(&format!("what was handed over, `{name}`,")));
            }
        }
        if self.parts.hosting.web(&target.name)?.is_some() {
            return Err(left("a server block"));
        }
        if Path::new(&target.root).exists() {
            return Err(left(&format!("the directory `{}`", target.root)));
        }
        Ok(())
    }

    /// Only a home that Pressroom made is renamed or given to another domain.
    async fn refuse_foreign_home(&self, tx: &Tx, source: &DomainRow) -> Result<()> {
        let home = resources::by_name(tx, "home", &source.root).await?;
        if home.is_some_and(|home| home.state == ResourceState::Present) {
            return Ok(());
        }
        Err(Error::conflict(format!(
            "the directory `{}` was not made by Pressroom",
            source.root
        )))
    }
}

/// A site that shares its directory and server block cannot go alone.
async fn refuse_shared(tx: &Tx, source: &DomainRow) -> Result<()> {
    if environments::in_domain(tx, source.id).await?.len() > 1 {
        return Err(Error::conflict(
            "another site lives in this domain and shares its directory and server block",
        )
        .with_hint("remove the other site first, or keep both"));
    }
    Ok(())
}

/// How the site's address changes: `(name, host with port)` of both domains. A port
/// that is the web server's becomes the other's; any other, as of a proxy, stays.
fn readdress(url: &str, old: (&str, &str), new: (&str, &str)) -> Option<Readdress> {
    let (_, rest) = url.split_once("//")?;
    let authority = rest.split('/').next()?;
    let change = |to: String| Readdress {
        old: authority.to_owned(),
        new: to,
    };
    if authority == old.1 {
        return Some(change(new.1.to_owned()));
    }
    let port = authority.strip_prefix(old.0)?;
    (port.is_empty() || port.starts_with(':')).then(|| change(format!("{}{port}", new.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_port_changes_and_a_proxys_stays() {
        let to = |url: &str| {
            readdress(
                url,
                ("old.example", "old.example:8081"),
                ("new.example", "new.example:8082"),
            )
            .map(|found| (found.old, found.new))
        };
        let pair = |old: &str, new: &str| Some((old.to_owned(), new.to_owned()));
        assert_eq!(
            to("http://old.example:8081/blog"),
            pair("old.example:8081", "new.example:8082")
        );
        assert_eq!(
            to("https://old.example"),
            pair("old.example", "new.example")
        );
        assert_eq!(
            to("https://old.example:8443"),
            pair("old.example:8443", "new.example:8443")
        );
        assert_eq!(to("https://www.old.example"), None);
        assert_eq!(to("https://old.example.org"), None);
        assert_eq!(to("nonsense"), None);
    }
}
