//! Mail on its way.

use crate::{
    Read, Result, Store, Tx,
    outbox::{Hold, Outbox},
    sql,
    stored::Stored,
};
use pressroom_base::{
    Timestamp,
    id::{AccountId, MailId},
};
use sea_orm::{
    ActiveModelTrait, EntityTrait, FromQueryResult, QueryOrder, QuerySelect, Set, Value,
};
use std::time::Duration;

const MAILS: Outbox = Outbox("mails");

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
    if !MAILS.has_due(store).await? {
        return Ok(Vec::new());
    }
    let hold = Hold { claim, lease };
    let rows = MAILS.claim(store, ("TRUE", Vec::new()), most, hold).await?;
    rows.iter()
        .map(|row| {
            let mut row = MailRow::read(mail::Model::from_query_result(row, "")?)?;
            row.claim = Some(claim.to_owned());
            Ok(row)
        })
        .collect()
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

async fn end(
    tx: &Tx,
    row: &MailRow,
    set: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<bool> {
    let held = (row.id.get(), row.claim.as_deref());
    MAILS.end(tx, held, set, "state = 'pending'", values).await
}
