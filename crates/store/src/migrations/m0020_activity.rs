//! Who, from where and about what, for each line of the activity log; and that nothing is
//! ever changed in it or taken from it.

use super::{column::index, step};
use pressroom_base::id::ShortId;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use sea_orm_migration::prelude::*;

step!("m0020_activity", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    for (column, kind) in [
        ("public_id", "text NULL"),
        ("actor_kind", "text NOT NULL DEFAULT 'system'"),
        ("actor_id", "text NULL"),
        ("actor_name", "text NULL"),
        ("subject_kind", "text NULL"),
        ("subject_id", "text NULL"),
        ("site_id", "text NULL"),
        ("address", "text NULL"),
        ("metadata", "text NOT NULL DEFAULT '{}'"),
    ] {
        if !manager.has_column("activity", column).await? {
            connection
                .execute_unprepared(&format!("ALTER TABLE activity ADD COLUMN {column} {kind}"))
                .await?;
        }
    }
    let backend = manager.get_database_backend();
    let unnamed = "SELECT id FROM activity WHERE public_id IS NULL";
    let rows = connection
        .query_all_raw(Statement::from_string(backend, unnamed))
        .await?;
    for row in rows {
        let id: i64 = row.try_get("", "id")?;
        connection
            .execute_raw(Statement::from_sql_and_values(
                backend,
                "UPDATE activity SET public_id = $1 WHERE id = $2",
                [ShortId::random().as_str().into(), id.into()],
            ))
            .await?;
    }
    index(
        manager,
        true,
        "activity_public_id",
        "activity (public_id)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "activity_account_at",
        "activity (account_id, at, id)",
        "",
    )
    .await?;
    let only_appended = if backend == DbBackend::Sqlite {
        ON_SQLITE
    } else {
        ON_POSTGRES
    };
    for statement in only_appended {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}

/// Triggers, and not only functions that do neither: no statement gets past them.
const ON_SQLITE: &[&str] = &[
    "CREATE TRIGGER IF NOT EXISTS activity_is_not_changed BEFORE UPDATE ON activity \
     BEGIN SELECT RAISE(ABORT, 'the activity log is only appended to'); END",
    "CREATE TRIGGER IF NOT EXISTS activity_is_not_shortened BEFORE DELETE ON activity \
     BEGIN SELECT RAISE(ABORT, 'the activity log is only appended to'); END",
];
const ON_POSTGRES: &[&str] = &[
    "CREATE OR REPLACE FUNCTION only_appended_to() RETURNS trigger LANGUAGE plpgsql AS $$ \
     BEGIN RAISE EXCEPTION 'the activity log is only appended to'; END $$",
    "DROP TRIGGER IF EXISTS activity_is_only_appended_to ON activity",
    "CREATE TRIGGER activity_is_only_appended_to BEFORE UPDATE OR DELETE ON activity \
     FOR EACH ROW EXECUTE FUNCTION only_appended_to()",
];
