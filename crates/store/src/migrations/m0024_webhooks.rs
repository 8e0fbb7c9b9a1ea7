//! Where accounts are told of what happens, and what is on its way there.

use super::{
    column::{flag, index, maybe_number, maybe_text, number, reference, small, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0024_webhooks", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    endpoints(manager).await?;
    deliveries(manager).await
}

async fn endpoints(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(
                "webhook_endpoints",
                [
                    number("account_id"),
                    text("short_id"),
                    text("url"),
                    text("description"),
                    text("events"),
                    flag("active"),
                    maybe_text("disabled_reason"),
                    text("secret_sealed"),
                    maybe_text("old_secret_sealed"),
                    maybe_number("old_secret_until"),
                    number("failure_count"),
                    maybe_number("failing_since"),
                    maybe_text("last_event"),
                    maybe_number("last_status"),
                    maybe_number("last_at"),
                    number("created_at"),
                    number("updated_at"),
                ],
            )
            .foreign_key(&mut reference(
                "webhook_endpoints",
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
        "webhook_endpoints_short_id",
        "webhook_endpoints (short_id)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "webhook_endpoints_account",
        "webhook_endpoints (account_id)",
        "",
    )
    .await
}

/// With all that is said in it: neither the site nor the event need be there any more.
async fn deliveries(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(
                "webhook_deliveries",
                [
                    number("endpoint_id"),
                    number("event_id"),
                    text("short_id"),
                    text("kind"),
                    number("at"),
                    maybe_text("site_id"),
                    maybe_text("site_name"),
                    maybe_text("site_url"),
                    text("payload"),
                    text("state"),
                    small("attempts"),
                    number("due_at"),
                    maybe_text("claim"),
                    maybe_number("lease_until"),
                    maybe_number("last_status"),
                    maybe_text("last_error"),
                    number("created_at"),
                    maybe_number("ended_at"),
                ],
            )
            .foreign_key(&mut reference(
                "webhook_deliveries",
                "endpoint_id",
                "webhook_endpoints",
                ForeignKeyAction::Cascade,
            ))
            .take(),
        )
        .await?;
    for (unique, name, on, condition) in [
        (
            true,
            "webhook_deliveries_short_id",
            "webhook_deliveries (short_id)",
            "",
        ),
        (
            true,
            "webhook_deliveries_pair",
            "webhook_deliveries (endpoint_id, event_id)",
            "",
        ),
        (
            false,
            "webhook_deliveries_pending",
            "webhook_deliveries (endpoint_id, due_at, id)",
            "state = 'pending'",
        ),
        (
            false,
            "webhook_deliveries_due",
            "webhook_deliveries (due_at)",
            "state = 'pending'",
        ),
        (
            false,
            "webhook_deliveries_ended",
            "webhook_deliveries (ended_at)",
            "ended_at IS NOT NULL",
        ),
    ] {
        index(manager, unique, name, on, condition).await?;
    }
    Ok(())
}
