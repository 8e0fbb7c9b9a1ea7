//! How a stored value is written so that it comes back as the same bytes.

use super::Column;
use crate::database::client::quoted;

/// A larger binary value is written quoted, not in hexadecimal: that is mostly
/// shorter, and a statement must fit `max_allowed_packet`.
const HEX_LIMIT: usize = 64 * 1024;

/// How values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As the server prints it.
    Number,
    /// The same, but a negative zero needs an exponent to stay one.
    Float,
    /// Between quotes; ASCII by its type (dates, addresses).
    Plain,
    /// Text in UTF-8: between quotes, hexadecimal where it is not UTF-8.
    Utf8,
    /// Text in a set that holds ASCII: between quotes where it is ASCII, else
    /// hexadecimal, which the server takes for the column's own bytes.
    Ascii,
    /// Text in a set of wide units: hexadecimal.
    Wide,
    /// Bytes.
    Binary,
}

impl Shape {
    /// By the column's type and character set.
    pub fn of(column: &Column) -> Self {
        match column.data_type.as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "year" => {
                Self::Number
            }
            "float" | "double" => Self::Float,
            "date" | "time" | "datetime" | "timestamp" | "uuid" | "inet4" | "inet6" => Self::Plain,
            "json" => Self::Utf8,
            _ => match column.charset.as_deref() {
                Some("utf8mb4" | "utf8mb3" | "utf8" | "ascii") => Self::Utf8,
                Some("ucs2" | "utf16" | "utf16le" | "utf32" | "swe7") => Self::Wide,
                Some("binary") | None => Self::Binary,
                Some(_) => Self::Ascii,
            },
        }
    }

    /// Appends a value; whether it is not what its column's type promises.
    pub fn render(self, value: Option<&[u8]>, out: &mut Vec<u8>) -> bool {
        let Some(value) = value else {
            out.extend_from_slice(b"NULL");
            return false;
        };
        match self {
            Self::Number => out.extend_from_slice(value),
            Self::Float => {
                out.extend_from_slice(value);
                if value.first() == Some(&b'-')
                    && value[1..].iter().all(|&b| b == b'0' || b == b'.')
                {
                    out.extend_from_slice(b"e0");
                }
            }
            Self::Plain => quote(value, out),
            Self::Utf8 => {
                if std::str::from_utf8(value).is_err() {
                    hexadecimal(value, out);
                    return true;
                }
                quote(value, out);
            }
            Self::Ascii if value.is_ascii() => quote(value, out),
            Self::Binary if value.len() > HEX_LIMIT => {
                out.extend_from_slice(b"_binary ");
                quote(value, out);
            }
            Self::Ascii | Self::Wide | Self::Binary => hexadecimal(value, out),
        }
        false
    }
}

/// The columns that an `INSERT` may name.
pub(crate) fn insertable(columns: Vec<Column>) -> Vec<Column> {
    columns
        .into_iter()
        .filter(|column| !column.generated)
        .collect()
}

/// What to select of them. A `FLOAT` prints six digits only; as a `DOUBLE` it prints
/// all that it needs to come back.
pub(crate) fn select_list(columns: &[Column]) -> String {
    if columns.is_empty() {
        return "1".to_owned();
    }
    let list: Vec<String> = columns
        .iter()
        .map(|column| match column.data_type.as_str() {
            "float" => format!("{} + 0e0", quoted(&column.name)),
            _ => quoted(&column.name),
        })
        .collect();
    list.join(",")
}

/// Appends `value` between quotes. Line ends are escaped too: the stock client would
/// change some, and takes a line that starts with `delimiter` for a command.
pub(crate) fn quote(value: &[u8], out: &mut Vec<u8>) {
    const STRIDE: usize = 32;
    out.push(b'\'');
    let mut chunks = value.chunks_exact(STRIDE);
    for chunk in &mut chunks {
        // One test per chunk that the compiler turns into vector instructions.
        if chunk.iter().fold(false, |any, &byte| any | special(byte)) {
            escape(chunk, out);
        } else {
            out.extend_from_slice(chunk);
        }
    }
    escape(chunks.remainder(), out);
    out.push(b'\'');
}

/// Without branches, so that it can be done for many bytes at once.
#[expect(clippy::needless_bitwise_bool, reason = "lazy operators are branches")]
fn special(byte: u8) -> bool {
    (byte < b' ') | (byte == b'\'') | (byte == b'\\')
}

fn escape(value: &[u8], out: &mut Vec<u8>) {
    let mut from = 0;
    for (at, &byte) in value.iter().enumerate() {
        if !special(byte) {
            continue;
        }
        let letter = match byte {
            0 => b'0',
            b'\n' => b'n',
            b'\r' => b'r',
            0x1a => b'Z',
            b'\'' | b'\\' => byte,
            _ => continue,
        };
        out.extend_from_slice(&value[from..at]);
        out.extend_from_slice(&[b'\\', letter]);
        from = at + 1;
    }
    out.extend_from_slice(&value[from..]);
}

fn hexadecimal(value: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if value.is_empty() {
        out.extend_from_slice(b"''");
        return;
    }
    out.reserve(value.len() * 2 + 2);
    out.extend_from_slice(b"0x");
    for byte in value {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::sql::{Kind, Tokens};
    use proptest::prelude::*;

    fn rendered(shape: Shape, value: &[u8]) -> String {
        let mut out = Vec::new();
        shape.render(Some(value), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn writes_each_shape() {
        assert_eq!(
            rendered(Shape::Utf8, b"it's\n\\ \"x\" \0"),
            r#"'it\'s\n\\ "x" \0'"#
        );
        assert_eq!(rendered(Shape::Utf8, b"\xff"), "0xFF");
        assert_eq!(rendered(Shape::Ascii, b"caf\xe9"), "0x636166E9");
        assert_eq!(rendered(Shape::Wide, b"\0a"), "0x0061");
        assert_eq!(rendered(Shape::Binary, b""), "''");
        assert_eq!(rendered(Shape::Float, b"-0"), "-0e0");
        assert_eq!(rendered(Shape::Float, b"-0.5"), "-0.5");
        assert!(rendered(Shape::Binary, &vec![b'a'; HEX_LIMIT + 1]).starts_with("_binary 'aa"));
        assert!(!Shape::Utf8.render(None, &mut Vec::new()));
    }

    proptest! {
        #[test]
        fn a_quoted_value_is_one_token_on_one_line(value: Vec<u8>) {
            let mut out = Vec::new();
            quote(&value, &mut out);
            let tokens: Vec<_> = Tokens::of(&out).collect();
            prop_assert_eq!(tokens.len(), 1);
            prop_assert_eq!(tokens[0].kind, Kind::Text);
            prop_assert!(!out.contains(&b'\n') && !out.contains(&b'\r'));
        }
    }
}
