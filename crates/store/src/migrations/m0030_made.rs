//! What a request that may come again has made, where that is no job.

use super::step;
use sea_orm_migration::prelude::*;

step!("m0030_made", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    // SQLite cannot add a column "if it is not there".
    if manager.has_column("idempotency", "made").await? {
        return Ok(());
    }
    let add = "ALTER TABLE idempotency ADD COLUMN made bigint NULL";
    manager.get_connection().execute_unprepared(add).await?;
    Ok(())
}
