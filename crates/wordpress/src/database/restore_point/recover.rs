//! What a new worker does with the points of dead ones.

use super::{
    record::{Record, State},
    work::Work,
};
use crate::{
    Result,
    config::Settings,
    database::{
        connection::Connection,
        dump::relations,
        restore::{self, Recovered},
        working,
    },
    home::Home,
    watch::Watch,
};
use pressroom_base::Epoch;
use std::collections::BTreeSet;

/// As [`restore::recover`], and then the same for restore points: one that was never
/// finished, or is being dropped, is dropped; a seal that was interrupted is undone; what a
/// taking back worked with is removed, so that it can be repeated from its start. Points
/// that are whole stay, and are told: whoever took them merges or drops them.
pub fn recover(home: &Home, epoch: Epoch, settings: &Settings, watch: &Watch) -> Result<Recovered> {
    let mut recovered = restore::recover(home, epoch, settings, watch)?;
    let stem = working::site_stem(Connection::of(settings)?.prefix());
    let mut work = Work::open(home, epoch, settings, &stem, watch)?;
    for mut record in Record::list(home)? {
        // One of a higher epoch is alive.
        if record.epoch.get() > epoch.get() || !record.stem.starts_with(&stem) {
            continue;
        }
        if matches!(record.state, State::Taking | State::Dropping) {
            let own = work.own(&record, record.copies())?;
            recovered.dropped.extend(own);
            work.dissolve(&record)?;
            continue;
        }
        if record.state == State::Sealing {
            let copies = record.after.iter().map(|image| image.copy.clone());
            recovered.dropped.extend(copies);
            work.unseal(&mut record)?;
        }
        recovered.dropped.extend(work.drop_work(&mut record)?);
        recovered.points.push(record.stem);
    }
    // Without a record: the home was cleaned, or restored from elsewhere.
    let records = Record::list(home)?;
    let known: BTreeSet<String> = records.iter().flat_map(Record::copies).collect();
    for relation in relations(&mut work.client)? {
        let ours = working::parse(&relation.name).is_some_and(|found| {
            found.point && found.stem.starts_with(&stem) && found.epoch <= epoch.get()
        });
        if ours && !known.contains(&relation.name) {
            recovered.unknown.push(relation.name);
        }
    }
    Ok(recovered)
}
