//! Loading a copy into a database that holds nothing.

use super::{
    catalog::{self, Table},
    export,
    format::{Kind, Line, Reader, Sum, Summary, TableLine, TableSum},
    settle,
};
use crate::{Error, Result, migrate::Alone, migrations::Migrator};
use data_encoding::BASE64;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait, Value,
};
use sea_orm_migration::MigratorTrait;
use serde_json::Value as Json;
use std::{collections::BTreeMap, io::BufRead};

/// Parameters of a statement; SQLite takes 32,766.
const PARAMETERS: usize = 8000;
/// Made by every server that starts, before there is anything.
const OF_ITS_OWN: [&str; 2] = ["counters", "settings"];

/// Loads what is read; errors as [`super::restore`].
pub(super) async fn into<R: BufRead>(url: &str, from: &mut Reader<R>) -> Result<Summary> {
    let steps = steps(&from.header.schema)?;
    let alone = Alone::with(url).await?;
    let loaded = load(&alone.connection, steps, from).await;
    alone.end().await?;
    loaded
}

/// How many of our migrations a copy's database had had.
fn steps(schema: &[String]) -> Result<u32> {
    let known: Vec<_> = Migrator::migrations()
        .iter()
        .map(|step| step.name().to_owned())
        .collect();
    if let Some(unknown) = schema.iter().find(|name| !known.contains(name)) {
        return Err(Error::Newer {
            migration: unknown.clone(),
        });
    }
    if !known.starts_with(schema) || schema.is_empty() {
        return Err(Error::Copy("its schema is none that there was".to_owned()));
    }
    u32::try_from(schema.len()).map_err(|_| Error::Copy("its schema makes no sense".to_owned()))
}

async fn load<R: BufRead>(
    to: &DatabaseConnection,
    steps: u32,
    from: &mut Reader<R>,
) -> Result<Summary> {
    refuse_content(to).await?;
    clear(to).await?;
    Migrator::up(to, Some(steps))
        .await
        .map_err(Error::Migrate)?;
    let options = TransactionOptions {
        sqlite_transaction_mode: catalog::is_sqlite(to).then_some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let tx = to.begin_with_options(options).await?;
    let tables = catalog::tables(&tx).await?;
    for table in tables.iter().rev() {
        // Migrations write a few rows of their own.
        tx.execute_unprepared(&format!("DELETE FROM \"{}\"", table.name))
            .await?;
    }
    let sums = rows(&tx, &tables, from).await?;
    for table in &tables {
        let loaded = export::rows(&tx, table, |_| Ok(())).await?;
        if sums.get(&table.name) != Some(&loaded) {
            return Err(Error::Copy(format!(
                "what was loaded into `{}` is not what is in the copy",
                table.name
            )));
        }
    }
    settle::all(&tx, &tables).await?;
    tx.commit().await?;
    Migrator::up(to, None).await.map_err(Error::Migrate)?;
    Ok(from.summary(sums))
}

/// Whatever somebody entered is worth more than a mistyped command.
async fn refuse_content(to: &DatabaseConnection) -> Result<()> {
    for table in catalog::tables(to).await? {
        if OF_ITS_OWN.contains(&table.name.as_str()) {
            continue;
        }
        let sql = format!("SELECT id FROM \"{}\" LIMIT 1", table.name);
        let statement = Statement::from_string(to.get_database_backend(), sql);
        if to.query_one_raw(statement).await?.is_some() {
            return Err(Error::NotEmpty { table: table.name });
        }
    }
    Ok(())
}

/// Takes the empty tables away: the copy's may have been others.
async fn clear(to: &DatabaseConnection) -> Result<()> {
    let tables = catalog::tables(to).await?;
    let names = tables.iter().rev().map(|table| table.name.as_str());
    for name in names.chain(catalog::NOT_COPIED) {
        to.execute_unprepared(&format!("DROP TABLE IF EXISTS \"{name}\""))
            .await?;
    }
    Ok(())
}

/// Loads every row and answers what there was of each table.
async fn rows<R: BufRead>(
    to: &impl ConnectionTrait,
    tables: &[Table],
    from: &mut Reader<R>,
) -> Result<BTreeMap<String, TableSum>> {
    let mut sums = BTreeMap::new();
    let mut open: Option<(&Table, Sum, Vec<String>)> = None;
    loop {
        let line = from.next()?;
        if let Line::Row(row) = line {
            let Some((table, sum, batch)) = &mut open else {
                return Err(Error::Copy("a row in it is of no table".to_owned()));
            };
            sum.add(&row);
            batch.push(row);
            if batch.len() * table.columns.len() >= PARAMETERS {
                insert(to, table, batch).await?;
                batch.clear();
            }
            continue;
        }
        if let Some((table, sum, batch)) = open.take() {
            insert(to, table, &batch).await?;
            if sums.insert(table.name.clone(), sum.end()).is_some() {
                return Err(Error::Copy(format!("`{}` is in it twice", table.name)));
            }
        }
        match line {
            Line::Table(line) => open = Some((named(tables, &line)?, Sum::default(), Vec::new())),
            Line::End(said) if said == sums && sums.len() == tables.len() => return Ok(sums),
            _ => {
                return Err(Error::Copy(
                    "it is damaged: rows are missing or changed".to_owned(),
                ));
            }
        }
    }
}

fn named<'a>(tables: &'a [Table], line: &TableLine) -> Result<&'a Table> {
    let found = tables.iter().find(|table| table.name == line.table);
    found
        .filter(|table| {
            let columns = table.columns.iter();
            columns
                .map(|column| (column.name.clone(), column.kind))
                .eq(line.columns.iter().cloned())
        })
        .ok_or_else(|| Error::Copy(format!("`{}` is not as this version knows it", line.table)))
}

