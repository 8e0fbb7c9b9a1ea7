//! The tables as an update left them, those that it changed.

use super::{
    compare::find,
    options::{SealedPoint, TableChange},
    record::{Record, State},
    take::{intended, milliseconds},
    work::{Work, load},
};
use crate::{
    Result,
    config::Settings,
    database::working::{PointMark, point_name},
    home::Home,
    watch::Watch,
};
use pressroom_base::Epoch;
use std::time::Instant;

/// Keeps what the update made of the tables, and says what that is. Call it before
/// anybody else may write. Sealed once, a point stays as it is.
///
/// # Errors
/// [`crate::Error::Missing`] when there is no such point; what [`super::take`] fails with.
pub fn seal(
    home: &Home,
    epoch: Epoch,
    settings: &Settings,
    handle: &str,
    watch: &Watch,
) -> Result<SealedPoint> {
    let since = Instant::now();
    let mut record = load(home, handle)?;
    let mut work = Work::open(home, epoch, settings, handle, watch)?;
    if record.state != State::Sealed {
        work.seal(&mut record)?;
    }
    let mut sealed = work.tell_changes(&record)?;
    sealed.took_ms = milliseconds(since);
    Ok(sealed)
}

impl Work<'_> {
    /// A seal that fails or is killed leaves the point as one that is not sealed: its
    /// copies are in the record, and are made anew by the next one.
    pub fn seal(&mut self, record: &mut Record) -> Result<()> {
        if record.state == State::Sealing {
            self.unseal(record)?;
        }
        let scope = self.scope_of(record)?;
        let now = self.look(&scope.tables)?;
        let mut changed = Vec::new();
        for (table, now) in scope.tables.iter().zip(&now) {
            let same = find(&record.before, &table.name).is_some_and(|old| old.is_same(now));
            if !same {
                changed.push(table.clone());
            }
        }
        let bytes = self.bytes_of(&changed)?;
        self.check_room(bytes)?;
        record.state = State::Sealing;
        record.after = changed
            .iter()
            .enumerate()
            .map(|(number, table)| {
                let copy = point_name(&self.stem, PointMark::After, number, &table.name);
                intended(table, copy)
            })
            .collect();
        record.gone = record
            .before
            .iter()
            .filter(|image| !scope.tables.iter().any(|table| table.name == image.name))
            .map(|image| image.name.clone())
            .collect();
        self.save(record)?;
        self.copy_all(&mut record.after)?;
        record.state = State::Sealed;
        self.save(record)
    }

    /// Back to a point that was only taken.
    pub fn unseal(&mut self, record: &mut Record) -> Result<()> {
        let copies = record
            .after
            .iter()
            .map(|image| image.copy.clone())
            .collect();
        let own = self.own(record, copies)?;
        self.drop_copies(&own)?;
        record.after.clear();
        record.gone.clear();
        record.state = State::Taken;
        self.save(record)
    }

    fn tell_changes(&mut self, record: &Record) -> Result<SealedPoint> {
        let mut told = SealedPoint {
            dropped: record.gone.clone(),
            ..SealedPoint::default()
        };
        for after in &record.after {
            let Some(before) = find(&record.before, &after.name) else {
                told.created.push(after.name.clone());
                continue;
            };
            let structure = !before.is_built_as(after);
            let keyed = if before.structure == after.structure {
                self.keyed(&before.copy)?
            } else {
                None
            };
            let rows = match keyed {
                Some(keyed) => Some(self.count_difference(&keyed, &before.copy, &after.copy)?),
                None => None,
            };
            told.changed.push(TableChange {
                name: after.name.clone(),
                structure,
                rows,
            });
        }
        Ok(told)
    }
}
