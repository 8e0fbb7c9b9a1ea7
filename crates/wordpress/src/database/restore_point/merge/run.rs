//! The course of it: look, bring rows back, exchange what cannot be, look again.

use super::{
    super::{
        compare::find,
        options::{MergeOptions, MergeReport, VolatileRows},
        record::{Image, Record, State},
        take::milliseconds,
        volatile::rule,
        work::{Work, load},
    },
    plan::Plan,
};
use crate::{
    Result,
    config::Settings,
    database::{
        dump::Relation,
        working::{PointMark, point_name},
    },
    home::Home,
    watch::Watch,
};
use pressroom_base::Epoch;
use std::{collections::BTreeMap, time::Instant};

/// Takes out of the tables what an update did to them since the point was taken, and
/// leaves what others wrote since it was sealed.
///
/// Tables that the update did not touch are not touched. Done twice, or killed anywhere
/// and done again, it ends the same. The point stays as it is, with what was put aside,
/// until it is dropped.
///
/// A point that was never sealed is sealed now: what differs from before is taken for the
/// update's. With [`MergeOptions::open`] rows that only the tables of now have stay.
///
/// # Errors
/// [`crate::Error::Missing`] when there is no such point; [`crate::Error::Database`] what
/// the server refused: nothing is half-way then that doing it again would not finish.
pub fn merge(
    home: &Home,
    epoch: Epoch,
    settings: &Settings,
    handle: &str,
    options: &MergeOptions,
    watch: &Watch,
) -> Result<MergeReport> {
    let since = Instant::now();
    let mut record = load(home, handle)?;
    let mut work = Work::open(home, epoch, settings, handle, watch)?;
    if record.state != State::Sealed {
        record.late = true;
        record.open = options.open;
        work.seal(&mut record)?;
    }
    // What a worker was killed with.
    work.drop_work(&mut record)?;
    work.bring_over_the_last(&mut record)?;
    let done = work.merge(&mut record);
    // Also after a failure; whatever is left is for the next one.
    let cleaned = work.drop_work(&mut record);
    let mut report = done?;
    cleaned?;
    report.took_ms = milliseconds(since);
    Ok(report)
}

impl Work<'_> {
    fn merge(&mut self, record: &mut Record) -> Result<MergeReport> {
        let mut report = MergeReport {
            late: record.late,
            ..MergeReport::default()
        };
        let (mut rows, mut rebuilds) = (Vec::new(), Vec::new());
        let now = self.touched(record)?;
        for plan in self.plan(record, &now)? {
            match plan {
                Plan::Told(told) => report.tables.push(told),
                Plan::Rows(plan) => rows.push(plan),
                Plan::Rebuild(plan) => rebuilds.push(*plan),
            }
        }
        for plan in &rows {
            self.list_difference(&plan.list, &plan.keyed, &plan.before, &plan.after)?;
        }
        let returned = self.restore_rows(&rows)?;
        let mut volatile: BTreeMap<(String, u64), u64> = BTreeMap::new();
        for (plan, returned) in rows.iter().zip(returned) {
            let mut table = self.look_at_rows(plan, &mut volatile)?;
            table.rows_returned = returned;
            report.tables.push(table);
        }
        if !rebuilds.is_empty() {
            self.exchange_all(record, &mut rebuilds)?;
            let mut told = Vec::new();
            for table in &rebuilds {
                told.push(self.look_at_rebuilt(table)?);
            }
            self.bring_over_the_last(record)?;
            report.tables.append(&mut told);
        }
        self.verify(record, &rebuilds, &mut report)?;
        report.volatile = volatile
            .into_iter()
            .filter_map(|((table, number), rows)| {
                Some(VolatileRows {
                    table,
                    pattern: rule(number)?.pattern.to_owned(),
                    rows,
                })
            })
            .collect();
        report.left = self.changed_views(record)?;
        report.tables.sort_by(|a, b| a.name.cmp(&b.name));
        report.verified = report.tables.iter().all(|table| table.verified);
        Ok(report)
    }

    /// The tables that the update changed, made or dropped, as they are now.
    pub(super) fn touched(&mut self, record: &Record) -> Result<Vec<Image>> {
        let tables: Vec<Relation> = self.scope_of(record)?.tables;
        let touched: Vec<Relation> = tables
            .into_iter()
            .filter(|table| {
                find(&record.after, &table.name).is_some() || record.gone.contains(&table.name)
            })
            .collect();
        self.look(&touched)
    }

    /// A recorded name for a table to work with.
    pub fn work_name(&self, record: &mut Record, table: &str) -> Result<String> {
        let mut number = record.work.len();
        let mut name = point_name(&self.stem, PointMark::Work, number, table);
        while record.work.contains(&name) {
            number += 1;
            name = point_name(&self.stem, PointMark::Work, number, table);
        }
        record.work.push(name.clone());
        self.save(record)?;
        Ok(name)
    }

    /// Drops tables that something worked with, but for what is still to be brought over.
    pub fn drop_work(&mut self, record: &mut Record) -> Result<Vec<String>> {
        let waits = |name: &String| record.replay.iter().any(|(_, base)| base == name);
        let (keep, done): (Vec<String>, Vec<String>) = record.work.iter().cloned().partition(waits);
        if !done.is_empty() {
            self.drop_copies(&done)?;
            record.work = keep;
            self.save(record)?;
        }
        Ok(done)
    }
}
