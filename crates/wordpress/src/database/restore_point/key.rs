//! What rows of a table are told apart by.

use super::work::Work;
use crate::{
    Result,
    database::{
        client::literal,
        dump::{Column, columns, insertable},
    },
};
use std::collections::BTreeMap;

/// A table's rows, so that they can be joined and compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keyed {
    /// Columns of the primary key, or else of a unique key that holds no `NULL`.
    pub key: Vec<String>,
    /// All that are stored, the key's among them.
    pub columns: Vec<Column>,
}

/// Types whose values are not found again by what they look like.
const VAGUE: [&str; 10] = [
    "float",
    "double",
    "bit",
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
];

type KeyRow = (String, Option<String>, Option<u64>, Option<String>);

impl Work<'_> {
    /// How the rows of a table are told apart; `None` where they are not.
    pub fn keyed(&mut self, table: &str) -> Result<Option<Keyed>> {
        let columns = insertable(columns(&mut self.client, table)?);
        let rows: Vec<KeyRow> = self.client.rows(format!(
            "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART, NULLABLE FROM information_schema.STATISTICS \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = {} AND NON_UNIQUE = 0 \
             ORDER BY INDEX_NAME, SEQ_IN_INDEX",
            literal(table)
        ))?;
        let mut keys: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
        for (index, column, part, nullable) in rows {
            let known = column.filter(|name| {
                part.is_none()
                    && nullable.as_deref() != Some("YES")
                    && columns.iter().any(|column| {
                        column.name == *name && !VAGUE.contains(&column.data_type.as_str())
                    })
            });
            let key = keys.entry(index).or_insert_with(|| Some(Vec::new()));
            match (key.as_mut(), known) {
                (Some(key), Some(column)) => key.push(column),
                _ => *key = None,
            }
        }
        let primary = keys.remove("PRIMARY").flatten();
        let key = primary.or_else(|| keys.into_values().flatten().next());
        Ok(key.map(|key| Keyed { key, columns }))
    }
}
