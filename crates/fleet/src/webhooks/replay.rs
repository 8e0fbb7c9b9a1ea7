//! Sending again what ended.

use super::find::webhook_endpoint;
use crate::{Caller, Error, Fleet, Result, authorize::Action};
use pressroom_base::{catalog::event, id::ShortId};
use pressroom_store::{
    Tx, WebhookEndpointRow,
    webhooks::{
        deliveries::{self, endpoint_of},
        endpoints,
    },
};
use serde::Serialize;
use serde_json::json;

/// What was queued anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// How many deliveries.
    pub queued: u64,
}

impl Fleet {
    /// Has one delivery that ended begin anew, under the same id.
    ///
    /// Errors: `NotFound`, `Conflict` (it is pending, or its receiver is switched off),
    /// `Forbidden`.
    pub async fn replay_webhook(&self, caller: &Caller, delivery: &ShortId) -> Result<Replayed> {
        let tx = self.parts.store.begin().await?;
        let missing = || Error::not_found("delivery");
        let found = deliveries::by_short_id(&tx, delivery).await?;
        let row = found.ok_or_else(missing)?;
        let owner = endpoint_of(&tx, &row).await?;
        let endpoint =
            webhook_endpoint(&tx, caller, Action::WebhookManage, &owner.short_id).await?;
        refuse_inactive(&endpoint)?;
        if !deliveries::replay(&tx, row.id).await? {
            return Err(Error::conflict("that delivery is still being tried"));
        }
        self.replayed(tx, caller, &endpoint, 1).await
    }

    /// Has all begin anew that were given up for a receiver.
    ///
    /// Errors: `NotFound`, `Conflict` (it is switched off), `Forbidden`.
    pub async fn replay_given_up_webhooks(
        &self,
        caller: &Caller,
        endpoint: &ShortId,
    ) -> Result<Replayed> {
        let tx = self.parts.store.begin().await?;
        let row = webhook_endpoint(&tx, caller, Action::WebhookManage, endpoint).await?;
        let row = endpoints::lock(&tx, row.id).await?.unwrap_or(row);
        refuse_inactive(&row)?;
        let queued = deliveries::replay_given_up(&tx, row.id).await?;
        self.replayed(tx, caller, &row, queued).await
    }

    async fn replayed(
        &self,
        tx: Tx,
        caller: &Caller,
        endpoint: &WebhookEndpointRow,
        queued: u64,
    ) -> Result<Replayed> {
        if queued > 0 {
            self.note_about(
                &tx,
                caller,
                event::WEBHOOK_REPLAYED,
                Some(endpoint.account_id),
                Some(("webhook_endpoint", endpoint.short_id.clone())),
                json!({ "queued": queued }),
            )
            .await?;
        }
        tx.commit().await?;
        Ok(Replayed { queued })
    }
}

fn refuse_inactive(endpoint: &WebhookEndpointRow) -> Result<()> {
    if endpoint.active {
        return Ok(());
    }
    Err(Error::conflict("that endpoint is switched off")
        .with_hint("switch it on first with `pressroom webhook enable`"))
}
