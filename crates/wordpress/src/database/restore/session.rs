//! What the `SET` statements of a dump ask for. They are not sent on but understood:
//! several connections load, and a dump may not set what it likes.

use super::collations::Collations;
use crate::{
    Error, Result,
    database::{
        client::literal,
        sql::{Kind, Token},
    },
};
use std::collections::BTreeMap;

/// Settings that decide how a statement is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    client: String,
    collation: Option<String>,
    mode: String,
    zone: String,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            client: "utf8mb4".to_owned(),
            collation: None,
            mode: "NO_AUTO_VALUE_ON_ZERO".to_owned(),
            zone: "+00:00".to_owned(),
        }
    }
}

/// Sets in which a byte of a character may look like a quote or backslash.
const UNSAFE: [&str; 9] = [
    "gbk", "sjis", "big5", "cp932", "gb18030", "ucs2", "utf16", "utf16le", "utf32",
];
/// Set by dumps to no effect here, for a restore has its own way.
const WITHOUT_EFFECT: [&str; 14] = [
    "UNIQUE_CHECKS",
    "FOREIGN_KEY_CHECKS",
    "SQL_NOTES",
    "NOTE_VERBOSITY",
    "AUTOCOMMIT",
    "CHARACTER_SET_RESULTS",
    "CHARACTER_SET_CONNECTION",
    "SQL_QUOTE_SHOW_CREATE",
    "SQL_WARNINGS",
    "SQL_SAFE_UPDATES",
    "INNODB_STRICT_MODE",
    "DEFAULT_STORAGE_ENGINE",
    "TRANSACTION",
    "OPTIMIZER_SWITCH",
];
/// Known and harmless to leave out, but worth saying.
const PASSED_OVER: [&str; 4] = ["GTID_PURGED", "SQL_LOG_BIN", "GTID_DOMAIN_ID", "SERVER_ID"];

impl Session {
    /// The `SET` under which rows and tables are stored: zero and invalid dates
    /// survive, whatever the dump says.
    pub fn for_data(&self) -> Result<String> {
        let modes: Vec<&str> = self.modes().collect();
        if modes.iter().any(|mode| mode.contains("ANSI")) {
            return Err(Error::BadInput(
                "the dump sets `ANSI_QUOTES`, under which `\"` means something else".to_owned(),
            ));
        }
        let zero = if modes.contains(&"NO_AUTO_VALUE_ON_ZERO") {
            "NO_AUTO_VALUE_ON_ZERO,"
        } else {
            ""
        };
        Ok(self.with_mode(&format!("{zero}ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION")))
    }

    /// The same for rows; `bytes` where each text is what its column stores, which
    /// saves the server from converting each (a fifth of its work).
    pub fn for_rows(&self, bytes: bool) -> Result<String> {
        let set = self.for_data()?;
        Ok(match set.strip_prefix("SET NAMES utf8mb4,") {
            Some(rest) if bytes => format!("SET NAMES binary,{rest}"),
            _ => set,
        })
    }

    /// The `SET` under which a view, trigger, routine or event was written.
    pub fn for_program(&self) -> String {
        self.with_mode(&self.mode)
    }

    fn with_mode(&self, mode: &str) -> String {
        let collation = self
            .collation
            .as_ref()
            .map(|name| format!(", collation_connection = {name}"))
            .unwrap_or_default();
        format!(
            "SET NAMES {}{collation}, sql_mode = {}, time_zone = {}",
            self.client,
            literal(mode),
            literal(&self.zone)
        )
    }

    fn modes(&self) -> impl Iterator<Item = &str> {
        self.mode.split(',').map(str::trim)
    }
}

/// The session at work, and the variables in which a dump keeps older values.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// As of now.
    pub now: Session,
    variables: BTreeMap<String, Option<String>>,
}

impl Sessions {
    /// Takes a `SET` statement in; what of it has no effect and is worth saying.
    pub fn set(&mut self, tokens: &[Token], collations: &mut Collations) -> Result<Vec<String>> {
        let mut said = Vec::new();
        for part in tokens[1..].split(|token| token.is_symbol(b',')) {
            // A comma inside parentheses leaves parts that are understood by nobody.
            said.extend(self.assign(part, collations)?);
        }
        Ok(said)
    }

