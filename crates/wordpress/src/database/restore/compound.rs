//! Whether the text of a stored program is one statement: every `;` in it inside a
//! block of its own. The client lets the server run several statements at once, so
//! what follows the program's end would run as well.
//!
//! What is not surely a block's start counts as none: a program of a strange form is
//! refused, but none passes for longer than the server takes it.

use super::{cursor::Cursor, table};
use crate::database::{
    dump::ProgramKind,
    sql::{Kind, Token},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Begin,
    If,
    /// `CASE` as a statement.
    Case,
    /// `CASE` inside an expression.
    Value,
    Loop,
    Repeat,
    /// `WHILE` and `FOR`, before and after their `DO`.
    While,
    For,
}

/// Characteristics between a routine's parameters and its body.
const BETWEEN: [&str; 12] = [
    "NOT",
    "DETERMINISTIC",
    "CONTAINS",
    "NO",
    "SQL",
    "READS",
    "MODIFIES",
    "DATA",
    "SECURITY",
    "DEFINER",
    "INVOKER",
    "AGGREGATE",
];
/// What may follow the name of a type.
const OF_TYPE: [&str; 6] = [
    "UNSIGNED",
    "SIGNED",
    "ZEROFILL",
    "PRECISION",
    "VARYING",
    "BINARY",
];

/// Whether nothing follows the program in its statement; `cursor` is behind its name,
/// of a trigger behind its table's.
pub(super) fn is_one(kind: ProgramKind, cursor: Cursor) -> bool {
    let rest = &cursor.tokens[cursor.at..];
    let Some(first) = rest.iter().position(|token| token.is_symbol(b';')) else {
        return true;
    };
    if rest[first..].iter().all(|token| token.is_symbol(b';')) {
        return true;
    }
    body(kind, cursor).is_some_and(|cursor| ends_with(&cursor.tokens[cursor.at..]))
}

/// Moves to the first word of the body.
fn body<'t, 'a>(kind: ProgramKind, mut cursor: Cursor<'t, 'a>) -> Option<Cursor<'t, 'a>> {
    match kind {
        ProgramKind::Trigger => {
            if !(cursor.word("FOR") && cursor.word("EACH") && cursor.word("ROW")) {
                return None;
            }
            if cursor.word("FOLLOWS") || cursor.word("PRECEDES") {
                cursor.next();
            }
        }
        ProgramKind::Event => {
            while !cursor.word("DO") {
                skip_one(&mut cursor)?;
            }
        }
        ProgramKind::Function | ProgramKind::Procedure => {
            if !cursor.peek()?.is_symbol(b'(') {
                return None;
            }
            skip_one(&mut cursor)?;
            loop {
                if cursor.word("COMMENT") || cursor.word("LANGUAGE") {
                    cursor.next();
                } else if cursor.word("RETURNS") {
                    cursor.next();
                    skip_type(&mut cursor)?;
                } else if !BETWEEN.iter().any(|word| cursor.word(word)) {
                    break;
                }
            }
        }
        // Their form is another language's.
        ProgramKind::Package | ProgramKind::PackageBody => return None,
    }
    Some(cursor)
}

fn skip_one(cursor: &mut Cursor) -> Option<()> {
    if cursor.peek()?.is_symbol(b'(') {
        cursor.at = table::matching(cursor.tokens, cursor.at)?;
    }
    cursor.next().map(|_| ())
}

fn skip_type(cursor: &mut Cursor) -> Option<()> {
    loop {
        if cursor.word("CHARSET") || cursor.word("COLLATE") {
            cursor.next();
        } else if cursor.word("CHARACTER") {
            cursor.word("SET");
            cursor.next();
        } else if cursor.peek()?.is_symbol(b'(') {
            skip_one(cursor)?;
        } else if !OF_TYPE.iter().any(|word| cursor.word(word)) {
            return Some(());
        }
    }
}

