//! Sites that are to stay in maintenance.

use super::{
    column::{index, number, reference, table},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0009_maintenance", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(
                "maintenance",
                [
                    number("environment_id"),
                    number("epoch"),
                    number("created_at"),
                ],
            )
            .foreign_key(&mut reference(
                "maintenance",
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
        "maintenance_environment",
        "maintenance (environment_id)",
        "",
    )
    .await
}
