//! What the server finds when all is done.

use super::{
    sql::{self, Filter},
    table::{Column, Range, Table},
    work,
};
use crate::Result;
use mysql_async::{Conn, Row, prelude::Queryable};

/// In how many rows of a range each of these columns holds a search text.
pub(super) async fn holding(
    conn: &mut Conn,
    table: &Table,
    range: &Range,
    columns: &[&Column],
    filter: &Filter,
) -> Result<Vec<u64>> {
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let mut out = b"SELECT ".to_vec();
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"CAST(IFNULL(SUM(");
        filter.holds(&mut out, column);
        out.extend_from_slice(b"),0) AS UNSIGNED)");
    }
    out.extend_from_slice(format!(" FROM {} WHERE 1", sql::name(&table.name)).as_bytes());
    work::within(&mut out, table, range);
    let row: Option<Row> = conn.query_first(out).await?;
    Ok((0..columns.len())
        .map(|at| {
            row.as_ref()
                .and_then(|row| row.get::<u64, _>(at))
                .unwrap_or_default()
        })
        .collect())
}
