//! Who, from where and about what, for each line of the activity log; and that nothing is
//! ever changed in it or taken from it.

use super::{
    column::{add, index, name_rows},
    step,
};
use sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::prelude::*;

step!("m0020_activity", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let columns = [
        ("public_id", "text NULL"),
        ("actor_kind", "text NOT NULL DEFAULT 'system'"),
        ("actor_id", "text NULL"),
        ("actor_name", "text NULL"),
        ("subject_kind", "text NULL"),
        ("subject_id", "text NULL"),
        ("site_id", "text NULL"),
        ("address", "text NULL"),
        ("metadata", "text NOT NULL DEFAULT '{}'"),
    ];
    add(manager, "activity", &columns).await?;
    name_rows(manager, "activity", "public_id").await?;
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
    let only_appended = if manager.get_database_backend() == DbBackend::Sqlite {
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
