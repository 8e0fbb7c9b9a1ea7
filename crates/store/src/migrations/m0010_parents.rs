//! The theme that a theme builds on.

use super::{column::maybe_text, step};
use sea_orm_migration::prelude::*;

step!("m0010_parents", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    // SQLite cannot add a column "if it is not there".
    if manager.has_column("components", "parent").await? {
        return Ok(());
    }
    manager
        .alter_table(
            Table::alter()
                .table("components")
                .add_column(maybe_text("parent"))
                .take(),
        )
        .await
}
