//! One delivery for each receiver that asked for an event, in the event's transaction.

use super::{deliveries::delivery, endpoints::WebhookEndpointRow};
use crate::{Read, Result, Tx, sql, stored::Stored, webhooks::endpoints};
use pressroom_base::{
    Timestamp, catalog,
    id::{AccountId, EnvironmentId, EventId, ShortId, WebhookEndpointId},
};
use sea_orm::{EntityTrait, Set};
use serde_json::Value;

/// What receivers are told.
pub(crate) struct Told<'e> {
    pub event: EventId,
    pub kind: &'static str,
    pub account: Option<AccountId>,
    pub environment: Option<EnvironmentId>,
    pub subject: Option<&'e (&'static str, ShortId)>,
    pub payload: &'e Value,
    pub at: Timestamp,
}

/// Writes down the deliveries of an event, with what the site is called at this moment: a
/// later attempt says the same, whatever becomes of the site.
pub(crate) async fn fan_out(tx: &Tx, told: &Told<'_>) -> Result<()> {
    // Most events are nobody's business outside: they cost nothing here.
    let (Some(account), true) = (told.account, catalog::webhook::is_known(told.kind)) else {
        return Ok(());
    };
    let wanted = wanting(tx, account, told.kind).await?;
    if wanted.is_empty() {
        return Ok(());
    }
    let site = Site::of(tx, told).await?;
    let now = tx.now().await?.millis();
    let models = wanted.into_iter().map(|endpoint| delivery::ActiveModel {
        endpoint_id: Set(endpoint.get()),
        event_id: Set(told.event.get()),
        short_id: Set(ShortId::random().raw()),
        kind: Set(told.kind.to_owned()),
        at: Set(told.at.millis()),
        site_id: Set(site.id.clone()),
        site_name: Set(site.name.clone()),
        site_url: Set(site.url.clone()),
        payload: Set(told.payload.raw()),
        state: Set("pending".to_owned()),
        attempts: Set(0),
        due_at: Set(now),
        created_at: Set(now),
        ..Default::default()
    });
    delivery::Entity::insert_many(models)
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// Receivers that asked for it. They are held, so that none is removed before its
/// delivery is written: that would fail the event, and with it what happened.
async fn wanting(tx: &Tx, account: AccountId, kind: &str) -> Result<Vec<WebhookEndpointId>> {
    let lock = tx.store().lock_clause("FOR KEY SHARE");
    let rows = sql::all(
        tx,
        format!(
            "SELECT * FROM webhook_endpoints WHERE account_id = $1 AND active ORDER BY id {lock}"
        ),
        [account.get().into()],
    )
    .await?;
    let mut wanting = Vec::new();
    for row in &rows {
        let model =
            <endpoints::endpoint::Model as sea_orm::FromQueryResult>::from_query_result(row, "")?;
        let endpoint = WebhookEndpointRow::read(model)?;
        if catalog::webhook::is_wanted(&endpoint.events, kind) {
            wanting.push(endpoint.id);
        }
    }
    Ok(wanting)
}

/// What the site is called.
#[derive(Default)]
struct Site {
    id: Option<String>,
    name: Option<String>,
    url: Option<String>,
}

impl Site {
    async fn of(tx: &Tx, told: &Told<'_>) -> Result<Self> {
        const NAMED: &str = "SELECT s.short_id, s.name, COALESCE(e.url, s.url) AS url \
             FROM sites s LEFT JOIN environments e ON e.site_id = s.id";
        let subject = told.subject.filter(|(kind, _)| *kind == "site");
        let row = match (told.environment, subject) {
            (Some(environment), _) => {
                let by = format!("{NAMED} WHERE e.id = $1");
                sql::one(tx, by, [environment.get().into()]).await?
            }
            (None, Some((_, id))) => {
                let by = format!(
                    "{NAMED} AND e.kind = 'production' WHERE s.short_id = $1 ORDER BY e.id LIMIT 1"
                );
                sql::one(tx, by, [id.as_str().into()]).await?
            }
            (None, None) => None,
        };
        if let Some(row) = row {
            return Ok(Self {
                id: row.try_get("", "short_id")?,
                name: row.try_get("", "name")?,
                url: row.try_get("", "url")?,
            });
        }
        // It is gone already: what was said of it is all there is.
        let said = |name| Some(told.payload.get(name)?.as_str()?.to_owned());
        Ok(Self {
            id: subject.map(|(_, id)| id.to_string()),
            name: said("name"),
            url: said("url"),
        })
    }
}
