//! Rows written back, only while they still hold what was read.

use super::{
    plan::{Key, KeyKind, Table},
    sql,
};
use crate::Result;
use mysql_async::{Conn, prelude::Queryable};

/// A row to write.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) key: Key,
    /// Position of the column, what it held, what it gets.
    pub(super) values: Vec<(usize, Vec<u8>, Vec<u8>)>,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written {
    Done,
    /// It does not hold any more what was read, or is gone.
    Moved,
    /// The server refuses it.
    Refused(String),
}

/// A statement is not made longer than this; one row alone may be.
const STATEMENT: usize = 1024 * 1024;
/// Rows in one statement: choosing among them costs the square of their number.
const TOGETHER: usize = 64;
/// A value beyond this is compared by its SHA-256, so as not to be sent twice.
const COMPARED_WHOLE: usize = 4 * 1024 * 1024;

/// Writes rows in one transaction, which is committed. The answers are in the order of
/// the rows. `None` when the server ended the transaction for another's sake (a
/// deadlock): nothing is written then. `packet` is the longest statement that the server
/// takes.
pub(super) async fn write(
    conn: &mut Conn,
    table: &Table,
    changes: &[Change],
    packet: usize,
) -> Result<Option<Vec<Written>>> {
    conn.query_drop("START TRANSACTION").await?;
    match rows(conn, table, changes, packet).await {
        Ok(written) => {
            conn.query_drop("COMMIT").await?;
            Ok(Some(written))
        }
        Err(why) => {
            if !matches!(why, mysql_async::Error::Server(_)) {
                return Err(why.into());
            }
            conn.query_drop("ROLLBACK").await?;
            if passing(&why) {
                Ok(None)
            } else {
                Err(why.into())
            }
        }
    }
}

/// Deadlock, or a lock that was not had in time.
fn passing(why: &mysql_async::Error) -> bool {
    matches!(why, mysql_async::Error::Server(server) if matches!(server.code, 1213 | 1205))
}

async fn rows(
    conn: &mut Conn,
    table: &Table,
    changes: &[Change],
    packet: usize,
) -> std::result::Result<Vec<Written>, mysql_async::Error> {
    let mut written: Vec<Option<Written>> = vec![None; changes.len()];
    let single = table.key.len() == 1 && table.key[0].kind == KeyKind::Integer;
    let plain = |change: &Change| {
        change
            .values
            .iter()
            .all(|(column, old, _)| old.len() <= COMPARED_WHOLE && !table.columns[*column].json)
    };
    if single {
        for group in groups(changes, plain) {
            let statement = together(table, changes, &group);
            if statement.len() >= packet {
                continue;
            }
            let affected = match conn.query_iter(statement).await {
                Ok(result) => {
                    let affected = result.affected_rows();
                    result.drop_result().await?;
                    affected
                }
                // One of them is refused; each is asked for below.
                Err(why @ mysql_async::Error::Server(_)) if !passing(&why) => 0,
                Err(why) => return Err(why),
            };
            if affected == group.len() as u64 {
                for at in group {
                    written[at] = Some(Written::Done);
                }
            } else if affected > 0 {
                // Some held something else. Which ones are written shows in them.
                for at in group {
                    written[at] = Some(if holds_new(conn, table, &changes[at]).await? {
                        Written::Done
                    } else {
                        Written::Moved
                    });
                }
            }
        }
    }
    for (at, change) in changes.iter().enumerate() {
        if written[at].is_none() {
            written[at] = Some(alone(conn, table, change, packet).await?);
        }
    }
    Ok(written.into_iter().flatten().collect())
}

/// Rows that may share a statement: with the same columns to write, and short enough.
fn groups(changes: &[Change], fits: impl Fn(&Change) -> bool) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut open: Vec<(Vec<usize>, usize, Vec<usize>)> = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        if !fits(change) {
            continue;
        }
        let columns: Vec<usize> = change.values.iter().map(|value| value.0).collect();
        let size: usize = change
            .values
            .iter()
            .map(|(_, old, new)| old.len() + new.len())
            .sum();
        let found = open.iter().position(|(of, _, _)| *of == columns);
        let entry = found.unwrap_or_else(|| {
            open.push((columns, 0, Vec::new()));
            open.len() - 1
        });
        let (_, weight, members) = &mut open[entry];
        if !members.is_empty() && (*weight + size > STATEMENT || members.len() >= TOGETHER) {
            groups.push(std::mem::take(members));
            *weight = 0;
        }
        *weight += size;
        members.push(at);
    }
    groups.extend(open.into_iter().map(|(_, _, members)| members));
    // A lonely row goes alone.
    groups.retain(|group| group.len() > 1);
    groups
}