/// Whether the first statement of these is the only one.
fn ends_with(tokens: &[Token]) -> bool {
    let mut open: Vec<Block> = Vec::new();
    let mut starts = true;
    let mut handler = false;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at + 1);
        let after = at.checked_sub(1).map(|before| &tokens[before]);
        let is_name = after.is_some_and(|it| it.is_symbol(b'.') || it.is_symbol(b'@'));
        at += 1;
        if token.is_symbol(b';') {
            match open.last() {
                None => return tokens[at..].iter().all(|token| token.is_symbol(b';')),
                Some(Block::Value) => return false,
                Some(_) => (starts, handler) = (true, false),
            }
            continue;
        }
        if starts && next.is_some_and(|next| next.is_symbol(b':')) {
            // A label.
            at += 1;
            continue;
        }
        let started = std::mem::take(&mut starts);
        if token.kind != Kind::Word || is_name {
            continue;
        }
        let top = open.last().copied();
        // `UNTIL` has no `;` before its `END`.
        let until = top == Some(Block::Repeat) && next.is_some_and(|next| next.is("REPEAT"));
        if token.is("END") && (started || until || top == Some(Block::Value)) {
            let closed = match next {
                _ if top == Some(Block::Value) => Block::Value,
                Some(next) if next.is("IF") => Block::If,
                Some(next) if next.is("CASE") => Block::Case,
                Some(next) if next.is("LOOP") => Block::Loop,
                Some(next) if next.is("REPEAT") => Block::Repeat,
                Some(next) if next.is("WHILE") => Block::While,
                Some(next) if next.is("FOR") => Block::For,
                _ => Block::Begin,
            };
            if open.pop() != Some(closed) {
                return false;
            }
            at += usize::from(!matches!(closed, Block::Value | Block::Begin));
        } else if token.is("CASE") {
            open.push(if started { Block::Case } else { Block::Value });
        } else if started {
            let block = [
                ("BEGIN", Block::Begin),
                ("IF", Block::If),
                ("LOOP", Block::Loop),
                ("REPEAT", Block::Repeat),
                ("WHILE", Block::While),
                ("FOR", Block::For),
            ];
            if let Some((_, block)) = block.iter().find(|(word, _)| token.is(word)) {
                open.push(*block);
                starts = matches!(block, Block::Begin | Block::Loop | Block::Repeat);
            }
            if starts && token.is("BEGIN") && next.is_some_and(|next| next.is("NOT")) {
                // `BEGIN NOT ATOMIC`.
                at += 2;
            }
            handler = token.is("DECLARE");
        } else if token.is("THEN") || token.is("ELSE") {
            starts = matches!(top, Some(Block::If | Block::Case));
        } else if token.is("DO") {
            starts = matches!(top, Some(Block::While | Block::For));
        } else if handler && token.is("HANDLER") {
            handler = false;
            at = conditions(tokens, at);
            starts = true;
        }
    }
    open.is_empty()
}

/// Moves past `FOR` and the conditions of a handler.
fn conditions(tokens: &[Token], at: usize) -> usize {
    let mut cursor = Cursor::at(tokens, at);
    cursor.word("FOR");
    loop {
        if cursor.word("NOT") {
            cursor.word("FOUND");
        } else if cursor.word("SQLSTATE") {
            cursor.word("VALUE");
            cursor.next();
        } else {
            cursor.next();
        }
        if !cursor.symbol(b',') {
            return cursor.at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::sql::Tokens;

    fn one(kind: ProgramKind, text: &str) -> bool {
        let tokens: Vec<Token> = Tokens::of(text.as_bytes()).collect();
        is_one(kind, Cursor::at(&tokens, 0))
    }

    #[test]
    fn programs_are_told_from_what_follows_them() {
        let blocks = [
            "SELECT 1",
            "SELECT 1;",
            "BEGIN END",
            "BEGIN NOT ATOMIC SELECT 1; END;",
            "a: BEGIN DECLARE x INT; DECLARE EXIT HANDLER FOR NOT FOUND, SQLSTATE VALUE '42S02' BEGIN SET x = 1; END; SET x = 2; END a",
            "BEGIN DECLARE c CURSOR FOR SELECT 1; DECLARE CONTINUE HANDLER FOR SQLEXCEPTION SET @a = 1; SELECT 2; END",
            "IF (NEW.a > 1) THEN SET NEW.a = IF(1, 2, 3); ELSEIF 1 THEN BEGIN SELECT 1; END; ELSE SELECT 2; END IF",
            "CASE x WHEN 1 THEN SELECT CASE WHEN 1 THEN 2 ELSE 3 END; ELSE BEGIN END; END CASE;",
            "BEGIN SET @x = CASE a WHEN 1 THEN t.case ELSE 2 END; WHILE 1 DO SET @a = 1; END WHILE; SELECT 1; END",
            "l: LOOP REPEAT SELECT 1; UNTIL 1 END REPEAT; LEAVE l; END LOOP l",
            "FOR i IN 1 .. 2 DO SELECT i; END FOR",
        ];
        let follows = [
            "SELECT 1; DROP TABLE x",
            "BEGIN END; DROP TABLE x; END",
            "SELECT 1 begin; DROP TABLE x; SELECT 1 end",
            "BEGIN SELECT CASE WHEN 1 THEN begin END; END; DROP TABLE x; SELECT 1 end",
            "BEGIN SELECT t.case, @case; END; DROP TABLE x; SELECT 1 end",
            "BEGIN SELECT 1 if; SELECT IF(1, 2, 3); END; DROP TABLE x; END IF",
            "BEGIN SELECT 1; END; a: BEGIN DROP TABLE x; END",
            "IF 1 THEN SELECT 1; END IF; DROP TABLE x",
            "BEGIN SELECT 1; END WHILE; END",
        ];
        let heads = [
            (ProgramKind::Trigger, "FOR EACH ROW "),
            (ProgramKind::Trigger, "FOR EACH ROW FOLLOWS `b` "),
            (
                ProgramKind::Procedure,
                "(IN a INT(3)) COMMENT 'begin' SQL SECURITY INVOKER ",
            ),
            (
                ProgramKind::Function,
                "() RETURNS varchar(9) CHARSET utf8mb4 COLLATE x DETERMINISTIC ",
            ),
            (
                ProgramKind::Event,
                "ON SCHEDULE EVERY 1 DAY COMMENT 'x' DO ",
            ),
        ];
        for (kind, head) in heads {
            for text in blocks {
                assert!(one(kind, &format!("{head}{text}")), "{head}{text}");
            }
            for text in follows {
                assert!(!one(kind, &format!("{head}{text}")), "{head}{text}");
            }
        }
    }
}
