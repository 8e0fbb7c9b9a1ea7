//! Every place of a statement in which a table can be named.

use super::{Passed, Territory};
use crate::database::sql::{Kind, Token};
use std::collections::HashSet;

/// Statements that are looked at further; all others are refused.
const KNOWN: [&str; 33] = [
    "SELECT",
    "INSERT",
    "REPLACE",
    "UPDATE",
    "DELETE",
    "WITH",
    "VALUES",
    "TABLE",
    "DO",
    "SHOW",
    "DESCRIBE",
    "DESC",
    "EXPLAIN",
    "HELP",
    "SET",
    "USE",
    "CREATE",
    "ALTER",
    "DROP",
    "TRUNCATE",
    "RENAME",
    "START",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT",
    "RELEASE",
    "LOCK",
    "UNLOCK",
    "ANALYZE",
    "CHECK",
    "OPTIMIZE",
    "REPAIR",
];
/// Functions in whose parentheses `FROM` names no table.
const WITH_FROM: [&str; 8] = [
    "EXTRACT",
    "TRIM",
    "SUBSTRING",
    "SUBSTR",
    "MID",
    "POSITION",
    "OVERLAY",
    "LTRIM",
];
/// Engines whose tables are in this database and nowhere else.
const ENGINES: [&str; 8] = [
    "INNODB", "MYISAM", "ARIA", "MEMORY", "HEAP", "ARCHIVE", "ROCKSDB", "XTRADB",
];
/// Words that say how quotes are read, inside a value of `sql_mode`.
const OTHER_QUOTES: [&str; 8] = [
    "ANSI",
    "BACKSLASH",
    "ORACLE",
    "MSSQL",
    "DB2",
    "MAXDB",
    "POSTGRESQL",
    "TRADITIONAL_QUOTES",
];
/// Character sets in which quotes cannot be told apart safely.
const UNSAFE_SETS: [&str; 9] = [
    "gbk", "sjis", "big5", "cp932", "gb18030", "ucs2", "utf16", "utf16le", "utf32",
];
/// Schemas that hold no site's rows.
const OF_THE_SERVER: [&str; 1] = ["information_schema"];

/// A keyword as it is compared; empty for what is none.
pub(super) fn upper(token: &Token) -> String {
    match token.kind {
        Kind::Word => String::from_utf8_lossy(token.text).to_ascii_uppercase(),
        _ => String::new(),
    }
}

/// Names that `WITH` gives to what is selected.
fn common_names(tokens: &[Token]) -> HashSet<String> {
    if !tokens.iter().any(|token| token.is("WITH")) {
        return HashSet::new();
    }
    let mut names = HashSet::new();
    for (at, token) in tokens.iter().enumerate() {
        let opens = tokens.get(at + 1).is_some_and(|next| next.is_symbol(b'('));
        if !token.is("AS") || !opens || at == 0 {
            continue;
        }
        // `name AS (` or `name (columns) AS (`.
        let mut before = at - 1;
        if tokens[before].is_symbol(b')') {
            while before > 0 && !tokens[before].is_symbol(b'(') {
                before -= 1;
            }
            before = before.saturating_sub(1);
        }
        names.extend(tokens[before].name());
    }
    names
}

/// What holds between two parentheses.
#[derive(Debug, Default)]
struct Level {
    /// A comma is followed by one more table.
    lists: bool,
    /// What is named there is read and not changed.
    reads: bool,
    /// It belongs to a function that has its own `FROM`, and no `SELECT` began in it.
    has_own_from: bool,
}

/// Goes through a statement once.
pub(super) struct Walker<'a> {
    territory: &'a Territory,
    tokens: &'a [Token<'a>],
    at: usize,
    levels: Vec<Level>,
    named: HashSet<String>,
    passed: Passed,
    act: String,
    /// What is named next is read and not changed.
    reads: bool,
}

type Judged = Result<(), String>;

