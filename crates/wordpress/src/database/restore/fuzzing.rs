//! See [`crate::fuzzing`].

use super::{
    collations::Collations,
    options::OtherTables,
    reader::{Loading, Reader},
    session::Sessions,
    statement::Act,
};
use crate::{
    Result,
    database::{share::Share, sql::Server, working::Run},
};
use pressroom_base::Epoch;
use std::collections::{BTreeMap, BTreeSet};

/// What a statement of a dump comes to.
#[derive(Debug, PartialEq, Eq)]
pub struct Understood {
    /// The SQL that would run for it, now or later.
    pub sql: Vec<Vec<u8>>,
    /// It makes a view or stored program, which may hold statements of its own.
    pub program: bool,
}

/// Has the statements of one dump understood, in order, for a site with the prefix
/// `wp_` on a current MariaDB.
pub fn understand(statements: &[Vec<u8>]) -> Vec<Result<Understood>> {
    let mut collations = Collations::default();
    collations.know(
        &["utf8mb3", "utf8mb4", "latin1"],
        &[
            "utf8mb4_unicode_ci",
            "utf8mb4_general_ci",
            "latin1_swedish_ci",
        ],
    );
    let mut reader = Reader {
        server: Server {
            mariadb: true,
            version: 101_106,
        },
        database: "site".to_owned(),
        source: None,
        share: Share::new("wp_", []),
        others: OtherTables::Restore,
        from: None,
        run: Run::new("wp_", Epoch::new(7), 7),
        collations,
        engines: BTreeSet::from(["innodb".to_owned(), "myisam".to_owned()]),
        sessions: Sessions::default(),
        tables: BTreeMap::new(),
        counted: 0,
        engines_replaced: BTreeSet::new(),
        passed_over: BTreeSet::new(),
        definers_changed: 0,
    };
    statements
        .iter()
        .map(|statement| {
            let mut program = false;
            let sql = match reader.understand(statement)? {
                Act::Nothing | Act::Drop(_) => Vec::new(),
                Act::Create { table, rewritten } => {
                    let loading = Loading {
                        working: reader.run.new_name(reader.tables.len(), &table),
                        keyed: rewritten.keyed,
                        bytes: false,
                    };
                    reader.tables.insert(table, loading);
                    [vec![rewritten.now], rewritten.later].concat()
                }
                Act::Alter { rewritten, .. } => [vec![rewritten.now], rewritten.later].concat(),
                Act::Insert { statement, .. } => vec![statement],
                Act::Program(made) => {
                    program = made.kind.is_some();
                    vec![made.statement, made.session.into_bytes()]
                }
            };
            Ok(Understood { sql, program })
        })
        .collect()
}
