//! Triggers, routines and events: their text, and the settings it was written under.

use crate::{
    Result,
    database::{
        client::{Client, Refused, literal, quoted},
        sql::{Token, Tokens},
    },
};
use mysql_async::Row;
use serde::{Deserialize, Serialize};

/// A stored program, as the server keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Program {
    pub kind: ProgramKind,
    pub name: String,
    /// Of a trigger.
    pub table: Option<String>,
    /// The `CREATE` statement, in `client_charset`, in hexadecimal where it is kept.
    #[serde(with = "hex::serde")]
    pub statement: Vec<u8>,
    pub sql_mode: String,
    pub client_charset: String,
    pub collation: String,
    /// Of an event.
    pub time_zone: Option<String>,
}

/// What a program is; the order is the order in a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProgramKind {
    Function,
    Procedure,
    Package,
    PackageBody,
    Trigger,
    Event,
}

impl ProgramKind {
    /// As SQL has it.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Function => "FUNCTION",
            Self::Procedure => "PROCEDURE",
            Self::Package => "PACKAGE",
            Self::PackageBody => "PACKAGE BODY",
            Self::Trigger => "TRIGGER",
            Self::Event => "EVENT",
        }
    }
}

impl Program {
    /// What the session must be set to before the statement runs.
    pub fn session(&self) -> String {
        let zone = self
            .time_zone
            .as_ref()
            .map(|zone| format!(", time_zone = {}", literal(zone)))
            .unwrap_or_default();
        format!(
            "SET sql_mode = {}, character_set_client = {}, collation_connection = {}{zone}",
            literal(&self.sql_mode),
            self.client_charset,
            self.collation,
        )
    }

    /// The statement that removes it.
    pub fn removal(&self) -> String {
        format!("DROP {} IF EXISTS {}", self.kind.sql(), quoted(&self.name))
    }
}

/// The triggers of a table, in the order they fire in.
pub(crate) fn triggers_of(client: &mut Client, table: &str) -> Result<Vec<Program>, Refused> {
    let names: Vec<String> = client.rows(format!(
        "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS \
         WHERE EVENT_OBJECT_SCHEMA = DATABASE() AND EVENT_OBJECT_TABLE = {} \
         ORDER BY EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER",
        literal(table)
    ))?;
    let mut triggers = Vec::new();
    for name in names {
        let found = read(client, ProgramKind::Trigger, &name)?;
        triggers.extend(found.map(|program| Program {
            table: Some(table.to_owned()),
            ..program
        }));
    }
    Ok(triggers)
}

/// The routines of the database that the user may see; those whose text may not be
/// read come as their kind and name.
#[expect(clippy::type_complexity, reason = "two lists of one look")]
pub(crate) fn routines(
    client: &mut Client,
) -> Result<(Vec<Program>, Vec<(ProgramKind, String)>), Refused> {
    let rows: Vec<(String, String)> = client.rows(
        "SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES \
         WHERE ROUTINE_SCHEMA = DATABASE()",
    )?;
    let mut names: Vec<(ProgramKind, String)> = rows
        .into_iter()
        .map(|(kind, name)| {
            let kind = match kind.as_str() {
                "FUNCTION" => ProgramKind::Function,
                "PACKAGE" => ProgramKind::Package,
                "PACKAGE BODY" => ProgramKind::PackageBody,
                _ => ProgramKind::Procedure,
            };
            (kind, name)
        })
        .collect();
    names.sort();
    let (mut found, mut hidden) = (Vec::new(), Vec::new());
    for (kind, name) in names {
        match read(client, kind, &name) {
            Ok(Some(program)) => found.push(program),
            Ok(None) => hidden.push((kind, name)),
            Err(why) if why.is_denied() || why.code == Some(1305) => hidden.push((kind, name)),
            Err(why) => return Err(why),
        }
    }
    Ok((found, hidden))
}

