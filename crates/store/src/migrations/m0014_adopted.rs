//! Sites that were there before Pressroom: where sessions with them start, what they run
//! on, and how they are asked.

use super::{column::index, step};
use sea_orm_migration::prelude::*;

step!("m0014_adopted", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    // SQLite cannot add a column "if it is not there".
    for (column, kind) in [
        ("home", "text NULL"),
        ("php", "text NULL"),
        ("origin_tls", "boolean NOT NULL DEFAULT FALSE"),
    ] {
        if !manager.has_column("environments", column).await? {
            connection
                .execute_unprepared(&format!(
                    "ALTER TABLE environments ADD COLUMN {column} {kind}"
                ))
                .await?;
        }
    }
    index(
        manager,
        false,
        "environments_home",
        "environments (home)",
        "home IS NOT NULL",
    )
    .await
}
