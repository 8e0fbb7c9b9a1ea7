//! Rewrites `CREATE TABLE` and `ALTER TABLE` so that they make a table under a
//! working name, without what must wait until it has its real one.

use super::{
    cursor::Cursor,
    reader::{Reader, refused},
};
use crate::{
    Result,
    database::{
        client::quoted,
        sql::{Kind, Token},
    },
};
use std::ops::Range;

/// A statement for the working name, and statements for the real one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rewritten {
    /// To run now; empty when nothing is left of it.
    pub now: Vec<u8>,
    /// To run once the table has its name: foreign keys, whose names are one name
    /// space per database, and defaults taken from sequences.
    pub later: Vec<Vec<u8>>,
    /// `PRIMARY KEY` is among it.
    pub keyed: bool,
}

/// Options that reach out of the database, or make a table of another.
const FOREIGN: [&str; 10] = [
    "DIRECTORY",
    "UNION",
    "CONNECTION",
    "SELECT",
    "AS",
    "LIKE",
    "TABLESPACE",
    "SECONDARY_ENGINE",
    "IETF_QUOTES",
    "SRCDEF",
];

/// Rewrites `CREATE TABLE name (…) …`, the name at `name` and the next token at
/// `cursor`.
pub(super) fn create(
    reader: &mut Reader,
    text: &[u8],
    cursor: &mut Cursor,
    name: &Range<usize>,
    table: &str,
    working: &str,
) -> Result<Rewritten> {
    let tokens = cursor.tokens;
    let open = cursor.at;
    if !tokens.get(open).is_some_and(|token| token.is_symbol(b'(')) {
        return Err(refused(&format!(
            "`CREATE TABLE {table}` without a list of columns"
        )));
    }
    let close = matching(tokens, open).ok_or_else(|| refused("a table without end"))?;
    for token in &tokens[close + 1..] {
        if FOREIGN.iter().any(|word| token.is(word)) {
            return Err(refused(&format!(
                "table `{table}` with `{}`",
                String::from_utf8_lossy(token.text).to_ascii_uppercase()
            )));
        }
    }
    let mut edits = substitutions(reader, tokens, table)?;
    edits.push((name.clone(), quoted(working).into_bytes()));
    let mut rewritten = Rewritten::default();
    let mut kept = Vec::new();
    for item in items(&tokens[open + 1..close]) {
        let (Some(first), Some(last)) = (item.first(), item.last()) else {
            return Err(refused(&format!("an empty column of `{table}`")));
        };
        let range = first.start..last.end();
        if is_foreign_key(item) {
            let definition = foreign_key(reader, text, item, &edits)?;
            rewritten.later.push(add_to(table, &definition));
            continue;
        }
        check_item(item, table)?;
        rewritten.keyed |= item
            .windows(2)
            .any(|pair| pair[0].is("PRIMARY") && pair[1].is("KEY"));
        if let Some((default, sequence)) = sequence_default(reader, item)? {
            let column = quoted(
                &first
                    .name()
                    .ok_or_else(|| refused("a column without name"))?,
            );
            rewritten.later.push(
                format!(
                    "ALTER TABLE {} ALTER COLUMN {column} SET DEFAULT nextval({})",
                    quoted(table),
                    quoted(&sequence)
                )
                .into_bytes(),
            );
            edits.push((default, Vec::new()));
        }
        kept.push(edited(text, range, &edits));
    }
    rewritten.now = edited(text, 0..tokens[open].end(), &edits);
    rewritten.now.extend_from_slice(b"\n  ");
    rewritten.now.extend_from_slice(&kept.join(&b",\n  "[..]));
    rewritten.now.push(b'\n');
    let rest = edited(text, tokens[close].start..text.len(), &edits);
    rewritten.now.extend_from_slice(&rest);
    Ok(rewritten)
}

