//! Named values that are changed while Pressroom runs.

use crate::{Read, Result, Tx, sql};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::OnConflict};

table! {
    /// A setting.
    SettingRow = setting("settings") {
        /// The row.
        id: i64,
        /// Its name; unique.
        name: String,
        /// Its value.
        value: String,
    }
}

/// The value of a setting, if it was ever set.
pub async fn get(from: &impl Read, name: &str) -> Result<Option<String>> {
    let found = setting::Entity::find()
        .filter(setting::Column::Name.eq(name))
        .one(from.connection())
        .await?;
    Ok(found
        .map(SettingRow::read)
        .transpose()?
        .map(|row| row.value))
}

/// Sets a setting.
pub async fn set(tx: &Tx, name: &str, value: &str) -> Result<()> {
    let model = setting::ActiveModel {
        name: Set(name.to_owned()),
        value: Set(value.to_owned()),
        ..Default::default()
    };
    setting::Entity::insert(model)
        .on_conflict(
            OnConflict::column(setting::Column::Name)
                .update_column(setting::Column::Value)
                .to_owned(),
        )
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// The value of a setting, which is `wanted` from now on if it was never set. Of several
/// that ask at once, all get the same.
pub async fn ensure(tx: &Tx, name: &str, wanted: &str) -> Result<String> {
    let model = setting::ActiveModel {
        name: Set(name.to_owned()),
        value: Set(wanted.to_owned()),
        ..Default::default()
    };
    setting::Entity::insert(model)
        .on_conflict(
            OnConflict::column(setting::Column::Name)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(tx.connection())
        .await?;
    let kept = get(tx, name).await?;
    kept.ok_or(crate::Error::Corrupt { place: "settings" })
}

/// Empties a setting; whether it was set and not empty. Of several that take it at once,
/// one is told that it was.
pub async fn take(tx: &Tx, name: &str) -> Result<bool> {
    let taken = sql::run(
        tx,
        "UPDATE settings SET value = '' WHERE name = $1 AND value <> ''",
        [name.into()],
    )
    .await?;
    Ok(taken == 1)
}