/// The events of the database.
pub(crate) fn events(client: &mut Client) -> Result<Vec<Program>, Refused> {
    let mut names: Vec<String> = client
        .rows("SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()")?;
    names.sort();
    let mut events = Vec::new();
    for name in names {
        events.extend(read(client, ProgramKind::Event, &name)?);
    }
    Ok(events)
}

/// One program; `None` when the server hides its text.
fn read(client: &mut Client, kind: ProgramKind, name: &str) -> Result<Option<Program>, Refused> {
    let row: Option<Row> = client.first(format!("SHOW CREATE {} {}", kind.sql(), quoted(name)))?;
    let Some(row) = row else { return Ok(None) };
    let column = |wanted: &[&str]| {
        let at = row.columns_ref().iter().position(|column| {
            wanted
                .iter()
                .any(|name| column.name_str().eq_ignore_ascii_case(name))
        })?;
        row.get_opt::<Option<Vec<u8>>, _>(at)?.ok()?
    };
    let text =
        |wanted: &str| column(&[wanted]).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let Some(statement) = column(&[
        "SQL Original Statement",
        "Create Function",
        "Create Procedure",
        "Create Package",
        "Create Package Body",
        "Create Event",
    ]) else {
        return Ok(None);
    };
    Ok(Some(Program {
        kind,
        name: name.to_owned(),
        table: None,
        statement,
        sql_mode: text("sql_mode").unwrap_or_default(),
        client_charset: text("character_set_client").unwrap_or_else(|| "utf8mb4".into()),
        collation: text("collation_connection").unwrap_or_else(|| "utf8mb4_general_ci".into()),
        time_zone: text("time_zone"),
    }))
}

/// Takes `DEFINER = user@host` out of the head of a `CREATE` statement; `None` when
/// there is none.
pub(crate) fn strip_definer(statement: &[u8]) -> Option<Vec<u8>> {
    let head: Vec<Token> = Tokens::of(statement).take(24).collect();
    let at = head.iter().position(|token| token.is("DEFINER"))?;
    // Not `SQL SECURITY DEFINER`, nor something inside the body.
    if !head.first()?.is("CREATE") || !head.get(at + 1)?.is_symbol(b'=') {
        return None;
    }
    let rest = &head[at + 2..];
    let mut len = 1;
    if rest.get(1).is_some_and(|token| token.is_symbol(b'@')) {
        len = 3;
        // A host without quotes may hold points and dashes.
        while let (Some(last), Some(next)) = (rest.get(len - 1), rest.get(len)) {
            if last.end() == next.start && !matches!(next.text, b"(" | b"`" | b"'") {
                len += 1;
            } else {
                break;
            }
        }
    } else if rest.get(1).is_some_and(|token| token.is_symbol(b'(')) {
        // `CURRENT_USER()`.
        len = 3;
    }
    let end = rest.get(len)?.start;
    Some([&statement[..head[at].start], &statement[end..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definers_are_taken_out_of_heads_only() {
        let stripped = |text: &str| {
            strip_definer(text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
        };
        for (text, expected) in [
            (
                "CREATE ALGORITHM=UNDEFINED DEFINER=`a b`@`%` SQL SECURITY DEFINER VIEW `v` AS select 1",
                "CREATE ALGORITHM=UNDEFINED SQL SECURITY DEFINER VIEW `v` AS select 1",
            ),
            (
                "CREATE DEFINER = root@127.0.0.1 TRIGGER t",
                "CREATE TRIGGER t",
            ),
            ("create definer=current_user() event e", "create event e"),
            (
                "CREATE DEFINER=CURRENT_USER FUNCTION f()",
                "CREATE FUNCTION f()",
            ),
            (
                "CREATE DEFINER=`role` PROCEDURE p()",
                "CREATE PROCEDURE p()",
            ),
        ] {
            assert_eq!(stripped(text).as_deref(), Some(expected));
        }
        assert_eq!(
            stripped("CREATE SQL SECURITY DEFINER VIEW v AS select 1"),
            None
        );
        assert_eq!(stripped("CREATE VIEW definer AS select 1"), None);
    }
}
