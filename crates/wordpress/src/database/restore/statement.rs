//! Understands one statement of a dump, or refuses it by name. A dump is foreign
//! input: nothing in it runs that is not understood, and nothing that reaches out of
//! the site's database.

use super::{
    cursor::Cursor,
    reader::{Loading, Reader, refused},
    table::{self, Rewritten, edited},
    values,
};
use crate::{
    Result,
    database::{
        client::quoted,
        dump::ProgramKind,
        sql::{Kind, Token, Tokens, unwrap_comments},
    },
};

/// What a statement comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Nothing to do.
    Nothing,
    /// A table or sequence under its working name.
    Create { table: String, rewritten: Rewritten },
    /// A change to one that was made.
    Alter { table: String, rewritten: Rewritten },
    /// Tables that the dump made and now unmakes: stand-ins of views.
    Drop(Vec<String>),
    /// Rows.
    Insert {
        table: String,
        statement: Vec<u8>,
        rows: u64,
        /// The server must confirm as many rows.
        exact: bool,
        /// The names in it are ASCII.
        ascii: bool,
    },
    /// A view, or a stored program; for later.
    Program(Made),
}

/// A view, trigger, routine or event in the dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::database) struct Made {
    /// `None` for a view.
    pub kind: Option<ProgramKind>,
    pub name: String,
    /// Of a trigger.
    pub table: Option<String>,
    pub statement: Vec<u8>,
    /// What must be set before.
    pub session: String,
}

/// Tokens of a statement's head that are looked at before its rows.
const HEAD: usize = 20_000;
impl Reader {
    /// Understands a statement as the splitter cuts it.
    pub fn understand(&mut self, statement: &[u8]) -> Result<Act> {
        // Rows are most of a dump and come without such comments.
        let first = Tokens::of(statement).next();
        if first.is_some_and(|token| token.is("INSERT") || token.is("REPLACE")) {
            return self.insert(statement);
        }
        let text = unwrap_comments(statement, self.server)?;
        let tokens: Vec<Token> = Tokens::of(&text).collect();
        if tokens
            .iter()
            .any(|token| matches!(token.kind, Kind::Open | Kind::Close | Kind::Broken))
        {
            return Err(refused("a comment inside a comment"));
        }
        let Some(first) = tokens.first() else {
            return Ok(Act::Nothing);
        };
        let word = String::from_utf8_lossy(first.text).to_ascii_uppercase();
        let second = tokens.get(1);
        let followed =
            |words: &[&str]| second.is_some_and(|token| words.iter().any(|w| token.is(w)));
        let act = match word.as_str() {
            "INSERT" | "REPLACE" => self.insert(&text),
            "SET" => {
                let said = self.sessions.set(&tokens, &mut self.collations)?;
                self.passed_over.extend(said);
                Ok(Act::Nothing)
            }
            "CREATE" => self.create(&text, &tokens),
            "ALTER" if followed(&["TABLE"]) => self.alter(&text, &tokens),
            "ALTER" if followed(&["DATABASE", "SCHEMA"]) => {
                self.passed_over.insert("ALTER DATABASE".to_owned());
                Ok(Act::Nothing)
            }
            "DROP" => self.drop_of(&tokens),
            "DO" | "SELECT" if followed(&["SETVAL"]) => self.set_sequence(&text, &tokens),
            "LOCK" | "UNLOCK" if followed(&["TABLES", "TABLE"]) => Ok(Act::Nothing),
            "START" if followed(&["TRANSACTION"]) => Ok(Act::Nothing),
            "BEGIN" | "COMMIT" if tokens.len() <= 2 => Ok(Act::Nothing),
            "USE" => Err(refused("`USE`, which leads to another database,")),
            _ => {
                let shown: Vec<String> = tokens
                    .iter()
                    .take(2)
                    .filter(|token| token.kind == Kind::Word)
                    .map(|token| String::from_utf8_lossy(token.text).to_ascii_uppercase())
                    .collect();
                Err(refused(&format!("`{}`", shown.join(" "))))
            }
        }?;
        // With another `DELIMITER` a `;` stays in the statement, and the server would
        // run what follows it.
        let may_hold_statements = match &act {
            Act::Nothing | Act::Drop(_) => true,
            Act::Program(made) => made.kind.is_some(),
            Act::Create { .. } | Act::Alter { .. } | Act::Insert { .. } => false,
        };
        if !may_hold_statements && tokens.iter().any(|token| token.is_symbol(b';')) {
            return Err(refused("several statements in one"));
        }
        Ok(act)
    }

