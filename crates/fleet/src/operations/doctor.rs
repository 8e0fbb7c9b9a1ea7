//! A look at everything Pressroom needs.

use crate::{
    Caller, Fleet, Result,
    authorize::{Action, Resource, authorize},
};
use pressroom_providers::hosting::Inventory;
use pressroom_store::{ResourceRow, resources};
use serde::Serialize;
use std::collections::BTreeSet;

/// One thing looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// E.g. `database server`.
    pub name: String,
    /// `ok`, `warning` or `failed`.
    pub status: &'static str,
    /// What was found, and what to do.
    pub message: String,
}

impl Check {
    fn new(name: &str, ok: bool, message: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            status: if ok { "ok" } else { "failed" },
            message: message.into(),
        }
    }
}

impl Fleet {
    /// Looks at the store, the hosting stack, PHP, package sources, and whether what
    /// exists outside the store is what the store says.
    pub async fn doctor(&self, caller: &Caller) -> Result<Vec<Check>> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let mut checks = vec![match self.ready().await {
            Ok(()) => Check::new("database", true, "answers"),
            Err(error) => Check::new("database", false, error.message()),
        }];
        for found in self.parts.hosting.doctor().await {
            checks.push(Check::new(found.name, found.ok, found.message));
        }
        checks.push(self.packages_check().await);
        checks.push(self.records_check().await?);
        Ok(checks)
    }

    async fn packages_check(&self) -> Check {
        match self.parts.packages.core_versions().await {
            Ok(versions) if versions.is_empty() => Check::new(
                "package sources",
                false,
                "no source has a WordPress; configure `[packages]`",
            ),
            Ok(versions) => Check::new(
                "package sources",
                true,
                format!("WordPress {}", versions.join(", ")),
            ),
            Err(error) => Check::new("package sources", false, error.to_string()),
        }
    }

    async fn records_check(&self) -> Result<Check> {
        let rows = resources::list_all(&self.parts.store).await?;
        let found = match self.parts.hosting.inventory().await {
            Ok(found) => found,
            Err(error) => return Ok(Check::new("records", false, error.to_string())),
        };
        let unclaimed = unclaimed(&rows, &found);
        Ok(if unclaimed.is_empty() {
            Check::new(
                "records",
                true,
                format!(
                    "all {} things made outside the store are recorded",
                    rows.len()
                ),
            )
        } else {
            Check::new(
                "records",
                false,
                format!(
                    "made by Pressroom but not recorded: {}",
                    unclaimed.join(", ")
                ),
            )
        })
    }
}

/// What exists on the machine and no record claims.
fn unclaimed(rows: &[ResourceRow], found: &Inventory) -> Vec<String> {
    let claimed: BTreeSet<(&str, &str)> = rows
        .iter()
        .map(|row| (row.kind.as_str(), row.name.as_str()))
        .collect();
    let seen =
        |kind: &'static str, names: Vec<String>| names.into_iter().map(move |name| (kind, name));
    let homes = found.homes.iter().map(|path| path.display().to_string());
    seen(
        "unix_user",
        found.users.iter().map(|user| user.name.clone()).collect(),
    )
    .chain(seen("database", found.databases.clone()))
    .chain(seen("db_user", found.database_users.clone()))
    .chain(seen("home", homes.collect()))
    .chain(seen("web", found.pools.clone()))
    .chain(seen("web", found.server_blocks.clone()))
    .filter(|(kind, name)| !claimed.contains(&(*kind, name.as_str())))
    .map(|(kind, name)| format!("{kind} `{name}`"))
    .collect()
}
