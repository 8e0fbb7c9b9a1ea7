//! One row: what it would become, and what is counted of it.

use super::{
    job::Job,
    options::RowFailure,
    progress::{Figures, IntendedValue, Intent, hash},
    table::{Key, Table},
    write::{Change, Value as NewValue, Written},
};
use crate::{Error, Result};
use mysql_async::{Row, Value};

/// How many rows a report names.
const NAMED: usize = 10;

/// What a row would become.
pub(super) struct Plan {
    pub(super) change: Change,
    /// The columns with a search text.
    pub(super) columns: Vec<PlannedColumn>,
}

/// A column of it.
pub(super) struct PlannedColumn {
    at: usize,
    replaced: u64,
    broken: u64,
    changed: bool,
    /// Whether a search text is in the old value, and in the new one.
    held: bool,
    left: bool,
}

/// A row's key and its values.
pub(super) type Cells = (Key, Vec<Option<Vec<u8>>>);

pub(super) fn cells(table: &Table, row: Row) -> Result<Cells> {
    let mut values = row.unwrap().into_iter();
    let key = values
        .by_ref()
        .take(table.key.len())
        .map(|value| match value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(Error::Database(format!(
                "a key of `{}` is null",
                table.name
            ))),
        })
        .collect::<Result<Key>>()?;
    let cells = values
        .map(|value| match value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        })
        .collect();
    Ok((key, cells))
}

/// What a row would become; `None` when it holds nothing of what is searched.
pub(super) fn plan(
    job: &Job<'_>,
    table: &Table,
    key: Key,
    values: Vec<Option<Vec<u8>>>,
) -> Option<Plan> {
    let mut columns = Vec::new();
    let mut change = Vec::new();
    let moved = table.place.and_then(|(domain, path)| {
        let text = |at: usize| std::str::from_utf8(values[at].as_deref()?).ok();
        let (domain_now, path_now) = (text(domain)?, text(path)?);
        let (new_domain, new_path) = job.domains.moved(domain_now, path_now)?;
        Some([(domain, new_domain), (path, new_path)])
    });
    for (at, value) in values.into_iter().enumerate() {
        let Some(old) = value else {
            continue;
        };
        let placed = table
            .place
            .is_some_and(|(domain, path)| at == domain || at == path);
        let (new, tally, only) = if placed {
            match &moved {
                Some(moved) => {
                    let new = moved.iter().find(|(column, _)| *column == at);
                    let new = new.map(|(_, new)| new.clone().into_bytes());
                    let new = new.filter(|new| *new != old);
                    let replaced = u64::from(new.is_some());
                    (new, (replaced, 0), None)
                }
                None => match job.words {
                    Some(words) => {
                        let outcome = words.replace(&old);
                        (
                            outcome.value,
                            (outcome.tally.replaced, outcome.tally.broken),
                            None,
                        )
                    }
                    None => (None, (0, 0), None),
                },
            }
        } else {
            let outcome = job.replacer.replace(&old);
            (
                outcome.value,
                (outcome.tally.replaced, outcome.tally.broken),
                outcome.only,
            )
        };
        let held = job.replacer.hits(&old);
        if new.is_none() && !held {
            continue;
        }
        columns.push(PlannedColumn {
            at,
            replaced: tally.0,
            broken: tally.1,
            changed: new.is_some(),
            held,
            left: new.as_deref().map_or(held, |new| job.replacer.hits(new)),
        });
        if let Some(new) = new {
            change.push(NewValue {
                column: at,
                old,
                new,
                only,
            });
        }
    }
    (!columns.is_empty()).then_some(Plan {
        change: Change {
            key,
            values: change,
        },
        columns,
    })
}

/// What the journal keeps of it.
pub(super) fn intent(table: &Table, plan: &Plan) -> Intent {
    Intent {
        key: plan.change.key.clone(),
        values: plan
            .change
            .values
            .iter()
            .map(
                |NewValue {
                     column: at, new, ..
                 }| {
                    let column = plan.columns.iter().find(|column| column.at == *at);
                    IntendedValue {
                        column: table.columns[*at].name.clone(),
                        hash: hash(new),
                        replaced: column.map_or(0, |column| column.replaced),
                        left: column.is_some_and(|column| column.left),
                    }
                },
            )
            .collect(),
    }
}

/// Adds what became of a row.
pub(super) fn count(figures: &mut Figures, plan: &Plan, written: &Written) {
    let shown = || {
        let parts: Vec<_> = plan
            .change
            .key
            .iter()
            .map(|part| String::from_utf8_lossy(part))
            .collect();
        parts.join(", ")
    };
    let refused = match written {
        Written::Refused(why) => Some(why),
        _ => None,
    };
    if refused.is_none() && plan.columns.iter().any(|column| column.changed) {
        figures.rows += 1;
    }
    for column in &plan.columns {
        let report = &mut figures.columns[column.at];
        report.broken += column.broken;
        if column.broken > 0 && report.broken_keys.len() < NAMED {
            report.broken_keys.push(shown());
        }
        match refused {
            Some(why) if column.changed => {
                report.failed += 1;
                report.left += u64::from(column.held);
                if report.failures.len() < NAMED {
                    report.failures.push(RowFailure {
                        key: shown(),
                        why: why.clone(),
                    });
                }
            }
            _ => {
                report.left += u64::from(column.left);
                report.rows += u64::from(column.changed);
                report.replacements += if column.changed { column.replaced } else { 0 };
            }
        }
    }
}
