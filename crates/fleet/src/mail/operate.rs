//! Whether mail goes well, for those who run the installation.

use super::words;
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    sites::values,
};
use pressroom_base::{Kind, Timestamp, id::MailId, token};
use pressroom_providers::mail;
use pressroom_store::{MailRow, mails};
use serde::Serialize;
use std::time::Duration;

/// How long a mail that was given up is told of.
const TOLD: Duration = Duration::from_hours(24);

/// A mail, without what it says.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    /// The row.
    pub id: MailId,
    /// What it is about: `site.down`, …
    pub kind: String,
    /// To whom.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// `pending`, `sent` or `given_up`.
    pub state: &'static str,
    /// Attempts that ended.
    pub attempts: i32,
    /// When it is to be sent, where it is not over.
    pub due_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it was sent or given up.
    pub ended_at: Option<Timestamp>,
}

/// What is wrong with mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTrouble {
    /// There is no server for it.
    NotConfigured,
    /// So many were given up within a day.
    GivenUp(u64),
}

impl Fleet {
    /// Hands a mail to the server at once, for who wants to know whether it takes any.
    ///
    /// Errors: `Unsupported` (no server is configured), `Invalid` (no address), `Unreachable`,
    /// `Remote` (it refuses), `Forbidden`.
    pub async fn test_mail(&self, caller: &Caller, address: &str) -> Result<()> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let address = values::email(address.trim())?;
        let smtp = self.smtp.as_ref().ok_or_else(|| {
            Error::new(Kind::Unsupported, "no server for mail is configured")
                .with_hint("`mail.smtp` in the configuration names one")
        })?;
        let words = words::test(&self.parts.settings.public_url);
        let sent = smtp
            .send(mail::Mail {
                id: format!("test.{}", token::hex(16)),
                to: address,
                subject: words.subject,
                plain: words.plain,
                html: words.html,
            })
            .await;
        sent.map_err(|error| {
            let kind = match &error {
                mail::Error::Later(_) => Kind::Unreachable,
                mail::Error::Refused(_) | mail::Error::Setting(_) => Kind::Remote,
            };
            Error::new(kind, "the server did not take the mail")
                .with_hint("see `[mail]` in the configuration")
                .with_source(error)
        })
    }

    /// The last mails, newest first.
    pub async fn list_mails(&self, caller: &Caller, limit: u64) -> Result<Vec<Mail>> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let rows = mails::list(&self.parts.store, limit).await?;
        Ok(rows.into_iter().map(view).collect())
    }

    /// What is wrong with mail, if anything is. For operators.
    pub async fn mail_trouble(&self, caller: &Caller) -> Result<Option<MailTrouble>> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        if !self.sends_mail() {
            return Ok(Some(MailTrouble::NotConfigured));
        }
        let number = mails::given_up(&self.parts.store, TOLD).await?;
        Ok((number > 0).then_some(MailTrouble::GivenUp(number)))
    }
}

fn view(row: MailRow) -> Mail {
    Mail {
        id: row.id,
        kind: row.kind,
        recipient: row.recipient,
        subject: row.subject,
        state: row.state.as_str(),
        attempts: row.attempts,
        due_at: row.ended_at.is_none().then_some(row.due_at),
        error: row.last_error,
        created_at: row.created_at,
        ended_at: row.ended_at,
    }
}
