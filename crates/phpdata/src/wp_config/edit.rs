//! Changing a `wp-config.php` without touching anything else in it.
//!
//! A change is made by the places of what the parser read, byte by byte; the result
//! is then read again, and refused unless it says exactly what was wanted and
//! everything else as before.

mod block;
mod find;

use super::{Place, Value, WpConfig, parse_at, syntax};
use find::Found;
use std::{collections::BTreeSet, ops::Range};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A constant gets this value, defined anew where it is not.
    Set {
        /// Its name.
        name: String,
        /// Its value; not [`Value::Unknown`].
        value: Value,
    },
    /// A constant is no longer defined.
    Remove {
        /// Its name.
        name: String,
    },
    /// `$table_prefix` gets this value.
    TablePrefix {
        /// The prefix.
        prefix: String,
    },
    /// A block of PHP between marks with this name is there, once.
    Block {
        /// Letters, digits, blanks, `-` and `_`.
        name: String,
        /// Whole statements.
        code: String,
    },
    /// The block is not there.
    RemoveBlock {
        /// Its name.
        name: String,
    },
}

/// Why a file is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a name that PHP or we would take.
    #[error("`{0}` is not a name that can be written there")]
    Name(String),
    /// A value that cannot be written.
    #[error("`{0}` cannot be given that value")]
    Value(String),
    /// It is defined where it is not certain that this is run.
    #[error("`{0}` is defined under a condition; it is left as it is")]
    Conditional(String),
    /// Its value is computed.
    #[error("`{0}` is computed, not written down; it is left as it is")]
    Computed(String),
    /// A file that is included may define it.
    #[error("`{0}` may be defined by a file that is included; it is left as it is")]
    Elsewhere(String),
    /// There is no place where WordPress is not yet loaded.
    #[error("the file does not show where it loads WordPress, there is no place for more")]
    NoPlace,
    /// The marks of a block are not one pair.
    #[error("the marks of the block `{0}` are not one pair")]
    Marks(String),
    /// The code of a block is not whole statements.
    #[error("the code of the block `{0}` does not end where it should")]
    Code(String),
    /// The result would not say what was wanted.
    #[error("the file would not read as wanted after changing `{0}`; it is left as it is")]
    Unsound(String),
}

/// Makes the changes in order; all or none. A change that is there already changes
/// nothing.
pub fn apply(file: &[u8], place: &Place, changes: &[Change]) -> Result<Vec<u8>, Refusal> {
    let mut now = file.to_vec();
    for change in changes {
        now = one(&now, place, change)?;
    }
    Ok(now)
}

fn one(file: &[u8], place: &Place, change: &Change) -> Result<Vec<u8>, Refusal> {
    let editor = Editor {
        file,
        syntax: syntax::read(file),
        before: parse_at(file, place),
    };
    let (after, touched) = match change {
        Change::Set { name, value } => {
            check_name(name)?;
            (editor.set(name, value)?, BTreeSet::from([name.clone()]))
        }
        Change::Remove { name } => {
            check_name(name)?;
            (editor.remove(name)?, BTreeSet::from([name.clone()]))
        }
        Change::TablePrefix { prefix } => (editor.table_prefix(prefix)?, BTreeSet::new()),
        Change::Block { name, code } => editor.block(name, code)?,
        Change::RemoveBlock { name } => editor.remove_block(name)?,
    };
    if after == file {
        return Ok(after);
    }
    let read = parse_at(&after, place);
    if says(&read, change) && unchanged(&editor.before, &read, &touched, change) {
        Ok(after)
    } else {
        Err(Refusal::Unsound(subject(change).to_owned()))
    }
}

/// Whether the new file says what was wanted.
fn says(read: &WpConfig, change: &Change) -> bool {
    match change {
        Change::Set { name, value } => read.constant(name) == Some(value),
        Change::Remove { name } => read.constant(name).is_none(),
        Change::TablePrefix { prefix } => {
            read.table_prefix() == Some(&Value::Text(prefix.as_bytes().to_vec()))
        }
        Change::Block { .. } | Change::RemoveBlock { .. } => true,
    }
}

/// Whether everything else reads as before.
fn unchanged(
    before: &WpConfig,
    after: &WpConfig,
    touched: &BTreeSet<String>,
    change: &Change,
) -> bool {
    let others = |config: &WpConfig| -> Vec<(String, Value)> {
        config
            .constants()
            .filter(|(name, _)| !touched.contains(*name))
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect()
    };
    let is_block = matches!(change, Change::Block { .. } | Change::RemoveBlock { .. });
    others(before) == others(after)
        && before.loads == after.loads
        && (is_block || before.opaque == after.opaque)
        && (is_block
            || matches!(change, Change::TablePrefix { .. })
            || before.table_prefix == after.table_prefix)
}

fn subject(change: &Change) -> &str {
    match change {
        Change::Set { name, .. }
        | Change::Remove { name }
        | Change::Block { name, .. }
        | Change::RemoveBlock { name } => name,
        Change::TablePrefix { .. } => "$table_prefix",
    }
}

/// A constant that may be written; `ABSPATH` is WordPress' own.
fn check_name(name: &str) -> Result<(), Refusal> {
    let valid = name
        .bytes()
        .enumerate()
        .all(|(at, b)| b.is_ascii_alphabetic() || b == b'_' || (at > 0 && b.is_ascii_digit()));
    let reserved = ["true", "false", "null"]
        .iter()
        .any(|word| name.eq_ignore_ascii_case(word));
    if name.is_empty() || name.len() > 200 || !valid || reserved || name == "ABSPATH" {
        return Err(Refusal::Name(name.to_owned()));
    }
    Ok(())
}

