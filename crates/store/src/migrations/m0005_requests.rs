//! What faces remember of requests, and settings.

use super::{
    column::{index, maybe_number, maybe_text, number, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0005_requests", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(table(
            "idempotency",
            [
                text("scope"),
                text("key"),
                text("fingerprint"),
                text("state"),
                text("holder"),
                number("lease_until"),
                maybe_number("job_id"),
                maybe_number("status"),
                maybe_text("body_sealed"),
                number("created_at"),
                number("expires_at"),
            ],
        ))
        .await?;
    index(
        manager,
        true,
        "idempotency_key",
        "idempotency (scope, key)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "idempotency_expiry",
        "idempotency (expires_at)",
        "",
    )
    .await?;

    manager
        .create_table(table(
            "rate_windows",
            [text("key"), number("window_start"), number("count")],
        ))
        .await?;
    index(manager, true, "rate_windows_key", "rate_windows (key)", "").await?;
    index(
        manager,
        false,
        "rate_windows_start",
        "rate_windows (window_start)",
        "",
    )
    .await?;

    manager
        .create_table(table("settings", [text("name"), text("value")]))
        .await?;
    index(manager, true, "settings_name", "settings (name)", "").await
}
