//! What people prove themselves with besides a password: a secret that their device
//! makes codes of, and codes on paper for when the device is lost.

use crate::{Error, Read, Result, Store, Tx, sql};
use pressroom_base::{Secret, Timestamp, id::UserId, token};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryResult, Set,
    sea_query::{Expr, OnConflict},
};

table! {
    /// Somebody's second factor, asked for once it is enabled.
    SecondFactorRow = second_factor("second_factors") {
        /// The row.
        id: i64,
        /// Whose it is; unique.
        user_id: UserId,
        /// Sealed; opened by [`secret`].
        secret_sealed: String,
        /// The latest step whose code was used.
        last_step: i64,
        /// When the secret was made.
        created_at: Timestamp,
        /// Since when it is asked for.
        enabled_at: Option<Timestamp>,
    }
}

fn place(user: UserId) -> String {
    format!("second_factors.secret/{user}")
}

/// Keeps a secret that is not asked for yet, in place of any other.
pub async fn propose(tx: &Tx, user: UserId, secret: &Secret<String>) -> Result<()> {
    let model = second_factor::ActiveModel {
        user_id: Set(user.get()),
        secret_sealed: Set(tx.store().seal(&place(user), secret)),
        last_step: Set(0),
        created_at: Set(tx.now().await?.millis()),
        enabled_at: Set(None),
        ..Default::default()
    };
    second_factor::Entity::insert(model)
        .on_conflict(
            OnConflict::column(second_factor::Column::UserId)
                .update_columns([
                    second_factor::Column::SecretSealed,
                    second_factor::Column::LastStep,
                    second_factor::Column::CreatedAt,
                    second_factor::Column::EnabledAt,
                ])
                .to_owned(),
        )
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// Somebody's second factor, asked for or not.
pub async fn of(from: &impl Read, user: UserId) -> Result<Option<SecondFactorRow>> {
    let found = second_factor::Entity::find()
        .filter(second_factor::Column::UserId.eq(user.get()))
        .one(from.connection())
        .await?;
    found.map(SecondFactorRow::read).transpose()
}

/// Which of these people are asked for a second factor.
pub async fn enabled_among(from: &impl Read, users: &[UserId]) -> Result<Vec<UserId>> {
    let found = second_factor::Entity::find()
        .filter(second_factor::Column::UserId.is_in(users.iter().map(|id| id.get())))
        .filter(second_factor::Column::EnabledAt.is_not_null())
        .all(from.connection())
        .await?;
    Ok(found
        .into_iter()
        .map(|row| UserId::new(row.user_id))
        .collect())
}

/// The secret that codes are made of.
pub fn secret(store: &Store, row: &SecondFactorRow) -> Result<Secret<String>> {
    store.unseal(&place(row.user_id), &row.secret_sealed)
}

/// Has it asked for from now on.
pub async fn enable(tx: &Tx, user: UserId) -> Result<()> {
    let now = tx.now().await?;
    let done = second_factor::Entity::update_many()
        .col_expr(second_factor::Column::EnabledAt, Expr::val(now.millis()))
        .filter(second_factor::Column::UserId.eq(user.get()))
        .exec(tx.connection())
        .await?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound {
            what: "second factor",
        });
    }
    Ok(())
}

/// Uses up a step and all before it; `false` when that was done already. Of several at
/// once, one gets `true`.
pub async fn use_step(tx: &Tx, user: UserId, step: i64) -> Result<bool> {
    let changed = sql::run(
        tx,
        "UPDATE second_factors SET last_step = $1 WHERE user_id = $2 AND last_step < $1",
        [step.into(), user.get().into()],
    )
    .await?;
    Ok(changed > 0)
}

/// Forgets somebody's second factor with its backup codes; `false` when there is none.
pub async fn remove(tx: &Tx, user: UserId) -> Result<bool> {
    forget_backup_codes(tx, user).await?;
    let done = second_factor::Entity::delete_many()
        .filter(second_factor::Column::UserId.eq(user.get()))
        .exec(tx.connection())
        .await?;
    Ok(done.rows_affected > 0)
}

/// Keeps these backup codes in place of all others; of each a digest alone.
pub async fn set_backup_codes(tx: &Tx, user: UserId, codes: &[String]) -> Result<()> {
    forget_backup_codes(tx, user).await?;
    let now = tx.now().await?.millis();
    for code in codes {
        sql::run(
            tx,
            "INSERT INTO backup_codes (user_id, digest, created_at) VALUES ($1, $2, $3)",
            [user.get().into(), token::digest(code).into(), now.into()],
        )
        .await?;
    }
    Ok(())
}

async fn forget_backup_codes(tx: &Tx, user: UserId) -> Result<()> {
    let own = [user.get().into()];
    sql::run(tx, "DELETE FROM backup_codes WHERE user_id = $1", own).await?;
    Ok(())
}

/// Uses up a backup code; `false` when there is none such, or it was used. Of several at
/// once, one gets `true`.
pub async fn burn(tx: &Tx, user: UserId, code: &str) -> Result<bool> {
    let now = tx.now().await?;
    let burnt = sql::run(
        tx,
        "UPDATE backup_codes SET used_at = $1 \
         WHERE user_id = $2 AND digest = $3 AND used_at IS NULL",
        [
            now.millis().into(),
            user.get().into(),
            token::digest(code).into(),
        ],
    )
    .await?;
    Ok(burnt > 0)
}

/// How many backup codes somebody has left.
pub async fn backup_codes_left(from: &impl Read, user: UserId) -> Result<u64> {
    let counted = sql::one(
        from,
        "SELECT COUNT(*) AS left_over FROM backup_codes WHERE user_id = $1 AND used_at IS NULL",
        [user.get().into()],
    )
    .await?;
    let left: i64 = match counted {
        None => 0,
        Some(row) => row.try_get("", "left_over")?,
    };
    Ok(u64::try_from(left).unwrap_or(0))
}

/// The place of a row's sealed secret.
pub(crate) fn place_of_row(row: &QueryResult) -> Result<String> {
    Ok(place(UserId::new(row.try_get("", "user_id")?)))
}