    fn assign(&mut self, part: &[Token], collations: &mut Collations) -> Result<Option<String>> {
        let [first, rest @ ..] = part else {
            return Err(not_understood(part));
        };
        if first.is("NAMES") {
            return self.names(part, rest, collations);
        }
        let mut words = part;
        let mut global = false;
        let mut user = false;
        if first.is_symbol(b'@') {
            words = rest;
            if rest.first().is_some_and(|token| token.is_symbol(b'@')) {
                words = &rest[1..];
            } else {
                user = true;
            }
        }
        if let [scope, rest @ ..] = words
            && !user
            && ["SESSION", "LOCAL", "GLOBAL", "PERSIST", "PERSIST_ONLY"]
                .iter()
                .any(|word| scope.is(word))
        {
            global = !(scope.is("SESSION") || scope.is("LOCAL"));
            words = match rest {
                [dot, rest @ ..] if dot.is_symbol(b'.') => rest,
                rest => rest,
            };
        }
        let [name, rest @ ..] = words else {
            return Err(not_understood(part));
        };
        let name = name
            .name()
            .ok_or_else(|| not_understood(part))?
            .to_ascii_uppercase();
        if name == "CHARACTER" && rest.first().is_some_and(|token| token.is("SET")) {
            return self.names(part, &rest[1..], collations);
        }
        if PASSED_OVER.contains(&name.as_str()) {
            return Ok(Some(format!("SET {name}")));
        }
        if global {
            return Err(Error::BadInput(format!(
                "the dump sets the server's variable `{}`: `SET GLOBAL` is refused",
                name.to_ascii_lowercase()
            )));
        }
        if name == "TRANSACTION" {
            return Ok(None);
        }
        let value = match rest {
            [colon, equals, value @ ..] if colon.is_symbol(b':') && equals.is_symbol(b'=') => value,
            [equals, value @ ..] if equals.is_symbol(b'=') => value,
            _ => return Err(not_understood(part)),
        };
        let value = self.value(value);
        if user {
            self.variables.insert(name, value.ok().flatten());
            return Ok(None);
        }
        if WITHOUT_EFFECT.contains(&name.as_str()) {
            return Ok(None);
        }
        let value = value?;
        self.take(&name, value, collations)?;
        Ok(None)
    }

    fn take(
        &mut self,
        name: &str,
        value: Option<String>,
        collations: &mut Collations,
    ) -> Result<()> {
        let initial = Session::default();
        match name {
            "CHARACTER_SET_CLIENT" => {
                self.now.client = client_set(&value.unwrap_or(initial.client), collations)?;
            }
            "COLLATION_CONNECTION" => {
                self.now.collation = match value {
                    Some(name) => Some(plain(collations.collation(&name).ok_or_else(|| {
                        Error::BadInput(format!("no collation here is near `{name}`"))
                    })?)?),
                    None => None,
                };
            }
            "SQL_MODE" => {
                let mode = value.unwrap_or(initial.mode).to_ascii_uppercase();
                if !mode
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_, ".contains(&b))
                {
                    return Err(Error::BadInput(format!("`{mode}` is no SQL mode")));
                }
                if mode.contains("NO_BACKSLASH_ESCAPES") {
                    return Err(Error::BadInput(
                        "the dump sets `NO_BACKSLASH_ESCAPES`, under which texts end elsewhere"
                            .to_owned(),
                    ));
                }
                self.now.mode = mode;
            }
            "TIME_ZONE" => self.now.zone = value.unwrap_or(initial.zone),
            name => {
                return Err(Error::BadInput(format!(
                    "the dump sets `{}`, which is not among what a restore may set",
                    name.to_ascii_lowercase()
                )));
            }
        }
        Ok(())
    }

    fn names(
        &mut self,
        part: &[Token],
        rest: &[Token],
        collations: &mut Collations,
    ) -> Result<Option<String>> {
        let [set, rest @ ..] = rest else {
            return Err(not_understood(part));
        };
        let set = text_of(set).ok_or_else(|| not_understood(part))?;
        let initial = Session::default();
        let set = if set.eq_ignore_ascii_case("DEFAULT") {
            initial.client
        } else {
            set
        };
        self.now.client = client_set(&set, collations)?;
        self.now.collation = None;
        match rest {
            [] => Ok(None),
            [word, name] if word.is("COLLATE") => {
                let name = text_of(name).ok_or_else(|| not_understood(part))?;
                self.take("COLLATION_CONNECTION", Some(name), collations)?;
                Ok(None)
            }
            _ => Err(not_understood(part)),
        }
    }

