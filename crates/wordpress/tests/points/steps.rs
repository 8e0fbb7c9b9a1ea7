//! A point, one call a step.

use crate::place::{EPOCH, Place};
use pressroom_wordpress::{
    Result,
    database::restore_point::{
        Made, MergeOptions, MergeReport, Point, PointOptions, SealedPoint, TableMerge, drop_point,
        merge, seal, take,
    },
};

impl Place {
    pub fn take(&self) -> Point {
        self.take_with(&PointOptions::default()).unwrap()
    }

    pub fn take_with(&self, options: &PointOptions) -> Result<Point> {
        take(&self.home, EPOCH, &self.settings, options, &self.watch)
    }

    pub fn seal(&self, point: &Point) -> SealedPoint {
        seal(
            &self.home,
            EPOCH,
            &self.settings,
            &point.handle,
            &self.watch,
        )
        .unwrap()
    }

    pub fn merge(&self, point: &Point) -> MergeReport {
        self.merge_with(point, false)
    }

    pub fn merge_with(&self, point: &Point, open: bool) -> MergeReport {
        let options = MergeOptions { open };
        let (home, settings) = (&self.home, &self.settings);
        let report = merge(home, EPOCH, settings, &point.handle, &options, &self.watch).unwrap();
        assert!(report.verified, "{report:#?}");
        report
    }

    pub fn drop(&self, point: &Point) {
        drop_point(
            &self.home,
            EPOCH,
            &self.settings,
            &point.handle,
            &self.watch,
        )
        .unwrap();
    }

    /// Taken; the update; sealed; others; taken back. And once more, which finds nothing.
    pub fn course(&self, update: &str, others: &str) -> MergeReport {
        let point = self.take();
        self.sql(update);
        self.seal(&point);
        self.sql(others);
        let report = self.merge(&point);
        let names = self.names();
        let sums = self.checksums();
        let again = self.merge(&point);
        for table in &again.tables {
            let nothing = table.rows_returned == 0
                && (table.how == Made::Already
                    || table.how == Made::Kept
                    || table.how == Made::Merged);
            assert!(nothing, "{table:#?}");
        }
        assert_eq!(self.names(), names);
        assert_eq!(self.checksums(), sums);
        self.drop(&point);
        self.nothing_left();
        report
    }

    /// No table of ours is there, and no record.
    pub fn nothing_left(&self) {
        let left = self.sql("SHOW TABLES LIKE 'pr\\_%'");
        assert_eq!(left, "");
        for dir in ["points", "restores"] {
            let dir = self.home.path().join(".pressroom").join(dir);
            let left = std::fs::read_dir(dir).map_or(0, Iterator::count);
            assert_eq!(left, 0);
        }
    }
}

/// What the report says of a table.
#[track_caller]
pub fn of<'a>(report: &'a MergeReport, name: &str) -> &'a TableMerge {
    let found = report.tables.iter().find(|table| table.name == name);
    found.unwrap_or_else(|| panic!("{name}: {report:#?}"))
}
