//! What programs call a snapshot, of which site it is, what it was made for, where its
//! bytes come from, and who needs it yet.

use super::{
    column::{index, maybe_number, number, reference, table, text},
    step,
};
use pressroom_base::id::ShortId;
use sea_orm::{ConnectionTrait, Statement};
use sea_orm_migration::prelude::*;

step!("m0029_snapshot_life", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    for (column, kind) in [
        ("short_id", "text NULL"),
        ("site_id", "bigint NULL"),
        ("cause", "text NOT NULL DEFAULT 'manual'"),
        ("origin", "text NOT NULL DEFAULT 'capture'"),
        ("upload_until", "bigint NULL"),
        ("found", "text NULL"),
    ] {
        // SQLite cannot add a column "if it is not there".
        if !manager.has_column("snapshots", column).await? {
            connection
                .execute_unprepared(&format!("ALTER TABLE snapshots ADD COLUMN {column} {kind}"))
                .await?;
        }
    }
    connection
        .execute_unprepared(
            "UPDATE snapshots SET site_id = (SELECT environments.site_id FROM environments \
             WHERE environments.id = snapshots.environment_id) WHERE site_id IS NULL",
        )
        .await?;
    name_rows(manager).await?;
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

/// Gives each snapshot a name for programs.
async fn name_rows(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let backend = manager.get_database_backend();
    let unnamed = "SELECT id FROM snapshots WHERE short_id IS NULL";
    let rows = connection
        .query_all_raw(Statement::from_string(backend, unnamed))
        .await?;
    for row in rows {
        let id: i64 = row.try_get("", "id")?;
        connection
            .execute_raw(Statement::from_sql_and_values(
                backend,
                "UPDATE snapshots SET short_id = $1 WHERE id = $2",
                [ShortId::random().as_str().into(), id.into()],
            ))
            .await?;
    }
    Ok(())
}