impl<'a> Walker<'a> {
    pub(super) fn new(territory: &'a Territory, tokens: &'a [Token<'a>], act: &str) -> Self {
        Self {
            territory,
            tokens,
            at: 0,
            levels: vec![Level::default()],
            named: common_names(tokens),
            passed: Passed::default(),
            act: act.to_owned(),
            reads: false,
        }
    }

    /// What may be made by it, or what is wrong with it.
    pub(super) fn judge(mut self) -> Result<Passed, String> {
        self.statement()?;
        Ok(self.passed)
    }

    fn statement(&mut self) -> Judged {
        if !KNOWN.contains(&self.act.as_str()) && self.act != "CHECKSUM" {
            return Err("a statement of this kind".to_owned());
        }
        let ends = |token: &Token| token.is_symbol(b';');
        if self.tokens.iter().any(ends) {
            return Err("several statements at once".to_owned());
        }
        match self.act.as_str() {
            "SET" => self.set()?,
            "USE" => return self.database(),
            "SHOW" | "HELP" if !self.has_any(&["SELECT"]) => return Ok(()),
            "DESCRIBE" | "DESC" | "EXPLAIN" if self.tokens.len() <= 4 && !self.acts() => {
                return Ok(());
            }
            "CREATE" | "ALTER" | "DROP" => self.definition()?,
            _ => {}
        }
        self.live_names()?;
        while self.at < self.tokens.len() {
            self.step()?;
        }
        Ok(())
    }

    fn has_any(&self, words: &[&str]) -> bool {
        let is = |token: &Token| words.iter().any(|word| token.is(word));
        self.tokens.iter().any(is)
    }

    /// Whether something is told to be carried out.
    fn acts(&self) -> bool {
        self.has_any(&[
            "SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH", "TABLE", "FOR", "VALUES",
        ])
    }

    /// A name of the live site's tables is refused wherever it stands.
    fn live_names(&self) -> Judged {
        for token in self.tokens {
            if let Some(name) = token.name()
                && self.territory.live.contains(&name.to_lowercase())
            {
                return Err(name);
            }
        }
        Ok(())
    }

    fn database(&self) -> Judged {
        match self.tokens {
            [_, name] if name.name().as_deref() == Some(self.territory.database.as_str()) => Ok(()),
            _ => Err("another database".to_owned()),
        }
    }

    fn set(&self) -> Judged {
        if self.has_any(&[
            "GLOBAL",
            "PERSIST",
            "PERSIST_ONLY",
            "PASSWORD",
            "ROLE",
            "RESOURCE",
            "PREPARE",
            "EXECUTE",
            "CALL",
            "HANDLER",
            "LOAD",
        ]) {
            return Err("a setting of the server".to_owned());
        }
        // `@name`, which is not `@@name`.
        let variables = self.tokens.iter().enumerate().any(|(at, token)| {
            let near = |at: usize| self.tokens.get(at).is_some_and(|one| one.is_symbol(b'@'));
            token.is_symbol(b'@') && !near(at + 1) && !(at > 0 && near(at - 1))
        });
        let texts = || {
            let of = |token: &Token| String::from_utf8_lossy(token.text).to_ascii_uppercase();
            self.tokens.iter().map(of)
        };
        if self.has_any(&["SQL_MODE"]) {
            let plain = |token: &Token| {
                token.kind != Kind::Word
                    || [
                        "SET", "SESSION", "LOCAL", "SQL_MODE", "REPLACE", "SELECT", "DEFAULT",
                    ]
                    .iter()
                    .any(|word| token.is(word))
            };
            let other = texts().any(|text| OTHER_QUOTES.iter().any(|word| text.contains(word)));
            let name = self.tokens.iter().any(|token| token.kind == Kind::Name);
            if variables || other || name || !self.tokens.iter().all(plain) {
                return Err("a mode in which quotes mean something else".to_owned());
            }
        }
        let sets = ["NAMES", "CHARACTER", "CHARSET", "CHARACTER_SET_CLIENT"];
        if self.has_any(&sets) {
            let unsafe_set = texts().any(|text| {
                let text = text.trim_matches(['\'', '"', '`']).to_ascii_lowercase();
                UNSAFE_SETS.contains(&text.as_str())
            });
            if variables || unsafe_set {
                return Err("a character set that cannot be read safely".to_owned());
            }
        }
        if self.tokens.iter().any(|token| {
            let name = token.name().unwrap_or_default().to_ascii_uppercase();
            token.kind == Kind::Name
                && ["SQL_MODE", "CHARACTER_SET_CLIENT"].contains(&name.as_str())
        }) {
            return Err("a setting that cannot be read".to_owned());
        }
        Ok(())
    }

    /// What is created, altered, or dropped: a table, an index, a view.
    fn definition(&self) -> Judged {
        let kind = self.tokens.iter().skip(1).take(16).find(|token| {
            [
                "TABLE",
                "INDEX",
                "VIEW",
                "TABLES",
                "DATABASE",
                "SCHEMA",
                "TRIGGER",
                "PROCEDURE",
            ]
            .iter()
            .chain(&[
                "FUNCTION", "EVENT", "USER", "ROLE", "SERVER", "SEQUENCE", "PACKAGE",
            ])
            .any(|word| token.is(word))
        });
        let allowed = ["TABLE", "TABLES", "INDEX", "VIEW"];
        if !kind.is_some_and(|kind| allowed.iter().any(|word| kind.is(word))) {
            return Err("something that is no table".to_owned());
        }
        for (at, token) in self.tokens.iter().enumerate() {
            let assigned = self.tokens.get(at + 1).is_some_and(|next| {
                next.is_symbol(b'=') || (token.is("UNION") && next.is_symbol(b'('))
            });
            let outside = (["CONNECTION", "UNION"].iter().any(|word| token.is(word)) && assigned)
                || token.is("DIRECTORY");
            if outside && !self.has_any(&["SELECT"]) {
                return Err("a table that is kept elsewhere".to_owned());
            }
            if token.is("ENGINE") {
                let mut named = self.tokens[at + 1..].iter();
                let named = named.find(|next| !next.is_symbol(b'='));
                let name = named.map(|token| {
                    let text = String::from_utf8_lossy(token.text).to_ascii_uppercase();
                    text.trim_matches(['\'', '"', '`']).to_owned()
                });
                if !name.is_some_and(|name| ENGINES.contains(&name.as_str())) {
                    return Err("a table of another engine".to_owned());
                }
            }
        }
        Ok(())
    }

    fn peek(&self, ahead: usize) -> Option<&Token<'_>> {
        self.tokens.get(self.at + ahead)
    }

