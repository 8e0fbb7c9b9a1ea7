//! What must not be as it was when a copy is loaded.

use super::catalog::{Table, is_sqlite};
use crate::Result;
use pressroom_base::Timestamp;
use sea_orm::{ConnectionTrait, Statement, Value};
use std::time::Duration;

/// What those who asked for work that was under way are told.
const NOT_TAKEN_UP: &str = "it was under way when the copy was made that the store was restored \
                            from: look at the site before asking for it again";

/// What expires is kept at least this long after a restore: its time may have been prolonged
/// since the copy was made.
const RESPITE: Duration = Duration::from_hours(7 * 24);

/// Makes the rows of a copy those of a store that goes on from here.
pub(super) async fn all(to: &impl ConnectionTrait, tables: &[Table]) -> Result<()> {
    if !is_sqlite(to) {
        number_on(to, tables).await?;
    }
    // Loading rows had triggers tell of them.
    to.execute_unprepared("DELETE FROM changes").await?;
    draw_later_epochs(to).await?;
    // An older copy may lack the younger tables.
    let has = |name: &str| tables.iter().any(|table| table.name == name);
    let now = Timestamp::now();
    let (until, now) = (now.plus(RESPITE).millis(), now.millis());
    let told = || Value::from(NOT_TAKEN_UP);
    let statements: [(&str, &str, Vec<Value>); 10] = [
        (
            // Nobody knows what became of it since.
            "jobs",
            "UPDATE jobs SET state = 'dead', holder = NULL, lease_until = NULL, undo_to = NULL, \
             error_kind = 'internal', error_message = $1, finished_at = $2 \
             WHERE state IN ('queued', 'running')",
            vec![told(), now.into()],
        ),
        (
            "run_items",
            "UPDATE run_items SET state = 'interrupted', note = $1, ended_at = $2 \
             WHERE state IN ('waiting', 'running')",
            vec![told(), now.into()],
        ),
        (
            "runs",
            "UPDATE runs SET state = 'ended', ended_at = $1 WHERE state = 'open'",
            vec![now.into()],
        ),
        (
            "snapshots",
            "UPDATE snapshots SET expires_at = $1 WHERE expires_at < $1 AND state = 'ready'",
            vec![until.into()],
        ),
        // What was ended since the copy was made must not be open again.
        ("sessions", "DELETE FROM sessions", vec![]),
        (
            "token_families",
            "UPDATE token_families SET revoked_at = $1 WHERE revoked_at IS NULL",
            vec![now.into()],
        ),
        ("tokens", "DELETE FROM tokens WHERE login", vec![]),
        // What was on its way has mostly arrived.
        (
            "event_deliveries",
            "UPDATE event_deliveries SET state = 'done' WHERE state = 'pending'",
            vec![],
        ),
        (
            "webhook_deliveries",
            "UPDATE webhook_deliveries SET state = 'given_up', last_error = $1, ended_at = $2 \
             WHERE state = 'pending'",
            vec![told(), now.into()],
        ),
        (
            "mails",
            "UPDATE mails SET state = 'given_up', last_error = $1, ended_at = $2 \
             WHERE state = 'pending'",
            vec![told(), now.into()],
        ),
    ];
    for (table, sql, values) in statements {
        if has(table) {
            run(to, sql, values).await?;
        }
    }
    Ok(())
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
/// have seen any. There is less than one a millisecond, so the present one is above all.
async fn draw_later_epochs(to: &impl ConnectionTrait) -> Result<()> {
    let present = Timestamp::now().millis();
    run(
        to,
        "UPDATE counters SET value = $1 WHERE name = 'epoch' AND value < $1",
        [present.into()],
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
