//! A configured value and the place it came from.

use std::{collections::BTreeMap, fmt, path::PathBuf};

/// Values by key, each with the place it came from.
pub(super) type Layer = BTreeMap<String, (Value, Origin)>;

/// A value of one of the three types that configuration knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `"…"`
    Text(String),
    /// `60`
    Integer(i64),
    /// `true`
    Bool(bool),
}

impl Value {
    /// As written in a TOML file.
    pub fn to_toml(&self) -> String {
        match self {
            Self::Text(text) => toml::Value::String(text.clone()).to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Bool(truth) => truth.to_string(),
        }
    }

    /// As a JSON value.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Integer(number) => (*number).into(),
            Self::Bool(truth) => (*truth).into(),
        }
    }
}

/// Where a value was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: the compiled-in default.
    Default,
    /// In a file.
    File {
        /// Its path.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// In the environment.
    Variable(String),
    /// At the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, column } => {
                write!(f, "`{}`, line {line}, column {column}", path.display())
            }
            Self::Variable(name) => write!(f, "environment variable `{name}`"),
            Self::Flag(name) => write!(f, "flag `{name}`"),
        }
    }
}
