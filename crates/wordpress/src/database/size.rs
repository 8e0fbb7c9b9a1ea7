//! How large the site's tables are.

use super::{client::Client, connection::Connection, share::Share, working};
use crate::{Result, config::Settings, watch::Watch};
use serde::{Deserialize, Serialize};

/// A table's size, as the server estimates it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSize {
    /// Its name.
    pub name: String,
    /// Its engine, e.g. `InnoDB`; empty when the server cannot open it.
    pub engine: String,
    /// Its default collation; empty for sequences on some servers.
    pub collation: String,
    /// An estimate for `InnoDB`, exact for `MyISAM`.
    pub rows: u64,
    /// Bytes of rows (`InnoDB`: of the clustered index).
    pub data_bytes: u64,
    /// Bytes of (other) indexes.
    pub index_bytes: u64,
    /// Allocated and unused bytes.
    pub free_bytes: u64,
}

type Row = (
    String,
    Option<String>,
    Option<String>,
    Option<u64>,
    Option<u64>,
    Option<u64>,
    Option<u64>,
);

/// The site's tables, by name. Tables that a restore keeps aside are
/// among them under the names they have now.
pub fn size(settings: &Settings, watch: &Watch) -> Result<Vec<TableSize>> {
    let connection = Connection::of(settings)?;
    let mut client = Client::open(&connection, watch)?;
    let rows: Vec<Row> = client.rows(
        "SELECT TABLE_NAME, ENGINE, TABLE_COLLATION, TABLE_ROWS, DATA_LENGTH, INDEX_LENGTH, DATA_FREE \
         FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE NOT IN ('VIEW', 'SYSTEM VIEW', 'TEMPORARY')",
    )?;
    let aside = working::site_stem(connection.prefix());
    let share = Share::new(
        connection.prefix(),
        rows.iter().map(|(name, ..)| name.as_str()),
    );
    let mut sizes: Vec<TableSize> = rows
        .into_iter()
        .filter(|(name, ..)| {
            name.starts_with(&aside) || (share.holds(name) && working::parse(name).is_none())
        })
        .map(
            |(name, engine, collation, rows, data, index, free)| TableSize {
                name,
                engine: engine.unwrap_or_default(),
                collation: collation.unwrap_or_default(),
                rows: rows.unwrap_or(0),
                data_bytes: data.unwrap_or(0),
                index_bytes: index.unwrap_or(0),
                free_bytes: free.unwrap_or(0),
            },
        )
        .collect();
    sizes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sizes)
}