    fn insert(&mut self, text: &[u8]) -> Result<Act> {
        let mut head = Vec::new();
        for token in Tokens::of(text) {
            let last = token.is("VALUES") || token.is("VALUE") || token.is("SELECT");
            head.push(token);
            if last || head.len() > HEAD {
                break;
            }
        }
        let mut cursor = Cursor::at(&head, 0);
        let mut exact = cursor.word("INSERT");
        if !exact {
            cursor.word("REPLACE");
        }
        while cursor.word("LOW_PRIORITY") || cursor.word("DELAYED") || cursor.word("HIGH_PRIORITY")
        {
        }
        if cursor.word("IGNORE") {
            exact = false;
        }
        cursor.word("INTO");
        let (table, range) = self.name(&mut cursor)?;
        if cursor.peek().is_some_and(|token| token.is_symbol(b'(')) {
            let close = table::matching(&head, cursor.at)
                .ok_or_else(|| refused("an `INSERT` without end"))?;
            let plain = head[cursor.at + 1..close]
                .iter()
                .all(|token| token.name().is_some() || token.is_symbol(b','));
            if !plain {
                return Err(refused("columns of an `INSERT` that are no names"));
            }
            cursor.at = close + 1;
        }
        if !(cursor.word("VALUES") || cursor.word("VALUE")) {
            return Err(refused("an `INSERT` that takes its rows from elsewhere"));
        }
        let rest = &text[head.last().map_or(0, Token::end)..];
        let rows = values::count_rows(rest)?;
        let Some(loading) = self.tables.get(&table) else {
            if self.admits("table", &table)? {
                return Err(refused(&format!(
                    "rows for `{table}`, which it does not create,"
                )));
            }
            return Ok(Act::Nothing);
        };
        let name = quoted(&loading.working).into_bytes();
        let ascii = name.is_ascii() && text[..text.len() - rest.len()].is_ascii();
        Ok(Act::Insert {
            ascii,
            statement: edited(text, 0..text.len(), &[(range, name)]),
            table,
            rows,
            exact,
        })
    }

    fn create(&mut self, text: &[u8], tokens: &[Token]) -> Result<Act> {
        let mut cursor = Cursor::at(tokens, 1);
        if cursor.word("OR") {
            cursor.word("REPLACE");
        }
        if cursor.word("DATABASE") || cursor.word("SCHEMA") {
            return Err(refused("`CREATE DATABASE`"));
        }
        if cursor.word("TABLE") {
            cursor.if_not_exists();
            let (table, range) = self.name(&mut cursor)?;
            if !self.admits("table", &table)? {
                return Ok(Act::Nothing);
            }
            let working = self.working(&table);
            let rewritten = table::create(self, text, &mut cursor, &range, &table, &working)?;
            let keyed = rewritten.keyed;
            self.tables.insert(
                table.clone(),
                Loading {
                    working,
                    keyed,
                    bytes: false,
                },
            );
            return Ok(Act::Create { table, rewritten });
        }
        if cursor.word("SEQUENCE") {
            cursor.if_not_exists();
            let (table, range) = self.name(&mut cursor)?;
            if !self.admits("sequence", &table)? {
                return Ok(Act::Nothing);
            }
            let working = self.working(&table);
            let mut edits = vec![(range, quoted(&working).into_bytes())];
            for pair in tokens.windows(3) {
                let value = if pair[1].is_symbol(b'=') {
                    pair[2]
                } else {
                    pair[1]
                };
                if pair[0].is("ENGINE")
                    && let Some(name) = value.name()
                {
                    let engine = self.engine(&name, &table);
                    edits.push((value.start..value.end(), engine.into_bytes()));
                }
            }
            let now = edited(text, 0..text.len(), &edits);
            self.tables.insert(
                table.clone(),
                Loading {
                    working,
                    keyed: false,
                    bytes: false,
                },
            );
            let rewritten = Rewritten {
                now,
                ..Rewritten::default()
            };
            return Ok(Act::Create { table, rewritten });
        }
        let kind = ["UNIQUE", "FULLTEXT", "SPATIAL"];
        while kind.iter().any(|word| cursor.word(word)) {}
        if cursor.word("INDEX") {
            return self.index(text, tokens);
        }
        self.program(text)
    }

