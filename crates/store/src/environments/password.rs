//! The password of an environment's database, which is kept sealed.

use super::EnvironmentRow;
use crate::{Result, Store};
use pressroom_base::Secret;
use sea_orm::QueryResult;

/// Opens the database password of an environment.
pub fn db_password(store: &Store, row: &EnvironmentRow) -> Result<Option<Secret<String>>> {
    row.db_password_sealed
        .as_deref()
        .map(|sealed| store.unseal(&password_place(&row.panel_id), sealed))
        .transpose()
}

pub(super) fn password_place(panel_id: &str) -> String {
    format!("environments.db_password/{panel_id}")
}

/// The place of a row's sealed password.
pub(crate) fn place_of_row(row: &QueryResult) -> Result<String> {
    Ok(password_place(&row.try_get::<String>("", "panel_id")?))
}
