//! Adding an account.

use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    users::exists,
    views::Account,
};
use pressroom_base::catalog::event;
use pressroom_store::{self as store, AccountRow, Tx, UserRow, accounts, users};
use serde_json::json;

impl Fleet {
    /// Adds an account owned by the person with this address.
    pub async fn add_account(&self, caller: &Caller, name: &str, owner: &str) -> Result<Account> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let tx = self.parts.store.begin().await?;
        let owner = users::by_email(&tx, owner).await?.ok_or_else(|| {
            Error::not_found("user").with_hint("add the person first with `pressroom user add`")
        })?;
        let row = self.enter_account(&tx, caller, name, &owner).await?;
        tx.commit().await?;
        Ok(super::list::view(row))
    }

    /// Adds an account for somebody, as part of more.
    pub(crate) async fn enter_account(
        &self,
        tx: &Tx,
        caller: &Caller,
        name: &str,
        owner: &UserRow,
    ) -> Result<AccountRow> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            return Err(Error::invalid(
                "account name must be one line of 1 to 100 characters",
            ));
        }
        let row = accounts::create(
            tx,
            store::NewAccount {
                name: name.to_owned(),
                prefix: None,
                capabilities: ["search", "fleet", "hosting"].map(str::to_owned).to_vec(),
            },
        )
        .await
        .map_err(|error| exists(error, format!("account `{name}` exists already")))?;
        accounts::set_member(tx, row.id, owner.id, store::Role::Owner).await?;
        self.note(
            tx,
            caller,
            event::ACCOUNT_CREATED,
            Some(row.id),
            json!({ "account_id": row.id, "name": row.name, "owner": owner.email }),
        )
        .await?;
        Ok(row)
    }
}
