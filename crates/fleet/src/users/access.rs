//! Who may come in, and with which password.

use super::{
    add::{hash, view},
    show::named,
};
use crate::{
    Caller, Fleet, Result,
    authorize::{Action, Resource, authorize},
    views::User,
};
use pressroom_base::{Secret, catalog::event};
use pressroom_store::{Tx, UserRow, families, password_resets, sessions, tokens, users};
use serde_json::json;

impl Fleet {
    /// Everybody, by address. For operators.
    pub async fn list_users(&self, caller: &Caller) -> Result<Vec<User>> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let rows = users::list(&self.parts.store).await?;
        Ok(rows.into_iter().map(view).collect())
    }

    /// Gives a person another password and ends what they had signed in to: sessions,
    /// pairs and tokens that came of signing in. Tokens made for programs go on, and a second
    /// factor stays. They are told by mail.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Invalid` (too short).
    pub async fn set_user_password(
        &self,
        caller: &Caller,
        email: &str,
        password: Secret<String>,
    ) -> Result<User> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let hash = hash(password).await?;
        let tx = self.parts.store.begin().await?;
        let row = named(&tx, email).await?;
        self.change_password(&tx, caller, &row, &hash).await?;
        tx.commit().await?;
        Ok(view(row))
    }

    /// The same, as part of more.
    pub(super) async fn change_password(
        &self,
        tx: &Tx,
        caller: &Caller,
        row: &UserRow,
        hash: &str,
    ) -> Result<()> {
        users::set_password(tx, row.id, hash).await?;
        sign_out_everywhere(tx, row).await?;
        self.note_user(tx, caller, row, event::USER_PASSWORD_CHANGED)
            .await?;
        self.mail_changed_password(tx, row).await
    }

    /// Shuts a person out, with all that they made: nothing of theirs opens anything until
    /// they are let in again. Answers them, and whether that changed anything.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn disable_user(&self, caller: &Caller, email: &str) -> Result<(User, bool)> {
        self.let_in(caller, email, false).await
    }

    /// Lets a person in again; answers as [`Fleet::disable_user`].
    pub async fn enable_user(&self, caller: &Caller, email: &str) -> Result<(User, bool)> {
        self.let_in(caller, email, true).await
    }

    async fn let_in(&self, caller: &Caller, email: &str, may: bool) -> Result<(User, bool)> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let tx = self.parts.store.begin().await?;
        let mut row = named(&tx, email).await?;
        if row.disabled_at.is_none() == may {
            return Ok((view(row), false));
        }
        row.disabled_at = if may { None } else { Some(tx.now().await?) };
        users::set_disabled(&tx, row.id, row.disabled_at).await?;
        if !may {
            sign_out_everywhere(&tx, &row).await?;
        }
        let happened = if may {
            event::USER_ENABLED
        } else {
            event::USER_DISABLED
        };
        self.note_user(&tx, caller, &row, happened).await?;
        tx.commit().await?;
        Ok((view(row), true))
    }

    pub(super) async fn note_user(
        &self,
        tx: &Tx,
        caller: &Caller,
        row: &UserRow,
        happened: &'static str,
    ) -> Result<()> {
        self.note_about(
            tx,
            caller,
            happened,
            None,
            Some(("user", row.short_id.clone())),
            json!({ "user_id": row.id, "email": row.email }),
        )
        .await?;
        Ok(())
    }
}

async fn sign_out_everywhere(tx: &Tx, row: &UserRow) -> Result<()> {
    sessions::remove_of(tx, row.id).await?;
    families::revoke_of(tx, row.id).await?;
    tokens::trim_logins(tx, row.id, 0).await?;
    password_resets::remove_of(tx, row.id).await?;
    Ok(())
}
