//! One attempt to deliver: written, sent, and what comes of it.

use super::{
    message::{Letter, LetterSite, Message},
    schedule,
};
use crate::{Error, Fleet, Principal, Result};
use pressroom_base::catalog::{event, metric};
use pressroom_providers::{outgoing, webhook};
use pressroom_store::{
    NewEvent, Tx, WebhookDeliveryRow, WebhookEndpointRow, events,
    webhooks::{
        deliveries::{self, Attempt},
        endpoints,
    },
};
use serde_json::json;
use url::Url;

/// What came back.
type Sent = std::result::Result<webhook::Answered, webhook::Error>;

/// The receiver says that there is none any more.
const GONE: u16 = 410;

/// Makes an attempt. What the store cannot be told is made again once the claim lapsed.
pub(super) async fn make(fleet: &Fleet, row: &WebhookDeliveryRow) {
    if let Err(error) = attempt(fleet, row).await {
        tracing::warn!(delivery = %row.short_id, %error, "how a webhook went is not known, it is sent again");
    }
}

async fn attempt(fleet: &Fleet, row: &WebhookDeliveryRow) -> Result<()> {
    let store = &fleet.parts.store;
    // Removed meanwhile, and this with it.
    let Some(endpoint) = endpoints::get(store, row.endpoint_id).await? else {
        return Ok(());
    };
    let message = fleet.write(&endpoint, row).await?;
    let sent = fleet.send(&endpoint, message).await;
    metrics::counter!(metric::WEBHOOK_ATTEMPTS, "outcome" => outcome(&sent)).increment(1);
    let tx = store.begin().await?;
    let Some(endpoint) = endpoints::lock(&tx, row.endpoint_id).await? else {
        return Ok(());
    };
    match sent {
        Ok(answered) if (200..300).contains(&answered.status) => {
            if deliveries::delivered(&tx, row, answered.status).await? {
                endpoints::note(&tx, endpoint.id, &row.kind, Some(answered.status), true).await?;
                ended("delivered", 1);
            }
        }
        Ok(answered) => {
            let attempt = Attempt {
                status: Some(answered.status),
                error: Some(format!("answered {}", answered.status)),
            };
            failed(&tx, &endpoint, row, &attempt).await?;
        }
        Err(error) => {
            let attempt = Attempt {
                status: None,
                error: Some(error.to_string()),
            };
            failed(&tx, &endpoint, row, &attempt).await?;
        }
    }
    Ok(tx.commit().await?)
}

async fn failed(
    tx: &Tx,
    endpoint: &WebhookEndpointRow,
    row: &WebhookDeliveryRow,
    attempt: &Attempt,
) -> Result<()> {
    let gone = attempt.status == Some(GONE);
    let attempts = usize::try_from(row.attempts).unwrap_or(0) + 1;
    let wait = schedule::wait(attempts).filter(|_| endpoint.active && !gone);
    let mine = if let Some(wait) = wait {
        deliveries::postpone(tx, row, wait, attempt).await?
    } else {
        let given_up = deliveries::give_up(tx, row, attempt).await?;
        ended("given_up", u64::from(given_up));
        given_up
    };
    if !mine {
        return Ok(());
    }
    endpoints::note(tx, endpoint.id, &row.kind, attempt.status, false).await?;
    let now = tx.now().await?;
    let hopeless = schedule::is_hopeless(endpoint.failing_since.unwrap_or(now), now);
    match (endpoint.active, gone, hopeless) {
        (true, true, _) => disable(tx, endpoint, "gone").await,
        (true, false, true) => disable(tx, endpoint, "failing").await,
        _ => Ok(()),
    }
}

/// Stops telling a receiver anything, and says so.
async fn disable(tx: &Tx, endpoint: &WebhookEndpointRow, reason: &'static str) -> Result<()> {
    endpoints::disable(tx, endpoint.id, reason).await?;
    let why = format!("the endpoint was disabled: {reason}");
    let given_up = deliveries::give_up_all(tx, endpoint.id, &why).await?;
    ended("given_up", given_up);
    let url = Url::parse(&endpoint.url).map(|url| outgoing::shown(&url));
    events::emit(
        tx,
        NewEvent {
            kind: event::WEBHOOK_ENDPOINT_DISABLED,
            account_id: Some(endpoint.account_id),
            actor: Principal::worker().label().to_owned(),
            subject: Some(("webhook_endpoint", endpoint.short_id.clone())),
            payload: json!({
                "url": url.unwrap_or_default(),
                "reason": reason,
                "given_up": given_up,
            }),
            ..NewEvent::default()
        },
    )
    .await?;
    Ok(())
}

impl Fleet {
    async fn write(
        &self,
        endpoint: &WebhookEndpointRow,
        row: &WebhookDeliveryRow,
    ) -> Result<Message> {
        let store = &self.parts.store;
        let now = store.now().await?;
        let secrets = endpoints::secrets(store, endpoint, now)?;
        let letter = Letter {
            id: &row.short_id,
            event: &row.kind,
            at: row.at,
            site: row.site_id.as_deref().map(|id| LetterSite {
                id,
                name: row.site_name.as_deref(),
                url: row.site_url.as_deref(),
            }),
            payload: &row.payload,
            secret: &secrets.current,
            old_secret: secrets.old.as_ref(),
            now,
        };
        self.composed(&letter)
    }

    pub(super) fn composed(&self, letter: &Letter<'_>) -> Result<Message> {
        let compose = self.post.compose.ok_or_else(|| {
            Error::new(
                pressroom_base::Kind::Unsupported,
                "no dialect that writes webhooks is served here",
            )
        })?;
        Ok(compose(letter))
    }

    pub(super) async fn send(&self, endpoint: &WebhookEndpointRow, message: Message) -> Sent {
        let url = Url::parse(&endpoint.url).map_err(|_| webhook::Error::NotHttps)?;
        let poster = &self.post.poster;
        poster.post(&url, &message.headers, message.body).await
    }
}

fn outcome(sent: &Sent) -> &'static str {
    match sent {
        Ok(answered) if (200..300).contains(&answered.status) => "delivered",
        Ok(_) => "rejected",
        Err(webhook::Error::NotHttps | webhook::Error::Private) => "refused",
        Err(_) => "unreachable",
    }
}

fn ended(state: &'static str, count: u64) {
    metrics::counter!(metric::WEBHOOKS_ENDED, "state" => state).increment(count);
}
