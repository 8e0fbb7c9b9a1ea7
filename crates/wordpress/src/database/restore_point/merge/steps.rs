//! Statements over a list of rows, in ever smaller parts where one of them is refused.

use super::super::{diff::NUMBER, work::Work};
use crate::{
    Result,
    database::client::{Refused, quoted},
};

/// The server refused the row, not the statement: a value that must be there once, out of
/// range, too long, cut, wrong, missing or `NULL`, a check, an invalid division or text.
const ROWS: [u16; 16] = [
    1022, 1048, 1062, 1264, 1265, 1292, 1364, 1365, 1366, 1406, 1411, 1525, 1526, 1690, 1761, 4025,
];

/// How a statement is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// In a transaction that is committed inside the fence, or on a table that nobody else
    /// knows.
    Free,
    /// Each inside the fence: it takes effect at once.
    Fenced,
}

impl Work<'_> {
    /// Runs one statement; how many rows it changed.
    pub(super) fn step(&mut self, way: Way, statement: &str) -> Result<u64, Refused> {
        match way {
            Way::Free => self.run(statement)?,
            Way::Fenced => self.act(statement)?,
        }
        Ok(self.client.affected())
    }

    /// Runs a statement for all rows of a list: `statement` makes it for a condition on the
    /// list as `d`. Where a row is refused, the rest is done without it; how many rows
    /// changed, and the numbers of those that were refused.
    pub(super) fn steps(
        &mut self,
        way: Way,
        list: &str,
        statement: impl Fn(&str) -> String,
    ) -> Result<(u64, Vec<u64>), Refused> {
        let highest = self.number(&format!(
            "SELECT CAST(COALESCE(MAX({NUMBER}), 0) AS UNSIGNED) FROM {}",
            quoted(list)
        ))?;
        let (mut changed, mut refused) = (0, Vec::new());
        let mut parts = vec![(1, highest)];
        while let Some((from, to)) = parts.pop() {
            if from > to {
                continue;
            }
            let part = format!("d.{NUMBER} BETWEEN {from} AND {to}");
            match self.step(way, &statement(&part)) {
                Ok(count) => changed += count,
                Err(why) if why.code.is_some_and(|code| ROWS.contains(&code)) => {
                    if from == to {
                        refused.push(from);
                    } else {
                        let middle = from + (to - from) / 2;
                        parts.push((middle + 1, to));
                        parts.push((from, middle));
                    }
                }
                Err(why) => return Err(why),
            }
        }
        Ok((changed, refused))
    }
}
