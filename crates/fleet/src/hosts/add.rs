//! Adding a host. Nothing is asked of it.

use super::{Host, route};
use crate::{
    Caller, Error, Fleet, Result, accounts,
    authorize::{Action, Resource, authorize},
    users::exists,
};
use pressroom_base::{catalog::event, id::SshKeyId};
use pressroom_carrier::ssh::Address;
use pressroom_store::{self as store, hosts, ssh_keys};
use serde_json::json;

/// Characters of a label.
const LONGEST: usize = 100;

/// A host to add.
#[derive(Debug)]
pub struct NewHost {
    /// `user@host` or `user@host:port`.
    pub address: String,
    /// The account's name.
    pub account: String,
    /// What its owner calls it; the host's name, without.
    pub label: Option<String>,
    /// The key that opens it; the account's primary one, without.
    pub key: Option<SshKeyId>,
    /// The host through which it is reached: label, address or id.
    pub via: Option<String>,
}

impl Fleet {
    /// Adds a host. The key it is known by is learned when it is first reached.
    ///
    /// Errors: `Invalid` (address, label, a way over too many hosts), `NotFound`
    /// (account, key, the host on the way), `Conflict` (that login there is known; the
    /// account has no key), `Forbidden`.
    pub async fn add_host(&self, caller: &Caller, new: NewHost) -> Result<Host> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let address: Address =
            new.address
                .parse()
                .map_err(|error: pressroom_carrier::ssh::BadAddress| {
                    Error::invalid(error.to_string())
                })?;
        let label = checked_label(new.label.as_deref().unwrap_or(address.host()))?;
        let via = match &new.via {
            Some(name) => Some(self.host_row(name).await?.id),
            None => None,
        };
        let tx = self.parts.store.begin().await?;
        let account = accounts::named(&tx, &new.account).await?;
        if new.key.is_none() && ssh_keys::primary(&tx, account.id).await?.is_none() {
            return Err(Error::conflict(format!(
                "`{}` has no key to open a host with",
                account.name
            ))
            .with_hint("make one first with `pressroom key add`"));
        }
        let row = hosts::create(
            &tx,
            store::NewHost {
                account_id: account.id,
                label,
                address: address.host().to_owned(),
                port: address.port(),
                login: address.user().to_owned(),
                key_id: new.key,
                jump_id: via,
            },
        )
        .await
        .map_err(|error| match error {
            store::Error::NotFound { what } => Error::not_found(what),
            other => exists(other, format!("`{address}` is a host already")),
        })?;
        route::stops(&tx, &row).await?;
        self.note(
            &tx,
            caller,
            event::HOST_CREATED,
            Some(account.id),
            json!({ "host_id": row.id, "label": row.label, "address": address.to_string() }),
        )
        .await?;
        tx.commit().await?;
        Ok(Host::new(row, account.name))
    }
}

/// A label of at most 100 characters, none of them a control character.
pub(crate) fn checked_label(label: &str) -> Result<String> {
    let label = label.trim();
    if label.is_empty() || label.chars().count() > LONGEST || label.chars().any(char::is_control) {
        return Err(Error::invalid(format!(
            "a label has 1 to {LONGEST} characters, in one line"
        )));
    }
    Ok(label.to_owned())
}
