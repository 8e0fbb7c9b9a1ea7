//! Links that were used up.

use super::{
    column::{index, number, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0007_links", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(table(
            "spent_links",
            [text("nonce"), number("spent_at"), number("expires_at")],
        ))
        .await?;
    index(
        manager,
        true,
        "spent_links_nonce",
        "spent_links (nonce)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "spent_links_expiry",
        "spent_links (expires_at)",
        "",
    )
    .await
}
