//! Forgetting a host, or the key it is known by.

use super::Host;
use crate::{
    Caller, Error, Fleet, Result, accounts,
    authorize::{Action, Resource, authorize},
};
use pressroom_base::catalog::event;
use pressroom_carrier::ssh::RunAs;
use pressroom_store::{self as store, HostRow, hosts};
use serde_json::json;

impl Fleet {
    /// Removes our agent from a host, and then the host from the records. One that cannot
    /// be reached is forgotten only when `unreached` says so: what is left there is told.
    ///
    /// Errors: `NotFound`, `Conflict` (sites are there, or others are reached through
    /// it), `Forbidden`; of the host as with [`Fleet::test_host`].
    pub async fn remove_host(
        &self,
        caller: &Caller,
        name: &str,
        unreached: bool,
    ) -> Result<Option<String>> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let row = self.host_row(name).await?;
        refuse_used(&row, hosts::uses(&self.parts.store, row.id).await?)?;
        let left = match self.clear(&row).await {
            Ok(()) => None,
            Err(error) if unreached => Some(error.to_string()),
            Err(error) => {
                return Err(error.with_hint(
                    "to forget it nevertheless, with what is left there, add `--unreached`",
                ));
            }
        };
        let tx = self.parts.store.begin().await?;
        hosts::remove(&tx, row.id)
            .await
            .map_err(|error| match error {
                store::Error::InUse { .. } => Error::conflict("that host is needed by now"),
                other => other.into(),
            })?;
        self.note(
            &tx,
            caller,
            event::HOST_REMOVED,
            Some(row.account_id),
            json!({ "host_id": row.id, "label": row.label, "left": left }),
        )
        .await?;
        tx.commit().await?;
        self.parts.ssh.forget(row.id);
        Ok(left)
    }

    /// Forgets the key a host is known by, on the word of somebody who knows that it was
    /// changed on purpose: the next one it shows is learned.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn forget_host_key(&self, caller: &Caller, name: &str) -> Result<Host> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let row = self.host_row(name).await?;
        let tx = self.parts.store.begin().await?;
        hosts::forget_key(&tx, row.id).await?;
        self.note(
            &tx,
            caller,
            event::HOST_KEY_FORGOTTEN,
            Some(row.account_id),
            json!({ "host_id": row.id, "label": row.label }),
        )
        .await?;
        let now = hosts::get(&tx, row.id).await?;
        let now = now.ok_or_else(|| Error::not_found("host"))?;
        let account = accounts::name_of(&tx, row.account_id).await?;
        tx.commit().await?;
        self.parts.ssh.forget(row.id);
        Ok(Host::new(now, account))
    }

    async fn clear(&self, row: &HostRow) -> Result<()> {
        // Nothing of ours was ever brought to one that was never reached.
        if row.pinned().is_none() {
            return Ok(());
        }
        let remote = self.remote(row, RunAs::Login).await?;
        self.parts.ssh.forget(row.id);
        let removed = remote.remove_agent().await;
        self.told_by_host(row, removed).await?;
        Ok(())
    }
}

fn refuse_used(row: &HostRow, uses: hosts::HostUses) -> Result<()> {
    let refused = |why: String, hint: &'static str| {
        Err(Error::conflict(format!("`{}` {why}", row.label)).with_hint(hint))
    };
    match (uses.environments, uses.jumps) {
        (0, 0) => Ok(()),
        (0, jumps) => refused(
            format!("is on the way to {}", counted(jumps, "other host")),
            "remove what is behind it first",
        ),
        (sites, _) => refused(
            format!("has {} that Pressroom manages", counted(sites, "site")),
            "let go of what is there first with `pressroom site release`",
        ),
    }
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
