//! People, accounts, and what proves who somebody is.

use super::{
    column::{flag, index, maybe_number, maybe_text, number, reference, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0001_people", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(table(
            "users",
            [
                text("email"),
                text("name"),
                text("password_hash"),
                flag("is_operator"),
                number("created_at"),
                maybe_number("disabled_at"),
            ],
        ))
        .await?;
    index(manager, true, "users_email", "users (email)", "").await?;

    manager
        .create_table(table(
            "accounts",
            [
                text("name"),
                text("name_folded"),
                text("prefix"),
                text("capabilities"),
                number("created_at"),
            ],
        ))
        .await?;
    index(manager, true, "accounts_name", "accounts (name_folded)", "").await?;
    index(manager, true, "accounts_prefix", "accounts (prefix)", "").await?;

    manager
        .create_table(
            table(
                "memberships",
                [number("account_id"), number("user_id"), text("role")],
            )
            .foreign_key(&mut reference(
                "memberships",
                "account_id",
                "accounts",
                ForeignKeyAction::Cascade,
            ))
            .foreign_key(&mut reference(
                "memberships",
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
        "memberships_pair",
        "memberships (account_id, user_id)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "memberships_user",
        "memberships (user_id)",
        "",
    )
    .await?;

    manager
        .create_table(
            table(
                "tokens",
                [
                    text("kind"),
                    maybe_number("user_id"),
                    maybe_number("account_id"),
                    maybe_number("environment_id"),
                    text("name"),
                    text("prefix"),
                    text("digest"),
                    text("scopes"),
                    text("cidrs"),
                    maybe_number("expires_at"),
                    flag("enabled"),
                    maybe_number("last_used_at"),
                    number("created_at"),
                ],
            )
            .foreign_key(&mut reference(
                "tokens",
                "user_id",
                "users",
                ForeignKeyAction::Cascade,
            ))
            .foreign_key(&mut reference(
                "tokens",
                "account_id",
                "accounts",
                ForeignKeyAction::Cascade,
            ))
            .take(),
        )
        .await?;
    index(manager, true, "tokens_digest", "tokens (digest)", "").await?;
    index(manager, false, "tokens_user", "tokens (user_id)", "").await?;

    manager
        .create_table(
            table(
                "sessions",
                [
                    number("user_id"),
                    text("digest"),
                    text("csrf"),
                    number("created_at"),
                    number("expires_at"),
                    number("last_seen_at"),
                    maybe_text("address"),
                    maybe_text("agent"),
                ],
            )
            .foreign_key(&mut reference(
                "sessions",
                "user_id",
                "users",
                ForeignKeyAction::Cascade,
            ))
            .take(),
        )
        .await?;
    index(manager, true, "sessions_digest", "sessions (digest)", "").await?;
    index(manager, false, "sessions_user", "sessions (user_id)", "").await?;
    index(
        manager,
        false,
        "sessions_expiry",
        "sessions (expires_at)",
        "",
    )
    .await
}
