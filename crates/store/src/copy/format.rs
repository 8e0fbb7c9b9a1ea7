//! The file: lines of JSON in a zstd frame.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
};
use zstd::stream::{read::Decoder, write::Encoder};

/// The place that the key's proof is sealed for.
pub(super) const KEY_PLACE: &str = "copy.key";
/// The form of the file.
const FORM: u32 = 1;
/// Bytes of a line; a row may hold the output of a job or what is known of a site.
const LONGEST_LINE: u64 = 256 << 20;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// A number, in JSON too.
    Integer,
    /// A text.
    Text,
    /// `true` or `false`.
    Bool,
    /// Bytes, in base 64.
    Bytes,
}

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Header {
    /// The form of the file.
    pub(super) pressroom_copy: u32,
    /// Who wrote it.
    pub(super) version: String,
    /// The migrations the database had had.
    pub(super) schema: Vec<String>,
    /// When, in milliseconds since 1970.
    pub(super) made_at: i64,
    /// Something sealed with the key, to tell whether another key is the same.
    pub(super) key: String,
}

/// A line before the rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableLine {
    pub(super) table: String,
    pub(super) columns: Vec<(String, Kind)>,
}

#[derive(Serialize, Deserialize)]
struct EndLine {
    end: BTreeMap<String, TableSum>,
}

/// What a copy has of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    /// How many rows.
    pub rows: u64,
    /// SHA-256 of their lines, in hex.
    pub sha256: String,
}

/// What is in a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// When it was made, in milliseconds since 1970.
    pub made_at: i64,
    /// The version of Pressroom that made it.
    pub version: String,
    /// Each table.
    pub tables: BTreeMap<String, TableSum>,
}

impl Summary {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.values().map(|table| table.rows).sum()
    }
}

/// Counts and hashes the rows of a table.
#[derive(Default)]
pub(super) struct Sum {
    rows: u64,
    hash: Sha256,
}

impl Sum {
    pub(super) fn add(&mut self, line: &str) {
        self.rows += 1;
        self.hash.update(line);
        self.hash.update("\n");
    }

    pub(super) fn end(self) -> TableSum {
        TableSum {
            rows: self.rows,
            sha256: hex::encode(self.hash.finalize()),
        }
    }
}

/// Writes a copy.
pub(super) struct Writer<W: Write> {
    to: Encoder<'static, W>,
    header: Option<Header>,
    tables: BTreeMap<String, TableSum>,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(to: W) -> Result<Self> {
        let mut to = Encoder::new(to, 3).map_err(|error| unwritten(&error))?;
        to.include_checksum(true)
            .map_err(|error| unwritten(&error))?;
        Ok(Self {
            to,
            header: None,
            tables: BTreeMap::new(),
        })
    }

    pub(super) fn header(&mut self, header: Header) -> Result<()> {
        self.line(&json(&header)?)?;
        self.header = Some(header);
        Ok(())
    }

    pub(super) fn table(&mut self, line: &TableLine) -> Result<()> {
        self.line(&json(line)?)
    }

    pub(super) fn line(&mut self, line: &str) -> Result<()> {
        self.to
            .write_all(line.as_bytes())
            .and_then(|()| self.to.write_all(b"\n"))
            .map_err(|error| unwritten(&error))
    }

    pub(super) fn end_of(&mut self, table: &str, sum: TableSum) {
        self.tables.insert(table.to_owned(), sum);
    }

    pub(super) fn finish(mut self) -> Result<Summary> {
        let end = EndLine { end: self.tables };
        let line = json(&end)?;
        self.to
            .write_all(line.as_bytes())
            .and_then(|()| self.to.write_all(b"\n"))
            .map_err(|error| unwritten(&error))?;
        self.to
            .finish()
            .and_then(|mut to| to.flush())
            .map_err(|error| unwritten(&error))?;
        let header = self
            .header
            .ok_or_else(|| Error::Copy("it has no beginning".to_owned()))?;
        Ok(summary(&header, end.end))
    }
}

/// The header a copy of this program begins with.
pub(super) fn header(schema: Vec<String>, made_at: i64, key: String) -> Header {
    Header {
        pressroom_copy: FORM,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema,
        made_at,
        key,
    }
}

fn summary(header: &Header, tables: BTreeMap<String, TableSum>) -> Summary {
    Summary {
        made_at: header.made_at,
        version: header.version.clone(),
        tables,
    }
}

/// A line of a copy.
#[derive(Debug)]
pub(super) enum Line {
    /// A table begins.
    Table(TableLine),
    /// A row of it.
    Row(String),
    /// All was there; this is what should have been.
    End(BTreeMap<String, TableSum>),
}

/// Reads a copy.
pub(super) struct Reader<R: BufRead> {
    from: BufReader<Decoder<'static, R>>,
    pub(super) header: Header,
}

impl Reader<BufReader<File>> {
    /// Errors: [`Error::Copy`] when it is no copy.
    pub(super) fn open(file: File) -> Result<Self> {
        let decoder = Decoder::new(file).map_err(|_| not_one())?;
        let mut from = BufReader::new(decoder);
        let first = line_of(&mut from)
            .map_err(|_| not_one())?
            .ok_or_else(not_one)?;
        let header: Header = serde_json::from_str(&first).map_err(|_| not_one())?;
        if header.pressroom_copy != FORM {
            return Err(Error::Copy(format!(
                "it has a form that this version does not know: {}",
                header.pressroom_copy
            )));
        }
        Ok(Self { from, header })
    }
}

impl<R: BufRead> Reader<R> {
    /// The next line.
    ///
    /// Errors: [`Error::Copy`] when it is damaged or ends too early.
    pub(super) fn next(&mut self) -> Result<Line> {
        let line = line_of(&mut self.from)
            .map_err(|error| Error::Copy(format!("it is damaged: {error}")))?
            .ok_or_else(|| Error::Copy("it ends too early".to_owned()))?;
        if line.starts_with('[') {
            return Ok(Line::Row(line));
        }
        if let Ok(table) = serde_json::from_str(&line) {
            return Ok(Line::Table(table));
        }
        let end: EndLine = serde_json::from_str(&line)
            .map_err(|_| Error::Copy("a line in it makes no sense".to_owned()))?;
        Ok(Line::End(end.end))
    }

    pub(super) fn summary(&self, tables: BTreeMap<String, TableSum>) -> Summary {
        summary(&self.header, tables)
    }
}

fn line_of(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    let mut bounded = from.take(LONGEST_LINE);
    if bounded.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    if line.pop() != Some('\n') {
        return Err(io::Error::other("a line does not end"));
    }
    Ok(Some(line))
}

pub(super) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Copy(error.to_string()))
}

fn unwritten(error: &io::Error) -> Error {
    Error::Copy(format!("it cannot be written: {error}"))
}

fn not_one() -> Error {
    Error::Copy("it is no copy that Pressroom made".to_owned())
}
