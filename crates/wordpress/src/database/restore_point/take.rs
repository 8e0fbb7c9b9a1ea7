//! The tables as they are, copied.

use super::{
    compare::find,
    options::{NotKept, Point, PointOptions, PointTable},
    record::{Image, Record, State},
    work::{Work, last_watch},
};
use crate::{
    Error, Result,
    config::Settings,
    database::{
        connection::Connection,
        dump::{Relation, RelationKind},
        restore::run::new_run,
        working::{PointMark, point_name},
    },
    home::Home,
    watch::Watch,
};
use pressroom_base::Epoch;
use std::time::Instant;

/// Keeps the site's tables as they are now, beside them in the same database.
///
/// The server copies them itself; nobody has to wait for that. Each copy is of one
/// instant, but not all of the same: whoever wants that puts the site into maintenance
/// first. What is written between this and [`super::seal`] counts as the update's.
///
/// # Errors
/// [`Error::NoSpace`] before anything was copied, where the server's disk can be seen and
/// is too small; [`Error::Database`] when the database user may not make tables;
/// [`Error::Missing`] for an earlier point that is not there. Nothing stays behind.
pub fn take(
    home: &Home,
    epoch: Epoch,
    settings: &Settings,
    options: &PointOptions,
    watch: &Watch,
) -> Result<Point> {
    let since = Instant::now();
    let prefix = Connection::of(settings)?.prefix().to_owned();
    let stem = loop {
        let run = new_run(home, epoch, &prefix)?;
        if Record::load(home, run.stem())?.is_none() {
            break run.stem().to_owned();
        }
    };
    let earlier = match &options.reuse {
        Some(handle) => Some(super::work::load(home, handle)?),
        None => None,
    };
    let mut work = Work::open(home, epoch, settings, &stem, watch)?;
    let mut record = Record::new(epoch, &stem);
    record.leave_out.clone_from(&options.leave_out);
    match work.take(&mut record, earlier.as_ref()) {
        Ok(bytes) => Ok(Point {
            handle: stem,
            tables: record.before.iter().map(told).collect(),
            bytes,
            took_ms: milliseconds(since),
            left_out: record.left_out,
            non_transactional: record
                .before
                .iter()
                .filter(|image| !image.transactional)
                .map(|image| image.name.clone())
                .collect(),
        }),
        // A worker that was overtaken must leave the rest to its successor.
        Err(why @ Error::Fenced { .. }) => Err(why),
        Err(why) => {
            let watch = last_watch();
            let mut last = work.again(&watch)?;
            last.dissolve(&record).map_err(|other| {
                Error::Database(format!("{why}; and removing the copies failed: {other}"))
            })?;
            Err(why)
        }
    }
}

impl Work<'_> {
    fn take(&mut self, record: &mut Record, earlier: Option<&Record>) -> Result<u64> {
        let scope = self.scope(&record.leave_out)?;
        record.views = scope.views;
        record.left_out = scope.left_out;
        for relation in &scope.tables {
            if relation.kind == RelationKind::Versioned {
                record.left_out.push(NotKept {
                    name: relation.name.clone(),
                    why: "its history is not kept, only its current rows".to_owned(),
                });
            }
        }
        let same = match earlier {
            Some(earlier) => self.still_the_same(earlier, &scope.tables)?,
            None => Vec::new(),
        };
        let missing: Vec<Relation> = scope
            .tables
            .iter()
            .filter(|table| find(&same, &table.name).is_none())
            .cloned()
            .collect();
        let bytes = self.bytes_of(&missing)?;
        self.check_room(bytes)?;
        let stem = &self.stem;
        record.before = scope
            .tables
            .iter()
            .enumerate()
            .map(|(number, table)| {
                find(&same, &table.name).cloned().unwrap_or_else(|| {
                    intended(
                        table,
                        point_name(stem, PointMark::Before, number, &table.name),
                    )
                })
            })
            .collect();
        self.save(record)?;
        self.copy_all(&mut record.before)?;
        record.state = State::Taken;
        self.save(record)?;
        Ok(bytes)
    }

    /// Tables that are now as an earlier point has them, with its copies of them.
    fn still_the_same(&mut self, earlier: &Record, tables: &[Relation]) -> Result<Vec<Image>> {
        let mut same = Vec::new();
        for mut image in self.look(tables)? {
            let known = [&earlier.after, &earlier.before]
                .into_iter()
                .filter_map(|images| find(images, &image.name))
                .find(|known| known.content == image.content && known.structure == image.structure);
            if let Some(known) = known {
                image.copy.clone_from(&known.copy);
                image.reused = true;
                same.push(image);
            }
        }
        Ok(same)
    }
}

/// A table that is about to be copied.
pub(super) fn intended(table: &Relation, copy: String) -> Image {
    Image {
        name: table.name.clone(),
        copy,
        rows: 0,
        content: String::new(),
        structure: String::new(),
        create: Vec::new(),
        triggers: Vec::new(),
        transactional: table.transactional,
        reused: false,
    }
}

fn told(image: &Image) -> PointTable {
    PointTable {
        name: image.name.clone(),
        rows: image.rows,
        content: image.content.clone(),
        reused: image.reused,
    }
}

pub(super) fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
