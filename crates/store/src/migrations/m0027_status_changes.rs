//! How a site is, is seen by selectors: when it changes, that is marked.

use super::step;
use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

step!("m0027_status_changes", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    connection
        .execute_unprepared(if manager.get_database_backend() == DbBackend::Sqlite {
            "DROP TRIGGER IF EXISTS sites_changed_by_update"
        } else {
            "DROP TRIGGER IF EXISTS sites_changed_by_update ON sites"
        })
        .await?;
    connection
        .execute_unprepared(if manager.get_database_backend() == DbBackend::Sqlite {
            ON_SQLITE
        } else {
            ON_POSTGRES
        })
        .await?;
    Ok(())
}

/// As in `m0017_changes`, with the status.
const ON_SQLITE: &str = "CREATE TRIGGER sites_changed_by_update AFTER UPDATE ON sites \
     FOR EACH ROW WHEN ((OLD.name) IS DISTINCT FROM (NEW.name) \
     OR (OLD.status) IS DISTINCT FROM (NEW.status)) BEGIN \
     INSERT INTO changes (subject, subject_id, stamp) \
     VALUES ('site', NEW.id, (SELECT COALESCE(MAX(stamp), 0) + 1 FROM changes)) \
     ON CONFLICT (subject, subject_id) DO UPDATE SET stamp = excluded.stamp; END";
const ON_POSTGRES: &str = "CREATE TRIGGER sites_changed_by_update AFTER UPDATE ON sites \
     FOR EACH ROW WHEN ((OLD.name) IS DISTINCT FROM (NEW.name) \
     OR (OLD.status) IS DISTINCT FROM (NEW.status)) \
     EXECUTE FUNCTION mark_changed('site', 'id')";
