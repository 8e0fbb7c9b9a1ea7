//! A point is given up: all that it kept is dropped.

use super::{
    record::{Record, State},
    work::Work,
};
use crate::{
    Result,
    config::Settings,
    database::restore::{aside_of, drop_aside, record::Record as Exchanged},
    fence,
    home::Home,
    watch::Watch,
};
use pressroom_base::Epoch;
use std::collections::BTreeSet;

/// Drops a point for good, with what taking it back put aside; content when it is gone
/// already. Copies that another point uses too stay with that one.
pub fn drop_point(
    home: &Home,
    epoch: Epoch,
    settings: &Settings,
    handle: &str,
    watch: &Watch,
) -> Result<()> {
    fence::check(home, epoch, watch)?;
    let Some(mut record) = Record::load(home, handle)? else {
        return Ok(());
    };
    let mut work = Work::open(home, epoch, settings, handle, watch)?;
    record.state = State::Dropping;
    work.save(&record)?;
    work.dissolve(&record)
}

impl Work<'_> {
    /// Removes all that a point consists of, and its record last.
    pub fn dissolve(&mut self, record: &Record) -> Result<()> {
        for exchanged in Exchanged::list(self.home)? {
            if exchanged.point.as_deref() == Some(&record.stem) {
                let aside = aside_of(&exchanged);
                drop_aside(self.home, self.epoch, self.settings, &aside, self.watch)?;
            }
        }
        let own = self.own(record, record.copies())?;
        self.drop_copies(&own)?;
        self.forget(record)
    }

    /// Of these copies those that no other point holds.
    pub fn own(&self, record: &Record, names: BTreeSet<String>) -> Result<BTreeSet<String>> {
        let mut own = names;
        for other in Record::list(self.home)? {
            if other.stem != record.stem {
                for name in other.copies() {
                    own.remove(&name);
                }
            }
        }
        Ok(own)
    }
}
