//! Where accounts are told of what happens. What signs the messages is kept sealed.

use crate::{Error, Page, Read, Result, Scope, Store, Tx, accounts, sql, stored::Stored};
use pressroom_base::{
    Secret, Timestamp,
    id::{AccountId, ShortId, WebhookEndpointId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set, sea_query::Expr,
};
use std::time::Duration;

table! {
    /// A receiver of an account's events.
    WebhookEndpointRow = endpoint("webhook_endpoints") {
        /// The row.
        id: WebhookEndpointId,
        /// Whose it is.
        account_id: AccountId,
        /// What programs call it; unique.
        short_id: ShortId,
        /// Where messages are posted.
        url: String,
        /// What its owner wrote to it.
        description: String,
        /// The events it is told of.
        events: Vec<String>,
        /// Whether it is told of anything.
        active: bool,
        /// Why Pressroom stopped telling it: `gone` or `failing`.
        disabled_reason: Option<String>,
        /// Sealed; opened by [`secrets`].
        secret_sealed: String,
        /// The secret before that one, sealed.
        old_secret_sealed: Option<String>,
        /// How long the one before signs as well.
        old_secret_until: Option<Timestamp>,
        /// Attempts that failed since the last that did not.
        failure_count: i64,
        /// When the first of these was.
        failing_since: Option<Timestamp>,
        /// The event of the last attempt.
        last_event: Option<String>,
        /// What it was answered, if at all.
        last_status: Option<i64>,
        /// When that was.
        last_at: Option<Timestamp>,
        /// When it was added.
        created_at: Timestamp,
        /// When somebody last changed it.
        updated_at: Timestamp,
    }
}

/// A receiver to add.
#[derive(Debug, Clone)]
pub struct NewWebhookEndpoint {
    /// Whose it is.
    pub account_id: AccountId,
    /// Where messages are posted.
    pub url: String,
    /// What its owner wrote to it.
    pub description: String,
    /// The events it is told of.
    pub events: Vec<String>,
    /// Whether it is told of anything.
    pub active: bool,
    /// What signs its messages; kept sealed.
    pub secret: Secret<String>,
}

/// Changes to a receiver; `None` leaves a column alone.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of the row")]
pub struct WebhookEndpointPatch {
    pub url: Option<String>,
    pub description: Option<String>,
    pub events: Option<Vec<String>>,
    pub active: Option<bool>,
}

/// What signs a receiver's messages.
#[derive(Debug, Clone)]
pub struct WebhookSecrets {
    /// The one that holds.
    pub current: Secret<String>,
    /// The one before, while it signs as well.
    pub old: Option<Secret<String>>,
}

/// Adds a receiver; `None` when the account has `most` of them already.
pub async fn create(
    tx: &Tx,
    new: NewWebhookEndpoint,
    most: u64,
) -> Result<Option<WebhookEndpointRow>> {
    accounts::lock(tx, new.account_id).await?;
    if count(tx, new.account_id).await? >= most {
        return Ok(None);
    }
    let now = tx.now().await?.millis();
    let short_id = ShortId::random();
    let model = endpoint::ActiveModel {
        account_id: Set(new.account_id.get()),
        url: Set(new.url),
        description: Set(new.description),
        events: Set(new.events.raw()),
        active: Set(new.active),
        secret_sealed: Set(tx.store().seal(&secret_place(&short_id), &new.secret)),
        short_id: Set(short_id.raw()),
        failure_count: Set(0),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("webhook endpoint"))?;
    WebhookEndpointRow::read(model).map(Some)
}

/// One receiver, whoever's it is.
pub async fn get(from: &impl Read, id: WebhookEndpointId) -> Result<Option<WebhookEndpointRow>> {
    let found = endpoint::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    found.map(WebhookEndpointRow::read).transpose()
}

/// The receiver that programs call so.
pub async fn by_short_id(from: &impl Read, id: &ShortId) -> Result<Option<WebhookEndpointRow>> {
    let found = endpoint::Entity::find()
        .filter(endpoint::Column::ShortId.eq(id.as_str()))
        .one(from.connection())
        .await?;
    found.map(WebhookEndpointRow::read).transpose()
}

/// The receivers within a scope, newest first.
pub async fn list(from: &impl Read, scope: &Scope, page: Page) -> Result<Vec<WebhookEndpointRow>> {
    let mut query = endpoint::Entity::find();
    if let Some(own) = scope.ids() {
        query = query.filter(endpoint::Column::AccountId.is_in(own));
    }
    let found = query
        .order_by_desc(endpoint::Column::CreatedAt)
        .order_by_desc(endpoint::Column::Id)
        .limit(page.limit)
        .offset(page.offset)
        .all(from.connection())
        .await?;
    found.into_iter().map(WebhookEndpointRow::read).collect()
}

/// How many an account has.
pub async fn count(from: &impl Read, account: AccountId) -> Result<u64> {
    Ok(endpoint::Entity::find()
        .filter(endpoint::Column::AccountId.eq(account.get()))
        .count(from.connection())
        .await?)
}

/// A receiver as it is once nobody else decides over it. Whoever changes both it and what
/// is on its way there takes this first.
pub async fn lock(tx: &Tx, id: WebhookEndpointId) -> Result<Option<WebhookEndpointRow>> {
    let lock = tx.store().lock_clause("FOR NO KEY UPDATE");
    let found = sql::one(
        tx,
        format!("SELECT id FROM webhook_endpoints WHERE id = $1 {lock}"),
        [id.get().into()],
    )
    .await?;
    match found {
        None => Ok(None),
        Some(_) => get(tx, id).await,
    }
}

/// Changes a receiver. One that is switched on has never failed.
pub async fn update(tx: &Tx, id: WebhookEndpointId, patch: WebhookEndpointPatch) -> Result<()> {
    let mut update = endpoint::Entity::update_many().col_expr(
        endpoint::Column::UpdatedAt,
        Expr::val(tx.now().await?.millis()),
    );
    if let Some(url) = patch.url {
        update = update.col_expr(endpoint::Column::Url, Expr::val(url));
    }
    if let Some(description) = patch.description {
        update = update.col_expr(endpoint::Column::Description, Expr::val(description));
    }
    if let Some(events) = patch.events {
        update = update.col_expr(endpoint::Column::Events, Expr::val(events.raw()));
    }
    if let Some(active) = patch.active {
        update = update.col_expr(endpoint::Column::Active, Expr::val(active));
    }
    if patch.active == Some(true) {
        update = update
            .col_expr(endpoint::Column::FailureCount, Expr::val(0_i64))
            .col_expr(endpoint::Column::FailingSince, Expr::val(None::<i64>))
            .col_expr(endpoint::Column::DisabledReason, Expr::val(None::<String>));
    }
    update
        .filter(endpoint::Column::Id.eq(id.get()))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Gives a receiver another secret; the present one signs as well for `both`.
pub async fn rotate(
    tx: &Tx,
    row: &WebhookEndpointRow,
    secret: &Secret<String>,
    both: Duration,
) -> Result<()> {
    let now = tx.now().await?;
    sql::run(
        tx,
        "UPDATE webhook_endpoints SET old_secret_sealed = secret_sealed, \
         old_secret_until = $1, secret_sealed = $2, updated_at = $3 WHERE id = $4",
        [
            now.plus(both).millis().into(),
            tx.store().seal(&secret_place(&row.short_id), secret).into(),
            now.millis().into(),
            row.id.get().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Stops telling a receiver anything.
pub async fn disable(tx: &Tx, id: WebhookEndpointId, reason: &str) -> Result<()> {
    sql::run(
        tx,
        "UPDATE webhook_endpoints SET active = FALSE, disabled_reason = $1, updated_at = $2 \
         WHERE id = $3",
        [
            reason.into(),
            tx.now().await?.millis().into(),
            id.get().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Remembers an attempt: whether it arrived, and what was answered.
pub async fn note(
    tx: &Tx,
    id: WebhookEndpointId,
    event: &str,
    status: Option<u16>,
    arrived: bool,
) -> Result<()> {
    let failing = if arrived {
        "failure_count = 0, failing_since = NULL"
    } else {
        "failure_count = failure_count + 1, failing_since = COALESCE(failing_since, $3)"
    };
    sql::run(
        tx,
        format!(
            "UPDATE webhook_endpoints SET last_event = $1, last_status = $2, last_at = $3, \
             {failing} WHERE id = $4"
        ),
        [
            event.into(),
            status.map(i64::from).into(),
            tx.now().await?.millis().into(),
            id.get().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Removes a receiver with all that is on its way there.
pub async fn remove(tx: &Tx, id: WebhookEndpointId) -> Result<()> {
    endpoint::Entity::delete_by_id(id.get())
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Opens what signs a receiver's messages at this instant.
pub fn secrets(store: &Store, row: &WebhookEndpointRow, now: Timestamp) -> Result<WebhookSecrets> {
    let place = secret_place(&row.short_id);
    let signs = row.old_secret_until.is_some_and(|until| until > now);
    let old = row.old_secret_sealed.as_ref().filter(|_| signs);
    Ok(WebhookSecrets {
        current: store.unseal(&place, &row.secret_sealed)?,
        old: old.map(|old| store.unseal(&place, old)).transpose()?,
    })
}

fn secret_place(id: &ShortId) -> String {
    format!("webhook_endpoints.secret/{id}")
}

/// The place of a row's sealed secrets.
pub(crate) fn place_of_row(row: &sea_orm::QueryResult) -> Result<String> {
    Ok(format!(
        "webhook_endpoints.secret/{}",
        row.try_get::<String>("", "short_id")?
    ))
}
