//! Why it is not known whether a component has a newer version.

use super::{column::maybe_text, step};
use sea_orm_migration::prelude::*;

step!("m0008_offers", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    // SQLite cannot add a column "if it is not there".
    if manager.has_column("components", "offer_unknown").await? {
        return Ok(());
    }
    manager
        .alter_table(
            Table::alter()
                .table("components")
                .add_column(maybe_text("offer_unknown"))
                .take(),
        )
        .await
}
