//! The tables there are, from the database's own catalogue: a copy forgets none.

use super::format::Kind;
use crate::{Error, Result};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};
use std::collections::HashSet;

/// A table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    /// By name, the key first.
    pub(super) columns: Vec<Column>,
    refers_to: HashSet<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Whether PostgreSQL keeps four bytes of it.
    pub(super) narrow: bool,
}

/// Kept by the migrations themselves, and what triggers write for processes that are
/// running: nobody is when a copy is loaded.
pub(super) const NOT_COPIED: [&str; 2] = ["changes", MIGRATIONS];
const MIGRATIONS: &str = "seaql_migrations";

/// Every table, those that others refer to first.
pub(super) async fn tables(from: &impl ConnectionTrait) -> Result<Vec<Table>> {
    let mut left = Vec::new();
    for name in names(from).await? {
        left.push(Table {
            columns: columns(from, &name).await?,
            refers_to: referred_to(from, &name).await?,
            name,
        });
    }
    let mut ordered: Vec<Table> = Vec::new();
    while !left.is_empty() {
        let (free, bound): (Vec<_>, Vec<_>) = left.into_iter().partition(|table: &Table| {
            table
                .refers_to
                .iter()
                .all(|other| *other == table.name || ordered.iter().any(|done| done.name == *other))
        });
        if free.is_empty() {
            return Err(Error::Copy(
                "tables refer to each other in a circle".to_owned(),
            ));
        }
        ordered.extend(free);
        left = bound;
    }
    Ok(ordered)
}

/// The migrations that were recorded; none where nothing records them.
pub(crate) async fn migrations(from: &impl ConnectionTrait) -> Result<Vec<String>> {
    if !raw_names(from).await?.iter().any(|name| name == MIGRATIONS) {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT version FROM {MIGRATIONS}");
    let statement = Statement::from_string(from.get_database_backend(), sql);
    let found = from.query_all_raw(statement).await?;
    found
        .iter()
        .map(|row| Ok(row.try_get("", "version")?))
        .collect()
}

/// The tables' names.
pub(super) async fn names(from: &impl ConnectionTrait) -> Result<Vec<String>> {
    let mut names = raw_names(from).await?;
    names.retain(|name| !NOT_COPIED.contains(&name.as_str()));
    Ok(names)
}

async fn raw_names(from: &impl ConnectionTrait) -> Result<Vec<String>> {
    let sql = if is_sqlite(from) {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' \
         ORDER BY name"
    } else {
        "SELECT CAST(table_name AS text) AS name FROM information_schema.tables \
         WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' \
         ORDER BY 1"
    };
    let statement = Statement::from_string(from.get_database_backend(), sql);
    let mut names = Vec::new();
    for row in from.query_all_raw(statement).await? {
        names.push(row.try_get("", "name")?);
    }
    Ok(names)
}

async fn columns(from: &impl ConnectionTrait, table: &str) -> Result<Vec<Column>> {
    let sql = if is_sqlite(from) {
        "SELECT name, lower(type) AS kind FROM pragma_table_info($1)"
    } else {
        "SELECT CAST(column_name AS text) AS name, CAST(data_type AS text) AS kind \
         FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name = $1"
    };
    let mut found = Vec::new();
    for row in all(from, sql, table).await? {
        let name: String = row.try_get("", "name")?;
        let kind: String = row.try_get("", "kind")?;
        let (kind, narrow) = match kind.as_str() {
            "bigint" => (Kind::Integer, false),
            "integer" => (Kind::Integer, true),
            "text" => (Kind::Text, false),
            "boolean" => (Kind::Bool, false),
            "blob" | "bytea" => (Kind::Bytes, false),
            other => {
                return Err(Error::Copy(format!(
                    "`{table}.{name}` is of a kind that is not known: `{other}`"
                )));
            }
        };
        found.push(Column { name, kind, narrow });
    }
    if !found.iter().any(|column| column.name == "id") {
        return Err(Error::Copy(format!("`{table}` has no key")));
    }
    found.sort_by_key(|column| (column.name != "id", column.name.clone()));
    Ok(found)
}

async fn referred_to(from: &impl ConnectionTrait, table: &str) -> Result<HashSet<String>> {
    let sql = if is_sqlite(from) {
        "SELECT \"table\" AS name FROM pragma_foreign_key_list($1)"
    } else {
        "SELECT CAST(other.relname AS text) AS name FROM pg_constraint c \
         JOIN pg_class own ON own.oid = c.conrelid JOIN pg_class other ON other.oid = c.confrelid \
         WHERE c.contype = 'f' AND own.relname = $1 \
         AND own.relnamespace = current_schema()::regnamespace"
    };
    let found = all(from, sql, table).await?;
    found
        .iter()
        .map(|row| Ok(row.try_get("", "name")?))
        .collect()
}

pub(super) fn is_sqlite(from: &impl ConnectionTrait) -> bool {
    from.get_database_backend() == DbBackend::Sqlite
}

async fn all(from: &impl ConnectionTrait, sql: &str, value: &str) -> Result<Vec<QueryResult>> {
    let statement =
        Statement::from_sql_and_values(from.get_database_backend(), sql, [Value::from(value)]);
    Ok(from.query_all_raw(statement).await?)
}
