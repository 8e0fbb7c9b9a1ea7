//! What the text of a view or stored program reaches for: where in it tables are
//! named, and words that lead out of the database.

use super::reader::refused;
use crate::{Result, database::sql::Token};

/// Words that lead to files, accounts, other databases, or statements made of text.
const FORBIDDEN: [&str; 14] = [
    "OUTFILE",
    "DUMPFILE",
    "LOAD_FILE",
    "LOAD",
    "GRANT",
    "REVOKE",
    "SONAME",
    "INSTALL",
    "UNINSTALL",
    "SHUTDOWN",
    "KILL",
    "PREPARE",
    "IMMEDIATE",
    "HANDLER",
];
/// What is made, changed and removed beside tables and programs.
const ELSEWHERE: [&str; 6] = ["DATABASE", "SCHEMA", "USER", "ROLE", "SERVER", "TABLESPACE"];
/// A table or routine follows.
const BEFORE_NAMES: [&str; 9] = [
    "FROM",
    "JOIN",
    "STRAIGHT_JOIN",
    "INTO",
    "UPDATE",
    "TABLE",
    "CALL",
    "TRUNCATE",
    "TO",
];
/// No further table follows a comma after these.
const AFTER_TABLES: [&str; 13] = [
    "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "SET", "VALUES", "UNION", "SELECT", "DO", "THEN",
    "BEGIN", "END",
];

/// Refuses words that lead out of the database.
pub(super) fn check_words(name: &str, tokens: &[Token]) -> Result<()> {
    for (at, token) in tokens.iter().enumerate() {
        if let Some(word) = FORBIDDEN.iter().find(|word| token.is(word)) {
            return Err(refused(&format!("`{word}` in `{name}`")));
        }
        if token.is("GLOBAL") || token.is("PERSIST") {
            return Err(refused(&format!("`GLOBAL` in `{name}`")));
        }
        let act = ["CREATE", "ALTER", "DROP", "RENAME", "REPLACE", "USE"]
            .iter()
            .any(|word| token.is(word));
        let thing = tokens.get(at + 1);
        if act && thing.is_some_and(|thing| ELSEWHERE.iter().any(|word| thing.is(word))) {
            return Err(refused(&format!(
                "a change of databases or users in `{name}`"
            )));
        }
    }
    Ok(())
}

/// For each token, whether a table (or routine) is named from there on.
pub(super) fn tables(tokens: &[Token]) -> Vec<bool> {
    let mut found = vec![false; tokens.len()];
    // By depth of parentheses: a `SELECT` or the like stands there, so that `FROM` is
    // not that of `TRIM(x FROM y)`; and a comma leads to the next table.
    let mut queries = vec![true];
    let mut lists = vec![false];
    let mut expected = false;
    for (at, token) in tokens.iter().enumerate() {
        let depth = lists.len() - 1;
        if token.is_symbol(b'(') {
            // `FROM (a, b)` lists tables too.
            lists.push(expected);
            queries.push(expected);
        } else if token.is_symbol(b')') {
            if depth > 0 {
                lists.pop();
                queries.pop();
            }
            expected = false;
        } else if token.is_symbol(b',') {
            expected = lists[depth];
        } else if token.is_symbol(b';') {
            lists[depth] = false;
            expected = false;
        } else if BEFORE_NAMES.iter().any(|word| token.is(word)) {
            expected = queries[depth] || !token.is("FROM");
            let list = expected && ["FROM", "JOIN", "UPDATE"].iter().any(|word| token.is(word));
            lists[depth] |= list;
        } else if AFTER_TABLES.iter().any(|word| token.is(word)) {
            lists[depth] = false;
            queries[depth] |= token.is("SELECT");
            expected = false;
        } else {
            found[at] = expected;
            // Words that stand between the keyword and the table.
            expected &= [
                "LATERAL",
                "IGNORE",
                "LOW_PRIORITY",
                "IF",
                "EXISTS",
                "NOT",
                "ONLY",
            ]
            .iter()
            .any(|word| token.is(word));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::sql::Tokens;
    use proptest::prelude::*;

    fn named(text: &str) -> String {
        let tokens: Vec<Token> = Tokens::of(text.as_bytes()).collect();
        let found = tables(&tokens);
        let names = tokens.iter().zip(found).filter(|(_, found)| *found);
        let names: Vec<_> = names
            .map(|(token, _)| String::from_utf8_lossy(token.text))
            .collect();
        names.join(" ")
    }

    #[test]
    fn sees_where_tables_stand() {
        for (text, expected) in [
            ("select a.b, c.d from t, u.v where x.y = 1", "t u"),
            (
                "select 1 from (a join (b.c, d) on (a.x = b.y)), e.f group by g.h, i.j",
                "a b d e",
            ),
            (
                "select trim(both 'x' from a.b), extract(year from c.d) from e",
                "e",
            ),
            ("select 1 from a where x in (select y from b, c.d)", "a b c"),
            ("insert into a.b (c, d) values (e, f)", "a"),
            ("update a, b.c set d.e = 1, f.g = 2", "a b"),
            (
                "begin call a.b; truncate c.d; delete from e.f; set x = 1, y.z = 2; end",
                "a c e",
            ),
            ("delete a from a, b.c where d.e = 1", "a b"),
            ("select (select 1 from a.b), c.d", "a"),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_tokens_are_looked_at(text in "(\\(|\\)|,|;|from |select |join |a\\.b |where |\\.){0,30}") {
            named(&text);
        }
    }
}
