//! Loading a copy into a database that holds nothing.

use super::{
    catalog::{self, Table},
    export,
    format::{Kind, Line, Reader, Sum, Summary, TableLine, TableSum},
    settle,
};
use crate::{Error, Result, migrate::Alone, migrations::Migrator, sealed};
use data_encoding::BASE64;
use pressroom_base::{Timestamp, keyring::Keyring};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait, Value,
};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};
use serde_json::Value as Json;
use std::{collections::BTreeMap, io::BufRead};

/// Parameters of a statement; SQLite takes 32,766.
const PARAMETERS: usize = 8000;
/// Bytes of rows after which a statement is sent whatever their number.
const BYTES: usize = 4 << 20;
/// Made by every server that starts, before there is anything.
const OF_ITS_OWN: [&str; 2] = ["counters", "settings"];

/// The first migration; with it in its records, tables are ours.
const FIRST: &str = "m0001_people";

/// Loads what is read; errors as [`super::restore`].
pub(super) async fn into<R: BufRead>(
    url: &str,
    keyring: &Keyring,
    from: &mut Reader<R>,
) -> Result<Summary> {
    let steps = steps(&from.header.schema)?;
    let alone = Alone::with(url).await?;
    let loaded = load(&alone.connection, keyring, &steps, from).await;
    alone.end().await?;
    loaded
}

/// Our migrations that a copy's database had had, in order.
fn steps(schema: &[String]) -> Result<Vec<Box<dyn MigrationTrait>>> {
    let mut known = Migrator::migrations();
    if let Some(unknown) = schema
        .iter()
        .find(|name| !known.iter().any(|step| step.name() == name.as_str()))
    {
        return Err(Error::Newer {
            migration: unknown.clone(),
        });
    }
    if !schema.iter().any(|name| name == FIRST) {
        return Err(Error::Copy("its schema is none that there was".to_owned()));
    }
    known.retain(|step| schema.iter().any(|name| name == step.name()));
    Ok(known)
}

/// All of it, or nothing: the database is looked at, emptied, filled and compared in one
/// transaction.
async fn load<R: BufRead>(
    to: &DatabaseConnection,
    keyring: &Keyring,
    steps: &[Box<dyn MigrationTrait>],
    from: &mut Reader<R>,
) -> Result<Summary> {
    let options = TransactionOptions {
        sqlite_transaction_mode: catalog::is_sqlite(to).then_some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let tx = to.begin_with_options(options).await?;
    clear(&tx).await?;
    let schema = SchemaManager::new(&tx);
    for step in steps {
        step.up(&schema).await.map_err(Error::Migrate)?;
    }
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
    let has = |name: &str| tables.iter().any(|table| table.name == name);
    sealed::refuse_shut(&tx, has, keyring).await?;
    settle::all(&tx, &tables).await?;
    record(&tx, steps).await?;
    tx.commit().await?;
    Migrator::up(to, None).await.map_err(Error::Migrate)?;
    Ok(from.summary(sums))
}

/// Takes the tables away, if they are ours and hold nothing: the copy's may have been
/// others. Whatever somebody entered is worth more than a mistyped command.
async fn clear(to: &impl ConnectionTrait) -> Result<()> {
    let names = catalog::names(to).await?;
    let Some(first) = names.first() else {
        return Ok(());
    };
    let ours = catalog::migrations(to).await?;
    if !ours.iter().any(|name| name == FIRST) {
        return Err(Error::NotEmpty {
            table: first.clone(),
        });
    }
    let tables = catalog::tables(to).await?;
    for table in &tables {
        // Nobody writes to it while this lasts; SQLite has one writer anyway.
        if !catalog::is_sqlite(to) {
            to.execute_unprepared(&format!("LOCK TABLE \"{}\"", table.name))
                .await?;
        }
        if OF_ITS_OWN.contains(&table.name.as_str()) {
            continue;
        }
        let sql = format!("SELECT id FROM \"{}\" LIMIT 1", table.name);
        let statement = Statement::from_string(to.get_database_backend(), sql);
        if to.query_one_raw(statement).await?.is_some() {
            return Err(Error::NotEmpty {
                table: table.name.clone(),
            });
        }
    }
    let names = tables.iter().rev().map(|table| table.name.as_str());
    for name in names.chain(catalog::NOT_COPIED) {
        to.execute_unprepared(&format!("DROP TABLE IF EXISTS \"{name}\""))
            .await?;
    }
    Ok(())
}

/// Has the migrator know what was done.
async fn record(to: &impl ConnectionTrait, steps: &[Box<dyn MigrationTrait>]) -> Result<()> {
    to.execute_unprepared(
        "CREATE TABLE seaql_migrations (version varchar NOT NULL PRIMARY KEY, \
         applied_at bigint NOT NULL)",
    )
    .await?;
    let second = Timestamp::now().seconds();
    for step in steps {
        to.execute_raw(Statement::from_sql_and_values(
            to.get_database_backend(),
            "INSERT INTO seaql_migrations (version, applied_at) VALUES ($1, $2)",
            [step.name().into(), second.into()],
        ))
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
    let mut bytes = 0;
    loop {
        let line = from.next()?;
        if let Line::Row(row) = line {
            let Some((table, sum, batch)) = &mut open else {
                return Err(Error::Copy("a row in it is of no table".to_owned()));
            };
            sum.add(&row);
            bytes += row.len();
            batch.push(row);
            if batch.len() * table.columns.len() >= PARAMETERS || bytes >= BYTES {
                insert(to, table, batch).await?;
                batch.clear();
                bytes = 0;
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
