//! W26 to W30: where the account's events are told; and how they are told (§6).

mod message;

use crate::{
    pages::Page,
    wire::{WebhookEndpointIn, WebhookEndpointOut, WebhookEndpointPatchIn, id},
};
use axum::http::{HeaderValue, StatusCode, header};
use pressroom_base::{
    Kind,
    id::{AccountId, ShortId},
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    Error,
    webhooks::{NewWebhookEndpoint, WebhookChange},
};

pub use message::compose;

/// The member that some clients nest all that they send in.
const WRAPPER: &str = "webhook_endpoint";

/// W26: newest first.
pub async fn list(call: Call) -> Result<Answer, Fault> {
    let page = Page::of(&call)?;
    let Some(account) = call.caller.principal.account else {
        return page.answer::<WebhookEndpointOut>(&call, &[], 0);
    };
    let (found, total) = call
        .fleet
        .list_webhook_endpoints(&call.caller, account, page.limit(), page.offset())
        .await?;
    let rows: Vec<_> = found
        .into_iter()
        .map(|endpoint| WebhookEndpointOut::new(endpoint, None))
        .collect();
    page.answer(&call, &rows, total)
}

/// W27: one of them.
pub async fn show(call: Call) -> Result<Answer, Fault> {
    let id = named(&call)?;
    let endpoint = call.fleet.find_webhook_endpoint(&call.caller, &id).await?;
    Answer::ok(&WebhookEndpointOut::new(endpoint, None))
}

/// W28: the secret is told here and nowhere else.
pub async fn add(call: Call) -> Result<Answer, Fault> {
    let account = account(&call)?;
    let input: WebhookEndpointIn = call.unwrapped(WRAPPER)?;
    let new = NewWebhookEndpoint {
        url: input.url.unwrap_or_default(),
        events: input.events.unwrap_or_default(),
        description: input.description.unwrap_or_default(),
        active: input.active.unwrap_or(true),
    };
    let (endpoint, secret) = call
        .fleet
        .add_webhook_endpoint(&call.caller, account, new)
        .await?;
    let path = format!(
        "/api/v1/webhook_endpoints/{}",
        id::webhook_endpoint(&endpoint.id)
    );
    let answer = Answer::created(&WebhookEndpointOut::new(endpoint, Some(secret)))?;
    // An id is letters and digits.
    Ok(match HeaderValue::from_str(&path) {
        Ok(path) => answer.with_header(header::LOCATION, path),
        Err(_) => answer,
    })
}

/// W29: what is not named stays.
pub async fn change(call: Call) -> Result<Answer, Fault> {
    let id = named(&call)?;
    let input: WebhookEndpointPatchIn = call.unwrapped(WRAPPER)?;
    let change = WebhookChange {
        url: input.url,
        events: input.events,
        description: input.description,
        active: input.active,
        rotate_secret: input.rotate_secret.unwrap_or(false),
    };
    let changed = call
        .fleet
        .change_webhook_endpoint(&call.caller, &id, change)
        .await?;
    Answer::ok(&WebhookEndpointOut::new(changed.endpoint, changed.secret))
}

/// W30: with what is on its way there.
pub async fn remove(call: Call) -> Result<Answer, Fault> {
    let id = named(&call)?;
    call.fleet
        .remove_webhook_endpoint(&call.caller, &id)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// The endpoint that is meant. Somebody in no account has none.
fn named(call: &Call) -> Result<ShortId, Fault> {
    let id = id::read_webhook_endpoint(call.param("id"));
    id.filter(|_| call.caller.principal.account.is_some())
        .ok_or_else(|| Error::not_found("webhook endpoint").into())
}

fn account(call: &Call) -> Result<AccountId, Fault> {
    call.caller.principal.account.ok_or_else(|| {
        Error::new(
            Kind::Forbidden,
            "you belong to no account that could have one",
        )
        .into()
    })
}
