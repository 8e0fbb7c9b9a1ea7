//! What programs call a snapshot, of which site it is, what it was made for, where its
//! bytes come from, and who needs it yet.

use super::{
    column::{add, index, maybe_number, name_rows, number, reference, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0029_snapshot_life", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let columns = [
        ("short_id", "text NULL"),
        ("site_id", "bigint NULL"),
        ("cause", "text NOT NULL DEFAULT 'manual'"),
        ("origin", "text NOT NULL DEFAULT 'capture'"),
        ("upload_until", "bigint NULL"),
        ("found", "text NULL"),
    ];
    add(manager, "snapshots", &columns).await?;
    connection
        .execute_unprepared(
            "UPDATE snapshots SET site_id = (SELECT environments.site_id FROM environments \
             WHERE environments.id = snapshots.environment_id) WHERE site_id IS NULL",
        )
        .await?;
    name_rows(manager, "snapshots", "short_id").await?;
    index(
        manager,
        true,
        "snapshots_short_id",
        "snapshots (short_id)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "snapshots_site",
        "snapshots (site_id, created_at, id)",
        "",
    )
    .await?;
    // Whoever knows no token of a person's may know one of a site's.
    index(
        manager,
        false,
        "sites_token",
        "sites (token_hash)",
        "token_hash IS NOT NULL",
    )
    .await?;
    manager
        .create_table(
            table(
                "snapshot_holds",
                [
                    number("snapshot_id"),
                    text("holder"),
                    maybe_number("job_id"),
                    maybe_number("until"),
                ],
            )
            .foreign_key(&mut reference(
                "snapshot_holds",
                "snapshot_id",
                "snapshots",
                ForeignKeyAction::Cascade,
            ))
            .take(),
        )
        .await?;
    index(
        manager,
        false,
        "snapshot_holds_snapshot",
        "snapshot_holds (snapshot_id)",
        "",
    )
    .await
}
