//! Points to which the site's tables can be brought back, without PHP and without losing
//! what others wrote meanwhile.
//!
//! [`take`] copies the tables (*P*, as they were), [`seal`] copies those that an update
//! changed (*U*, as the update left them), and [`merge`] takes the update back out of the
//! tables as they are now (*C*): row by row by the primary key, where C is what the update
//! left, P returns; what somebody wrote since stays and is listed. All of it is done by the
//! server, set by set: rows do not travel, and values are compared as stored bytes.
//!
//! Copies have working names and are journalled before they are made; only names of a
//! record are ever dropped.

mod compare;
mod copies;
mod diff;
mod drop;
mod key;
mod merge;
mod options;
mod record;
mod recover;
mod seal;
mod shown;
mod take;
mod volatile;
mod work;

pub use drop::drop_point;
pub use merge::merge;
pub use options::{
    ChangedRows, Conflict, ConflictKind, ConflictValue, Made, MergeOptions, MergeReport, NotKept,
    Point, PointOptions, PointTable, SealedPoint, TableChange, TableMerge, VolatileRows,
};
pub use recover::recover;
pub use seal::seal;
pub use take::take;
pub use volatile::{VOLATILE, Volatile, VolatileRule};
