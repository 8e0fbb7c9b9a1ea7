//! Whether the database is whole.

use crate::{Result, Store, sql};

/// Lines of a report that are of use to anybody.
const LINES: usize = 20;

/// What the database itself finds wrong with its pages, indexes and references; nothing,
/// when all is well. PostgreSQL keeps its references whole itself and has no such check.
pub async fn problems(store: &Store) -> Result<Vec<String>> {
    if !store.is_sqlite() {
        store.ping().await?;
        return Ok(Vec::new());
    }
    let mut problems = Vec::new();
    for row in sql::all(store, format!("PRAGMA integrity_check({LINES})"), []).await? {
        let line: String = row.try_get_by_index(0)?;
        if line != "ok" {
            problems.push(line);
        }
    }
    let rows = sql::all(store, "PRAGMA foreign_key_check", []).await?;
    for row in rows.iter().take(LINES) {
        let table: String = row.try_get_by_index(0)?;
        let id: Option<i64> = row.try_get_by_index(1)?;
        let parent: String = row.try_get_by_index(2)?;
        problems.push(format!(
            "row {} of `{table}` refers to nothing in `{parent}`",
            id.unwrap_or_default()
        ));
    }
    Ok(problems)
}
