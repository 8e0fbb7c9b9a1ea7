//! A site's tables as SQL text.

mod built;
mod catalogue;
mod options;
mod plan;
mod programs;
mod rights;
mod rows;
mod run;
mod work;
mod write;

pub(crate) use catalogue::{Column, Relation, RelationKind, columns, primary_key, relations};
pub use options::{
    Definers, DumpOptions, DumpReport, DumpedProgram, DumpedTable, LeftOut, MissingRight, Scope,
};
pub(crate) use programs::{Program, ProgramKind, events, routines, strip_definer, triggers_of};
pub(crate) use rows::{Shape, insertable, select_list};
pub use run::dump;
pub(crate) use run::{CLOSING, OPENING};
