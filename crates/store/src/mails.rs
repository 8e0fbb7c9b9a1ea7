//! Mail on its way.

use crate::{
    Read, Result, Signal, Store, Tx,
    outbox::{Hold, Outbox},
    sql,
    stored::Stored,
};
use pressroom_base::{
    Secret, Timestamp,
    id::{AccountId, MailId},
};
use sea_orm::{
    ActiveModelTrait, EntityTrait, FromQueryResult, QueryOrder, QueryResult, QuerySelect, Set,
    Value,
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
        /// What its text has [`SECRET`] for, sealed; gone with the mail's end.
        secret_sealed: Option<String>,
        /// When it says nothing any more, and is not sent.
        good_until: Option<Timestamp>,
    }
}

/// Stands in a mail's text where its secret is put as it is sent.
pub const SECRET: &str = "{secret}";

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
    /// What both have [`SECRET`] for; kept sealed, until the mail was sent.
    pub secret: Option<Secret<String>>,
    /// Until when it says anything.
    pub good_until: Option<Timestamp>,
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
        good_until: Set(new.good_until.raw()),
        ..Default::default()
    };
    let model = model.insert(tx.connection()).await?;
    let id = MailId::new(model.id);
    if let Some(secret) = &new.secret {
        let sealed = tx.store().seal(&place(id), secret);
        sql::run(
            tx,
            "UPDATE mails SET secret_sealed = $1 WHERE id = $2",
            [sealed.into(), id.get().into()],
        )
        .await?;
    }
    tx.signal(Signal::Event);
    Ok(id)
}

/// What a mail's text has [`SECRET`] for, if for anything.
pub fn secret(store: &Store, row: &MailRow) -> Result<Option<Secret<String>>> {
    let sealed = row.secret_sealed.as_deref();
    sealed
        .map(|sealed| store.unseal(&place(row.id), sealed))
        .transpose()
}

/// Forgets what waits to be sent to somebody: it is not to be said any more.
pub async fn withdraw(tx: &Tx, kind: &str, account: AccountId, recipient: &str) -> Result<u64> {
    sql::run(
        tx,
        "DELETE FROM mails WHERE state = 'pending' AND kind = $1 AND account_id = $2 \
         AND recipient = $3",
        [kind.into(), account.get().into(), recipient.into()],
    )
    .await
}

/// How many mails were given up within this time.
pub async fn given_up(from: &impl Read, within: Duration) -> Result<u64> {
    let since = from.shared().now().await?.minus(within);
    let found = sql::one(
        from,
        "SELECT COUNT(*) AS number FROM mails WHERE state = 'given_up' AND ended_at > $1",
        [since.millis().into()],
    )
    .await?;
    let number: i64 = found.map_or(Ok(0), |row| row.try_get("", "number"))?;
    Ok(u64::try_from(number).unwrap_or(0))
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
    let set = "state = 'sent', ended_at = $3, last_error = NULL, secret_sealed = NULL";
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
    let set = "state = 'given_up', ended_at = $3, last_error = $4, secret_sealed = NULL";
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

/// The place of a row's sealed secret.
fn place(id: MailId) -> String {
    format!("mails.secret/{id}")
}

pub(crate) fn place_of_row(row: &QueryResult) -> Result<String> {
    Ok(place(MailId::new(row.try_get("", "id")?)))
}
