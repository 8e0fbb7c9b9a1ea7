//! What of ours exists on this machine now, for `doctor`, `clean` and leak tests.

use super::{
    LocalHosting, Released, Result, SiteUser, database, names,
    stack::{Fpm, Mariadb, Nginx, Serving},
    web::{Described, WebSite},
};
use mysql_async::prelude::Queryable;
use serde::Serialize;
use std::{fs, path::PathBuf};

/// What exists. Everything is sorted, so that two inventories compare.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Inventory {
    /// Unix users that this Pressroom made.
    pub users: Vec<SiteUser>,
    /// Directories in the directory of homes.
    pub homes: Vec<PathBuf>,
    /// Databases other than MariaDB's own.
    pub databases: Vec<String>,
    /// Database users other than MariaDB's own and our administrator.
    pub database_users: Vec<String>,
    /// What those may do in which database.
    pub grants: Vec<Grant>,
    /// Domains with a pool.
    pub pools: Vec<String>,
    /// Domains with a server block.
    pub server_blocks: Vec<String>,
    /// Domains that were given up, with what belongs to them. Nothing of it is in the
    /// other lists.
    pub released: Vec<Released>,
    /// Socket files of pools (the placeholder's not among them).
    pub pool_sockets: Vec<String>,
}

/// A grant on one database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Grant {
    /// Who.
    pub user: String,
    /// Where, as MariaDB keeps it: `\_` is an underscore.
    pub database: String,
}

impl LocalHosting {
    /// What exists now. Needs a running MariaDB.
    pub async fn inventory(&self) -> Result<Inventory> {
        let mut found = Inventory {
            users: self.own_users()?,
            ..Inventory::default()
        };
        found
            .users
            .sort_by(|left, right| left.name.cmp(&right.name));
        found.homes = entries(&self.config().sites_dir)
            .into_iter()
            .map(|name| self.config().sites_dir.join(name))
            .collect();
        found.pools = Fpm::of(self).domains()?;
        found.server_blocks = match self.serving()? {
            Serving::Stack => Nginx::of(self).domains()?,
            // The domains that are served, by whatever serves them.
            Serving::Php => Described::all(self)?
                .into_iter()
                .map(|described| described.site.domain)
                .collect(),
        };
        found.pool_sockets = entries(&self.layout().run()?.join("fpm"));
        let placeholder = Fpm::of(self).placeholder()?;
        found.pool_sockets.retain(|name| *name != placeholder);

        let mut connection = Mariadb::of(self).connect().await?;
        let failed = || database::failed("list what exists");
        found.databases = connection
            .query("SELECT schema_name FROM information_schema.schemata")
            .await
            .map_err(failed())?;
        found
            .databases
            .retain(|name| !names::SYSTEM_DATABASES.contains(&name.as_str()));
        found.database_users = connection
            .query("SELECT DISTINCT User FROM mysql.global_priv")
            .await
            .map_err(failed())?;
        found
            .database_users
            .retain(|name| !names::SYSTEM_ACCOUNTS.contains(&name.as_str()));
        found.grants = connection
            .query_map("SELECT User, Db FROM mysql.db", |(user, database)| Grant {
                user,
                database,
            })
            .await
            .map_err(failed())?;
        found
            .grants
            .retain(|grant| !names::SYSTEM_ACCOUNTS.contains(&grant.user.as_str()));
        found.leave_out_released(self)?;
        // MariaDB's collations put `_` elsewhere than we do.
        found.databases.sort();
        found.database_users.sort();
        found.grants.sort();
        Ok(found)
    }
}

impl Inventory {
    fn leave_out_released(&mut self, hosting: &LocalHosting) -> Result<()> {
        self.released = hosting.released()?;
        for released in &self.released {
            self.users
                .retain(|user| Some(user) != released.user.as_ref());
            self.homes.retain(|home| *home != released.home);
            self.pools.retain(|domain| *domain != released.domain);
            self.server_blocks
                .retain(|domain| *domain != released.domain);
            self.databases
                .retain(|name| !released.databases.contains(name));
            self.database_users
                .retain(|name| !released.database_users.contains(name));
            self.grants
                .retain(|grant| !released.database_users.contains(&grant.user));
            let key = WebSite::new(&released.domain, &released.home, None).key();
            self.pool_sockets
                .retain(|name| name.strip_suffix(".sock") != Some(key.as_str()));
        }
        Ok(())
    }
}

/// Names in a directory, sorted; none when there is no such directory.
fn entries(dir: &std::path::Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}