struct Editor<'a> {
    file: &'a [u8],
    syntax: syntax::File,
    before: WpConfig,
}

impl Editor<'_> {
    fn set(&self, name: &str, value: &Value) -> Result<Vec<u8>, Refusal> {
        let literal = value
            .literal()
            .filter(|literal| !literal.contains(&0))
            .ok_or_else(|| Refusal::Value(name.to_owned()))?;
        if self.before.constants.get(name) == Some(value) {
            return Ok(self.file.to_vec());
        }
        let found = self.definitions(name)?;
        let Some(first) = found.first() else {
            if self.before.constant(name).is_some() {
                return Err(Refusal::Elsewhere(name.to_owned()));
            }
            let mut line = format!("define( '{name}', ").into_bytes();
            line.extend_from_slice(&literal);
            line.extend_from_slice(b" );");
            return self.insert(&line);
        };
        match self.before.constant(name) {
            Some(Value::Unknown) | None if !first.plain => {
                Err(Refusal::Conditional(name.to_owned()))
            }
            Some(Value::Unknown) | None if self.before.opaque && !first.computed => {
                Err(Refusal::Elsewhere(name.to_owned()))
            }
            Some(Value::Unknown) | None => Err(Refusal::Computed(name.to_owned())),
            Some(_) => Ok(self.replaced(&first.value, &literal)),
        }
    }

    fn remove(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        let found = self.definitions(name)?;
        if found.is_empty() {
            return match self.before.constant(name) {
                None => Ok(self.file.to_vec()),
                Some(_) => Err(Refusal::Elsewhere(name.to_owned())),
            };
        }
        let mut whole: Vec<Range<usize>> = Vec::new();
        for one in &found {
            match &one.statement {
                Some(statement) => whole.push(self.line_of(statement)),
                None => return Err(Refusal::Conditional(name.to_owned())),
            }
        }
        // One statement may hold two of them.
        whole.sort_by_key(|span| span.start);
        let mut file = Vec::with_capacity(self.file.len());
        let mut kept_from = 0;
        for span in whole {
            if kept_from < span.start {
                file.extend_from_slice(&self.file[kept_from..span.start]);
            }
            kept_from = kept_from.max(span.end);
        }
        file.extend_from_slice(&self.file[kept_from..]);
        Ok(file)
    }

    fn table_prefix(&self, prefix: &str) -> Result<Vec<u8>, Refusal> {
        const NAME: &str = "$table_prefix";
        let wanted = Value::Text(prefix.as_bytes().to_vec());
        let valid = !prefix.is_empty()
            && prefix
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let literal = wanted
            .literal()
            .filter(|_| valid)
            .ok_or_else(|| Refusal::Value(NAME.to_owned()))?;
        if self.before.table_prefix() == Some(&wanted) {
            return Ok(self.file.to_vec());
        }
        let found = find::assignments(&self.syntax, b"table_prefix");
        match (self.before.table_prefix(), found.last()) {
            (None, _) => {
                let mut line = b"$table_prefix = ".to_vec();
                line.extend_from_slice(&literal);
                line.push(b';');
                self.insert(&line)
            }
            (Some(Value::Unknown), Some(last)) if last.plain && last.computed => {
                Err(Refusal::Computed(NAME.to_owned()))
            }
            (Some(Value::Unknown), None) => Err(Refusal::Elsewhere(NAME.to_owned())),
            (Some(Value::Unknown), _) | (_, None) => Err(Refusal::Conditional(NAME.to_owned())),
            (Some(_), Some(last)) => Ok(self.replaced(&last.value, &literal)),
        }
    }

    /// Where a constant is defined, in order; refused where some places are not seen.
    fn definitions(&self, name: &str) -> Result<Vec<Found>, Refusal> {
        let found = find::definitions(&self.syntax, name.as_bytes());
        if found.len() == find::mentions(&self.syntax, name.as_bytes()) {
            Ok(found)
        } else {
            Err(Refusal::Conditional(name.to_owned()))
        }
    }

    fn replaced(&self, span: &Range<usize>, with: &[u8]) -> Vec<u8> {
        let mut file = self.file[..span.start].to_vec();
        file.extend_from_slice(with);
        file.extend_from_slice(&self.file[span.end..]);
        file
    }

    /// A line of its own before WordPress is loaded.
    fn insert(&self, line: &[u8]) -> Result<Vec<u8>, Refusal> {
        let at = find::insertion(&self.syntax, self.file).ok_or(Refusal::NoPlace)?;
        let mut with = line.to_vec();
        with.extend_from_slice(self.newline());
        Ok(self.replaced(&(at..at), &with))
    }

    /// How this file ends its lines.
    fn newline(&self) -> &'static [u8] {
        let first = self.file.iter().position(|byte| *byte == b'\n');
        match first {
            Some(at) if at > 0 && self.file[at - 1] == b'\r' => b"\r\n",
            _ => b"\n",
        }
    }

    /// The lines that hold nothing but this, or else only this.
    fn line_of(&self, span: &Range<usize>) -> Range<usize> {
        let blank = |byte: &&u8| matches!(**byte, b' ' | b'\t');
        let before = self.file[..span.start].iter().rev();
        let start = span.start - before.take_while(blank).count();
        let mut end = span.end + self.file[span.end..].iter().take_while(blank).count();
        if self.file.get(end) == Some(&b'\r') {
            end += 1;
        }
        let alone = start == 0 || matches!(self.file[start - 1], b'\n' | b'\r');
        match self.file.get(end) {
            Some(b'\n') if alone => start..end + 1,
            _ => span.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