    fn working(&mut self, table: &str) -> String {
        let working = self.run.new_name(self.counted, table);
        self.counted += 1;
        working
    }

    fn index(&mut self, text: &[u8], tokens: &[Token]) -> Result<Act> {
        let on = tokens.iter().position(|token| token.is("ON"));
        let on = on.ok_or_else(|| refused("an index on nothing"))?;
        let mut cursor = Cursor::at(tokens, on + 1);
        let (table, range) = self.name(&mut cursor)?;
        let Some(loading) = self.tables.get(&table) else {
            return self.unmade(&table);
        };
        let name = quoted(&loading.working).into_bytes();
        let rewritten = Rewritten {
            now: edited(text, 0..text.len(), &[(range, name)]),
            ..Rewritten::default()
        };
        Ok(Act::Alter { table, rewritten })
    }

    fn alter(&mut self, text: &[u8], tokens: &[Token]) -> Result<Act> {
        let mut cursor = Cursor::at(tokens, 2);
        let (table, _) = self.name(&mut cursor)?;
        let Some(loading) = self.tables.get(&table).cloned() else {
            return self.unmade(&table);
        };
        let rewritten = table::alter(self, text, &mut cursor, &table, &loading.working)?;
        if rewritten.keyed
            && let Some(loading) = self.tables.get_mut(&table)
        {
            loading.keyed = true;
        }
        Ok(Act::Alter { table, rewritten })
    }

    /// A change to a table that the dump does not make.
    fn unmade(&mut self, table: &str) -> Result<Act> {
        if self.admits("table", table)? {
            return Err(refused(&format!(
                "a change of `{table}`, which it does not create,"
            )));
        }
        Ok(Act::Nothing)
    }

    fn drop_of(&mut self, tokens: &[Token]) -> Result<Act> {
        let mut cursor = Cursor::at(tokens, 1);
        cursor.word("TEMPORARY");
        let tables = cursor.word("TABLE") || cursor.word("VIEW") || cursor.word("SEQUENCE");
        let programs = ["TRIGGER", "FUNCTION", "PROCEDURE", "EVENT", "PACKAGE"];
        if !tables && !programs.iter().any(|word| cursor.word(word)) {
            let what = tokens.get(1).map_or(&b""[..], |token| token.text);
            let what = String::from_utf8_lossy(what).to_ascii_uppercase();
            return Err(refused(&format!("`DROP {what}`")));
        }
        cursor.word("BODY");
        if cursor.word("IF") {
            cursor.word("EXISTS");
        }
        let mut dropped = Vec::new();
        loop {
            let (name, _) = self.name(&mut cursor)?;
            // What the site has stays until the exchange; only what this dump made
            // itself goes.
            if tables && self.tables.contains_key(&name) {
                dropped.push(name);
            }
            if !cursor.symbol(b',') {
                break;
            }
        }
        Ok(if dropped.is_empty() {
            Act::Nothing
        } else {
            Act::Drop(dropped)
        })
    }

