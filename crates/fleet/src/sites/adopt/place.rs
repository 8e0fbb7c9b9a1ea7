//! Where a site is that was there before, and whose it is.

use super::site::AdoptSite;
use crate::{Error, Fleet, Result, accounts, reach::Ground};
use pressroom_base::Kind;
use pressroom_carrier::ssh::RunAs;
use pressroom_store::{AccountRow, DomainRow, HostRow, Scope, accounts as account_rows, domains};
use std::{
    os::unix::fs::MetadataExt,
    path::{Component, Path},
};

/// Where a site is.
pub(in crate::sites) struct Found {
    pub(in crate::sites) account: AccountRow,
    /// Its machine; this one, without.
    pub(in crate::sites) host: Option<HostRow>,
    /// The directory of WordPress, absolute, without links.
    pub(in crate::sites) root: String,
    /// The same, relative to the home.
    pub(in crate::sites) name: String,
    /// Where sessions start, and as whom.
    pub(in crate::sites) ground: Ground,
}

impl Found {
    /// The home as text.
    pub(in crate::sites) fn home(&self) -> String {
        self.ground.home.display().to_string()
    }
}

impl Fleet {
    pub(super) async fn find_to_adopt(&self, new: &AdoptSite) -> Result<Found> {
        checked(&new.path)?;
        let store = &self.parts.store;
        let host = match &new.host {
            None => None,
            Some(name) => Some(self.host_row(name).await?),
        };
        let account = match (&new.account, &host) {
            (Some(name), _) => accounts::named(store, name).await?,
            (None, Some(host)) => account_rows::get(store, host.account_id)
                .await?
                .ok_or_else(|| Error::not_found("account"))?,
            (None, None) => {
                return Err(Error::invalid("nothing says whose the site is")
                    .with_hint("name the account with `--account`"));
            }
        };
        self.found_to_adopt(new, account, host, None).await
    }

    /// The same, where account and host are known. Within a domain's directory nothing is
    /// adopted but for that domain's own account, which says so by naming it.
    pub(in crate::sites) async fn found_to_adopt(
        &self,
        new: &AdoptSite,
        account: AccountRow,
        host: Option<HostRow>,
        domain: Option<&DomainRow>,
    ) -> Result<Found> {
        checked(&new.path)?;
        if let Some(host) = &host
            && host.account_id != account.id
        {
            return Err(Error::conflict(format!(
                "`{}` is a host of another account than `{}`",
                host.label, account.name
            )));
        }
        let (root, user) = match &host {
            Some(host) => self.on_host(host, new).await?,
            None => self.on_this_machine(new, domain).await?,
        };
        let (home, name) = root
            .rsplit_once('/')
            .filter(|(home, name)| !home.is_empty() && !name.is_empty())
            .ok_or_else(|| too_high(&root))?;
        Ok(Found {
            ground: Ground {
                home: home.into(),
                unix_user: user,
                host: host.as_ref().map(|host| host.id),
            },
            name: name.to_owned(),
            account,
            host,
            root,
        })
    }

    /// The directory and its owner, as the host says.
    async fn on_host(&self, host: &HostRow, new: &AdoptSite) -> Result<(String, Option<String>)> {
        let remote = self.remote(host, RunAs::Login).await?;
        let seen = remote.directory(&new.path).await;
        self.learn_keys(host, &remote).await?;
        let seen = self.told_by_host(host, seen).await?;
        let (root, owner) = match (seen, &new.user) {
            (Some(seen), None) => (seen.path, seen.owner),
            (Some(seen), Some(user)) => (seen.path, user.clone()),
            // Others may be kept out of it: the named user will see.
            (None, Some(user)) => (new.path.trim_end_matches('/').to_owned(), user.clone()),
            (None, None) => {
                return Err(Error::new(
                    Kind::NotFound,
                    format!(
                        "`{}` cannot look into `{}` on `{}`",
                        host.login, new.path, host.label
                    ),
                )
                .with_hint("if it is there and another user's, name that user with `--user`"));
            }
        };
        if owner == "root" {
            return Err(roots(&root));
        }
        if owner == "UNKNOWN" {
            return Err(Error::invalid(format!(
                "`{root}` belongs to nobody that `{}` has a name for",
                host.label
            )));
        }
        Ok((root, Some(owner)))
    }

