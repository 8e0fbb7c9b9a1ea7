//! The few statements that a builder cannot say, run on either database.
//! Both accept `$1` for parameters.

use crate::{Read, Result, Store};
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};

pub(crate) async fn one(
    from: &impl Read,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<QueryResult>> {
    let connection = from.connection();
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(connection.query_one_raw(statement).await?)
}

pub(crate) async fn all(
    from: &impl Read,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>> {
    let connection = from.connection();
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(connection.query_all_raw(statement).await?)
}

/// Runs one statement that changes something, in a transaction of its own: neither
/// beginning nor committing it is a turn of its own to the database.
pub(crate) async fn alone(
    store: &Store,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<QueryResult>> {
    let connection = store.writer();
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(connection.query_one_raw(statement).await?)
}

/// As [`alone`], for a statement that changes many rows and tells of each.
pub(crate) async fn changed(
    store: &Store,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>> {
    let connection = store.writer();
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(connection.query_all_raw(statement).await?)
}

/// Runs a statement and says how many rows it touched.
pub(crate) async fn run(
    from: &impl Read,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64> {
    let connection = from.connection();
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(connection.execute_raw(statement).await?.rows_affected())
}