/// Rewrites `ALTER TABLE name …`, of which only additions are understood.
pub(super) fn alter(
    reader: &mut Reader,
    text: &[u8],
    cursor: &mut Cursor,
    table: &str,
    working: &str,
) -> Result<Rewritten> {
    let tokens = cursor.tokens;
    let rest = &tokens[cursor.at..];
    let mut rewritten = Rewritten::default();
    if let [what, keys] = rest
        && (what.is("DISABLE") || what.is("ENABLE"))
        && keys.is("KEYS")
    {
        return Ok(rewritten);
    }
    let edits = substitutions(reader, rest, table)?;
    let mut kept = Vec::new();
    for item in items(rest) {
        let [first, following @ ..] = item else {
            return Err(refused(&format!("`ALTER TABLE {table}` without an act")));
        };
        if !["ADD", "MODIFY", "AUTO_INCREMENT"]
            .iter()
            .any(|word| first.is(word))
        {
            return Err(refused(&format!(
                "`ALTER TABLE {table} {}`",
                String::from_utf8_lossy(first.text)
            )));
        }
        if first.is("ADD") && is_foreign_key(following) {
            let definition = foreign_key(reader, text, following, &edits)?;
            rewritten.later.push(add_to(table, &definition));
            continue;
        }
        check_item(item, table)?;
        if uses_sequence(item) {
            return Err(refused(&format!("a sequence in `ALTER TABLE {table}`")));
        }
        rewritten.keyed |= item
            .windows(2)
            .any(|pair| pair[0].is("PRIMARY") && pair[1].is("KEY"));
        let last = item.last().map_or(first.end(), Token::end);
        kept.push(edited(text, first.start..last, &edits));
    }
    if !kept.is_empty() {
        rewritten.now = format!("ALTER TABLE {} ", quoted(working)).into_bytes();
        rewritten.now.extend_from_slice(&kept.join(&b", "[..]));
    }
    Ok(rewritten)
}

/// The foreign keys of a table as the server itself describes it: name, and what
/// follows `ALTER TABLE name` to add it.
pub(in crate::database) fn foreign_keys_of(create: &[u8]) -> Vec<(String, Vec<u8>)> {
    let tokens: Vec<Token> = crate::database::sql::Tokens::of(create).collect();
    let Some(open) = tokens.iter().position(|token| token.is_symbol(b'(')) else {
        return Vec::new();
    };
    let Some(close) = matching(&tokens, open) else {
        return Vec::new();
    };
    let items: Vec<&[Token]> = items(&tokens[open + 1..close]).collect();
    items
        .iter()
        .filter(|item| is_foreign_key(item) && item.len() > 4)
        .filter_map(|item| {
            let text = |item: &[Token]| match item {
                [first, .., last] => &create[first.start..last.end()],
                _ => &[],
            };
            let mut clauses = Vec::new();
            // An index that the server itself made for a foreign key gives way to one
            // under the name of the next; said explicitly, it stays.
            if let Some(index) = index_of(&items, &item[4..]) {
                clauses = [b"DROP KEY ", index[1].text, b", ADD ", text(index), b", "].concat();
            }
            Some((
                item[1].name()?,
                [&clauses, &b"ADD "[..], text(item)].concat(),
            ))
        })
        .collect()
}

/// The plain index over exactly the columns at the start of `columns`.
fn index_of<'t, 'a>(items: &[&'t [Token<'a>]], columns: &[Token]) -> Option<&'t [Token<'a>]> {
    let close = matching(columns, 0)?;
    let wanted = columns[..=close].iter().map(|token| token.text);
    items
        .iter()
        .filter(|item| item.len() > 3 && item[0].is("KEY") && item[2].is_symbol(b'('))
        .find(|item| {
            let list = item[2..].iter().map(|token| token.text);
            list.take(close + 1).eq(wanted.clone())
        })
        .copied()
}

fn add_to(table: &str, definition: &[u8]) -> Vec<u8> {
    [
        format!("ALTER TABLE {} ADD ", quoted(table)).as_bytes(),
        definition,
    ]
    .concat()
}

