//! Which sites are to be protected, and what was last seen of their files.

use super::{
    column::{flag, index, maybe_number, maybe_text, number, reference, table},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0012_security", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(
                "site_security",
                [
                    number("environment_id"),
                    flag("file_protection"),
                    maybe_number("config_mode"),
                    maybe_text("files"),
                    maybe_number("files_checked_at"),
                ],
            )
            .foreign_key(&mut reference(
                "site_security",
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
        "site_security_environment",
        "site_security (environment_id)",
        "",
    )
    .await
}
