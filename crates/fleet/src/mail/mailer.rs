//! Hands mails to the server, again until each is taken or was tried often enough.

use crate::{Fleet, Result};
use pressroom_base::{Secret, catalog::metric, token};
use pressroom_providers::mail::{Error, Mail, Smtp};
use pressroom_store::{MailRow, mails};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Mails claimed at once; they are handed over one after the other.
const BATCH: u64 = 5;
/// Longer than a batch takes with a server that stalls at each of them.
const LEASE: Duration = Duration::from_mins(15);
/// Between looks at what is to be sent.
const LOOK: Duration = Duration::from_secs(2);
/// After a failure of the store.
const AGAIN: Duration = Duration::from_secs(10);

/// From one attempt to the next: about a day in all.
const WAITS: [Duration; 7] = [
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
    Duration::from_hours(1),
    Duration::from_hours(3),
    Duration::from_hours(6),
    Duration::from_hours(12),
];

/// Sends mail. Several may, in as many processes.
pub struct Mailer {
    fleet: Fleet,
    name: String,
    claims: u64,
}

impl Mailer {
    /// One that sends what this fleet's store has.
    pub fn new(fleet: Fleet) -> Self {
        Self {
            fleet,
            name: token::hex(16),
            claims: 0,
        }
    }

    /// Writes and sends until it is told to stop.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut signals = self.fleet.parts.store.signals();
        while !stop.is_cancelled() {
            if let Err(error) = self.send_due().await {
                tracing::warn!(%error, "mail waits, it is tried again");
                let _stopped = timeout(AGAIN, stop.cancelled()).await;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                _ = signals.recv() => {}
                () = sleep(LOOK) => {}
            }
        }
    }

    /// Writes what waiting events ask for and sends all that is due; says how many attempts
    /// these were.
    pub async fn send_due(&mut self) -> Result<usize> {
        while self.fleet.write_mails().await? > 0 {}
        while self.fleet.write_resets().await? > 0 {}
        let Some(smtp) = self.fleet.smtp.clone() else {
            return Ok(0);
        };
        let mut sent = 0;
        loop {
            self.claims += 1;
            let claim = format!("{}:{}", self.name, self.claims);
            let rows = mails::claim(&self.fleet.parts.store, BATCH, &claim, LEASE).await?;
            if rows.is_empty() {
                return Ok(sent);
            }
            for row in rows {
                self.hand_over(&smtp, &row).await?;
                sent += 1;
            }
        }
    }

    async fn hand_over(&self, smtp: &Smtp, row: &MailRow) -> Result<()> {
        let store = &self.fleet.parts.store;
        let now = store.now().await?;
        let handed = match mails::secret(store, row) {
            _ if row.good_until.is_some_and(|until| until <= now) => {
                Err(Error::Refused("what it says is over".to_owned()))
            }
            // Sealed with a key that is gone: it will not open later either.
            Err(error) => Err(Error::Refused(error.to_string())),
            Ok(secret) => smtp.send(whole(row, secret.as_ref())).await,
        };
        let tx = self.fleet.parts.store.begin().await?;
        let attempts = usize::try_from(row.attempts).unwrap_or(0);
        let outcome = match (&handed, WAITS.get(attempts)) {
            (Ok(()), _) => {
                mails::sent(&tx, row).await?;
                "sent"
            }
            (Err(Error::Later(why)), Some(wait)) => {
                mails::postpone(&tx, row, *wait, why).await?;
                "postponed"
            }
            (Err(error), _) => {
                mails::give_up(&tx, row, &error.to_string()).await?;
                "given_up"
            }
        };
        tx.commit().await?;
        metrics::counter!(metric::MAILS, "outcome" => outcome).increment(1);
        if let Err(error) = handed {
            tracing::warn!(mail.id = row.id.get(), kind = row.kind, %error, "a mail was not taken: {outcome}");
        }
        Ok(())
    }
}

/// A mail as it is sent, with its secret.
fn whole(row: &MailRow, secret: Option<&Secret<String>>) -> Mail {
    let filled = |text: &String| match secret {
        None => text.clone(),
        Some(secret) => text.replace(mails::SECRET, secret.expose()),
    };
    Mail {
        id: format!("mail.{}.{}", row.id, row.created_at.millis()),
        to: row.recipient.clone(),
        subject: row.subject.clone(),
        plain: filled(&row.plain),
        html: filled(&row.html),
    }
}
