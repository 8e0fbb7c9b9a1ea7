//! Row by row, in the table itself.
//!
//! Each statement looks at the row as it is when it is locked: what somebody writes at the
//! same time is never overwritten.

use super::{
    super::{
        diff::NUMBER,
        key::Keyed,
        volatile::{Rules, VolatileRule},
        work::Work,
    },
    steps::Way,
};
use crate::{
    Result,
    database::client::{Refused, quoted},
    fence,
};
use mysql_async::{Row, Value};
use pressroom_phpdata::serialized::merge_cron;

/// A table whose rows return.
pub(super) struct RowPlan {
    pub name: String,
    pub keyed: Keyed,
    /// Keys of all rows that the update changed.
    pub list: String,
    /// The copies of before and after.
    pub before: String,
    pub after: String,
    pub transactional: bool,
    /// Rows that only the table of now has stay, whosever they are.
    pub keep_added: bool,
    pub rules: Rules,
}

/// A deadlock, a lock that was waited for, a row that changed under a snapshot.
const AGAIN: [u16; 3] = [1213, 1205, 1020];
const ATTEMPTS: u32 = 6;

impl Work<'_> {
    /// Brings the rows of all these back, in one transaction where their engines know one;
    /// how many returned, of each.
    pub(super) fn restore_rows(&mut self, plans: &[RowPlan]) -> Result<Vec<u64>> {
        let mut returned = vec![0; plans.len()];
        for attempt in 1.. {
            self.client.run("START TRANSACTION")?;
            let done = self
                .restore_all(plans, true, &mut returned)
                .and_then(|()| self.commit());
            match done {
                Ok(()) => break,
                Err(why) => {
                    let again = why.code.is_some_and(|code| AGAIN.contains(&code));
                    self.client.run("ROLLBACK")?;
                    if !again || attempt >= ATTEMPTS {
                        return Err(why.into());
                    }
                }
            }
        }
        self.restore_all(plans, false, &mut returned)?;
        Ok(returned)
    }

    fn restore_all(
        &mut self,
        plans: &[RowPlan],
        transactional: bool,
        returned: &mut [u64],
    ) -> Result<(), Refused> {
        for (plan, count) in plans.iter().zip(returned) {
            if plan.transactional == transactional {
                *count = self.restore_table(plan)?;
            }
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Refused> {
        let held = fence::enter(self.home, self.epoch, self.watch)?;
        let done = self.run("COMMIT");
        drop(held);
        done
    }

    fn restore_table(&mut self, plan: &RowPlan) -> Result<u64, Refused> {
        let way = if plan.transactional {
            Way::Free
        } else {
            Way::Fenced
        };
        let mut returned = 0;
        if !plan.keep_added {
            returned += self.step(way, &plan.remove_added())?;
        }
        let (updated, stuck) = self.steps(way, &plan.list, |part| plan.set_back(part))?;
        let (inserted, missing) = self.steps(way, &plan.list, |part| plan.insert_removed(part))?;
        returned += updated + inserted;
        // Rows that stand in each other's way: all of them make room before any returns.
        let mut away = missing;
        for number in stuck {
            if self.step(way, &plan.make_room(number))? > 0 {
                away.push(number);
            }
        }
        for number in away {
            let part = format!("d.{NUMBER} = {number}");
            match self.step(way, &plan.insert("p", &part)) {
                Ok(count) => returned += count,
                Err(why) if why.code == Some(DUPLICATE) => {
                    // Somebody else's row has what may be there once only.
                    match self.step(way, &plan.insert("u", &part)) {
                        Ok(_) => {}
                        Err(why) if why.code == Some(DUPLICATE) => {}
                        Err(why) => return Err(why),
                    }
                }
                Err(why) => return Err(why),
            }
        }
        if !plan.rules.is_empty() {
            if let Some(drop) = plan.drop_volatile() {
                self.step(way, &drop)?;
            }
            self.merge_events(plan, way)?;
        }
        Ok(returned)
    }

    /// Brings the schedule back as far as the update changed it.
    fn merge_events(&mut self, plan: &RowPlan, way: Way) -> Result<(), Refused> {
        let Some(numbers) = plan.rules.numbers(VolatileRule::Events) else {
            return Ok(());
        };
        let value = quoted(EVENTS);
        let query = self.marked(
            format!(
                "SELECT d.{NUMBER}, p.{value}, u.{value}, c.{value} {} WHERE {} AND {} IN ({numbers})",
                plan.all_sides(),
                plan.changed_again(),
                plan.number_of("c"),
            )
            .as_bytes(),
        );
        let rows: Vec<Row> = self.client.rows(query)?;
        for row in rows {
            let bytes = |at: usize| match row.as_ref(at) {
                Some(Value::Bytes(bytes)) => Some(bytes.as_slice()),
                _ => None,
            };
            let (Some(number), Some(c)) = (bytes(0), bytes(3)) else {
                continue;
            };
            // `WordPress` makes the option with the first event.
            let (p, u) = (bytes(1).unwrap_or(NO_EVENTS), bytes(2).unwrap_or(NO_EVENTS));
            let number = String::from_utf8_lossy(number);
            let Some(merged) = merge_cron(p, u, c).filter(|merged| merged != c) else {
                continue;
            };
            self.step(
                way,
                &format!(
                    "UPDATE {} AS d STRAIGHT_JOIN {} AS c ON {} SET c.{value} = {} \
                     WHERE d.{NUMBER} = {number} AND BINARY c.{value} = {}",
                    quoted(&plan.list),
                    quoted(&plan.name),
                    plan.keyed.on("c", "d"),
                    hexadecimal(&merged),
                    hexadecimal(c),
                ),
            )?;
        }
        Ok(())
    }
}

/// Bytes, which a column takes as its own.
fn hexadecimal(bytes: &[u8]) -> String {
    match bytes {
        [] => "''".to_owned(),
        _ => format!("0x{}", hex::encode(bytes)),
    }
}

/// The column of options that holds the schedule.
const EVENTS: &str = "option_value";
const NO_EVENTS: &[u8] = b"a:1:{s:7:\"version\";i:2;}";
const DUPLICATE: u16 = 1062;

impl RowPlan {
    /// List, before, after and now, joined from the list.
    pub fn all_sides(&self) -> String {
        let on = |alias| self.keyed.on(alias, "d");
        format!(
            "FROM {} AS d LEFT JOIN {} AS p ON {} LEFT JOIN {} AS u ON {} LEFT JOIN {} AS c ON {}",
            quoted(&self.list),
            quoted(&self.before),
            on("p"),
            quoted(&self.after),
            on("u"),
            quoted(&self.name),
            on("c"),
        )
    }

    /// The number of the rule of volatile rows, by one side.
    pub fn number_of(&self, alias: &str) -> String {
        self.rules
            .number(|column| format!("{alias}.{}", quoted(column)))
    }

    /// The same by whichever side has the row.
    pub fn number_of_any(&self) -> String {
        self.rules.number(|column| {
            let column = quoted(column);
            format!("COALESCE(c.{column}, u.{column}, p.{column})")
        })
    }

    fn changed_again(&self) -> String {
        let keyed = &self.keyed;
        format!(
            "{} AND NOT {} AND NOT {}",
            keyed.present("c"),
            keyed.same("c", "u"),
            keyed.same("c", "p")
        )
    }

    /// Rows that the update added and nobody changed since.
    fn remove_added(&self) -> String {
        let keyed = &self.keyed;
        format!(
            "DELETE c FROM {} AS d STRAIGHT_JOIN {} AS u ON {} STRAIGHT_JOIN {} AS c ON {} \
             LEFT JOIN {} AS p ON {} WHERE {} AND {}",
            quoted(&self.list),
            quoted(&self.after),
            keyed.on("u", "d"),
            quoted(&self.name),
            keyed.on("c", "d"),
            quoted(&self.before),
            keyed.on("p", "d"),
            keyed.absent("p"),
            keyed.same("c", "u"),
        )
    }

    /// Rows that the update changed and nobody changed since.
    fn set_back(&self, part: &str) -> String {
        let keyed = &self.keyed;
        let set: Vec<String> = keyed
            .columns
            .iter()
            // Of a key only what compares equal can differ: the case of its letters.
            .filter(|column| !keyed.key.contains(&column.name) || column.charset.is_some())
            .map(|column| format!("c.{name} = p.{name}", name = quoted(&column.name)))
            .collect();
        // A table may be all key, of numbers: then no row of it can change.
        let set = if set.is_empty() {
            format!("c.{name} = p.{name}", name = quoted(&keyed.key[0]))
        } else {
            set.join(",")
        };
        format!(
            "UPDATE {} AS d STRAIGHT_JOIN {} AS p ON {} STRAIGHT_JOIN {} AS u ON {} \
             STRAIGHT_JOIN {} AS c ON {} SET {set} WHERE {part} AND {}",
            quoted(&self.list),
            quoted(&self.before),
            keyed.on("p", "d"),
            quoted(&self.after),
            keyed.on("u", "d"),
            quoted(&self.name),
            keyed.on("c", "d"),
            keyed.same("c", "u"),
        )
    }

    /// Rows that the update removed and nobody wrote again.
    fn insert_removed(&self, part: &str) -> String {
        let keyed = &self.keyed;
        let gone = format!(
            "{part} AND NOT EXISTS (SELECT 1 FROM {} AS u WHERE {})",
            quoted(&self.after),
            keyed.on("u", "d"),
        );
        self.insert("p", &gone)
    }

    /// Rows of one side, where there is none now.
    fn insert(&self, side: &str, part: &str) -> String {
        let keyed = &self.keyed;
        let from = match side {
            "u" => &self.after,
            _ => &self.before,
        };
        format!(
            "INSERT INTO {table} ({}) SELECT {} FROM {} AS d STRAIGHT_JOIN {} AS s ON {} \
             LEFT JOIN {table} AS c ON {} WHERE {} AND {part}",
            keyed.names(),
            keyed.all_of("s"),
            quoted(&self.list),
            quoted(from),
            keyed.on("s", "d"),
            keyed.on("c", "d"),
            keyed.absent("c"),
            table = quoted(&self.name),
        )
    }

    /// Removes a row that is still the update's.
    fn make_room(&self, number: u64) -> String {
        let keyed = &self.keyed;
        format!(
            "DELETE c FROM {} AS d STRAIGHT_JOIN {} AS u ON {} STRAIGHT_JOIN {} AS c ON {} \
             WHERE d.{NUMBER} = {number} AND {}",
            quoted(&self.list),
            quoted(&self.after),
            keyed.on("u", "d"),
            quoted(&self.name),
            keyed.on("c", "d"),
            keyed.same("c", "u"),
        )
    }

    /// Volatile rows that `WordPress` makes anew.
    fn drop_volatile(&self) -> Option<String> {
        let numbers = self.rules.numbers(VolatileRule::Drop)?;
        Some(format!(
            "DELETE c {} WHERE {} AND {} IN ({numbers})",
            self.all_sides(),
            self.changed_again(),
            self.number_of("c"),
        ))
    }
}
