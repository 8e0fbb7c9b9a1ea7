//! Rows written back, only while they still hold what was read.

use super::{
    charset, sql,
    table::{Column, Key, KeyKind, Table},
};
use crate::{Result, fence};
use mysql_async::{Conn, prelude::Queryable};
use pressroom_phpdata::serialized::Pair;

/// A row to write.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) key: Key,
    pub(super) values: Vec<Value>,
}

/// A value to write.
#[derive(Debug, Clone)]
pub(super) struct Value {
    /// Position of the column.
    pub(super) column: usize,
    /// What it held.
    pub(super) old: Vec<u8>,
    /// What it gets.
    pub(super) new: Vec<u8>,
    /// The form whose plain replacement by the server makes the new bytes.
    pub(super) only: Option<usize>,
}

/// Where and how rows are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) table: &'a Table,
    /// What [`Value::only`] counts.
    pub(super) forms: &'a [Pair],
    /// The longest statement that the server takes.
    pub(super) packet: usize,
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

/// Writes rows in one transaction, which is committed inside the fence: `enter` takes
/// it. The answers are in the order of the rows. `None` when the server ended the
/// transaction for another's sake (a deadlock): nothing is written then.
///
/// Whoever was stopped among the statements finds himself fenced before the commit and
/// rolls back. Where nothing rolls back, the fence is held around the statements.
pub(super) async fn write(
    conn: &mut Conn,
    target: Target<'_>,
    changes: &[Change],
    enter: impl Fn() -> Result<fence::Held>,
) -> Result<Option<Vec<Written>>> {
    let mut held = None;
    if !target.table.transactional {
        held = Some(enter()?);
    }
    conn.query_drop("START TRANSACTION").await?;
    match rows(conn, target, changes).await {
        Ok(written) => {
            if held.is_none() {
                match enter() {
                    Ok(entered) => held = Some(entered),
                    Err(why) => {
                        conn.query_drop("ROLLBACK").await?;
                        return Err(why);
                    }
                }
            }
            conn.query_drop("COMMIT").await?;
            drop(held);
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
    target: Target<'_>,
    changes: &[Change],
) -> std::result::Result<Vec<Written>, mysql_async::Error> {
    let table = target.table;
    let mut written: Vec<Option<Written>> = vec![None; changes.len()];
    if table.key.len() == 1 && table.key[0].kind == KeyKind::Integer {
        for group in groups(table, changes) {
            let statement = together(target, changes, &group);
            if statement.len() >= target.packet {
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
            }
            // Else some held something else, and each is looked at below.
        }
    }
    for (at, change) in changes.iter().enumerate() {
        if written[at].is_none() {
            written[at] = Some(alone(conn, target, change).await?);
        }
    }
    Ok(written.into_iter().flatten().collect())
}

/// Columns and how they are written, bytes to send, rows.
type Open = (Vec<(usize, Option<usize>)>, usize, Vec<usize>);

/// Rows that may share a statement: with the same columns to write in the same way, and
/// short enough.
fn groups(table: &Table, changes: &[Change]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        if change
            .values
            .iter()
            .any(|value| table.columns[value.column].json)
        {
            continue;
        }
        let ways: Vec<_> = change
            .values
            .iter()
            .map(|value| (value.column, value.only))
            .collect();
        let sent = change.values.iter().filter(|value| value.only.is_none());
        let size: usize = sent.map(|value| value.new.len()).sum();
        let found = open.iter().position(|(of, _, _)| *of == ways);
        let entry = found.unwrap_or_else(|| {
            open.push((ways, 0, Vec::new()));
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
/// columns to write in the same way. What they held is told by length and CRC-32: two
/// values that agree in both would have to meet in one row within this moment.
fn together(target: Target<'_>, changes: &[Change], group: &[usize]) -> Vec<u8> {
    let table = target.table;
    let key = sql::name(&table.key[0].name);
    let mut out = Vec::with_capacity(64 * 1024);
    out.extend_from_slice(format!("UPDATE {} SET ", sql::name(&table.name)).as_bytes());
    let choose = |out: &mut Vec<u8>, write: &dyn Fn(&mut Vec<u8>, &Change)| {
        out.extend_from_slice(format!("CASE {key}").as_bytes());
        for at in group {
            out.extend_from_slice(b" WHEN ");
            out.extend_from_slice(&changes[*at].key[0]);
            out.extend_from_slice(b" THEN ");
            write(out, &changes[*at]);
        }
        out.extend_from_slice(b" END");
    };
    let values = &changes[group[0]].values;
    for (nth, value) in values.iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        let column = &table.columns[value.column];
        out.extend_from_slice(format!("{}=", sql::name(&column.name)).as_bytes());
        if let Some(form) = value.only.and_then(|form| target.forms.get(form)) {
            let (before, after) = match column.charset {
                Some(_) => ("CONVERT(", " USING utf8mb4)"),
                None => ("", ""),
            };
            let held = charset::bytes(column);
            out.extend_from_slice(format!("{before}REPLACE({held},").as_bytes());
            sql::literal(&mut out, &form.old);
            out.push(b',');
            sql::literal(&mut out, &form.new);
            out.extend_from_slice(format!("){after}").as_bytes());
        } else {
            choose(&mut out, &|out, change| {
                new_value(out, column, &change.values[nth].new);
            });
        }
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
    for (nth, value) in values.iter().enumerate() {
        let column = &table.columns[value.column];
        let held = charset::bytes(column);
        out.extend_from_slice(format!(" AND CRC32({held})*4294967296+LENGTH({held})=").as_bytes());
        choose(&mut out, &|out, change| {
            let old = &change.values[nth].old;
            let print = (u64::from(crc32fast::hash(old)) << 32) + old.len() as u64;
            out.extend_from_slice(print.to_string().as_bytes());
        });
        if let Some(same) = charset::comes_back(column) {
            out.extend_from_slice(format!(" AND {same}").as_bytes());
        }
    }
    out
}

async fn alone(
    conn: &mut Conn,
    target: Target<'_>,
    change: &Change,
) -> std::result::Result<Written, mysql_async::Error> {
    let table = target.table;
    let mut out = Vec::new();
    out.extend_from_slice(format!("UPDATE {} SET ", sql::name(&table.name)).as_bytes());
    for (nth, value) in change.values.iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        let column = &table.columns[value.column];
        out.extend_from_slice(format!("{}=", sql::name(&column.name)).as_bytes());
        new_value(&mut out, column, &value.new);
    }
    keep_stamps(&mut out, table);
    out.extend_from_slice(b" WHERE ");
    sql::is_key(&mut out, table, &change.key);
    for Value { column, old, .. } in &change.values {
        let column = &table.columns[*column];
        let held = charset::bytes(column);
        if old.len() > COMPARED_WHOLE {
            let hash = super::progress::hash(old);
            out.extend_from_slice(format!(" AND SHA2({held},256)='{hash}'").as_bytes());
        } else {
            out.extend_from_slice(format!(" AND {held}=").as_bytes());
            sql::literal(&mut out, old);
        }
        if let Some(same) = charset::comes_back(column) {
            out.extend_from_slice(format!(" AND {same}").as_bytes());
        }
    }
    if out.len() >= target.packet {
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
    } else if let Some(why) = is_lossy(conn, table, change).await? {
        Ok(Written::Refused(why))
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
    for Value { column, new, .. } in &change.values {
        let held = charset::bytes(&table.columns[*column]);
        out.extend_from_slice(format!(" AND {held}=").as_bytes());
        sql::literal(&mut out, new);
    }
    let found: Option<u8> = conn.query_first(out).await?;
    Ok(found.is_some())
}

fn new_value(out: &mut Vec<u8>, column: &Column, value: &[u8]) {
    out.extend_from_slice(charset::introducer(column).as_bytes());
    sql::literal(out, value);
}

/// Whether a row is left because a value of it would not come back from UTF-8 as it is;
/// why, if so. Servers that say so themselves have refused it before.
async fn is_lossy(
    conn: &mut Conn,
    table: &Table,
    change: &Change,
) -> std::result::Result<Option<String>, mysql_async::Error> {
    for value in &change.values {
        let column = &table.columns[value.column];
        let Some(same) = charset::comes_back(column) else {
            continue;
        };
        let mut out = format!("SELECT 1 FROM {} WHERE ", sql::name(&table.name)).into_bytes();
        sql::is_key(&mut out, table, &change.key);
        out.extend_from_slice(format!(" AND NOT ({same})").as_bytes());
        let found: Option<u8> = conn.query_first(out).await?;
        if found.is_some() {
            return Ok(Some(format!(
                "`{}` holds bytes that are no text in its character set",
                column.name
            )));
        }
    }
    Ok(None)
}
