//! Changing a receiver, and giving it another secret.

use super::{
    WebhookEndpoint,
    add::told,
    find::{missing, webhook_endpoint},
    secret::new_secret,
    values::{checked_description, checked_events},
};
use crate::{Caller, Fleet, Result, accounts, authorize::Action};
use pressroom_base::{Secret, catalog::event, id::ShortId};
use pressroom_store::{
    WebhookEndpointPatch,
    webhooks::{deliveries, endpoints},
};
use std::time::Duration;

/// How long the secret before signs as well.
const BOTH: Duration = Duration::from_hours(24);

/// Changes to a receiver; `None` leaves something alone.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    /// Where messages are posted.
    pub url: Option<String>,
    /// The events it is told of.
    pub events: Option<Vec<String>>,
    /// What its owner writes to it.
    pub description: Option<String>,
    /// Whether it is told of anything.
    pub active: Option<bool>,
    /// Whether it gets another secret.
    pub rotate_secret: bool,
}

/// A changed receiver.
#[derive(Debug)]
pub struct Changed {
    /// As it is now.
    pub endpoint: WebhookEndpoint,
    /// Its new secret, if it got one; told only now.
    pub secret: Option<Secret<String>>,
}

impl Fleet {
    /// Changes a receiver. Switched on, it counts as one that never failed. Switched off,
    /// what waits for it is given up. After a new secret the old one signs for a day as well.
    ///
    /// Errors: `Invalid` (address, events, description), `NotFound`, `Forbidden`.
    pub async fn change_webhook_endpoint(
        &self,
        caller: &Caller,
        id: &ShortId,
        change: WebhookChange,
    ) -> Result<Changed> {
        // Before anything of it is looked at or looked up.
        let store = &self.parts.store;
        let row = webhook_endpoint(store, caller, Action::WebhookManage, id).await?;
        // Another secret would void the one that an interrupted run has put in force.
        if change.rotate_secret && caller.earlier_made().is_some() {
            let secret = endpoints::secrets(store, &row, store.now().await?)?.current;
            return Ok(Changed {
                endpoint: WebhookEndpoint::of(store, row).await?,
                secret: Some(secret),
            });
        }
        let patch = WebhookEndpointPatch {
            url: match &change.url {
                Some(url) => Some(self.checked_url(url).await?),
                None => None,
            },
            events: change.events.as_deref().map(checked_events).transpose()?,
            description: change
                .description
                .as_deref()
                .map(checked_description)
                .transpose()?,
            active: change.active,
        };
        let tx = store.begin().await?;
        let row = webhook_endpoint(&tx, caller, Action::WebhookManage, id).await?;
        let row = endpoints::lock(&tx, row.id).await?.ok_or_else(missing)?;
        let subject = || Some(("webhook_endpoint", row.short_id.clone()));
        let changes = patch.url.is_some()
            || patch.events.is_some()
            || patch.description.is_some()
            || patch.active.is_some();
        if changes {
            endpoints::update(&tx, row.id, patch).await?;
            if change.active == Some(false) {
                deliveries::give_up_all(&tx, row.id, "the endpoint was switched off").await?;
            }
            let now = endpoints::get(&tx, row.id).await?.ok_or_else(missing)?;
            let account = Some(row.account_id);
            let event = event::WEBHOOK_ENDPOINT_UPDATED;
            self.note_about(&tx, caller, event, account, subject(), told(&now))
                .await?;
        }
        let secret = change.rotate_secret.then(new_secret);
        if let Some(secret) = &secret {
            caller.makes(&tx, row.id.get()).await?;
            endpoints::rotate(&tx, &row, secret, BOTH).await?;
            let account = Some(row.account_id);
            let event = event::WEBHOOK_SECRET_ROTATED;
            self.note_about(&tx, caller, event, account, subject(), told(&row))
                .await?;
        }
        let row = endpoints::get(&tx, row.id).await?.ok_or_else(missing)?;
        let name = accounts::name_of(&tx, row.account_id).await?;
        tx.commit().await?;
        Ok(Changed {
            endpoint: WebhookEndpoint::named(store, row, name)?,
            secret,
        })
    }
}
