//! What must not be as it was when a copy is loaded.

use super::catalog::{Table, is_sqlite};
use crate::Result;
use pressroom_base::Timestamp;
use sea_orm::{ConnectionTrait, Statement, Value};

/// What those who asked for work that was under way are told.
const NOT_TAKEN_UP: &str = "it was under way when the copy was made that the store was restored \
                            from: look at the site before asking for it again";

/// Makes the rows of a copy those of a store that goes on from here.
pub(super) async fn all(to: &impl ConnectionTrait, tables: &[Table]) -> Result<()> {
    if !is_sqlite(to) {
        number_on(to, tables).await?;
    }
    // Loading rows had triggers tell of them.
    to.execute_unprepared("DELETE FROM changes").await?;
    draw_later_epochs(to).await?;
    end_jobs(to).await?;
    end_runs(to).await
}

/// The next row of each table gets a number of its own; SQLite sees to that itself.
async fn number_on(to: &impl ConnectionTrait, tables: &[Table]) -> Result<()> {
    for table in tables {
        to.execute_unprepared(&format!(
            "SELECT setval(pg_get_serial_sequence('\"{0}\"', 'id'), \
             (SELECT coalesce(max(id), 0) + 1 FROM \"{0}\"), false)",
            table.name
        ))
        .await?;
    }
    Ok(())
}

/// Sites refuse an epoch lower than one they have seen, and since the copy was made they may
/// have seen any. There is less than one a second, so the present second is above all.
async fn draw_later_epochs(to: &impl ConnectionTrait) -> Result<()> {
    let second = Timestamp::now().seconds();
    run(
        to,
        "UPDATE counters SET value = $1 WHERE name = 'epoch' AND value < $1",
        [second.into()],
    )
    .await
}

/// Nobody knows what became of it since.
async fn end_jobs(to: &impl ConnectionTrait) -> Result<()> {
    let now = Timestamp::now().millis();
    run(
        to,
        "UPDATE jobs SET state = 'dead', holder = NULL, lease_until = NULL, undo_to = NULL, \
         error_kind = 'internal', error_message = $1, finished_at = $2 \
         WHERE state IN ('queued', 'running')",
        [NOT_TAKEN_UP.into(), now.into()],
    )
    .await
}

async fn end_runs(to: &impl ConnectionTrait) -> Result<()> {
    let now = Timestamp::now().millis();
    run(
        to,
        "UPDATE run_items SET state = 'interrupted', note = $1, ended_at = $2 \
         WHERE state IN ('waiting', 'running')",
        [NOT_TAKEN_UP.into(), now.into()],
    )
    .await?;
    run(
        to,
        "UPDATE runs SET state = 'ended', ended_at = $1 WHERE state = 'open'",
        [now.into()],
    )
    .await
}

async fn run(
    to: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<()> {
    let statement = Statement::from_sql_and_values(to.get_database_backend(), sql, values);
    to.execute_raw(statement).await?;
    Ok(())
}
