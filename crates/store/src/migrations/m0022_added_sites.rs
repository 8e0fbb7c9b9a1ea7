//! What is known of sites that were added by their address, until they are connected.

use super::{
    column::{add, index, number, reference, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0022_added_sites", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = [
        ("trouble", "text NULL"),
        ("tried_at", "bigint NULL"),
        ("token_hash", "text NULL"),
        ("token_expires_at", "bigint NULL"),
    ];
    add(manager, "sites", &columns).await?;
    manager
        .create_table(
            table(
                "site_tags",
                [number("site_id"), text("tag"), number("created_at")],
            )
            .foreign_key(&mut reference(
                "site_tags",
                "site_id",
                "sites",
                ForeignKeyAction::Cascade,
            ))
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "site_tags_tag",
        "site_tags (site_id, tag)",
        "",
    )
    .await
}
