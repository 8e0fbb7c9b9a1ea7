//! Words that people give to sites, to find them by.

use super::{
    column::{index, number, reference, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0016_tags", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(
                "environment_tags",
                [number("environment_id"), text("tag"), number("created_at")],
            )
            .foreign_key(&mut reference(
                "environment_tags",
                "environment_id",
                "environments",
                ForeignKeyAction::Cascade,
            ))
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "environment_tags_tag",
        "environment_tags (environment_id, tag)",
        "",
    )
    .await
}
