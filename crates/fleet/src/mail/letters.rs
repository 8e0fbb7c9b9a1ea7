//! Mails to one person, each written by the use case it belongs to.

use super::words::{Changed, Invited, Reset, Words, at};
use crate::{Fleet, Result};
use pressroom_base::{Secret, Timestamp, catalog::event, id::AccountId};
use pressroom_store::{
    InvitationRow, NewMail, PasswordResetRow, Tx, UserRow, mails, mails::SECRET,
};

/// How a link comes to whom it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passing {
    /// By mail, where there is a server for it.
    ByMail,
    /// By whoever asked for it.
    ByHand,
}

/// A mail to one person.
struct Letter<'a> {
    kind: &'static str,
    account: Option<AccountId>,
    recipient: &'a str,
    words: Words,
    secret: Option<&'a Secret<String>>,
    good_until: Option<Timestamp>,
}

impl Fleet {
    /// Whether there is a server for mail.
    pub const fn sends_mail(&self) -> bool {
        self.smtp.is_some()
    }

    /// An address of the console's. It is made of what is configured, never of what a request
    /// says of itself.
    pub(crate) fn link(&self, page: &str, secret: &str) -> String {
        format!("{}/{page}/{secret}", self.parts.settings.public_url)
    }

    /// Sends somebody the link of their invitation.
    pub(crate) async fn mail_invitation(
        &self,
        tx: &Tx,
        row: &InvitationRow,
        account: &str,
        secret: &Secret<String>,
    ) -> Result<()> {
        let invited = Invited {
            inviter: row.inviter_id.map(|_| row.inviter.clone()),
            account: account.to_owned(),
            name: row.name.clone(),
            role: row.role.as_str(),
            until: at(row.expires_at),
            link: self.link("invitation", SECRET),
        };
        let letter = Letter {
            kind: event::USER_INVITED,
            account: Some(row.account_id),
            recipient: &row.email,
            words: invited.words(),
            secret: Some(secret),
            good_until: Some(row.expires_at),
        };
        self.post(tx, letter).await
    }

    /// Sends somebody a link that gives them another password.
    pub(crate) async fn mail_reset(
        &self,
        tx: &Tx,
        user: &UserRow,
        reset: &PasswordResetRow,
        secret: &Secret<String>,
    ) -> Result<()> {
        let words = Reset {
            email: user.email.clone(),
            place: self.parts.settings.public_url.clone(),
            until: at(reset.expires_at),
            link: self.link("reset", SECRET),
        };
        let letter = Letter {
            kind: event::USER_PASSWORD_RESET_REQUESTED,
            account: None,
            recipient: &user.email,
            words: words.words(),
            secret: Some(secret),
            good_until: Some(reset.expires_at),
        };
        self.post(tx, letter).await
    }

    /// Tells somebody that their password was changed.
    pub(crate) async fn mail_changed_password(&self, tx: &Tx, user: &UserRow) -> Result<()> {
        let changed = Changed {
            email: user.email.clone(),
            place: self.parts.settings.public_url.clone(),
            at: at(tx.now().await?),
            link: format!("{}/forgot", self.parts.settings.public_url),
        };
        let letter = Letter {
            kind: event::USER_PASSWORD_CHANGED,
            account: None,
            recipient: &user.email,
            words: changed.words(),
            secret: None,
            good_until: None,
        };
        self.post(tx, letter).await
    }

    async fn post(&self, tx: &Tx, letter: Letter<'_>) -> Result<()> {
        // Without a server nobody would ever take it away again.
        if !self.sends_mail() {
            return Ok(());
        }
        let new = NewMail {
            kind: letter.kind.to_owned(),
            account_id: letter.account,
            recipient: letter.recipient.to_owned(),
            subject: letter.words.subject,
            plain: letter.words.plain,
            html: letter.words.html,
            secret: letter.secret.cloned(),
            good_until: letter.good_until,
        };
        mails::enqueue(tx, new).await?;
        Ok(())
    }
}
