//! Tokens that are exchanged for new ones, and those that are refused before their time.

use super::{
    column::{index, maybe_number, maybe_text, number, reference, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0019_families", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(
                "token_families",
                [
                    text("public_id"),
                    number("user_id"),
                    maybe_number("account_id"),
                    text("current"),
                    number("created_at"),
                    number("ends_at"),
                    maybe_number("revoked_at"),
                    maybe_text("address"),
                ],
            )
            .foreign_key(&mut reference(
                "token_families",
                "user_id",
                "users",
                ForeignKeyAction::Cascade,
            ))
            .foreign_key(&mut reference(
                "token_families",
                "account_id",
                "accounts",
                ForeignKeyAction::SetNull,
            ))
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "token_families_public_id",
        "token_families (public_id)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "token_families_ends_at",
        "token_families (ends_at)",
        "",
    )
    .await?;
    manager
        .create_table(table("denied_tokens", [text("name"), number("ends_at")]))
        .await?;
    index(
        manager,
        true,
        "denied_tokens_name",
        "denied_tokens (name)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "denied_tokens_ends_at",
        "denied_tokens (ends_at)",
        "",
    )
    .await
}
