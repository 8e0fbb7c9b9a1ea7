//! Reading every row.

use super::{
    catalog::{self, Table},
    format::{self, Kind, Sum, TableLine, TableSum, Writer},
};
use crate::{Error, Result, Store, migrations::Migrator};
use data_encoding::BASE64;
use pressroom_base::Secret;
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use sea_orm_migration::MigratorTrait;
use serde_json::{Value as Json, json};
use std::io::Write;

/// Rows read at a time.
const BATCH: i64 = 500;

/// Writes all tables as `from` sees them.
pub(super) async fn all<W: Write>(
    from: &impl ConnectionTrait,
    store: &Store,
    to: &mut Writer<W>,
) -> Result<()> {
    let schema = Migrator::migrations()
        .iter()
        .map(|step| step.name().to_owned())
        .collect();
    let key = store.seal(format::KEY_PLACE, &Secret::new("pressroom".to_owned()));
    to.header(format::header(schema, store.now().await?.millis(), key))?;
    for table in catalog::tables(from).await? {
        to.table(&TableLine {
            table: table.name.clone(),
            columns: table
                .columns
                .iter()
                .map(|column| (column.name.clone(), column.kind))
                .collect(),
        })?;
        let sum = rows(from, &table, |line| to.line(line)).await?;
        to.end_of(&table.name, sum);
    }
    Ok(())
}

/// Hands out each row of a table as its line, in the order of their keys.
pub(super) async fn rows(
    from: &impl ConnectionTrait,
    table: &Table,
    mut take: impl FnMut(&str) -> Result<()>,
) -> Result<TableSum> {
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|column| match column.kind {
            // Whatever width it has, one is read.
            Kind::Integer => format!("CAST(\"{0}\" AS bigint) AS \"{0}\"", column.name),
            _ => format!("\"{}\"", column.name),
        })
        .collect();
    let sql = format!(
        "SELECT {} FROM \"{}\" WHERE id > $1 ORDER BY id LIMIT $2",
        columns.join(", "),
        table.name
    );
    let mut sum = Sum::default();
    let mut last = i64::MIN;
    loop {
        let statement = Statement::from_sql_and_values(
            from.get_database_backend(),
            &sql,
            [Value::from(last), BATCH.into()],
        );
        let found = from.query_all_raw(statement).await?;
        let Some(end) = found.last() else {
            return Ok(sum.end());
        };
        last = end.try_get("", "id")?;
        for row in &found {
            let line = format::json(&line(table, row)?)?;
            sum.add(&line);
            take(&line)?;
        }
    }
}

fn line(table: &Table, row: &QueryResult) -> Result<Vec<Json>> {
    table
        .columns
        .iter()
        .map(|column| {
            let name = column.name.as_str();
            let value = match column.kind {
                Kind::Integer => json!(row.try_get::<Option<i64>>("", name)?),
                Kind::Text => json!(row.try_get::<Option<String>>("", name)?),
                Kind::Bool => json!(row.try_get::<Option<bool>>("", name)?),
                Kind::Bytes => json!(
                    row.try_get::<Option<Vec<u8>>>("", name)?
                        .map(|bytes| BASE64.encode(&bytes))
                ),
            };
            Ok::<_, Error>(value)
        })
        .collect()
}
