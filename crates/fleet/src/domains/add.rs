//! Giving a domain to an account.

use super::{ascii_name, list::view};
use crate::{
    Caller, Error, Fleet, Result, accounts,
    authorize::{Action, Resource, authorize},
    users::exists,
    views::Domain,
};
use pressroom_base::catalog::event;
use pressroom_store::{self as store, DomainRow, Scope, domains};
use serde_json::json;
use std::path::{Component, Path, PathBuf};

/// A domain to give to an account.
#[derive(Debug)]
pub struct NewDomain {
    /// E.g. `blog.example`.
    pub name: String,
    /// The account's name.
    pub account: String,
    /// Its directory; `None` for `<sites directory>/<name>`.
    pub root: Option<PathBuf>,
}

impl Fleet {
    /// Adds a domain; a name or directory already given is a conflict.
    pub async fn add_domain(&self, caller: &Caller, new: NewDomain) -> Result<Domain> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let name = ascii_name(&new.name)?;
        let root = match new.root {
            Some(root) => checked_root(&root)?,
            None => self
                .parts
                .settings
                .sites_dir
                .join(&name)
                .display()
                .to_string(),
        };
        self.refuse_own_directories(Path::new(&root))?;
        let tx = self.parts.store.begin().await?;
        let account = accounts::named(&tx, &new.account).await?;
        refuse_nested(&root, &domains::list(&tx, &Scope::All).await?)?;
        let row = domains::create(
            &tx,
            store::NewDomain {
                account_id: account.id,
                name: name.clone(),
                root,
            },
        )
        .await
        .map_err(|error| {
            exists(
                error,
                format!("domain `{name}` or its directory is already given"),
            )
        })?;
        self.note(
            &tx,
            caller,
            event::DOMAIN_CREATED,
            Some(account.id),
            json!({ "domain_id": row.id, "name": row.name, "root": row.root }),
        )
        .await?;
        tx.commit().await?;
        Ok(view(row, account.name))
    }
}

impl Fleet {
    /// Pressroom's own directories are no site's, nor is one that exists: an existing
    /// directory is never adopted.
    fn refuse_own_directories(&self, root: &Path) -> Result<()> {
        let sites = &self.parts.settings.sites_dir;
        let hosting = &self.parts.hosting.config().dir;
        let ours =
            sites.starts_with(root) || hosting.starts_with(root) || root.starts_with(hosting);
        if ours || root.exists() {
            let why = if ours {
                "is Pressroom's own"
            } else {
                "exists already"
            };
            return Err(
                Error::conflict(format!("directory `{}` {why}", root.display()))
                    .with_hint("give the domain a directory that does not exist yet"),
            );
        }
        Ok(())
    }
}

/// No domain's directory may be another's or lie inside it: each belongs to a user of
/// its own.
fn refuse_nested(root: &str, others: &[DomainRow]) -> Result<()> {
    let nested = |other: &DomainRow| {
        let (ours, theirs) = (Path::new(root), Path::new(&other.root));
        ours.starts_with(theirs) || theirs.starts_with(ours)
    };
    match others.iter().find(|other| nested(other)) {
        None => Ok(()),
        Some(other) => Err(Error::conflict(format!(
            "directory `{root}` is `{}`'s, or lies inside or around it",
            other.name
        ))
        .with_hint("give each domain a directory of its own with `--root`")),
    }
}

/// A domain's directory must be absolute, plain text without `..`, and deep enough
/// not to be a directory of the system.
fn checked_root(root: &Path) -> Result<String> {
    let refuse = |why: &str| {
        Error::invalid(format!("directory `{}` {why}", root.display()))
            .with_hint("give an absolute directory such as `/srv/sites/blog.example`")
    };
    let text = root.to_str().ok_or_else(|| refuse("is not UTF-8"))?;
    if !root.is_absolute() {
        return Err(refuse("is not absolute"));
    }
    if text
        .chars()
        .any(|c| c.is_control() || "'\"\\;{}$".contains(c))
        || text.len() > 200
    {
        return Err(refuse(
            "has characters that a web server's configuration cannot hold, or is too long",
        ));
    }
    if root
        .components()
        .any(|part| matches!(part, Component::ParentDir))
    {
        return Err(refuse("contains `..`"));
    }
    if root.components().count() < 3 {
        return Err(refuse("is too near the root of the file system"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}