/// One statement for rows of a table with one integer for a key, all with the same
/// columns.
fn together(table: &Table, changes: &[Change], group: &[usize]) -> Vec<u8> {
    let key = sql::name(&table.key[0].name);
    let mut out = Vec::with_capacity(STATEMENT + STATEMENT / 4);
    out.extend_from_slice(format!("UPDATE {} SET ", sql::name(&table.name)).as_bytes());
    let columns: Vec<usize> = changes[group[0]]
        .values
        .iter()
        .map(|value| value.0)
        .collect();
    let choose = |out: &mut Vec<u8>, nth: usize, new: bool| {
        out.extend_from_slice(format!("CASE {key}").as_bytes());
        for at in group {
            let (_, old_value, new_value) = &changes[*at].values[nth];
            out.extend_from_slice(b" WHEN ");
            out.extend_from_slice(&changes[*at].key[0]);
            out.extend_from_slice(b" THEN ");
            sql::literal(out, if new { new_value } else { old_value });
        }
        out.extend_from_slice(b" END");
    };
    for (nth, column) in columns.iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        out.extend_from_slice(format!("{}=", sql::name(&table.columns[*column].name)).as_bytes());
        choose(&mut out, nth, true);
    }
    keep_stamps(&mut out, table);
    out.extend_from_slice(format!(" WHERE {key} IN (").as_bytes());
    for (nth, at) in group.iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&changes[*at].key[0]);
    }
    out.push(b')');
    for (nth, column) in columns.iter().enumerate() {
        let column = sql::name(&table.columns[*column].name);
        out.extend_from_slice(format!(" AND CAST({column} AS BINARY)=").as_bytes());
        choose(&mut out, nth, false);
    }
    out
}

async fn alone(
    conn: &mut Conn,
    table: &Table,
    change: &Change,
    packet: usize,
) -> std::result::Result<Written, mysql_async::Error> {
    let mut out = Vec::new();
    out.extend_from_slice(format!("UPDATE {} SET ", sql::name(&table.name)).as_bytes());
    for (nth, (column, _, new)) in change.values.iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        let column = &table.columns[*column];
        out.extend_from_slice(format!("{}=", sql::name(&column.name)).as_bytes());
        if column.json {
            out.extend_from_slice(b"_utf8mb4");
        }
        sql::literal(&mut out, new);
    }
    keep_stamps(&mut out, table);
    out.extend_from_slice(b" WHERE ");
    sql::is_key(&mut out, table, &change.key);
    for (column, old, _) in &change.values {
        let column = sql::name(&table.columns[*column].name);
        if old.len() > COMPARED_WHOLE {
            let hash = super::progress::hash(old);
            out.extend_from_slice(
                format!(" AND SHA2(CAST({column} AS BINARY),256)='{hash}'").as_bytes(),
            );
        } else {
            out.extend_from_slice(format!(" AND CAST({column} AS BINARY)=").as_bytes());
            sql::literal(&mut out, old);
        }
    }
    if out.len() >= packet {
        return Ok(Written::Refused(
            "the row is longer than the server's `max_allowed_packet`".to_owned(),
        ));
    }
    let affected = match conn.query_iter(out).await {
        Ok(result) => {
            let affected = result.affected_rows();
            result.drop_result().await?;
            affected
        }
        Err(mysql_async::Error::Server(why)) if !matches!(why.code, 1213 | 1205) => {
            return Ok(Written::Refused(why.message));
        }
        Err(why) => return Err(why),
    };
    // Where nothing rolls back, a statement for many rows may have written this one
    // before it failed at another.
    if affected == 1 || holds_new(conn, table, change).await? {
        Ok(Written::Done)
    } else {
        Ok(Written::Moved)
    }
}

/// A row is the same row with another address: its own stamps stay.
fn keep_stamps(out: &mut Vec<u8>, table: &Table) {
    for stamp in &table.stamps {
        let stamp = sql::name(stamp);
        out.extend_from_slice(format!(",{stamp}={stamp}").as_bytes());
    }
}

async fn holds_new(
    conn: &mut Conn,
    table: &Table,
    change: &Change,
) -> std::result::Result<bool, mysql_async::Error> {
    let mut out = format!("SELECT 1 FROM {} WHERE ", sql::name(&table.name)).into_bytes();
    sql::is_key(&mut out, table, &change.key);
    for (column, _, new) in &change.values {
        let column = sql::name(&table.columns[*column].name);
        out.extend_from_slice(format!(" AND CAST({column} AS BINARY)=").as_bytes());
        sql::literal(&mut out, new);
    }
    let found: Option<u8> = conn.query_first(out).await?;
    Ok(found.is_some())
}