/// The token that closes the parenthesis at `open`.
pub(super) fn matching(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is_symbol(b'(') {
            depth += 1;
        } else if token.is_symbol(b')') {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// What stands between commas outside parentheses.
fn items<'t, 'a>(tokens: &'t [Token<'a>]) -> impl Iterator<Item = &'t [Token<'a>]> {
    let mut depth = 0_usize;
    tokens.split(move |token| {
        if token.is_symbol(b'(') {
            depth += 1;
        } else if token.is_symbol(b')') {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && token.is_symbol(b',')
    })
}

fn is_foreign_key(item: &[Token]) -> bool {
    match item {
        [first, second, ..] if first.is("FOREIGN") && second.is("KEY") => true,
        [first, rest @ ..] if first.is("CONSTRAINT") => {
            rest.iter().take(2).any(|token| token.is("FOREIGN"))
        }
        _ => false,
    }
}

/// The text of a foreign key with the name of this database taken off.
fn foreign_key(
    reader: &Reader,
    text: &[u8],
    item: &[Token],
    edits: &[(Range<usize>, Vec<u8>)],
) -> Result<Vec<u8>> {
    let mut edits = edits.to_vec();
    let at = item
        .iter()
        .position(|token| token.is("REFERENCES"))
        .ok_or_else(|| refused("a foreign key that refers to nothing"))?;
    let mut cursor = Cursor::at(item, at + 1);
    let (name, range) = reader.name(&mut cursor)?;
    edits.push((range, quoted(&name).into_bytes()));
    let end = item.last().map_or(0, Token::end);
    Ok(edited(text, item[0].start..end, &edits))
}

fn check_item(item: &[Token], table: &str) -> Result<()> {
    for token in item {
        if token.is("REFERENCES") || token.is("LOAD_FILE") || token.is("SELECT") {
            return Err(refused(&format!(
                "`{}` in a column of `{table}`",
                String::from_utf8_lossy(token.text).to_ascii_uppercase()
            )));
        }
    }
    Ok(())
}

fn uses_sequence(item: &[Token]) -> bool {
    ["NEXTVAL", "LASTVAL", "SETVAL"]
        .iter()
        .any(|word| item.iter().any(|token| token.is(word)))
        || item
            .windows(3)
            .any(|three| three[0].is("NEXT") && three[1].is("VALUE") && three[2].is("FOR"))
}

/// `DEFAULT nextval(sequence)` in a column: where it stands, and the sequence.
fn sequence_default(reader: &Reader, item: &[Token]) -> Result<Option<(Range<usize>, String)>> {
    if !uses_sequence(item) {
        return Ok(None);
    }
    let at = item
        .windows(3)
        .position(|three| {
            three[0].is("DEFAULT") && three[1].is("NEXTVAL") && three[2].is_symbol(b'(')
        })
        .ok_or_else(|| refused("a sequence other than in `DEFAULT nextval(…)`"))?;
    let mut cursor = Cursor::at(item, at + 3);
    let (sequence, _) = reader.name(&mut cursor)?;
    match item.get(cursor.at) {
        Some(close) if close.is_symbol(b')') => Ok(Some((item[at].start..close.end(), sequence))),
        _ => Err(refused("a sequence other than in `DEFAULT nextval(…)`")),
    }
}

/// Collations, character sets and engines that this server lacks, replaced.
fn substitutions(
    reader: &mut Reader,
    tokens: &[Token],
    table: &str,
) -> Result<Vec<(Range<usize>, Vec<u8>)>> {
    let mut edits = Vec::new();
    let mut depth = 0_usize;
    for at in 0..tokens.len() {
        let token = &tokens[at];
        if token.is_symbol(b'(') {
            depth += 1;
        } else if token.is_symbol(b')') {
            depth = depth.saturating_sub(1);
        }
        let set = token.is("CHARACTER") && tokens.get(at + 1).is_some_and(|next| next.is("SET"));
        let value = at + if set { 2 } else { 1 };
        let value = value + usize::from(tokens.get(value).is_some_and(|t| t.is_symbol(b'=')));
        let Some(value) = tokens.get(value) else {
            continue;
        };
        let Some(name) = value_name(value) else {
            continue;
        };
        let replaced = if token.is("COLLATE") {
            reader.collations.collation(&name).ok_or_else(|| {
                refused(&format!(
                    "collation `{name}`, to which no known one is near,"
                ))
            })?
        } else if set || token.is("CHARSET") {
            reader
                .collations
                .charset(&name)
                .ok_or_else(|| refused(&format!("unknown character set `{name}`")))?
        } else if token.is("ENGINE") {
            reader.engine(&name, table)
        } else {
            continue;
        };
        if !replaced.eq_ignore_ascii_case(&name) {
            edits.push((value.start..value.end(), replaced.into_bytes()));
        }
    }
    Ok(edits)
}

fn value_name(token: &Token) -> Option<String> {
    match token.kind {
        Kind::Text => std::str::from_utf8(&token.text[1..token.text.len() - 1])
            .ok()
            .map(str::to_owned),
        _ => token.name(),
    }
}

/// A part of the text with the edits inside it made.
pub(super) fn edited(
    text: &[u8],
    range: Range<usize>,
    edits: &[(Range<usize>, Vec<u8>)],
) -> Vec<u8> {
    let mut inside: Vec<_> = edits
        .iter()
        .filter(|(at, _)| range.start <= at.start && at.end <= range.end)
        .collect();
    inside.sort_by_key(|(at, _)| at.start);
    let mut out = Vec::with_capacity(range.len());
    let mut kept = range.start;
    for (at, with) in inside {
        if at.start < kept {
            continue;
        }
        out.extend_from_slice(&text[kept..at.start]);
        out.extend_from_slice(with);
        kept = at.end;
    }
    out.extend_from_slice(&text[kept..range.end]);
    out
}
