//! `wp-config.php`, read without running it.
//!
//! Only what is certain is answered. A constant that is defined under a condition
//! that cannot be told, from a computed value, or after something that may have
//! defined it first (an include, `eval`) is [`Value::Unknown`]. The first definition
//! counts, as in PHP; reading stops where WordPress itself is loaded.
//!
//! `defined( 'X' )` is taken for false where nothing in this file defined it yet and
//! WordPress' entry points do not either: a host that defines a site's constants
//! from `auto_prepend_file` is not seen.

pub mod edit;
mod run;
mod syntax;

use std::collections::BTreeMap;

/// The value of a constant or variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string, of whatever bytes.
    Text(Vec<u8>),
    /// An integer.
    Int(i64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// It is, or may be, something, and only running the file would tell.
    Unknown,
}

impl Value {
    /// As a string, the way PHP converts; `None` when unknown or not UTF-8.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Text(bytes) => String::from_utf8(bytes.clone()).ok(),
            Self::Int(number) => Some(number.to_string()),
            Self::Bool(true) => Some("1".to_owned()),
            Self::Bool(false) | Self::Null => Some(String::new()),
            Self::Unknown => None,
        }
    }

    /// As bytes, the way PHP converts to a string; `None` when unknown.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(bytes) => Some(bytes.clone()),
            other => other.text().map(String::into_bytes),
        }
    }

    /// As PHP would have it written; `None` when unknown.
    pub fn literal(&self) -> Option<Vec<u8>> {
        Some(match self {
            Self::Text(bytes) => {
                let mut literal = vec![b'\''];
                for byte in bytes {
                    if matches!(byte, b'\'' | b'\\') {
                        literal.push(b'\\');
                    }
                    literal.push(*byte);
                }
                literal.push(b'\'');
                literal
            }
            Self::Int(number) => number.to_string().into_bytes(),
            Self::Bool(truth) => truth.to_string().into_bytes(),
            Self::Null => b"null".to_vec(),
            Self::Unknown => return None,
        })
    }

    /// As a condition, the way PHP converts; `None` when unknown.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Text(bytes) => Some(!bytes.is_empty() && bytes != b"0"),
            Self::Int(number) => Some(*number != 0),
            Self::Bool(truth) => Some(*truth),
            Self::Null => Some(false),
            Self::Unknown => None,
        }
    }
}

/// What a `wp-config.php` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WpConfig {
    constants: BTreeMap<String, Value>,
    table_prefix: Option<Value>,
    opaque: bool,
    loads: bool,
}

/// Where a file lies, for what it says of itself. `__DIR__` in PHP has no links in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, absolute: its `__FILE__`.
    pub file: Vec<u8>,
    /// `ABSPATH` as `wp-load.php` has defined it before: the directory of WordPress,
    /// absolute, with a slash at its end.
    pub abspath: Vec<u8>,
}

impl WpConfig {
    /// What was learned otherwise than by reading, and is all there is.
    pub fn of(constants: BTreeMap<String, Value>, table_prefix: Option<Value>) -> Self {
        Self {
            constants,
            table_prefix,
            opaque: false,
            loads: true,
        }
    }

    /// A constant; `None` when it is certainly not defined.
    pub fn constant(&self, name: &str) -> Option<&Value> {
        self.constants
            .get(name)
            .or(self.opaque.then_some(&Value::Unknown))
    }

    /// `$table_prefix`; `None` when it is certainly not set.
    pub fn table_prefix(&self) -> Option<&Value> {
        self.table_prefix
            .as_ref()
            .or(self.opaque.then_some(&Value::Unknown))
    }

    /// The constants that the file defines or may define, by name.
    pub fn constants(&self) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.constants.iter();
        all.map(|(name, value)| (name.as_str(), value))
    }

    /// Whether more may be defined than the file shows, by a file that it includes or
    /// by code that was not understood.
    pub fn may_define_more(&self) -> bool {
        self.opaque
    }

    /// Whether the file itself is seen to load WordPress.
    pub fn loads_wordpress(&self) -> bool {
        self.loads
    }
}

/// Reads a file. Anything can be given; nonsense says nothing. Values that depend on
/// where the file lies are unknown.
pub fn parse(file: &[u8]) -> WpConfig {
    run::run(&syntax::read(file), None)
}

/// As [`parse`], for a file in its place.
pub fn parse_at(file: &[u8], place: &Place) -> WpConfig {
    run::run(&syntax::read(file), Some(place))
}

#[cfg(test)]
mod tests;
