//! Mail on its way. Whoever sends one holds it by a claim that lapses.

use crate::{Read, Result, Store, Tx, sql, stored::Stored};
use pressroom_base::{
    Timestamp,
    id::{AccountId, MailId},
};
use sea_orm::{
    ActiveModelTrait, EntityTrait, FromQueryResult, QueryOrder, QuerySelect, Set, Value,
};
use std::time::Duration;

names! {
    /// How far a mail is.
    MailState {
        /// It is to be sent, or sent again.
        Pending = "pending",
        /// A server took it.
        Sent = "sent",
        /// It is not sent again.
        GivenUp = "given_up",
    }
}

table! {
    /// One mail to one person.
    MailRow = mail("mails") {
        /// The row.
        id: MailId,
        /// What it is about: `site.down`, …
        kind: String,
        /// The account it is about.
        account_id: Option<AccountId>,
        /// To whom.
        recipient: String,
        /// Its subject.
        subject: String,
        /// What it says, as text.
        plain: String,
        /// What it says, as HTML.
        html: String,
        /// How far it is.
        state: MailState,
        /// Attempts that ended.
        attempts: i32,
        /// When it is to be sent.
        due_at: Timestamp,
        /// Who sends it now.
        claim: Option<String>,
        /// Until when nobody else does.
        lease_until: Option<Timestamp>,
        /// Why the last attempt failed.
        last_error: Option<String>,
        /// When it was written down.
        created_at: Timestamp,
        /// When it was sent or given up.
        ended_at: Option<Timestamp>,
    }
}

/// A mail to send.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// What it is about.
    pub kind: String,
    /// The account it is about.
    pub account_id: Option<AccountId>,
    /// To whom.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// What it says, as text.
    pub plain: String,
    /// What it says, as HTML.
    pub html: String,
}

/// Writes a mail down; it is sent if `tx` commits.
pub async fn enqueue(tx: &Tx, new: NewMail) -> Result<MailId> {
    let now = tx.now().await?.millis();
    let model = mail::ActiveModel {
        kind: Set(new.kind),
        account_id: Set(new.account_id.raw()),
        recipient: Set(new.recipient),
        subject: Set(new.subject),
        plain: Set(new.plain),
        html: Set(new.html),
        state: Set(MailState::Pending.raw()),
        attempts: Set(0),
        due_at: Set(now),
        created_at: Set(now),
        ..Default::default()
    };
    let model = model.insert(tx.connection()).await?;
    Ok(MailId::new(model.id))
}

/// Claims at most `most` of what is due, oldest first.
pub async fn claim(store: &Store, most: u64, claim: &str, lease: Duration) -> Result<Vec<MailRow>> {
    let due = "state = 'pending' AND due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)";
    let now = store.now().await?;
    let any = format!("SELECT id FROM mails WHERE {due} LIMIT 1");
    if sql::one(store, any, [now.millis().into()]).await?.is_none() {
        return Ok(Vec::new());
    }
    let tx = store.begin().await?;
    let now = tx.now().await?;
    let lock = store.lock_clause("FOR UPDATE SKIP LOCKED");
    let rows = sql::all(
        &tx,
        format!("SELECT * FROM mails WHERE {due} ORDER BY due_at, id LIMIT $2 {lock}"),
        [
            now.millis().into(),
            i64::try_from(most).unwrap_or(i64::MAX).into(),
        ],
    )
    .await?;
    let mut claimed = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut row = MailRow::read(mail::Model::from_query_result(row, "")?)?;
        sql::run(
            &tx,
            "UPDATE mails SET claim = $1, lease_until = $2 WHERE id = $3",
            [
                claim.into(),
                now.plus(lease).millis().into(),
                row.id.get().into(),
            ],
        )
        .await?;
        row.claim = Some(claim.to_owned());
        claimed.push(row);
    }
    tx.commit().await?;
    Ok(claimed)
}

/// A server took it.
pub async fn sent(tx: &Tx, row: &MailRow) -> Result<bool> {
    let now = tx.now().await?.millis();
    let set = "state = 'sent', ended_at = $3, last_error = NULL";
    end(tx, row, set, [now.into()]).await
}

/// It is sent again after this.
pub async fn postpone(tx: &Tx, row: &MailRow, after: Duration, why: &str) -> Result<bool> {
    let due = tx.now().await?.plus(after).millis();
    end(
        tx,
        row,
        "due_at = $3, last_error = $4",
        [due.into(), why.into()],
    )
    .await
}

/// It is not sent again.
pub async fn give_up(tx: &Tx, row: &MailRow, why: &str) -> Result<bool> {
    let now = tx.now().await?.millis();
    let set = "state = 'given_up', ended_at = $3, last_error = $4";
    end(tx, row, set, [now.into(), why.into()]).await
}

/// The last mails, newest first.
pub async fn list(from: &impl Read, limit: u64) -> Result<Vec<MailRow>> {
    let found = mail::Entity::find()
        .order_by_desc(mail::Column::Id)
        .limit(limit)
        .all(from.connection())
        .await?;
    found.into_iter().map(MailRow::read).collect()
}

/// Forgets what ended longer ago than this; says how many.
pub async fn prune(tx: &Tx, older_than: Duration) -> Result<u64> {
    let before = tx.now().await?.minus(older_than).millis();
    sql::run(
        tx,
        "DELETE FROM mails WHERE state <> 'pending' AND ended_at < $1",
        [before.into()],
    )
    .await
}

/// Ends an attempt, if its claim still holds. `$1` is the row, `$2` the claim.
async fn end(
    tx: &Tx,
    row: &MailRow,
    set: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<bool> {
    let mut all: Vec<Value> = vec![row.id.get().into(), row.claim.clone().into()];
    all.extend(values);
    let ended = sql::run(
        tx,
        format!(
            "UPDATE mails SET attempts = attempts + 1, claim = NULL, lease_until = NULL, {set} \
             WHERE id = $1 AND claim = $2 AND state = 'pending'"
        ),
        all,
    )
    .await?;
    Ok(ended > 0)
}
