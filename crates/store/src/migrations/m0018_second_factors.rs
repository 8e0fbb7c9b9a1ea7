//! Second factors of people, what programs call people, accounts and sites, and which
//! tokens came of signing in.

use super::{
    column::{self, add, index, maybe_number, number, reference, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0018_second_factors", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for named in ["users", "accounts", "sites"] {
        name_rows(manager, named).await?;
    }
    let login = [("login", "boolean NOT NULL DEFAULT FALSE")];
    add(manager, "tokens", &login).await?;
    manager
        .create_table(
            table(
                "second_factors",
                [
                    number("user_id"),
                    text("secret_sealed"),
                    number("last_step"),
                    number("created_at"),
                    maybe_number("enabled_at"),
                ],
            )
            .foreign_key(&mut reference(
                "second_factors",
                "user_id",
                "users",
                ForeignKeyAction::Cascade,
            ))
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "second_factors_user",
        "second_factors (user_id)",
        "",
    )
    .await?;
    manager
        .create_table(
            table(
                "backup_codes",
                [
                    number("user_id"),
                    text("digest"),
                    number("created_at"),
                    maybe_number("used_at"),
                ],
            )
            .foreign_key(&mut reference(
                "backup_codes",
                "user_id",
                "users",
                ForeignKeyAction::Cascade,
            ))
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "backup_codes_digest",
        "backup_codes (user_id, digest)",
        "",
    )
    .await
}

/// Gives each row of a table a name for programs. The column may be empty, since SQLite
/// adds no other kind without a value that is the same for all.
async fn name_rows(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    add(manager, table, &[("short_id", "text NULL")]).await?;
    column::name_rows(manager, table, "short_id").await?;
    index(
        manager,
        true,
        &format!("{table}_short_id"),
        &format!("{table} (short_id)"),
        "",
    )
    .await
}
