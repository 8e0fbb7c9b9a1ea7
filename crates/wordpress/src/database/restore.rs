//! Tables from SQL text, put in place of the site's in one act.

mod aside;
mod collations;
mod compound;
mod cursor;
pub(super) mod exchange;
mod fill;
pub(crate) mod fuzzing;
mod load;
mod options;
mod prefix;
mod program;
mod reach;
mod reader;
pub(super) mod record;
pub(super) mod run;
mod session;
mod settle;
pub(super) mod statement;
pub(super) mod table;
mod undo;
mod values;

pub(in crate::database) use aside::aside_of;
pub use aside::{Recovered, drop_aside, recover, take_back};
pub use options::{
    Aside, LoadedTable, OtherTables, RestoreOptions, RestoreReport, Substitution, TableWarning,
};
pub use run::restore;
