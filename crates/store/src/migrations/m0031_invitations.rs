//! Invitations to accounts, links that give another password, and mails that carry one of
//! either: its secret is sealed apart from the text, and gone once the mail is.

use super::{
    column::{add, index, maybe_number, maybe_text, number, reference, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0031_invitations", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(
                "invitations",
                [
                    number("account_id"),
                    text("email"),
                    text("name"),
                    text("role"),
                    text("digest"),
                    maybe_number("inviter_id"),
                    text("inviter"),
                    text("state"),
                    number("created_at"),
                    number("expires_at"),
                    maybe_number("ended_at"),
                ],
            )
            .foreign_key(&mut reference(
                "invitations",
                "account_id",
                "accounts",
                ForeignKeyAction::Cascade,
            ))
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "invitations_digest",
        "invitations (digest)",
        "",
    )
    .await?;
    index(
        manager,
        true,
        "invitations_open",
        "invitations (account_id, email)",
        "state = 'open'",
    )
    .await?;
    manager
        .create_table(
            table(
                "password_resets",
                [
                    number("user_id"),
                    text("digest"),
                    number("created_at"),
                    number("expires_at"),
                ],
            )
            .foreign_key(&mut reference(
                "password_resets",
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
        "password_resets_digest",
        "password_resets (digest)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "password_resets_user",
        "password_resets (user_id)",
        "",
    )
    .await?;
    manager
        .create_table(table(
            "reset_requests",
            [text("email"), maybe_text("address"), number("created_at")],
        ))
        .await?;
    let more = [
        ("secret_sealed", "text NULL"),
        ("good_until", "bigint NULL"),
    ];
    add(manager, "mails", &more).await
}
