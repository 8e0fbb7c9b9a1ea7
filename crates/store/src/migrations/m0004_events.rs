//! The outbox, its deliveries, and the activity log that reads from it.

use super::{
    column::{index, maybe_number, maybe_text, number, reference, small, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0004_events", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(table(
            "events",
            [
                text("kind"),
                maybe_number("account_id"),
                maybe_number("environment_id"),
                maybe_number("job_id"),
                text("actor"),
                text("payload"),
                number("at"),
            ],
        ))
        .await?;
    index(manager, false, "events_at", "events (at)", "").await?;

    manager
        .create_table(
            table(
                "event_deliveries",
                [
                    number("event_id"),
                    text("consumer"),
                    text("state"),
                    maybe_text("holder"),
                    maybe_number("lease_until"),
                    small("attempts"),
                ],
            )
            .foreign_key(&mut reference(
                "event_deliveries",
                "event_id",
                "events",
                ForeignKeyAction::Cascade,
            ))
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "event_deliveries_pair",
        "event_deliveries (event_id, consumer)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "event_deliveries_pending",
        "event_deliveries (consumer, id)",
        "state = 'pending'",
    )
    .await?;

    // No reference: the log is kept longer than the outbox.
    manager
        .create_table(table(
            "activity",
            [
                number("event_id"),
                text("kind"),
                maybe_number("account_id"),
                maybe_number("environment_id"),
                maybe_number("job_id"),
                text("actor"),
                text("text"),
                number("at"),
            ],
        ))
        .await?;
    index(manager, true, "activity_event", "activity (event_id)", "").await?;
    index(
        manager,
        false,
        "activity_account",
        "activity (account_id, id)",
        "",
    )
    .await
}
