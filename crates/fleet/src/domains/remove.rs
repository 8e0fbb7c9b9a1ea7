//! Taking a domain away.

use super::ascii_name;
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
};
use pressroom_base::catalog::event;
use pressroom_store::{self as store, Lookup, Scope, domains, resources};
use serde_json::json;

impl Fleet {
    /// Removes a domain that no site uses; otherwise a conflict.
    pub async fn remove_domain(&self, caller: &Caller, name: &str) -> Result<()> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let name = ascii_name(name)?;
        let tx = self.parts.store.begin().await?;
        let Lookup::Found(row) = domains::by_name(&tx, &Scope::All, &name).await? else {
            return Err(Error::not_found("domain"));
        };
        let left = resources::list_by_domain(&tx, row.id).await?;
        if let Some(first) = left.first() {
            return Err(Error::conflict(format!(
                "domain `{name}` still owns {} `{}` on this machine",
                first.kind, first.name
            ))
            .with_hint("a domain can be removed once nothing of it is left on the machine"));
        }
        domains::remove(&tx, row.id)
            .await
            .map_err(|error| match error {
                store::Error::InUse { .. } => {
                    Error::conflict(format!("domain `{name}` still has a site"))
                        .with_hint("a domain can be removed once it has no site")
                }
                other => other.into(),
            })?;
        self.note(
            &tx,
            caller,
            event::DOMAIN_REMOVED,
            Some(row.account_id),
            json!({ "name": row.name }),
        )
        .await?;
        tx.commit().await?;
        Ok(())
    }
}
