//! What became of it all, by looking at the tables.

use super::{
    super::{
        compare::find,
        key::Keyed,
        options::{Conflict, ConflictKind, Made, MergeReport, NotKept, TableMerge},
        record::{Image, Record},
        shown::{LISTED, conflict, selected},
        work::Work,
    },
    exchange::{Rebuild, by_number},
    replay::{Replay, among},
    rows::RowPlan,
};
use crate::{
    Result,
    database::{checksums, client::quoted},
};
use mysql_async::Row;
use std::collections::BTreeMap;

impl Work<'_> {
    /// A table that is as it was, but for what others wrote since it was taken back.
    pub(super) fn already(&mut self, before: &Image, now: &Image) -> Result<TableMerge> {
        let mut table = told(&before.name, Made::Already, "");
        if before.content != now.content
            && before.structure == now.structure
            && let Some(keyed) = self.keyed(&before.name)?
        {
            table.rows_kept = self.count_kept(&keyed, before, &before.name)?;
        }
        Ok(table)
    }

    fn count_kept(&mut self, keyed: &Keyed, before: &Image, name: &str) -> Result<u64> {
        self.count_kept_of(keyed, &before.copy, name)
    }

    /// Rows of now that are not as they were.
    fn count_kept_of(&mut self, keyed: &Keyed, before: &str, name: &str) -> Result<u64> {
        Ok(self.number(&format!(
            "SELECT COUNT(*) FROM {} AS c LEFT JOIN {} AS p ON {} WHERE {} OR NOT {}",
            quoted(name),
            quoted(before),
            keyed.on("p", "c"),
            keyed.absent("p"),
            keyed.same("c", "p"),
        ))?)
    }

    /// What became of rows: all that the update had changed and that are not as they were.
    pub(super) fn look_at_rows(
        &mut self,
        plan: &RowPlan,
        volatile: &mut BTreeMap<(String, u64), u64>,
    ) -> Result<TableMerge> {
        let mut table = told(&plan.name, Made::Merged, "");
        let sides = plan.all_sides();
        let differs = format!("NOT {}", plan.keyed.same("c", "p"));
        let number = plan.number_of_any();
        let query = format!("SELECT {number} AS r, COUNT(*) {sides} WHERE {differs} GROUP BY r");
        let counts: Vec<(u64, u64)> = self.client.rows(self.marked(query.as_bytes()))?;
        for (rule, count) in counts {
            if rule == 0 {
                table.conflicts_total = count;
            } else {
                *volatile.entry((plan.name.clone(), rule)).or_default() += count;
            }
        }
        if table.conflicts_total > 0 {
            let query = format!(
                "SELECT {} {sides} WHERE {differs} AND {number} = 0 {} LIMIT {LISTED}",
                selected(&plan.keyed, "d"),
                by_number(),
            );
            table.conflicts = self.conflicts(&plan.keyed, &query)?;
        }
        table.rows_kept = self.count_kept_of(&plan.keyed, &plan.before, &plan.name)?;
        if plan.keep_added {
            table.aside = Some(plan.after.clone());
            table.notes.push(NOBODY_KNOWS.to_owned());
        }
        Ok(table)
    }

    fn conflicts(&mut self, keyed: &Keyed, query: &str) -> Result<Vec<Conflict>> {
        let rows: Vec<Row> = self.client.rows(self.marked(query.as_bytes()))?;
        Ok(rows.iter().map(|row| conflict(keyed, row)).collect())
    }

    pub(super) fn look_at_rebuilt(&mut self, table: &Rebuild) -> Result<TableMerge> {
        let mut told = told(&table.name, Made::Whole, "");
        told.aside.clone_from(&table.aside);
        let (Some(before), Some(after)) = (&table.before, &table.after) else {
            told.how = match table.before {
                Some(_) => Made::Returned,
                None => Made::Dropped,
            };
            told.rows_returned = table.before.as_ref().map_or(0, |image| image.rows);
            return Ok(told);
        };
        told.rows_returned = before.rows;
        if let Some(replay) = &table.replay {
            told.how = Made::Merged;
            if let Some(base) = &table.base {
                self.look_at_replayed(replay, table, before, after, base, &mut told)?;
            }
        }
        if table.keep_added {
            told.notes.push(NOBODY_KNOWS.to_owned());
        }
        Ok(told)
    }

    fn look_at_replayed(
        &mut self,
        replay: &Replay,
        table: &Rebuild,
        before: &Image,
        after: &Image,
        base: &str,
        told: &mut TableMerge,
    ) -> Result<()> {
        let sides = replay.all_sides(&before.copy, &after.copy, base);
        let mut both = replay.both_changed();
        if !table.unfit.is_empty() {
            both = format!("({both} OR {})", among(&table.unfit));
        }
        told.conflicts_total = self.number(&format!("SELECT COUNT(*) {sides} WHERE {both}"))?;
        let query = format!(
            "SELECT {} {sides} WHERE {both} {} LIMIT {LISTED}",
            selected(&replay.shared, "d"),
            by_number(),
        );
        told.conflicts = self.conflicts(&replay.shared, &query)?;
        if !table.unfit.is_empty() {
            let query = format!(
                "SELECT {} {sides} WHERE {} {} LIMIT {LISTED}",
                selected(&replay.shared, "d"),
                among(&table.unfit),
                by_number(),
            );
            for unfit in self.conflicts(&replay.shared, &query)? {
                let known = told.conflicts.iter_mut().find(|one| one.key == unfit.key);
                match known {
                    Some(known) => known.kind = ConflictKind::DoesNotFit,
                    None => told.conflicts.push(Conflict {
                        kind: ConflictKind::DoesNotFit,
                        ..unfit
                    }),
                }
            }
            told.notes.push(format!(
                "{} rows do not fit the table as it was; they are aside",
                table.unfit.len()
            ));
        }
        Ok(())
    }

    /// Looks at everything again, and says what it is.
    pub(super) fn verify(
        &mut self,
        record: &Record,
        rebuilds: &[Rebuild],
        report: &mut MergeReport,
    ) -> Result<()> {
        let now = self.touched(record)?;
        let asides: Vec<String> = rebuilds.iter().filter_map(|it| it.aside.clone()).collect();
        let asides = if asides.is_empty() {
            Vec::new()
        } else {
            checksums(self.settings, &asides, self.watch)?
        };
        for table in &mut report.tables {
            let before = find(&record.before, &table.name);
            let now = find(&now, &table.name);
            let is_before = match (before, now) {
                (Some(before), Some(now)) => before.content == now.content,
                (None, None) => true,
                _ => false,
            };
            let aside = asides
                .iter()
                .find(|it| Some(&it.name) == table.aside.as_ref());
            let after = find(&record.after, &table.name);
            let is_written = match (aside, after) {
                (Some(aside), Some(after)) => aside.content != after.content,
                _ => false,
            };
            match table.how {
                Made::Merged if is_before && table.conflicts_total == 0 => {
                    table.how = Made::Exact;
                }
                Made::Merged | Made::Whole => {
                    if let (Some(before), Some(now)) = (before, now)
                        && before.structure == now.structure
                        && let Some(keyed) = self.keyed(&table.name)?
                    {
                        table.rows_kept = self.count_kept(&keyed, before, &table.name)?;
                    }
                }
                _ => {}
            }
            if table.how == Made::Whole && !is_written {
                table.how = Made::Exact;
            }
            if is_written && matches!(table.how, Made::Whole | Made::Dropped) {
                table
                    .notes
                    .push("it was written to since the update; those rows are aside".to_owned());
            }
            table.verified = match table.how {
                Made::Merged => now.is_some(),
                // Others may have written into it since.
                Made::Already => is_before || now.is_some(),
                Made::Kept => true,
                Made::Exact | Made::Whole | Made::Returned | Made::Dropped => is_before,
            };
        }
        Ok(())
    }

    /// Views that the update changed: their statements are known, and not run.
    pub(super) fn changed_views(&mut self, record: &Record) -> Result<Vec<NotKept>> {
        let now: BTreeMap<String, String> = self.scope_of(record)?.views.into_iter().collect();
        let before: BTreeMap<String, String> = record.views.iter().cloned().collect();
        let mut left = Vec::new();
        for (name, text) in &before {
            let why = match now.get(name) {
                None => "the view was there before and is gone",
                Some(now) if now != text => "the view is not as it was before",
                Some(_) => continue,
            };
            left.push(NotKept {
                name: name.clone(),
                why: why.to_owned(),
            });
        }
        for name in now.keys().filter(|name| !before.contains_key(*name)) {
            left.push(NotKept {
                name: name.clone(),
                why: "the view was not there before".to_owned(),
            });
        }
        Ok(left)
    }
}

/// Said of each table that a point without seal has changed.
const NOBODY_KNOWS: &str =
    "the point was never sealed: nothing tells what the update wrote from what others wrote";

pub(super) fn told(name: &str, how: Made, note: &str) -> TableMerge {
    TableMerge {
        name: name.to_owned(),
        how,
        rows_returned: 0,
        rows_kept: 0,
        conflicts_total: 0,
        conflicts: Vec::new(),
        aside: None,
        notes: Some(note.to_owned())
            .filter(|note| !note.is_empty())
            .into_iter()
            .collect(),
        verified: false,
    }
}
