//! One receiver.

use super::WebhookEndpoint;
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    code,
};
use pressroom_base::id::{AccountId, ShortId};
use pressroom_store::{Read, WebhookEndpointRow, webhooks::endpoints};

impl Fleet {
    /// One receiver. Another account's is `NotFound`, as one that does not exist.
    pub async fn find_webhook_endpoint(
        &self,
        caller: &Caller,
        id: &ShortId,
    ) -> Result<WebhookEndpoint> {
        let row = webhook_endpoint(&self.parts.store, caller, Action::WebhookRead, id).await?;
        WebhookEndpoint::of(&self.parts.store, row).await
    }
}

/// The receiver, if the caller may do this to it; within the account that the caller works
/// in, where it works in one.
pub(super) async fn webhook_endpoint(
    from: &impl Read,
    caller: &Caller,
    action: Action,
    id: &ShortId,
) -> Result<WebhookEndpointRow> {
    let row = endpoints::by_short_id(from, id)
        .await?
        .filter(|row| in_account(caller, row.account_id))
        .ok_or_else(missing)?;
    let resource = Resource::OfAccount(row.account_id);
    authorize(&caller.principal, action, resource)?;
    Ok(row)
}

fn in_account(caller: &Caller, account: AccountId) -> bool {
    caller
        .principal
        .account
        .is_none_or(|current| current == account)
}

pub(super) fn missing() -> Error {
    Error::not_found("webhook endpoint")
        .with_code(code::FOREIGN)
        .with_hint("`pressroom webhook list` shows them all")
}
