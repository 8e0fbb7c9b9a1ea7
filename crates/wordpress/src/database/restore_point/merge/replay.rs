//! What others wrote, brought over into a table as it was before.
//!
//! The two may have different columns: an update had changed the table. A row goes over as
//! far as the columns go by name; what does not fit as it is, strictly, stays aside.

use super::{
    super::{diff::NUMBER, key::Keyed, work::Work},
    steps::Way,
};
use crate::{Result, database::client::quoted};

/// A table that was changed by others, and where that goes.
pub(super) struct Replay {
    /// What tells the rows of all these tables apart, and the columns they share.
    pub shared: Keyed,
    /// All columns of the table that was changed.
    pub changed: Keyed,
    /// A table of ours, under a recorded name, for the keys of the rows.
    pub list: String,
}

impl Replay {
    /// Brings what differs from `base` to `now` over into `target`; the numbers of rows in
    /// the list that do not fit there.
    pub fn run(&self, work: &mut Work, base: &str, now: &str, target: &str) -> Result<Vec<u64>> {
        work.list_difference(&self.list, &self.changed, base, now)?;
        self.bring(work, now, target, &Untouched::default())
    }

    /// The same into the table that is in place, where others write: only rows that are
    /// still what was put there, which is what `base` has, or `before`.
    pub fn run_late(
        &self,
        work: &mut Work,
        base: &str,
        before: &str,
        now: &str,
        target: &str,
    ) -> Result<()> {
        work.list_difference(&self.list, &self.changed, base, now)?;
        let keyed = &self.shared;
        let untouched = Untouched {
            join: format!(
                " LEFT JOIN {} AS b ON {} LEFT JOIN {} AS p ON {}",
                quoted(base),
                keyed.on("b", "d"),
                quoted(before),
                keyed.on("p", "d"),
            ),
            row: format!(
                " AND ({} OR {})",
                keyed.same("n", "b"),
                keyed.same("n", "p")
            ),
            none: format!(" AND {}", keyed.absent("b")),
        };
        self.bring(work, now, target, &untouched)?;
        Ok(())
    }

    /// Brings rows of `now` over that `target` has not.
    pub fn run_new(&self, work: &mut Work, now: &str, target: &str) -> Result<Vec<u64>> {
        work.list_missing(&self.list, &self.shared, now, target)?;
        self.bring(work, now, target, &Untouched::default())
    }

    fn bring(
        &self,
        work: &mut Work,
        now: &str,
        target: &str,
        untouched: &Untouched,
    ) -> Result<Vec<u64>> {
        work.client
            .run(format!("SET SESSION sql_mode = 'STRICT_ALL_TABLES,{MODE}'"))?;
        let Untouched { join, row, none } = untouched;
        let keyed = &self.shared;
        let (list, now, target) = (quoted(&self.list), quoted(now), quoted(target));
        let (on_n, on_c) = (keyed.on("n", "d"), keyed.on("c", "d"));
        work.step(
            Way::Fenced,
            &format!(
                "DELETE n FROM {list} AS d STRAIGHT_JOIN {target} AS n ON {on_n} \
                 LEFT JOIN {now} AS c ON {on_c}{join} WHERE {}{row}",
                keyed.absent("c")
            ),
        )?;
        let set: Vec<String> = keyed
            .columns
            .iter()
            .filter(|column| !keyed.key.contains(&column.name))
            .map(|column| format!("n.{name} = c.{name}", name = quoted(&column.name)))
            .collect();
        let mut unfit = Vec::new();
        if !set.is_empty() {
            let (_, refused) = work.steps(Way::Fenced, &self.list, |part| {
                format!(
                    "UPDATE {list} AS d STRAIGHT_JOIN {now} AS c ON {on_c} \
                     STRAIGHT_JOIN {target} AS n ON {on_n}{join} SET {} WHERE {part}{row}",
                    set.join(",")
                )
            })?;
            unfit.extend(refused);
        }
        let (_, refused) = work.steps(Way::Fenced, &self.list, |part| {
            format!(
                "INSERT INTO {target} ({}) SELECT {} FROM {list} AS d \
                 STRAIGHT_JOIN {now} AS c ON {on_c} LEFT JOIN {target} AS n ON {on_n}{join} \
                 WHERE {} AND {part}{none}",
                keyed.names(),
                keyed.all_of("c"),
                keyed.absent("n"),
            )
        })?;
        unfit.extend(refused);
        work.client
            .run(format!("SET SESSION sql_mode = '{MODE}'"))?;
        unfit.sort_unstable();
        unfit.dedup();
        Ok(unfit)
    }

    /// The condition under which a row of the list was the update's and somebody's: what it
    /// was and what the update left differ where both have a column.
    pub fn both_changed(&self) -> String {
        format!("NOT {}", self.shared.same("p", "u"))
    }

    /// List, before, after and now, joined from the list.
    pub fn all_sides(&self, before: &str, after: &str, now: &str) -> String {
        let on = |alias| self.shared.on(alias, "d");
        format!(
            "FROM {} AS d LEFT JOIN {} AS p ON {} LEFT JOIN {} AS u ON {} LEFT JOIN {} AS c ON {}",
            quoted(&self.list),
            quoted(before),
            on("p"),
            quoted(after),
            on("u"),
            quoted(now),
            on("c"),
        )
    }
}

/// SQL for rows that nobody has written since they were put in place: what else is joined,
/// and what must be true of a row, and of one that is not there.
#[derive(Default)]
struct Untouched {
    join: String,
    row: String,
    none: String,
}

/// Rows are copied as they are, valid or not.
const MODE: &str = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES";

/// For [`NUMBER`] in one of these.
pub(super) fn among(numbers: &[u64]) -> String {
    let list: Vec<String> = numbers.iter().map(u64::to_string).collect();
    format!("d.{NUMBER} IN ({})", list.join(","))
}