    fn set_sequence(&mut self, text: &[u8], tokens: &[Token]) -> Result<Act> {
        let mut cursor = Cursor::at(tokens, 2);
        if !cursor.symbol(b'(') {
            return Err(refused("`SETVAL` without a sequence"));
        }
        let (table, range) = self.name(&mut cursor)?;
        let plain = tokens[cursor.at..].iter().all(|token| {
            matches!(token.text, b"," | b")" | b"-")
                || token.text[0].is_ascii_digit()
                || token.is("TRUE")
                || token.is("FALSE")
        });
        if !plain {
            return Err(refused("`SETVAL` with something that is no number"));
        }
        let Some(loading) = self.tables.get(&table) else {
            return self.unmade(&table);
        };
        let mut now = b"DO".to_vec();
        let name = quoted(&loading.working).into_bytes();
        now.extend(edited(text, tokens[0].end()..text.len(), &[(range, name)]));
        let rewritten = Rewritten {
            now,
            ..Rewritten::default()
        };
        Ok(Act::Alter { table, rewritten })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{collations::Collations, options::OtherTables, session::Sessions};
    use super::*;
    use crate::database::{share::Share, sql::Server, working::Run};
    use pressroom_base::Epoch;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn reader() -> Reader {
        let mut collations = Collations::default();
        collations.know(&["utf8mb4"], &["utf8mb4_general_ci"]);
        Reader {
            server: Server {
                mariadb: true,
                version: 101_119,
            },
            database: "site".to_owned(),
            source: None,
            share: Share::new("wp_", ["wp_x_options", "wp_x_posts"]),
            others: OtherTables::Refuse,
            from: None,
            run: Run::new("wp_", Epoch::new(1), 0),
            collations,
            engines: ["innodb".to_owned()].into(),
            sessions: Sessions::default(),
            tables: BTreeMap::new(),
            counted: 0,
            engines_replaced: BTreeSet::new(),
            passed_over: BTreeSet::new(),
            definers_changed: 0,
        }
    }

    #[test]
    fn tables_are_made_under_working_names() {
        let mut reader = reader();
        let act = reader.understand(
            b"CREATE TABLE `site`.wp_a (`a` int, KEY (`a`), CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `site`.`wp_b` (`b`)) ENGINE=X COLLATE=utf8mb4_0900_ai_ci",
        );
        let Ok(Act::Create { rewritten, .. }) = act else {
            panic!("{act:?}")
        };
        let stem = reader.run.stem();
        assert_eq!(
            String::from_utf8(rewritten.now).unwrap(),
            format!(
                "CREATE TABLE `{stem}n0_wp_a` (\n  `a` int,\n  KEY (`a`)\n) ENGINE=InnoDB COLLATE=utf8mb4_general_ci"
            )
        );
        assert_eq!(
            rewritten.later,
            [
                b"ALTER TABLE `wp_a` ADD CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `wp_b` (`b`)"
                    .to_vec()
            ]
        );
    }

    #[test]
    fn tables_of_another_prefix_get_the_sites() {
        let mut reader = reader();
        reader.from = Some("old_".to_owned());
        let act = reader.understand(
            b"CREATE TABLE `old_a` (`a` int, CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `old_b` (`b`))",
        );
        let Ok(Act::Create { table, rewritten }) = act else {
            panic!("{act:?}")
        };
        assert_eq!(table, "wp_a");
        let later = String::from_utf8(rewritten.later.concat()).unwrap();
        assert!(later.contains("REFERENCES `wp_b`"), "{later}");
        let act = reader.understand(b"INSERT INTO `old_a` VALUES (1)");
        assert!(matches!(act, Ok(Act::Insert { table, .. }) if table == "wp_a"));
        let view = reader.understand(b"CREATE VIEW `old_v` AS SELECT `a` FROM `old_a`");
        assert!(view.is_err_and(|why| why.to_string().contains("old prefix")));
        assert!(
            reader
                .understand(b"CREATE TABLE `other_a` (`a` int)")
                .is_err()
        );
    }

    #[test]
    fn tables_of_another_wordpress_are_passed_over() {
        let mut reader = reader();
        assert!(reader.admits("table", "wp_posts").unwrap());
        assert!(!reader.admits("table", "wp_x_posts").unwrap());
        assert!(reader.admits("table", "other").is_err());
        let passed_over: Vec<&String> = reader.passed_over.iter().collect();
        assert_eq!(passed_over, ["table wp_x_posts"]);
        reader.others = OtherTables::Restore;
        assert!(reader.admits("table", "wp_x_posts").unwrap());
    }

    proptest! {
        #[test]
        fn any_statement_is_understood_or_refused(
            words in proptest::collection::vec("CREATE|TABLE|INSERT|INTO|VALUES|ALTER|DROP|VIEW|TRIGGER|ON|SET|NAMES|FOREIGN|KEY|REFERENCES|CONSTRAINT|DEFINER|=|@|\\.|\\(|\\)|,|`wp_a`|wp_b|'x'|1|COLLATE|CHARACTER|ENGINE|DEFAULT|nextval|SEQUENCE|DO|SETVAL|INDEX|ADD|/\\*!50000|\\*/|SQL|SECURITY|AS|SELECT|FROM|IF|NOT|EXISTS|`|'", 0..25),
            bytes: Vec<u8>,
        ) {
            let mut reader = reader();
            let _ = reader.understand(b"CREATE TABLE wp_a (a INT)");
            let _ = reader.understand(words.join(" ").as_bytes());
            let _ = reader.understand(&bytes);
        }
    }
}
