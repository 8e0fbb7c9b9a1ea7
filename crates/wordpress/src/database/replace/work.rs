//! One range of a table, batch by batch.

use super::{
    charset,
    job::Job,
    options::ColumnReport,
    progress::{Figures, State, hash},
    row::{Plan, cells, count, intent, plan},
    sql,
    table::{Key, Range, Table},
    write::{self, Change, Target, Written},
};
use crate::{Error, Result, fence};
use mysql_async::{Conn, Row, prelude::Queryable};
use pressroom_base::Epoch;
use std::{collections::HashSet, sync::atomic::Ordering, time::Duration};

/// A batch holds at most this many bytes, or one row.
const BATCH_BYTES: usize = 6 * 1024 * 1024;
const FIRST_ROWS: usize = 500;
const MOST_ROWS: usize = 10_000;
/// How often a row is read again that others keep writing.
const TRIES: usize = 5;
/// How often a transaction is tried again that the server ended.
const DEADLOCKS: u32 = 20;

struct Batch {
    plans: Vec<Plan>,
    last: Option<Key>,
    more: bool,
    bytes: usize,
    rows: usize,
}

/// Goes through a range to its end.
pub(super) async fn range(
    job: &Job<'_>,
    conn: &mut Conn,
    number: usize,
    range: &Range,
) -> Result<Figures> {
    let table = &job.tables[range.table];
    let mut state = match job.journal {
        Some(journal) => journal.state(number)?,
        None => State::default(),
    };
    align(&mut state.figures, table);
    if state.done {
        return Ok(state.figures);
    }
    let finished = resume(job, conn, table, &mut state).await?;
    let mut limit = FIRST_ROWS;
    loop {
        job.watch.check()?;
        if job.stop.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        let mut batch = read(job, conn, range, state.after.as_ref(), limit).await?;
        batch
            .plans
            .retain(|plan| !finished.contains(&plan.change.key));
        if job.epoch.is_some() {
            apply(job, conn, number, table, &mut state, batch.plans).await?;
        } else {
            for plan in &batch.plans {
                count(&mut state.figures, plan, &Written::Done);
            }
        }
        if batch.last.is_some() {
            state.after = batch.last;
        }
        if !batch.more {
            break;
        }
        let row = (batch.bytes / batch.rows.max(1)).max(1);
        limit = (BATCH_BYTES / row).clamp(1, MOST_ROWS);
    }
    state.done = true;
    if let Some(journal) = job.journal {
        journal.remember(number, &state)?;
    }
    Ok(state.figures)
}

/// Figures for just the table's columns, in their order.
fn align(figures: &mut Figures, table: &Table) {
    let mut known = std::mem::take(&mut figures.columns);
    figures.columns = table
        .columns
        .iter()
        .map(|column| {
            known
                .iter()
                .position(|report| report.name == column.name)
                .map_or_else(
                    || ColumnReport {
                        name: column.name.clone(),
                        ..ColumnReport::default()
                    },
                    |at| known.swap_remove(at),
                )
        })
        .collect();
}

/// Looks at the rows that an interrupted run was about to write; those that it did
/// write are counted and returned.
async fn resume(
    job: &Job<'_>,
    conn: &mut Conn,
    table: &Table,
    state: &mut State,
) -> Result<HashSet<Key>> {
    let mut finished = HashSet::new();
    for intent in std::mem::take(&mut state.intents) {
        job.watch.check()?;
        let Some(values) = one(conn, table, &intent.key).await? else {
            continue;
        };
        let position = |name: &str| table.columns.iter().position(|c| c.name == name);
        let written = intent.values.iter().all(|value| {
            position(&value.column)
                .and_then(|at| values[at].as_deref())
                .is_some_and(|now| hash(now) == value.hash)
        });
        if !written {
            continue;
        }
        state.figures.rows += 1;
        for value in &intent.values {
            if let Some(at) = position(&value.column) {
                let report = &mut state.figures.columns[at];
                report.rows += 1;
                report.replacements += value.replaced;
                report.left += u64::from(value.left);
            }
        }
        finished.insert(intent.key);
    }
    Ok(finished)
}

fn select(table: &Table) -> Vec<u8> {
    let names: Vec<String> = table
        .key
        .iter()
        .map(|part| sql::name(&part.name))
        .chain(table.columns.iter().map(charset::value))
        .collect();
    format!("SELECT {} FROM {}", names.join(","), sql::name(&table.name)).into_bytes()
}

/// `k BETWEEN …` of a range, with the word before it; nothing for a whole table.
pub(super) fn within(out: &mut Vec<u8>, table: &Table, range: &Range) {
    if let Some(from) = range.from {
        let key = sql::name(&table.key[0].name);
        out.extend_from_slice(format!(" AND {key}>={from}").as_bytes());
    }
    if let Some(to) = range.to {
        let key = sql::name(&table.key[0].name);
        out.extend_from_slice(format!(" AND {key}<={to}").as_bytes());
    }
}

