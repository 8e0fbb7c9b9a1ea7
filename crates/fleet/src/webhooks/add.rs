//! Adding a receiver.

use super::{
    WebhookEndpoint,
    find::missing,
    values::{checked_description, checked_events},
};
use crate::{
    Caller, Error, Fleet, Result, accounts,
    authorize::{Action, Resource, authorize},
    code,
};
use pressroom_base::{
    Kind, Secret,
    catalog::event,
    id::{AccountId, WebhookEndpointId},
};
use pressroom_providers::outgoing;
use pressroom_store::{self as store, webhooks::endpoints};
use serde_json::{Value, json};
use url::Url;

/// Receivers that an account may have.
const MOST: u64 = 20;

/// A receiver to add.
#[derive(Debug, Clone, Default)]
pub struct NewWebhookEndpoint {
    /// Where messages are posted.
    pub url: String,
    /// The events it is told of; `*` for all.
    pub events: Vec<String>,
    /// What its owner writes to it.
    pub description: String,
    /// Whether it is told of anything yet.
    pub active: bool,
}

impl Fleet {
    /// Adds a receiver. What signs its messages is made here and told only now.
    ///
    /// Errors: `Invalid` (address, events, description, more than an account may have),
    /// `Forbidden`.
    pub async fn add_webhook_endpoint(
        &self,
        caller: &Caller,
        account: AccountId,
        new: NewWebhookEndpoint,
    ) -> Result<(WebhookEndpoint, Secret<String>)> {
        let resource = Resource::OfAccount(account);
        authorize(&caller.principal, Action::WebhookManage, resource)?;
        if let Some(added) = self.endpoint_before(caller).await? {
            return Ok(added);
        }
        let url = self.checked_url(&new.url).await?;
        let events = checked_events(&new.events)?;
        let description = checked_description(&new.description)?;
        let secret = super::secret::new_secret();
        let tx = self.parts.store.begin().await?;
        let added = endpoints::create(
            &tx,
            store::NewWebhookEndpoint {
                account_id: account,
                url,
                description,
                events,
                active: new.active,
                secret: secret.clone(),
            },
            MOST,
        )
        .await?;
        let row = added.ok_or_else(|| {
            Error::new(
                Kind::Conflict,
                format!("an account has at most {MOST} webhook endpoints"),
            )
            .with_code(code::UNPROCESSABLE)
            .with_hint("remove one first")
        })?;
        self.note_about(
            &tx,
            caller,
            event::WEBHOOK_ENDPOINT_CREATED,
            Some(account),
            Some(("webhook_endpoint", row.short_id.clone())),
            told(&row),
        )
        .await?;
        caller.makes(&tx, row.id.get()).await?;
        let name = accounts::name_of(&tx, account).await?;
        tx.commit().await?;
        Ok((
            WebhookEndpoint::named(&self.parts.store, row, name)?,
            secret,
        ))
    }

    /// The receiver that an interrupted run of the same request added. Nobody was told of its
    /// secret.
    async fn endpoint_before(
        &self,
        caller: &Caller,
    ) -> Result<Option<(WebhookEndpoint, Secret<String>)>> {
        let Some(made) = caller.earlier_made() else {
            return Ok(None);
        };
        let store = &self.parts.store;
        let row = endpoints::get(store, WebhookEndpointId::new(made)).await?;
        let row = row.ok_or_else(missing)?;
        let secret = endpoints::secrets(store, &row, store.now().await?)?.current;
        Ok(Some((WebhookEndpoint::of(store, row).await?, secret)))
    }
}

/// What the activity log says of a receiver. The query of an address is often what opens it.
pub(super) fn told(row: &store::WebhookEndpointRow) -> Value {
    let url = Url::parse(&row.url).map(|url| outgoing::shown(&url));
    json!({ "url": url.unwrap_or_default(), "events": row.events, "active": row.active })
}