    /// A literal, or what a variable holds; `None` is the initial value.
    fn value(&self, value: &[Token]) -> Result<Option<String>> {
        match value {
            [one] if one.is("DEFAULT") || one.is("NULL") => Ok(None),
            [one] => text_of(one).map(Some).ok_or_else(|| not_understood(value)),
            [at, name] if at.is_symbol(b'@') => {
                let name = name.name().unwrap_or_default().to_ascii_uppercase();
                Ok(self.variables.get(&name).cloned().flatten())
            }
            [at, second, .., name] if at.is_symbol(b'@') && second.is_symbol(b'@') => Ok(
                match name
                    .name()
                    .unwrap_or_default()
                    .to_ascii_uppercase()
                    .as_str()
                {
                    "CHARACTER_SET_CLIENT" => Some(self.now.client.clone()),
                    "COLLATION_CONNECTION" => self.now.collation.clone(),
                    "SQL_MODE" => Some(self.now.mode.clone()),
                    "TIME_ZONE" => Some(self.now.zone.clone()),
                    _ => None,
                },
            ),
            _ => Err(not_understood(value)),
        }
    }
}

fn client_set(name: &str, collations: &mut Collations) -> Result<String> {
    let lower = name.to_ascii_lowercase();
    if UNSAFE.contains(&lower.as_str()) {
        return Err(Error::BadInput(format!(
            "the dump is written in `{lower}`, in which its texts cannot be told apart safely"
        )));
    }
    collations
        .charset(&lower)
        .ok_or_else(|| Error::BadInput(format!("this server does not know the set `{lower}`")))
        .and_then(plain)
}

/// A name that needs no quotes in a statement.
fn plain(name: String) -> Result<String> {
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        Ok(name)
    } else {
        Err(Error::BadInput(format!(
            "`{name}` is no name of a character set"
        )))
    }
}

fn text_of(token: &Token) -> Option<String> {
    match token.kind {
        Kind::Text => {
            let text = std::str::from_utf8(&token.text[1..token.text.len() - 1]).ok()?;
            (!text.contains(['\\', '\''])).then(|| text.to_owned())
        }
        _ => token.name(),
    }
}

fn not_understood(part: &[Token]) -> Error {
    let shown: Vec<_> = part
        .iter()
        .take(8)
        .map(|token| String::from_utf8_lossy(token.text))
        .collect();
    Error::BadInput(format!(
        "`SET {}` in the dump is not understood",
        shown.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::sql::Tokens;

    fn set(sessions: &mut Sessions, text: &str) -> Result<Vec<String>> {
        let tokens: Vec<Token> = Tokens::of(text.as_bytes()).collect();
        let mut collations = Collations::default();
        collations.know(&["utf8mb4", "latin1"], &["utf8mb4_general_ci"]);
        sessions.set(&tokens, &mut collations)
    }

    #[test]
    fn understands_what_dumps_set() {
        let mut sessions = Sessions::default();
        for text in [
            "SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT, @x := 5",
            "SET NAMES latin1",
            "SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO'",
            "SET TIME_ZONE='+02:00'",
            "SET @@SESSION.sql_notes = 0",
            "SET collation_connection = utf8mb4_general_ci",
            "SET AUTOCOMMIT = 0",
        ] {
            assert_eq!(
                set(&mut sessions, text).unwrap(),
                Vec::<String>::new(),
                "{text}"
            );
        }
        assert_eq!(
            sessions.now.for_data().unwrap(),
            "SET NAMES latin1, collation_connection = utf8mb4_general_ci, \
             sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION', \
             time_zone = '+02:00'"
        );
        set(
            &mut sessions,
            "SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT",
        )
        .unwrap();
        assert!(sessions.now.for_program().starts_with("SET NAMES utf8mb4,"));
        assert_eq!(
            set(&mut sessions, "SET @@GLOBAL.GTID_PURGED='a:1-5'").unwrap(),
            ["SET GTID_PURGED"]
        );
        set(&mut sessions, "SET sql_mode = 'ANSI'").unwrap();
        assert!(sessions.now.for_data().is_err());
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "SET GLOBAL max_connections = 1",
            "SET @@GLOBAL.general_log_file = '/x'",
            "SET PERSIST a = 1",
            "SET NAMES gbk",
            "SET NAMES klingon",
            "SET PASSWORD = 'x'",
            "SET ROLE admin",
            "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
            "SET sql_mode = '\\' x'",
            "SET tx_read_only = 1",
            "SET character_set_client = sjis",
            "SET",
            "SET a",
        ] {
            assert!(set(&mut Sessions::default(), text).is_err(), "{text}");
        }
    }
}