async fn insert(to: &impl ConnectionTrait, table: &Table, rows: &[String]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let backend = to.get_database_backend();
    let names: Vec<_> = table
        .columns
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    let mut values = Vec::with_capacity(rows.len() * names.len());
    let mut places = Vec::with_capacity(rows.len());
    for row in rows {
        let cells: Vec<Json> = serde_json::from_str(row)
            .map_err(|_| Error::Copy(format!("a row of `{}` makes no sense", table.name)))?;
        if cells.len() != names.len() {
            return Err(Error::Copy(format!(
                "a row of `{}` has another number of columns",
                table.name
            )));
        }
        let mut row = Vec::with_capacity(names.len());
        for (column, cell) in table.columns.iter().zip(cells) {
            values.push(value(column.kind, cell).ok_or_else(|| {
                Error::Copy(format!(
                    "a row of `{}` has a value that `{}` cannot hold",
                    table.name, column.name
                ))
            })?);
            let place = format!("${}", values.len());
            row.push(if column.narrow {
                format!("CAST({place} AS integer)")
            } else {
                place
            });
        }
        places.push(format!("({})", row.join(", ")));
    }
    let sql = format!(
        "INSERT INTO \"{}\" ({}) VALUES {}",
        table.name,
        names.join(", "),
        places.join(", ")
    );
    to.execute_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    Ok(())
}

fn value(kind: Kind, cell: Json) -> Option<Value> {
    Some(match (kind, cell) {
        (Kind::Integer, Json::Null) => Value::BigInt(None),
        (Kind::Integer, Json::Number(number)) => Value::BigInt(Some(number.as_i64()?)),
        (Kind::Text, Json::Null) => Value::String(None),
        (Kind::Text, Json::String(text)) => Value::from(text),
        (Kind::Bool, Json::Null) => Value::Bool(None),
        (Kind::Bool, Json::Bool(bool)) => Value::Bool(Some(bool)),
        (Kind::Bytes, Json::Null) => Value::Bytes(None),
        (Kind::Bytes, Json::String(text)) => Value::from(BASE64.decode(text.as_bytes()).ok()?),
        _ => return None,
    })
}