    fn next_is(&self, symbol: u8) -> bool {
        self.peek(0).is_some_and(|token| token.is_symbol(symbol))
    }

    fn next_word(&self) -> String {
        self.peek(0).map(upper).unwrap_or_default()
    }

    /// The word two before the one to come: the one before the keyword at work.
    fn word_before(&self) -> String {
        let before = self.at.checked_sub(2).and_then(|at| self.tokens.get(at));
        before.map(upper).unwrap_or_default()
    }

    fn skip(&mut self, words: &[&str]) {
        while words.contains(&self.next_word().as_str()) {
            self.at += 1;
        }
    }

    fn level(&mut self) -> Result<&mut Level, String> {
        self.levels
            .last_mut()
            .ok_or_else(|| "parentheses that do not match".to_owned())
    }

    fn step(&mut self) -> Judged {
        let Some(token) = self.tokens.get(self.at).copied() else {
            return Ok(());
        };
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let qualified = before.is_some_and(|token| token.is_symbol(b'.'));
        let function = before.map(upper).unwrap_or_default();
        self.at += 1;
        match token.kind {
            Kind::Symbol => match token.text {
                b"(" => self.levels.push(Level {
                    has_own_from: WITH_FROM.contains(&function.as_str()),
                    ..Level::default()
                }),
                b")" => {
                    self.levels.pop();
                    self.level()?;
                }
                b"," if self.level()?.lists => {
                    self.reads = self.level()?.reads;
                    return self.tables(true);
                }
                _ => {}
            },
            Kind::Word if !qualified => {
                let word = upper(&token);
                // Those may be names of their own; the others are reserved.
                let names = ["TABLES", "VIEW"].contains(&word.as_str()) && self.next_is(b'.');
                if !names {
                    return self.keyword(&word);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn keyword(&mut self, word: &str) -> Judged {
        let ddl = ["CREATE", "ALTER", "DROP"].contains(&self.act.as_str());
        let before = self.word_before();
        let deletes = ["DELETE", "LOW_PRIORITY", "QUICK", "IGNORE"].contains(&before.as_str());
        self.reads = ["FROM", "JOIN", "STRAIGHT_JOIN"].contains(&word) && !deletes;
        match word {
            "SELECT" => {
                let level = self.level()?;
                level.has_own_from = false;
                level.lists = false;
            }
            "FROM" => {
                let level = self.level()?;
                if !level.has_own_from && (self.act != "SHOW" || self.levels.len() > 1) {
                    return self.tables(true);
                }
            }
            "STRAIGHT_JOIN" if is_select_option(&before) => {}
            "JOIN" if before == "FOR" => {}
            "JOIN" | "STRAIGHT_JOIN" => return self.tables(true),
            "INTO" => {
                if ["OUTFILE", "DUMPFILE"].contains(&self.next_word().as_str()) {
                    return Err("a file of the server".to_owned());
                }
                if !self.next_is(b'@') {
                    self.skip(&["TABLE"]);
                    return self.tables(false);
                }
            }
            "INSERT" | "REPLACE" if !self.next_is(b'(') && before != "OR" => {
                self.skip(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE"]);
                if self.next_word() != "INTO" {
                    return self.tables(false);
                }
            }
            "UPDATE" if !["KEY", "FOR", "ON"].contains(&before.as_str()) => {
                self.skip(&["LOW_PRIORITY", "IGNORE"]);
                return self.tables(true);
            }
            "TABLE" | "TABLES" if word == "TABLE" || self.at <= 4 => {
                if self.act == "UNLOCK" {
                    return Ok(());
                }
                self.skip(&["IF", "NOT", "EXISTS"]);
                self.tables(!["CREATE", "ALTER", "INSERT"].contains(&self.act.as_str()))?;
                if self.act == "CREATE"
                    && self.next_is(b'(')
                    && self.peek(1).is_some_and(|it| it.is("LIKE"))
                {
                    self.at += 2;
                    self.levels.push(Level::default());
                    return self.tables(false);
                }
                if self.act == "CREATE" && self.next_word() == "LIKE" {
                    self.at += 1;
                    return self.tables(false);
                }
            }
            "TRUNCATE" if !self.next_is(b'(') && self.next_word() != "TABLE" => {
                return self.tables(false);
            }
            "DESCRIBE" | "DESC" | "EXPLAIN" if self.at == 1 && !self.acts() => {
                return Err("a statement that cannot be read".to_owned());
            }
            "REFERENCES" => return self.tables(false),
            "USING" if self.act == "DELETE" && self.levels.len() == 1 && !self.next_is(b'(') => {
                return self.tables(true);
            }
            "RENAME"
                if self.act == "ALTER"
                    && !["COLUMN", "INDEX", "KEY"].contains(&self.next_word().as_str()) =>
            {
                self.skip(&["TO", "AS"]);
                if self.next_is(b'=') {
                    self.at += 1;
                }
                return self.tables(false);
            }
            "TO" if self.act == "RENAME" => return self.tables(true),
            // Of an index; in a view's `JOIN … ON` no name is taken for a table.
            "ON" if ddl
                && self.levels.len() == 1
                && !["DELETE", "UPDATE"].contains(&self.next_word().as_str())
                && !self.has_any(&["SELECT"]) =>
            {
                return self.tables(false);
            }
            "VIEW" if ddl => {
                self.skip(&["IF", "NOT", "EXISTS"]);
                return self.tables(self.act == "DROP");
            }
            "WHERE" | "GROUP" | "ORDER" | "HAVING" | "LIMIT" | "SET" | "UNION" | "VALUES" => {
                self.level()?.lists = false;
            }
            "FOR" if ["UPDATE", "SHARE"].contains(&self.next_word().as_str()) => {
                self.level()?.lists = false;
            }
            "LOAD_FILE" | "SETVAL" | "NEXTVAL" | "LASTVAL" if self.next_is(b'(') => {
                return Err(format!("the function `{word}`"));
            }
            "CALL" | "EXECUTE" | "PREPARE" | "HANDLER" if before == "FOR" => {
                return Err("a statement of this kind".to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    /// A table is named here, or several.
    fn tables(&mut self, lists: bool) -> Judged {
        let reads = self.reads;
        let level = self.level()?;
        level.lists = lists;
        level.reads = reads;
        let unreadable = || Err("a table that cannot be read".to_owned());
        if self.next_is(b'(') {
            self.at += 1;
            self.levels.push(Level::default());
            let begins = ["SELECT", "WITH", "VALUES", "TABLE"];
            if begins.contains(&self.next_word().as_str()) {
                return Ok(());
            }
            return self.tables(true);
        }
        if self.next_word() == "LATERAL" {
            self.at += 1;
            return if self.next_is(b'(') {
                self.tables(lists)
            } else {
                unreadable()
            };
        }
        // `UPDATE t SET` of a duplicate key, where no table is named.
        let Some(first) = self.peek(0).and_then(Token::name) else {
            return unreadable();
        };
        let bare = self.peek(0).is_some_and(|token| token.kind == Kind::Word);
        self.at += 1;
        if !self.next_is(b'.') {
            if bare && first.eq_ignore_ascii_case("DUAL") {
                return Ok(());
            }
            if bare && self.next_is(b'(') && first.eq_ignore_ascii_case("JSON_TABLE") {
                return Ok(());
            }
            return self.table(&first);
        }
        self.at += 1;
        let Some(second) = self.peek(0).and_then(Token::name) else {
            return unreadable();
        };
        self.at += 1;
        if self.next_is(b'.') {
            return unreadable();
        }
        if first == self.territory.database {
            return self.table(&second);
        }
        let looks = [
            "SELECT", "WITH", "EXPLAIN", "DESCRIBE", "DESC", "SHOW", "INSERT", "REPLACE", "SET",
        ];
        if OF_THE_SERVER
            .iter()
            .any(|name| first.eq_ignore_ascii_case(name))
            && looks.contains(&self.act.as_str())
        {
            return Ok(());
        }
        Err(format!("{first}.{second}"))
    }

    fn table(&mut self, name: &str) -> Judged {
        if self.territory.holds(name) {
            let makes = ["CREATE", "ALTER", "RENAME"];
            if makes.contains(&self.act.as_str()) {
                self.passed.made.push(name.to_owned());
            }
            return Ok(());
        }
        // Nobody can write to what was selected; a table of that name could be written.
        if self.reads && self.named.contains(name) {
            return Ok(());
        }
        Err(name.to_owned())
    }
}

/// What may stand between `SELECT` and `STRAIGHT_JOIN`, which is then no join.
fn is_select_option(word: &str) -> bool {
    ["SELECT", "ALL", "DISTINCT", "DISTINCTROW", "HIGH_PRIORITY"].contains(&word)
        || word.starts_with("SQL_")
}
