//! Links that give somebody another password, and who asked for one. Only a digest of a
//! link's secret is kept.

use crate::{Error, Read, Result, Signal, Store, Tx, sql, users};
use pressroom_base::{
    Timestamp,
    id::{PasswordResetId, UserId},
    token,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, Set};
use std::time::Duration;

table! {
    /// A link that gives somebody another password, once.
    PasswordResetRow = password_reset("password_resets") {
        /// The row.
        id: PasswordResetId,
        /// Whose password.
        user_id: UserId,
        /// SHA-256 of the link's secret in hex; unique.
        digest: String,
        /// When it was made.
        created_at: Timestamp,
        /// Until when it is good.
        expires_at: Timestamp,
    }
}

table! {
    /// Somebody asked for such a link. Whether there is such a person is not looked at before
    /// the answer.
    ResetRequestRow = reset_request("reset_requests") {
        /// The row.
        id: i64,
        /// The address that was typed, folded.
        email: String,
        /// Where from.
        address: Option<String>,
        /// When.
        created_at: Timestamp,
    }
}

/// Writes down that somebody asked for a link.
pub async fn ask(tx: &Tx, email: &str, address: Option<String>) -> Result<()> {
    let model = reset_request::ActiveModel {
        email: Set(users::fold_email(email)),
        address: Set(address),
        created_at: Set(tx.now().await?.millis()),
        ..Default::default()
    };
    model.insert(tx.connection()).await?;
    tx.signal(Signal::Event);
    Ok(())
}

/// Whether anybody asked.
pub async fn is_asked(store: &Store) -> Result<bool> {
    let found = sql::one(store, "SELECT id FROM reset_requests LIMIT 1", []).await?;
    Ok(found.is_some())
}

/// Takes at most `most` of what was asked, first come first. Each is taken once, by whoever
/// commits.
pub async fn take_asked(tx: &Tx, most: u64) -> Result<Vec<ResetRequestRow>> {
    let lock = tx.store().lock_clause("FOR UPDATE SKIP LOCKED");
    let rows = sql::all(
        tx,
        format!("SELECT * FROM reset_requests ORDER BY id LIMIT $1 {lock}"),
        [i64::try_from(most).unwrap_or(i64::MAX).into()],
    )
    .await?;
    let mut taken = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = ResetRequestRow::read(reset_request::Model::from_query_result(row, "")?)?;
        sql::run(
            tx,
            "DELETE FROM reset_requests WHERE id = $1",
            [row.id.into()],
        )
        .await?;
        taken.push(row);
    }
    Ok(taken)
}

/// Keeps a link.
pub async fn create(
    tx: &Tx,
    user: UserId,
    digest: String,
    lasts: Duration,
) -> Result<PasswordResetRow> {
    let now = tx.now().await?;
    let model = password_reset::ActiveModel {
        user_id: Set(user.get()),
        digest: Set(digest),
        created_at: Set(now.millis()),
        expires_at: Set(now.plus(lasts).millis()),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("password reset"))?;
    PasswordResetRow::read(model)
}

/// The link with this secret, while it is good.
pub async fn by_secret(from: &impl Read, secret: &str) -> Result<Option<PasswordResetRow>> {
    let now = from.shared().now().await?;
    let found = password_reset::Entity::find()
        .filter(password_reset::Column::Digest.eq(token::digest(secret)))
        .filter(password_reset::Column::ExpiresAt.gt(now.millis()))
        .one(from.connection())
        .await?;
    found.map(PasswordResetRow::read).transpose()
}

/// Uses the link with this secret up. Of any number that try at once, one gets it, and keeps
/// it only if `tx` commits.
pub async fn take(tx: &Tx, secret: &str) -> Result<Option<PasswordResetRow>> {
    let now = tx.now().await?;
    let taken = sql::one(
        tx,
        "DELETE FROM password_resets WHERE digest = $1 AND expires_at > $2 RETURNING *",
        [token::digest(secret).into(), now.millis().into()],
    )
    .await?;
    let row = taken
        .map(|row| password_reset::Model::from_query_result(&row, ""))
        .transpose()?;
    row.map(PasswordResetRow::read).transpose()
}

/// Has all links of a person be good no more.
pub async fn remove_of(tx: &Tx, user: UserId) -> Result<u64> {
    sql::run(
        tx,
        "DELETE FROM password_resets WHERE user_id = $1",
        [user.get().into()],
    )
    .await
}

/// Forgets links whose time is over.
pub async fn prune(tx: &Tx) -> Result<u64> {
    let now = tx.now().await?;
    sql::run(
        tx,
        "DELETE FROM password_resets WHERE expires_at <= $1",
        [now.millis().into()],
    )
    .await
}