async fn read(
    job: &Job<'_>,
    conn: &mut Conn,
    range: &Range,
    after: Option<&Key>,
    limit: usize,
) -> Result<Batch> {
    let table = &job.tables[range.table];
    let mut out = select(table);
    out.extend_from_slice(b" WHERE 1");
    within(&mut out, table, range);
    if let Some(after) = after {
        out.extend_from_slice(b" AND ");
        sql::after_key(&mut out, table, after);
    }
    // A network's few domains are all looked at.
    if table.place.is_none() {
        out.extend_from_slice(b" AND (");
        for (at, column) in table.columns.iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(b" OR ");
            }
            job.filter.may_hold(&mut out, column);
        }
        out.push(b')');
    }
    out.extend_from_slice(b" ORDER BY ");
    let names: Vec<String> = table.key.iter().map(|part| sql::name(&part.name)).collect();
    out.extend_from_slice(names.join(",").as_bytes());
    out.extend_from_slice(format!(" LIMIT {limit}").as_bytes());

    let mut batch = Batch {
        plans: Vec::new(),
        last: None,
        more: false,
        bytes: 0,
        rows: 0,
    };
    let mut received = 0;
    let mut result = conn.query_iter(out).await?;
    while let Some(row) = result.next().await? {
        received += 1;
        if batch.bytes > BATCH_BYTES {
            // What came too many is read again; the next batch asks for less.
            batch.more = true;
            continue;
        }
        let (key, values) = cells(table, row)?;
        batch.rows += 1;
        batch.bytes += values.iter().flatten().map(Vec::len).sum::<usize>();
        batch.last = Some(key.clone());
        batch.plans.extend(plan(job, table, key, values));
    }
    result.drop_result().await?;
    batch.more |= received == limit;
    Ok(batch)
}

/// A row by its key.
async fn one(conn: &mut Conn, table: &Table, key: &Key) -> Result<Option<Vec<Option<Vec<u8>>>>> {
    let mut out = select(table);
    out.extend_from_slice(b" WHERE ");
    sql::is_key(&mut out, table, key);
    let row: Option<Row> = conn.query_first(out).await?;
    row.map(|row| cells(table, row).map(|(_, values)| values))
        .transpose()
}

/// Writes a batch and counts what became of it.
async fn apply(
    job: &Job<'_>,
    conn: &mut Conn,
    number: usize,
    table: &Table,
    state: &mut State,
    plans: Vec<Plan>,
) -> Result<()> {
    let (mut changing, still): (Vec<Plan>, Vec<Plan>) = plans
        .into_iter()
        .partition(|plan| !plan.change.values.is_empty());
    if changing.is_empty() {
        for plan in &still {
            count(&mut state.figures, plan, &Written::Done);
        }
        return Ok(());
    }
    may_write(job)?;
    if let Some(journal) = job.journal {
        state.intents = changing.iter().map(|plan| intent(table, plan)).collect();
        journal.remember(number, state)?;
        state.intents.clear();
    }
    for plan in &still {
        count(&mut state.figures, plan, &Written::Done);
    }
    let changes: Vec<Change> = changing
        .iter_mut()
        .map(|plan| Change {
            key: plan.change.key.clone(),
            values: std::mem::take(&mut plan.change.values),
        })
        .collect();
    let written = transaction(job, conn, table, &changes).await?;
    for (plan, written) in changing.iter().zip(written) {
        if written == Written::Moved {
            again(job, conn, table, state, &plan.change.key).await?;
        } else {
            count(&mut state.figures, plan, &written);
        }
    }
    Ok(())
}

fn epoch(job: &Job<'_>) -> Result<Epoch> {
    job.epoch
        .ok_or_else(|| Error::BadInput("a run that writes needs an epoch".to_owned()))
}

/// Refuses a stale epoch before work is done in vain; the commit asks again.
fn may_write(job: &Job<'_>) -> Result<()> {
    fence::check(job.home, epoch(job)?, job.watch)
}

/// Writes rows, and again as long as the server prefers somebody else.
async fn transaction(
    job: &Job<'_>,
    conn: &mut Conn,
    table: &Table,
    changes: &[Change],
) -> Result<Vec<Written>> {
    let target = Target {
        table,
        forms: job.replacer.forms(),
        packet: job.packet,
    };
    for attempt in 1..=DEADLOCKS {
        may_write(job)?;
        let enter = || fence::enter(job.home, epoch(job)?, job.watch);
        if let Some(written) = write::write(conn, target, changes, enter).await? {
            return Ok(written);
        }
        tokio::time::sleep(Duration::from_millis(10) * attempt).await;
    }
    Err(Error::Database(format!(
        "rows of `{}` are locked by others",
        table.name
    )))
}

/// A row that somebody wrote since it was read: what it holds now is what counts.
async fn again(
    job: &Job<'_>,
    conn: &mut Conn,
    table: &Table,
    state: &mut State,
    key: &Key,
) -> Result<()> {
    for attempt in 1..=TRIES {
        may_write(job)?;
        let Some(values) = one(conn, table, key).await? else {
            return Ok(());
        };
        let Some(plan) = plan(job, table, key.clone(), values) else {
            return Ok(());
        };
        let written = if plan.change.values.is_empty() {
            Written::Done
        } else {
            let changes = std::slice::from_ref(&plan.change);
            transaction(job, conn, table, changes).await?.swap_remove(0)
        };
        match written {
            Written::Moved if attempt < TRIES => {}
            Written::Moved => {
                let why = Written::Refused("others write it all the time".to_owned());
                count(&mut state.figures, &plan, &why);
            }
            written => {
                count(&mut state.figures, &plan, &written);
                break;
            }
        }
    }
    Ok(())
}
