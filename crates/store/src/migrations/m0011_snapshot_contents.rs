//! What a snapshot holds, and of which site it was: the site may be gone.

use super::step;
use sea_orm_migration::prelude::*;

step!("m0011_snapshot_contents", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for (name, before) in [("contents", "full"), ("panel_id", ""), ("domain", "")] {
        // SQLite cannot add a column "if it is not there".
        if manager.has_column("snapshots", name).await? {
            continue;
        }
        let column = ColumnDef::new(name)
            .text()
            .not_null()
            .default(before)
            .take();
        manager
            .alter_table(Table::alter().table("snapshots").add_column(column).take())
            .await?;
    }
    manager
        .get_connection()
        .execute_unprepared(
            "UPDATE snapshots SET \
             panel_id = COALESCE((SELECT environments.panel_id FROM environments \
                 WHERE environments.id = snapshots.environment_id), ''), \
             domain = COALESCE((SELECT domains.name FROM environments \
                 JOIN domains ON domains.id = environments.domain_id \
                 WHERE environments.id = snapshots.environment_id), '') \
             WHERE panel_id = ''",
        )
        .await?;
    Ok(())
}
