//! A look at everything Pressroom needs.

use crate::{
    Caller, Fleet, Result,
    authorize::{Action, Resource, authorize},
    hosts::{Host, HostWay},
};
use futures_util::{StreamExt as _, stream};
use pressroom_providers::hosting::Inventory;
use pressroom_store::{ResourceRow, ResourceState, resources};
use serde::Serialize;
use std::collections::BTreeSet;

/// Hosts that are looked at together.
const HOSTS_AT_ONCE: usize = 16;

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

impl Check {
    /// Which way sites of a host that was reached are worked on, and why.
    fn of_host(name: &str, host: &Host) -> Self {
        let survey = host.survey.clone().unwrap_or_default();
        let (ok, way) = match &survey.way {
            HostWay::Agent => (true, "by an agent there".to_owned()),
            HostWay::Php(why) => (
                true,
                format!("by PHP alone, which does not read whole tables: {why}"),
            ),
            HostWay::None(why) => (false, format!("in no way: {why}")),
            HostWay::Unknown => (true, "nobody knows yet how: no site was found".to_owned()),
        };
        let message = format!("{} answers; sites are worked on {way}", host.address);
        Self::new(name, ok, message)
    }
}

impl Fleet {
    /// Looks at the store, the hosting stack, PHP, package sources, whether what exists
    /// outside the store is what the store says, and at every host.
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
        checks.extend(self.host_checks(caller).await?);
        Ok(checks)
    }

    /// Every host is looked at, several at once: one that hangs holds up no other.
    async fn host_checks(&self, caller: &Caller) -> Result<Vec<Check>> {
        let hosts = self.list_hosts(caller).await?;
        let looked = hosts.into_iter().map(|host| async move {
            let name = format!("host {}", host.label);
            match self.test_host(caller, &host.id.to_string()).await {
                Ok(found) => Check::of_host(&name, &found.host),
                Err(error) => Check::new(&name, false, error.to_string()),
            }
        });
        // Not in their order: those behind one that hangs would not begin.
        let looked = stream::iter(
            looked
                .enumerate()
                .map(|(place, look)| async move { (place, look.await) }),
        );
        let mut checks: Vec<_> = looked.buffer_unordered(HOSTS_AT_ONCE).collect().await;
        checks.sort_by_key(|(place, _)| *place);
        Ok(checks.into_iter().map(|(_, check)| check).collect())
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
        let differences = differences(&rows, &found);
        Ok(if differences.is_empty() {
            Check::new(
                "records",
                true,
                format!(
                    "the {} things made outside the store are there, and no others",
                    rows.len()
                ),
            )
        } else {
            Check::new("records", false, differences.join(", "))
        })
    }
}

/// Where the records and the machine disagree, in either direction. What is only
/// *intended* may be there or not: its job is not over.
fn differences(rows: &[ResourceRow], found: &Inventory) -> Vec<String> {
    let there = things(found);
    let recorded: BTreeSet<(&str, String)> = rows
        .iter()
        .map(|row| (row.kind.as_str(), row.name.clone()))
        .collect();
    let unclaimed = there
        .iter()
        .filter(|thing| !recorded.contains(*thing))
        .map(|(kind, name)| format!("{kind} `{name}` is there but not recorded"));
    let lost = rows
        .iter()
        .filter(|row| row.state == ResourceState::Present)
        // A home may be anywhere; the inventory knows the usual directory only, and
        // nothing of what lies in a home.
        .filter(|row| row.kind != "home" && row.kind != crate::snapshots::ASIDE)
        .filter(|row| !there.contains(&(row.kind.as_str(), row.name.clone())))
        .map(|row| format!("{} `{}` is recorded but not there", row.kind, row.name));
    unclaimed.chain(lost).collect()
}

/// What exists on the machine, in the records' words.
fn things(found: &Inventory) -> BTreeSet<(&'static str, String)> {
    let users = found
        .users
        .iter()
        .map(|user| ("unix_user", user.name.clone()));
    let homes = found
        .homes
        .iter()
        .map(|path| ("home", path.display().to_string()));
    let databases = found
        .databases
        .iter()
        .map(|name| ("database", name.clone()));
    let accounts = found
        .database_users
        .iter()
        .map(|name| ("db_user", name.clone()));
    let web = found
        .pools
        .iter()
        .chain(&found.server_blocks)
        .map(|name| ("web", name.clone()));
    users
        .chain(homes)
        .chain(databases)
        .chain(accounts)
        .chain(web)
        .collect()
}
