//! What is in the database.

use crate::{
    Result,
    database::client::{Client, Refused, literal},
};

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Relation {
    pub name: String,
    pub kind: RelationKind,
    /// Empty for views, and for tables the server cannot open.
    pub engine: String,
    /// The engine takes part in snapshots.
    pub transactional: bool,
    pub collation: Option<String>,
}

/// What a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RelationKind {
    Table,
    Versioned,
    Sequence,
    View,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub name: String,
    /// `DATA_TYPE`, lower case.
    pub data_type: String,
    pub charset: Option<String>,
    pub collation: Option<String>,
    /// Computed by the server.
    pub generated: bool,
}

type RelationRow = (
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// All relations of the current database, by name as bytes compare.
pub(crate) fn relations(client: &mut Client) -> Result<Vec<Relation>> {
    let rows: Vec<RelationRow> = client.rows(
        "SELECT t.TABLE_NAME, t.TABLE_TYPE, t.ENGINE, e.TRANSACTIONS, t.TABLE_COLLATION \
         FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE \
         WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE <> 'TEMPORARY'",
    )?;
    let mut relations: Vec<Relation> = rows
        .into_iter()
        .map(|(name, kind, engine, transactions, collation)| Relation {
            name,
            kind: match kind.as_str() {
                "VIEW" | "SYSTEM VIEW" => RelationKind::View,
                "SEQUENCE" => RelationKind::Sequence,
                "SYSTEM VERSIONED" => RelationKind::Versioned,
                _ => RelationKind::Table,
            },
            engine: engine.unwrap_or_default(),
            transactional: transactions.as_deref() == Some("YES"),
            collation,
        })
        .collect();
    relations.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(relations)
}

type ColumnRow = (
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// The columns of a table in their order.
pub(crate) fn columns(client: &mut Client, table: &str) -> Result<Vec<Column>, Refused> {
    let rows: Vec<ColumnRow> = client.rows(format!(
        "SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, EXTRA, GENERATION_EXPRESSION \
         FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = {} ORDER BY ORDINAL_POSITION",
        literal(table)
    ))?;
    Ok(rows
        .into_iter()
        .map(|(name, data_type, charset, collation, extra, expression)| {
            // `DEFAULT_GENERATED` of MySQL 8 is an expression as a default.
            let extra = extra.unwrap_or_default().to_ascii_uppercase();
            Column {
                name,
                data_type: data_type.to_ascii_lowercase(),
                charset,
                collation,
                generated: extra.contains("STORED GENERATED")
                    || extra.contains("VIRTUAL GENERATED")
                    || extra.contains("PERSISTENT GENERATED")
                    || expression.is_some_and(|text| !text.is_empty()),
            }
        })
        .collect())
}

/// The columns of the primary key in its order; empty without one.
pub(crate) fn primary_key(client: &mut Client, table: &str) -> Result<Vec<String>, Refused> {
    client.rows(format!(
        "SELECT COLUMN_NAME FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = {} AND INDEX_NAME = 'PRIMARY' \
         ORDER BY SEQ_IN_INDEX",
        literal(table)
    ))
}
