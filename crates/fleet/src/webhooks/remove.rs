//! Removing a receiver.

use super::{
    add::told,
    find::{missing, webhook_endpoint},
};
use crate::{Caller, Fleet, Result, authorize::Action};
use pressroom_base::{catalog::event, id::ShortId};
use pressroom_store::webhooks::endpoints;

impl Fleet {
    /// Removes a receiver, with what is on its way there.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn remove_webhook_endpoint(&self, caller: &Caller, id: &ShortId) -> Result<()> {
        if caller.was_done() {
            return Ok(());
        }
        let tx = self.parts.store.begin().await?;
        let row = webhook_endpoint(&tx, caller, Action::WebhookManage, id).await?;
        let row = endpoints::lock(&tx, row.id).await?.ok_or_else(missing)?;
        endpoints::remove(&tx, row.id).await?;
        caller.makes(&tx, row.id.get()).await?;
        self.note_about(
            &tx,
            caller,
            event::WEBHOOK_ENDPOINT_REMOVED,
            Some(row.account_id),
            Some(("webhook_endpoint", row.short_id.clone())),
            told(&row),
        )
        .await?;
        Ok(tx.commit().await?)
    }
}
