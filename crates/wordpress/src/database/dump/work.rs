//! What a dump works on, and words its parts share.

use super::{Column, DumpOptions, DumpReport, Relation, rights::Grants, write::Sink};
use crate::{
    Error,
    database::{
        client::{Client, Refused, literal, quoted},
        share::Share,
    },
};

/// Under which the dump is restored: zero dates and invalid dates survive, and a
/// zero in an `AUTO_INCREMENT` column stays one.
pub(super) const SQL_MODE: &str = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES";

pub(super) struct Work<'a> {
    pub database: String,
    pub share: Share,
    pub options: &'a DumpOptions,
    pub grants: Option<Grants>,
    pub client: Client,
    pub report: &'a mut DumpReport,
}

/// A table with what is known of it before the snapshot.
pub(super) struct Planned {
    pub relation: Relation,
    pub columns: Vec<Column>,
    pub structure_only: bool,
}

#[derive(Default)]
pub(super) struct Plan {
    pub sequences: Vec<String>,
    pub tables: Vec<Planned>,
    pub views: Vec<String>,
    /// Everything in the database is in scope, and so are its routines and events.
    pub whole: bool,
}

pub(super) fn heading(sink: &mut Sink, what: &str, name: &str) {
    // A name may hold a line end, which would end the comment.
    let shown: String = name.chars().filter(|c| !c.is_control()).collect();
    sink.put(format!("\n-- {what} {}\n\n", quoted(&shown)));
}

pub(super) fn named(name: &str, why: Refused) -> Error {
    match why.error {
        Error::Database(text) => Error::Database(format!("`{name}`: {text}")),
        other => other,
    }
}

pub(super) fn gone(name: &str) -> Error {
    Error::Database(format!("{} disappeared", literal(name)))
}
