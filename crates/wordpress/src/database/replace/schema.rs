//! What the server says of its tables.

use super::{
    options::ReplaceOptions,
    plan,
    table::{Raw, Table, Text, Unique},
};
use crate::Result;
use mysql_async::{Conn, prelude::Queryable};
use std::collections::{BTreeMap, BTreeSet};

/// Name, type, engine, bytes.
type TableRow = (Vec<u8>, Text, Text, Option<u64>);
/// Table, name, type, character set, extra, expression, whether it may be null.
type ColumnRow = (Vec<u8>, Vec<u8>, Vec<u8>, Text, Text, Text, Text);
/// Table, index, column, how much of it.
type IndexRow = (Vec<u8>, Vec<u8>, Vec<u8>, Option<u64>);

/// Looks at the database of a site whose WordPress speaks this character set with it.
pub(super) async fn tables(
    conn: &mut Conn,
    prefix: &str,
    spoken: &str,
    options: &ReplaceOptions,
) -> Result<Vec<Table>> {
    let found: Vec<TableRow> = conn
        .query(
            "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, DATA_LENGTH FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME",
        )
        .await?;
    let all: BTreeSet<String> = found.iter().map(|row| text(Some(row.0.clone()))).collect();
    let names = plan::scope(&all, prefix, options);

    let rows: Vec<ColumnRow> = conn
        .query(
            "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, CHARACTER_SET_NAME, EXTRA, \
             GENERATION_EXPRESSION, IS_NULLABLE FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION",
        )
        .await?;
    let mut columns: BTreeMap<String, Vec<Raw>> = BTreeMap::new();
    for (table, name, kind, charset, extra, expression, nullable) in rows {
        let extra = text(extra).to_ascii_lowercase();
        columns.entry(text(Some(table))).or_default().push(Raw {
            name: text(Some(name)),
            kind: text(Some(kind)).to_ascii_lowercase(),
            charset: text(charset).to_ascii_lowercase(),
            generated: !text(expression).is_empty() || extra.contains("generated"),
            nullable: text(nullable) == "YES",
            extra,
        });
    }
    let rows: Vec<IndexRow> = conn
        .query(
            "SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS \
             WHERE TABLE_SCHEMA = DATABASE() AND NON_UNIQUE = 0 AND COLUMN_NAME IS NOT NULL \
             ORDER BY TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX",
        )
        .await?;
    let mut indexes: BTreeMap<String, Vec<Unique>> = BTreeMap::new();
    for (table, index, column, part) in rows {
        let of_table = indexes.entry(text(Some(table))).or_default();
        let index = text(Some(index));
        if of_table.last().is_none_or(|last| last.name != index) {
            of_table.push(Unique {
                name: index,
                ..Unique::default()
            });
        }
        if let Some(last) = of_table.last_mut() {
            last.parts.push((text(Some(column)), part.is_some()));
        }
    }
    let none = Vec::new();
    Ok(found
        .into_iter()
        .filter_map(|(name, kind, engine, size)| {
            let name = text(Some(name));
            let kind = text(kind);
            if !names.contains(&name) || kind.contains("VIEW") || kind == "SEQUENCE" {
                return None;
            }
            let raw = columns.get(&name)?;
            let key = plan::key(raw, indexes.get(&name).unwrap_or(&none));
            let mut table = plan::describe(name, raw, key, prefix, spoken, options);
            // Of the engines in use only this one takes back half a batch.
            table.transactional = text(engine).eq_ignore_ascii_case("InnoDB");
            table.size = size.unwrap_or_default();
            Some(table)
        })
        .collect())
}

fn text(bytes: Text) -> String {
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}
