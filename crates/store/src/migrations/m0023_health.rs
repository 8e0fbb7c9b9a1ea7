//! How sites were, when they are to be looked at next, and when they were down.

use super::{
    column::{flag, index, maybe_number, maybe_text, number, reference, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0023_health", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(of_site(
            "health_details",
            [text("checks"), number("at"), maybe_number("replaced_at")],
        ))
        .await?;
    index(
        manager,
        false,
        "health_details_replaced",
        "health_details (replaced_at)",
        "replaced_at IS NOT NULL",
    )
    .await?;
    // There are millions of these: what does not change from one to the next is in their
    // detail, and nothing refers to them by a key that has to be looked up when they go.
    manager
        .create_table(of_site(
            "health_checks",
            [
                text("public_id"),
                maybe_number("environment_id"),
                text("status"),
                text("kind"),
                maybe_number("http_status"),
                maybe_number("response_ms"),
                maybe_number("ttfb_ms"),
                number("detail_id"),
                maybe_text("error"),
                maybe_text("pipeline_id"),
                flag("keep"),
                number("at"),
            ],
        ))
        .await?;
    for (unique, name, on, condition) in [
        (
            true,
            "health_checks_public_id",
            "health_checks (public_id)",
            "",
        ),
        (
            false,
            "health_checks_site",
            "health_checks (site_id, at)",
            "",
        ),
        (
            false,
            "health_checks_passing",
            "health_checks (at)",
            "NOT keep",
        ),
        (false, "health_checks_kept", "health_checks (at)", "keep"),
    ] {
        index(manager, unique, name, on, condition).await?;
    }
    manager
        .create_table(of_site(
            "site_health",
            [
                number("due_at"),
                number("full_due_at"),
                maybe_number("lease_until"),
                maybe_text("claim"),
                maybe_number("slow_ms"),
                text("memory"),
            ],
        ))
        .await?;
    index(
        manager,
        true,
        "site_health_site",
        "site_health (site_id)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "site_health_due",
        "site_health (due_at)",
        "",
    )
    .await?;
    manager
        .create_table(of_site(
            "health_incidents",
            [
                number("opened_at"),
                maybe_number("closed_at"),
                text("opened_by"),
                maybe_text("closed_by"),
                maybe_text("error"),
            ],
        ))
        .await?;
    // Not code, but this keeps a site from being down twice at once.
    index(
        manager,
        true,
        "health_incidents_open",
        "health_incidents (site_id)",
        "closed_at IS NULL",
    )
    .await?;
    index(
        manager,
        false,
        "health_incidents_site",
        "health_incidents (site_id, opened_at)",
        "",
    )
    .await
}

/// A table of rows that go with their site.
fn of_site(
    name: &'static str,
    columns: impl IntoIterator<Item = ColumnDef>,
) -> TableCreateStatement {
    let columns = std::iter::once(number("site_id")).chain(columns);
    table(name, columns)
        .foreign_key(&mut reference(
            name,
            "site_id",
            "sites",
            ForeignKeyAction::Cascade,
        ))
        .take()
}