    /// The directory and its owner on this machine. Nothing below it is opened.
    async fn on_this_machine(
        &self,
        new: &AdoptSite,
        domain: Option<&DomainRow>,
    ) -> Result<(String, Option<String>)> {
        let root = std::fs::canonicalize(&new.path).map_err(|why| {
            Error::new(
                Kind::NotFound,
                format!("`{}` cannot be found: {why}", new.path),
            )
        })?;
        let text = root.to_str().map(str::to_owned);
        let text = text.ok_or_else(|| Error::invalid("the directory's name is not UTF-8"))?;
        let refused =
            |why| Error::invalid(format!("`{text}` cannot be looked at")).with_source(why);
        let seen = std::fs::metadata(&root).map_err(refused)?;
        if seen.uid() == 0 {
            return Err(roots(&text));
        }
        self.refuse_ours(&root, domain).await?;
        let owner = self.owner_here(&text, seen.uid())?;
        if let (Some(owner), Some(named)) = (&owner, &new.user)
            && owner != named
        {
            return Err(Error::invalid(format!("`{text}` belongs to `{owner}`")));
        }
        Ok((text, owner))
    }

    /// Whom a directory on this machine belongs to.
    pub(in crate::sites) fn owner_here(&self, path: &str, uid: u32) -> Result<Option<String>> {
        if !rustix::process::geteuid().is_root() {
            // Who is not root becomes nobody: the agent says whose the directory is.
            return Ok(None);
        }
        let owner = self.parts.hosting.account_of(uid)?;
        let owner = owner.ok_or_else(|| {
            Error::invalid(format!(
                "`{path}` belongs to the user with the id {uid}, whom this machine does not know"
            ))
        })?;
        Ok(Some(owner.name))
    }

    /// What lies in a domain of ours was installed there, or is part of what was.
    async fn refuse_ours(&self, root: &Path, but: Option<&DomainRow>) -> Result<()> {
        let hosting = &self.parts.hosting.config().dir;
        if root.starts_with(hosting) || hosting.starts_with(root) {
            return Err(Error::conflict(format!(
                "`{}` is Pressroom's own",
                root.display()
            )));
        }
        let domains = domains::list(&self.parts.store, &Scope::All).await?;
        let holds = |domain: &&DomainRow| {
            root.starts_with(&domain.root) && but.is_none_or(|but| but.id != domain.id)
        };
        match domains.iter().find(holds) {
            None => Ok(()),
            Some(domain) => Err(Error::conflict(format!(
                "`{}` is in the directory of the domain `{}`, which Pressroom made",
                root.display(),
                domain.name
            ))),
        }
    }
}

/// An absolute path without `..`, in plain text.
pub(in crate::sites) fn checked(path: &str) -> Result<()> {
    let plain = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::RootDir | Component::Normal(_)))
        && !path.contains("//");
    if !path.starts_with('/') || !plain || path.chars().any(char::is_control) || path.len() > 1000 {
        return Err(Error::invalid(format!(
            "`{}` is not an absolute directory",
            path.escape_debug()
        ))
        .with_hint("give the directory of wp-config.php, such as `/home/shop/public_html`"));
    }
    if path.trim_end_matches('/').matches('/').count() < 2 {
        return Err(too_high(path));
    }
    Ok(())
}

fn too_high(path: &str) -> Error {
    Error::invalid(format!("`{path}` is too near the root of the file system"))
        .with_hint("the directory above WordPress has to be the site's user's own")
}

pub(in crate::sites) fn roots(path: &str) -> Error {
    Error::invalid(format!(
        "`{path}` belongs to root, and nothing of ours runs as root"
    ))
    .with_hint("give it to the user whom the site's PHP runs as, with `chown -R`")
}

#[cfg(test)]
mod tests {
    use super::checked;

    #[test]
    fn only_a_directory_of_a_user_is_taken() {
        for good in ["/home/shop", "/srv/www/", "/var/www/ein Laden"] {
            assert!(checked(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "/srv",
            "/srv/",
            "//srv",
            "www",
            "./www",
            "/home/../etc",
            "/home/a\nb",
        ] {
            assert!(checked(bad).is_err(), "{bad:?}");
        }
    }
}
