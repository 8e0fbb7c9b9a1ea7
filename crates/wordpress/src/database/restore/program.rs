//! Understands views and stored programs.

use super::{
    compound,
    cursor::Cursor,
    reach::{check_words, tables},
    reader::{Reader, refused},
    statement::{Act, Made},
    table::edited,
};
use crate::{
    Result,
    database::{
        client::quoted,
        dump::{ProgramKind, strip_definer},
        sql::{Kind, Token, Tokens},
    },
};
use std::ops::Range;

impl Reader {
    /// Understands `CREATE VIEW`, `TRIGGER`, `FUNCTION`, `PROCEDURE`, `PACKAGE` and `EVENT`.
    pub fn program(&mut self, text: &[u8]) -> Result<Act> {
        if self.from.is_some() {
            return Err(refused(
                "a view or stored program, which names tables by their old prefix,",
            ));
        }
        let stripped = strip_definer(text);
        self.definers_changed += u64::from(stripped.is_some());
        let text = stripped.as_deref().unwrap_or(text);
        let tokens: Vec<Token> = Tokens::of(text).collect();
        let mut cursor = Cursor::at(&tokens, 1);
        let mut replaces = false;
        loop {
            if cursor.word("OR") {
                replaces = cursor.word("REPLACE");
            } else if cursor.word("ALGORITHM") {
                cursor.symbol(b'=');
                cursor.next();
            } else if cursor.word("SQL") {
                cursor.next();
                cursor.next();
            } else if !cursor.word("AGGREGATE") {
                break;
            }
        }
        let kind = if cursor.word("VIEW") {
            None
        } else if cursor.word("TRIGGER") {
            Some(ProgramKind::Trigger)
        } else if cursor.word("FUNCTION") {
            Some(ProgramKind::Function)
        } else if cursor.word("PROCEDURE") {
            Some(ProgramKind::Procedure)
        } else if cursor.word("EVENT") {
            Some(ProgramKind::Event)
        } else if cursor.word("PACKAGE") {
            Some(if cursor.word("BODY") {
                ProgramKind::PackageBody
            } else {
                ProgramKind::Package
            })
        } else {
            let what = cursor.peek().map_or(&b""[..], |token| token.text);
            let what = String::from_utf8_lossy(what).to_ascii_uppercase();
            return Err(refused(&format!("`CREATE {what}`")));
        };
        cursor.if_not_exists();
        let (name, range) = self.name(&mut cursor)?;
        // Only a database's name is taken off: the text stays as it was written.
        let mut edits = Vec::new();
        let mut unqualify = |range: Range<usize>, name: &str| {
            if memchr::memchr(b'.', &text[range.clone()]).is_some() {
                edits.push((range, quoted(name).into_bytes()));
            }
        };
        unqualify(range, &name);
        let mut table = None;
        if kind == Some(ProgramKind::Trigger) {
            while !cursor.word("ON") {
                cursor
                    .next()
                    .ok_or_else(|| refused("a trigger on nothing"))?;
            }
            let (on, range) = self.name(&mut cursor)?;
            if !self.admits("trigger on", &on)? {
                return Ok(Act::Nothing);
            }
            if !self.tables.contains_key(&on) {
                return Err(refused(&format!(
                    "a trigger on `{on}`, which it does not create,"
                )));
            }
            unqualify(range, &on);
            table = Some(on);
        } else if kind.is_none() || self.share.stranger(&name).is_some() {
            let what = kind.map_or("VIEW", ProgramKind::sql).to_lowercase();
            if !self.admits(&what, &name)? {
                return Ok(Act::Nothing);
            }
        }
        if let Some(kind) = kind {
            let rest = Cursor::at(&tokens, cursor.at);
            if !compound::is_one(kind, rest) {
                return Err(refused(&format!("several statements in `{name}`")));
            }
        }
        edits.extend(self.check_body(&name, &tokens[cursor.at..])?);
        if kind.is_none() {
            edits.extend(self.view_collations(&tokens)?);
            if !replaces {
                let end = tokens[0].end();
                edits.push((end..end, b" OR REPLACE".to_vec()));
            }
        }
        Ok(Act::Program(Made {
            kind,
            name,
            table,
            statement: edited(text, 0..text.len(), &edits),
            session: self.sessions.now.for_program(),
        }))
    }

    fn view_collations(&mut self, tokens: &[Token]) -> Result<Vec<(Range<usize>, Vec<u8>)>> {
        let mut edits = Vec::new();
        for pair in tokens.windows(2) {
            if pair[0].is("COLLATE")
                && let Some(name) = pair[1].name()
            {
                let known = self.collations.collation(&name).ok_or_else(|| {
                    refused(&format!(
                        "collation `{name}`, to which no known one is near,"
                    ))
                })?;
                if !known.eq_ignore_ascii_case(&name) {
                    edits.push((pair[1].start..pair[1].end(), known.into_bytes()));
                }
            }
        }
        Ok(edits)
    }

    /// Refuses what names another database, the server or its files; takes the name of
    /// the dumped database away.
    fn check_body(&self, name: &str, tokens: &[Token]) -> Result<Vec<(Range<usize>, Vec<u8>)>> {
        check_words(name, tokens)?;
        let mut edits = Vec::new();
        for ((at, token), table) in tokens.iter().enumerate().zip(tables(tokens)) {
            let next = |offset: usize| tokens.get(at + offset);
            let before = at.checked_sub(1).map(|before| &tokens[before]);
            let named = matches!(token.kind, Kind::Word | Kind::Name)
                && next(1).is_some_and(|dot| dot.is_symbol(b'.'))
                && !before.is_some_and(|one| one.is_symbol(b'.') || one.is_symbol(b'@'))
                && !token.text[0].is_ascii_digit();
            if !named {
                continue;
            }
            // `a.b.c`, `f.g()`, and `a.b` where a table stands, name a database.
            let three = next(3).is_some_and(|dot| dot.is_symbol(b'.'));
            let called = next(3).is_some_and(|open| open.is_symbol(b'('));
            let database = token.name().unwrap_or_default();
            if !(three || called || table) || database == self.database {
                continue;
            }
            if self.is_ours(&database)
                && let Some(rest) = next(2)
            {
                edits.push((token.start..rest.start, Vec::new()));
            } else {
                return Err(refused(&format!(
                    "`{name}`, which names another database, `{database}`,"
                )));
            }
        }
        Ok(edits)
    }
}
