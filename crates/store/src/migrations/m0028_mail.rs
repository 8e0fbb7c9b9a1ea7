//! Mail that is to be sent, written down with what it tells of.

use super::{
    column::{index, maybe_number, maybe_text, number, small, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0028_mail", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(table(
            "mails",
            [
                text("kind"),
                maybe_number("account_id"),
                text("recipient"),
                text("subject"),
                text("plain"),
                text("html"),
                text("state"),
                small("attempts"),
                number("due_at"),
                maybe_text("claim"),
                maybe_number("lease_until"),
                maybe_text("last_error"),
                number("created_at"),
                maybe_number("ended_at"),
            ],
        ))
        .await?;
    index(
        manager,
        false,
        "mails_pending",
        "mails (due_at, id)",
        "state = 'pending'",
    )
    .await?;
    index(
        manager,
        false,
        "mails_ended",
        "mails (ended_at)",
        "ended_at IS NOT NULL",
    )
    .await
}
